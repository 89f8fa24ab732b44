"""Positions of tables with the usual column names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable

from gammafind.catalogue.positions import sky_positions
from gammafind.errors import TableError

CRAB = SkyCoord(83.6331, 22.0145, unit="deg")


@pytest.mark.parametrize(
    "table",
    [
        QTable({"ra": [CRAB.ra.deg] * u.deg, "dec": [CRAB.dec.deg] * u.deg}),
        QTable({"RA": [CRAB.ra.hourangle] * u.hourangle, "DEC": [CRAB.dec.arcmin] * u.arcmin}),
        QTable({"RAJ2000": [CRAB.ra.deg], "DEJ2000": [CRAB.dec.deg]}),
        QTable({"GLON": [CRAB.galactic.l.deg] * u.deg, "GLAT": [CRAB.galactic.b.deg] * u.deg}),
    ],
)
def test_usual_names_and_units(table):
    assert sky_positions(table)[0].separation(CRAB) < 1e-6 * u.arcsec


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (QTable({"x": [1.0]}), "no positions: its columns are x"),
        (QTable({"ra": [1.0], "dec": [np.nan]}), "column dec has values that are not finite"),
        (QTable({"ra": [1.0], "dec": [91.0]}), "outside -90 to 90"),
        (
            QTable({"ra": MaskedColumn([1, 2], mask=[0, 1]), "dec": [3, 4]}),
            "column ra has values",
        ),
        (QTable({"ra": ["1h"], "dec": [1.0]}), "column ra is not an angle"),
        (QTable({"ra": [1.0] * u.m, "dec": [1.0]}), "column ra is not an angle"),
    ],
)
def test_unusable_positions_are_named(table, fault):
    with pytest.raises(TableError, match=fault):
        sky_positions(table)


def test_positions_of_the_fermi_catalogue(shared):
    from gammafind.catalogue.io import read_table

    table = read_table(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz")
    crab = sky_positions(table)[table["ASSOC1"] == "Crab Nebula"]
    assert len(table) == 5788
    assert crab[0].separation(CRAB) < 0.02 * u.deg
