"""Columns of the published catalogue of an optical image: magnitudes."""

from __future__ import annotations

from gammafind.catalogue.schema import ASSOCIATION, CLASS_LABEL, FLUX_ERROR, SHARED, Column


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
        FLUX_ERROR,
        CLASS_LABEL,
        ASSOCIATION,
    )  # fmt: skip
