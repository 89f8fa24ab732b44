"""The point-spread function of one band as a radial profile."""

from __future__ import annotations

from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, ShapeError
from gammafind.units import as_value

__all__ = ["RadialPsf"]


@dataclass(frozen=True, eq=False)
class RadialPsf:
    """A radially symmetric point-spread function, normalised to one on the sphere.

    Parameters
    ----------
    theta : ndarray, shape (n,)
        Angular distances from the source, in radians, increasing from 0.
    density : ndarray, shape (n,)
        Probability per steradian at ``theta``; any norm, it is divided by its integral.

    Raises
    ------
    ShapeError
        If the arrays differ in length or ``theta`` does not increase from 0.
    OptionError
        If the density is negative, not finite or zero everywhere.
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
                remedy="Both must be one-dimensional, of one length, at least 3.",
            )
        if theta[0] != 0 or np.any(np.diff(theta) <= 0):
            raise ShapeError("theta of the PSF profile does not increase from 0")
        if not np.all(np.isfinite(density)) or np.any(density < 0) or not density.any():
            raise OptionError("the PSF density is negative, not finite or zero everywhere")
        cumulative = _cumulative_integral(theta, density)
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "density", density / cumulative[-1])
        object.__setattr__(self, "_cumulative", cumulative / cumulative[-1])

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """Probability per steradian at ``theta`` (radians); zero beyond the profile."""
        return np.interp(theta, self.theta, self.density, right=0.0)

    def containment(self, radius: Quantity) -> np.ndarray | float:
        """Fraction of the counts within ``radius`` of the source."""
        return np.interp(as_value(radius, u.rad, name="radius"), self.theta, self._cumulative)

    def containment_radius(self, fraction: float) -> Quantity:
        """Radius that holds ``fraction`` of the counts, as a Quantity in degrees."""
        if not 0 < fraction < 1:
            raise OptionError(f"fraction is {fraction}", remedy="It must lie between 0 and 1.")
        return np.degrees(np.interp(fraction, self._cumulative, self.theta)) * u.deg

    def window(self, lmax: int) -> np.ndarray:
        """Legendre transform of the profile, one at multipole 0, shape (lmax + 1,)."""
        import healpy as hp

        fine = np.linspace(0, self.theta[-1], max(4 * lmax, 4 * self.theta.size))
        theta = np.union1d(self.theta, fine)
        window = hp.beam2bl(self(theta), theta, lmax)
        return window / window[0]


def _cumulative_integral(theta: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Integral over the sphere from 0 to each theta, with density linear between the nodes."""
    lower, upper = theta[:-1], theta[1:]
    middle = (lower + upper) / 2
    ring = np.cos(lower) - np.cos(upper)
    halves = (density[:-1] * (np.cos(lower) - np.cos(middle))
              + density[1:] * (np.cos(middle) - np.cos(upper)))
    mean = np.where(ring > 0, halves / np.where(ring > 0, ring, 1), 0)
    return np.concatenate([[0.0], np.cumsum(2 * np.pi * ring * mean)])
