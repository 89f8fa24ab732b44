"""Systematic errors of an instrument and of the background that it sees."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Systematics:
    """Relative errors of one standard deviation in each band, and the floor of positions.

    Parameters
    ----------
    exposure : tuple of float
        Of the exposure: the effective area.
    background : tuple of float
        Of the background under a source, relative to a fitted model.
    psf : tuple of float
        Of the radius that contains 68 % of the PSF.
    position : float
        Floor of the 95 % error radius in degrees.
    """

    exposure: tuple[float, ...]
    background: tuple[float, ...]
    psf: tuple[float, ...]
    position: float
