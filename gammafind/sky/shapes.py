"""Shapes of extended sources, and what they look like through a PSF."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import astropy.units as u
import numpy as np

from gammafind.errors import OptionError
from gammafind.sky.psf import RadialPsf

GAUSSIAN_R68 = float(np.sqrt(-2 * np.log(1 - 0.68)))
"""Radius that contains 68 % of a Gaussian in two dimensions, in units of sigma."""
_DISCS = 32
"""Discs whose sum is a Gaussian: its profile is right to 3 % of the centre, and its width
exactly."""
_POINTS = 1000
"""Points of a shape that is not round: 4 % of its larger radius apart."""
_STEPS = 400
"""Angles of a convolved profile within twice the radius: close enough for linear interpolation."""
_PARTS = 3
"""Circles from one angle of a PSF to the next, for the sharp edges of one or two discs."""
_FAR = 20
"""Angle in radii beyond which a shape changes the wings of a PSF by less than 0.3 %."""
_GOLDEN = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Shape:
    """Brightness of an extended source.

    Parameters
    ----------
    model : {"disc", "ring", "gaussian"}
    radius : float
        In radians, along the longer axis: that of a disc, the outer one of a ring, and that which
        contains 68 % of a Gaussian, 1.51 sigma.
    inner : float
        Inner radius of a ring in radians.
    ratio : float
        Shorter divided by longer axis.
    angle : float
        Position angle of the longer axis in radians, from north to east.

    Raises
    ------
    OptionError
        If a value is impossible.
    """

    model: Literal["disc", "ring", "gaussian"]
    radius: float
    inner: float = 0.0
    ratio: float = 1.0
    angle: float = 0.0

    def __post_init__(self) -> None:
        if self.model not in ("disc", "ring", "gaussian"):
            raise OptionError(
                f"the shape {self.model!r} is unknown", remedy="Known are disc, ring, gaussian."
            )
        possible = 0 < self.radius < np.pi / 2 and 0 < self.ratio <= 1
        if not possible or not 0 <= self.inner < self.radius or not np.isfinite(self.angle):
            raise OptionError(
                f"a {self.model} has the radius {np.degrees(self.radius):g} deg, the inner radius "
                f"{np.degrees(self.inner):g} deg and the axis ratio {self.ratio:g}",
                remedy="The inner radius must be below the radius, the ratio within 0 to 1.",
            )

    @property
    def is_round(self) -> bool:
        """Whether both axes are equal."""
        return self.ratio == 1


@lru_cache(maxsize=2048)
def convolved(psf: RadialPsf, shape: Shape) -> RadialPsf:
    """Profile of a round shape seen through a PSF.

    Parameters
    ----------
    psf : RadialPsf
    shape : Shape
        Its ratio is one.

    Returns
    -------
    RadialPsf

    Notes
    -----
    Each shape is a sum of discs. Around a point, the part of a circle that is within a disc is
    known exactly; it is averaged over circles with the weight of the PSF.
    """
    radii, weights = _discs(shape)
    end = float(psf.theta[-1])
    inner, outer = np.linspace(0, 2 * radii[-1], _STEPS), np.linspace(end, end + radii[-1], 9)
    theta = np.unique(np.concatenate([psf.theta[::2], inner, outer]))
    theta = theta[theta <= np.pi]
    parts = 1 if len(radii) > 2 else _PARTS
    edges = np.interp(
        np.arange(0, (psf.theta.size - 1) * parts + 1) / parts, np.arange(psf.theta.size), psf.theta
    )
    masses = np.diff(np.asarray(psf.containment(edges * u.rad)))
    circles = (edges[1:] + edges[:-1]) / 2
    density = np.asarray(psf(theta), dtype=float)
    near = theta <= _FAR * radii[-1]
    density[near] = 0
    for radius, weight in zip(radii, weights, strict=True):
        area = 2 * np.pi * (1 - np.cos(radius))
        density[near] += weight / area * _inside(theta[near], circles, masses, radius)
    return RadialPsf(theta, np.maximum(density, 0))


def shape_points(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Points of equal weight that fill a shape.

    Returns
    -------
    east, north : ndarray, shape (n,)
        Offsets in radians.
    """
    number = np.arange(_POINTS)
    share = (number + 0.5) / _POINTS
    if shape.model == "gaussian":
        radius = shape.radius / GAUSSIAN_R68 * np.sqrt(-2 * np.log1p(-share))
    else:
        radius = np.sqrt(shape.inner**2 + share * (shape.radius**2 - shape.inner**2))
    along = radius * np.cos(_GOLDEN * number)
    across = radius * np.sin(_GOLDEN * number) * shape.ratio
    sine, cosine = np.sin(shape.angle), np.cos(shape.angle)
    return along * sine + across * cosine, along * cosine - across * sine


def _discs(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Radii, increasing, and weights of the discs that add up to a shape."""
    if shape.model == "gaussian":
        from scipy.special import gammaincinv

        # The squared radius of the discs, in units of 2 sigma^2, has a gamma distribution.
        squared = gammaincinv(2, (np.arange(_DISCS) + 0.5) / _DISCS)
        sigma = shape.radius / GAUSSIAN_R68
        return sigma * np.sqrt(2 * squared * 2 / squared.mean()), np.full(_DISCS, 1 / _DISCS)
    if not shape.inner:
        return np.array([shape.radius]), np.ones(1)
    radii = np.array([shape.inner, shape.radius])
    hole, whole = 1 - np.cos(radii)
    return radii, np.array([-hole, whole]) / (whole - hole)


def _inside(
    theta: np.ndarray, circles: np.ndarray, masses: np.ndarray, radius: float
) -> np.ndarray:
    """Sum of the masses on circles around points that is within a disc, shape (n_points,).

    Circles, shape (n_circles,), increase; those that the edge of the disc crosses are divided.
    """
    whole = np.searchsorted(circles, radius - theta, side="right")
    low = np.searchsorted(circles, np.abs(radius - theta), side="right")
    crossed = np.maximum(np.searchsorted(circles, radius + theta) - low, 0)
    row = np.repeat(np.arange(len(theta)), crossed)
    column = np.arange(len(row)) + np.repeat(low - np.cumsum(crossed) + crossed, crossed)
    cosine = np.cos(radius) - np.cos(theta)[row] * np.cos(circles)[column]
    cosine /= np.sin(theta)[row] * np.sin(circles)[column]
    part = np.arccos(np.clip(cosine, -1, 1)) / np.pi
    divided = np.bincount(row, part * masses[column], minlength=len(theta))
    return np.concatenate([[0.0], np.cumsum(masses)])[whole] + divided
