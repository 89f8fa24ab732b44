"""The cuts that made a Fermi file, from its data-subspace (DSS) keywords."""

from __future__ import annotations

from astropy.io import fits

__all__ = ["selections"]


def selections(header: fits.Header) -> tuple[str, ...]:
    """Cuts of a header as text, such as ``"ZENITH_ANGLE = 0:90 deg"``.

    Parameters
    ----------
    header : astropy.io.fits.Header
        With ``DSTYPn``, ``DSVALn`` and ``DSUNIn``, ``n`` from 1.

    Returns
    -------
    tuple of str
        Empty where the header tells none.
    """
    cuts = []
    for number in range(1, int(header.get("NDSKEYS", 0)) + 1):
        kind, value, unit = (
            str(header.get(f"{key}{number}", "")).strip() for key in ("DSTYP", "DSVAL", "DSUNI")
        )
        unit = "" if unit == "DIMENSIONLESS" or value == "TABLE" else f" {unit}"
        cuts.append(f"{kind} = {value}{unit}".rstrip())
    return tuple(cuts)
