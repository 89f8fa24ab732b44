"""The pointing of the camera: TAN projection with a radial distortion."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS, Sip

from gammafind.sky.projection import north_up

_ORDER = 3
"""Order of the SIP polynomials."""


def frame_wcs(
    ra: float,
    dec: float,
    *,
    shape: tuple[int, int],
    pixel_scale: float,
    distortion: float = 0.0,
    whole: tuple[int, int] | None = None,
) -> WCS:
    """WCS of an image centred on the pointing, north up and east to the left.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    shape : tuple of int
        ``(ny, nx)``.
    pixel_scale : float
        Degrees.
    distortion : float
        Third-order radial shift at the corners of the whole detector, in pixels.
    whole : tuple of int, optional
        Shape of the whole detector, by default ``shape``.

    References
    ----------
    Calabretta & Greisen 2002, doi:10.1051/0004-6361:20021327; Shupe et al. 2005, ADASS XIV, 491
    """
    names = ["RA---TAN-SIP", "DEC--TAN-SIP"] if distortion else ["RA---TAN", "DEC--TAN"]
    wcs = north_up(names, [ra, dec], shape, pixel_scale)
    wcs.wcs.radesys = "ICRS"
    if distortion:
        wcs.sip = _radial(distortion / (np.hypot(*(whole or shape)) / 2) ** 3, wcs.wcs.crpix)
    wcs.wcs.set()
    return wcs


def _radial(strength: float, crpix: np.ndarray) -> Sip:
    """Shift of ``strength * r**3`` outwards, as SIP polynomials."""
    a, b, inverse_a, inverse_b = np.zeros((4, _ORDER + 1, _ORDER + 1))
    a[3, 0] = a[1, 2] = b[0, 3] = b[2, 1] = strength
    return Sip(a, b, inverse_a, inverse_b, crpix)
