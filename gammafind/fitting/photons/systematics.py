"""What errors of exposure, background and PSF do to the flux of a point source.

A source of s counts has p counts a steradian of the PSF, on b counts a steradian of background. The
fit of s weighs each place by p / (b + s p). A background that is too high by a share e of b then
changes s by ::

    e  integral(p b / (b + s p)) / integral(p^2 / (b + s p))

which is e b over the integral of p^2 for a faint source, and nothing for a bright one. A PSF that
is too wide by a share e raises s by e times the share of background in these weights: for a
Gaussian PSF on much background, s is proportional to 2 a^2 / (a^2 + t^2) for the assumed width a
and the true one t.
"""

from __future__ import annotations

import numpy as np

from gammafind.sky.psf import RadialPsf, ring_weights

_RINGS = 300
"""Angles of the integrals: enough for 1 % from the core of a PSF to its wings."""
_WINGS = 0.99
"""Containment up to which is integrated."""


def _profile(psf: RadialPsf, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Solid angle and density of rings around a source; no sharper than a pixel."""
    edge = psf.containment_radius(_WINGS).to_value("rad")
    theta = np.concatenate([[0.0], np.geomspace(edge / 1e3, edge, _RINGS)])
    area = ring_weights(theta)
    density = np.minimum(psf(theta), 1 / pixel)
    return area, density / np.sum(area * density)


def weights_of_fit(
    psf: RadialPsf, background: np.ndarray, counts: np.ndarray, pixel: float
) -> tuple[np.ndarray, np.ndarray]:
    """Integrals of the weights with which a fit of the counts of a source sees the sky.

    Parameters
    ----------
    psf : RadialPsf
    background : ndarray, shape (n,)
        Counts a steradian at each source.
    counts : ndarray, shape (n,)
        Of each source; not negative.
    pixel : float
        Solid angle of a pixel in steradian.

    Returns
    -------
    share : ndarray, shape (n,)
        Integral of p b / (b + s p): the share of background in the PSF, from 0 to 1.
    information : ndarray, shape (n,)
        Integral of p^2 / (b + s p): one over the variance of the counts.
    """
    area, density = _profile(psf, pixel)
    level = np.maximum(background, 1e-300)[:, None]
    total = level + np.maximum(counts, 0)[:, None] * density
    share = np.sum(area * density * level / total, axis=1)
    return share, np.sum(area * density**2 / total, axis=1)
