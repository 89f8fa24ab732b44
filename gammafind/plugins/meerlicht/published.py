"""Columns of the published catalogue of an optical image: magnitudes."""

from __future__ import annotations

from gammafind.catalogue.schema import SHARED, Column

__all__ = ["published_columns"]


def published_columns(band: str) -> tuple[Column, ...]:
    """Columns as `gammafind.roles.instrument.Instrument.published`, of an image in a filter.

    Fluxes stay next to the magnitudes: a negative flux has no magnitude.
    """
    return (
        *SHARED,
        Column(
            "mag", "mag", "phot.mag;em.opt", f"AB magnitude in {band}, above the atmosphere",
            required=False,
        ),
        Column("mag_err", "mag", "stat.error;phot.mag", "1 sigma error of mag", required=False),
        Column(
            "electrons", "", "phot.count", "Electrons of the source in the image",
            required=False, holds="npred",
        ),
        Column(
            "flux", "cm-2 s-1", "phot.flux;em.opt",
            f"Photon flux in {band}, above the atmosphere", required=False,
        ),
        Column(
            "flux_err", "cm-2 s-1", "stat.error;phot.flux", "1 sigma error of flux",
            required=False,
        ),
        Column(
            "class_label", "", "meta.code.class;src.class", "Most probable class", "U",
            required=False,
        ),
        Column(
            "association", "", "meta.id.cross", "Matched source of the reference catalogue", "U",
            required=False,
        ),
    )  # fmt: skip
