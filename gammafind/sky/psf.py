"""The point-spread function of one band as a radial profile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.legendre import legendre_polynomials
from gammafind.units import as_value
from gammafind.utils.cache import cached_arrays
from gammafind.utils.checks import require

_SERIES_BELOW = 1e-3
"""Half widths in radians below which rounding errors exceed those of a short series."""
_GAUSS_POINTS = 5
"""Quadrature points per piece: with the phase below, accurate to rounding."""
_PHASE_OF_A_PIECE = 2.0
"""Multipole times width of a piece, in radians, that the quadrature points resolve."""
_MANY = 500
"""Multipoles from which transforms take so long that they are kept in the cache."""
_VERSION = 1
"""Version of the transforms; the cache ignores those of other versions."""


@dataclass(frozen=True, eq=False)
class RadialPsf:
    """A radially symmetric point-spread function, normalised to one on the sphere.

    The density is linear in theta between the nodes and zero beyond the last node. Every method is
    exact for this profile.

    Parameters
    ----------
    theta : ndarray, shape (n,)
        Angular distances from the source, in radians, increasing from 0 to at most pi.
    density : ndarray, shape (n,)
        Probability per steradian at ``theta``; any norm: it is divided by its integral.

    Raises
    ------
    ShapeError
        If the arrays differ in length or ``theta`` does not increase from 0 to at most pi.
    OptionError
        If the density is negative, not finite or zero everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from gammafind import RadialPsf
    >>> theta = np.linspace(0, 0.1, 500)
    >>> psf = RadialPsf(theta, np.exp(-0.5 * (theta / 0.01) ** 2))
    >>> psf.containment_radius(0.68).to("deg").round(2)
    <Quantity 0.86 deg>
    """

    theta: np.ndarray
    density: np.ndarray
    _cumulative: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        theta = np.ascontiguousarray(self.theta, dtype=float)
        density = np.ascontiguousarray(self.density, dtype=float)
        if theta.ndim != 1 or theta.shape != density.shape or theta.size < 3:
            raise ShapeError(
                f"the PSF profile has theta of shape {theta.shape} and density of {density.shape}",
                remedy="Both must be one-dimensional, of equal length, at least 3.",
            )
        if theta[0] != 0 or not np.all(np.diff(theta) > 0) or theta[-1] > np.pi:
            raise ShapeError("theta of the PSF profile does not increase from 0 to at most pi")
        if not np.all(np.isfinite(density)) or np.any(density < 0) or not density.any():
            raise OptionError("the PSF density is negative, not finite or zero everywhere")
        inner, outer = _interval_weights(theta[:-1], theta[1:])
        rings = inner * density[:-1] + outer * density[1:]
        cumulative = np.concatenate([[0.0], np.cumsum(rings)])
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "density", density / cumulative[-1])
        object.__setattr__(self, "_cumulative", cumulative / cumulative[-1])

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the profile."""
        return hashlib.sha256(self.theta.tobytes() + self.density.tobytes()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RadialPsf) and self.checksum == other.checksum

    def __hash__(self) -> int:
        return hash(self.checksum)

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """Probability per steradian at ``theta`` (radians); zero beyond the profile."""
        return np.interp(theta, self.theta, self.density, right=0.0)

    @property
    def fwhm(self) -> float:
        """Full width at half maximum in radians."""
        return float(2 * np.interp(-self.density[0] / 2, -self.density, self.theta))

    def at(self, x: float, y: float) -> RadialPsf:
        """Profile at a position in the map, in pixel coordinates: the same everywhere."""
        return self

    def containment(self, radius: Quantity) -> np.ndarray | float:
        """Fraction of the counts within ``radius`` of the source."""
        radius = np.clip(as_value(radius, u.rad, name="radius"), 0, self.theta[-1])
        below = np.clip(np.searchsorted(self.theta, radius) - 1, 0, self.theta.size - 2)
        inner, outer = _interval_weights(self.theta[below], radius)
        return self._cumulative[below] + inner * self.density[below] + outer * self(radius)

    def containment_radius(self, fraction: float) -> Quantity:
        """Radius that contains ``fraction`` of the counts, as a Quantity in degrees."""
        require("fraction", fraction, 0 < fraction < 1, "It must be between 0 and 1.")
        return np.degrees(_containment_radius(self, float(fraction))) * u.deg

    def window(self, lmax: int) -> np.ndarray:
        """Legendre transform of the profile, one at multipole 0, shape (lmax + 1,).

        Parameters
        ----------
        lmax : int
            Highest multipole, not negative.
        """
        require("lmax", lmax, lmax >= 0, "It must not be negative.")
        return windows((self,), lmax)[0]


