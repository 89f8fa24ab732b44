"""Columns of the published catalogue of the LAT, with the names of the 4FGL catalogues."""

from __future__ import annotations

from dataclasses import replace

from gammafind.catalogue.schema import CATALOGUE

_CHANGES = {
    "significance": {
        "name": "Signif_Avg",
        "description": "Significance, the square root of TS",
    },
    "npred": {"name": "Npred"},
    "class_label": {"name": "CLASS1"},
    "association": {"name": "ASSOC1"},
}

PUBLISHED = tuple(replace(column, **_CHANGES.get(column.quantity, {})) for column in CATALOGUE)
"""As `gammafind.roles.instrument.Instrument.published`."""