@lru_cache(maxsize=4096)
def _containment_radius(psf: RadialPsf, fraction: float) -> float:
    """Radius in radians that contains a fraction of the counts."""
    from scipy.optimize import brentq

    def excess(radius: float) -> float:
        return psf.containment(radius * u.rad) - fraction

    above = np.searchsorted(psf._cumulative, fraction)
    low, high = psf.theta[above - 1], psf.theta[above]
    # At the nodes the sums may have a rounding error; then there is no change of sign.
    if excess(low) >= 0:
        return float(low)
    if excess(high) <= 0:
        return float(high)
    return float(brentq(excess, low, high, xtol=1e-12))


def windows(psfs: tuple[RadialPsf, ...], lmax: int) -> np.ndarray:
    """Legendre transforms of profiles with equal nodes, shape (n_psfs, lmax + 1).

    Parameters
    ----------
    psfs : tuple of RadialPsf
    lmax : int
        Highest multipole, not negative.
    """
    return _windows(psfs, lmax).copy()


def ring_weights(theta: np.ndarray) -> np.ndarray:
    """Weights w such that ``density @ w`` is the integral of a profile over the sphere.

    Parameters
    ----------
    theta : ndarray, shape (n,)
        Nodes in radians, increasing; the density is linear between them.

    Returns
    -------
    ndarray, shape (n,)
        In steradians.
    """
    inner, outer = _interval_weights(theta[:-1], theta[1:])
    return np.append(inner, 0.0) + np.insert(outer, 0, 0.0)


def _interval_weights(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integrals over a ring of the two hat functions at its inner and outer edge."""
    middle, half = (lower + upper) / 2, (upper - lower) / 2
    area = 4 * np.pi * np.sin(middle) * np.sin(half)
    tilt = np.where(
        half < _SERIES_BELOW,
        half**2 * (1 / 3 - half**2 / 30),
        (np.sin(half) - half * np.cos(half)) / np.where(half > 0, half, 1),
    )
    difference = 2 * np.pi * np.cos(middle) * tilt
    return area / 2 - difference, area / 2 + difference


def _quadrature(nodes: np.ndarray, lmax: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points and weights that resolve ``lmax`` between the nodes."""
    widths = np.diff(nodes)
    pieces = np.ceil(widths * (lmax + 1) / _PHASE_OF_A_PIECE).astype(int)
    width = np.repeat(widths / pieces, pieces)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start = np.repeat(nodes[:-1], pieces) + number * width
    points, weights = np.polynomial.legendre.leggauss(_GAUSS_POINTS)
    theta = start[:, None] + width[:, None] * (points + 1) / 2
    return theta.ravel(), (width[:, None] * weights / 2).ravel()


@lru_cache(maxsize=64)
def _windows(psfs: tuple[RadialPsf, ...], lmax: int) -> np.ndarray:
    def compute() -> dict[str, np.ndarray]:
        theta, step = _quadrature(psfs[0].theta, lmax)
        weights = step * np.sin(theta) * np.array([psf(theta) for psf in psfs])
        polynomials = legendre_polynomials(np.cos(theta), lmax)
        moments = np.array([weights @ polynomial for polynomial in polynomials]).T
        return {"windows": moments / moments[:, :1]}

    if lmax < _MANY:
        return compute()["windows"]
    key = {
        "array": "Legendre transforms of profiles",
        "version": _VERSION,
        "profiles": [psf.checksum for psf in psfs],
        "lmax": lmax,
    }
    return cached_arrays(key, compute)["windows"]
