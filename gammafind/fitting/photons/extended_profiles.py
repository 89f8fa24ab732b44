"""Profiles of round extended sources through a PSF, quick enough to try many radii."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import averaged_density, psf_core
from gammafind.sky.shapes import GAUSSIAN_R68, Shape, convolved

_PER_CORE = 2.5
"""Rings per core of the PSF, or per pixel: the profile is right to 1 % of its centre."""
_RINGS = (6, 48)
"""Fewest and most rings: the steps of the most are a tenth of the width of a Gaussian."""
_REACH = 3.5
"""Standard deviations within which the rings are: they hold 99.8 % of a Gaussian."""
_NODES = 80
"""Angles of a profile within the source, and beyond: close enough for linear interpolation."""


@lru_cache(maxsize=2048)
def seen_through(psf: RadialPsf, shape: Shape) -> RadialPsf:
    """Profile of a round shape seen through a PSF, as `gammafind.sky.shapes.convolved`.

    Parameters
    ----------
    psf : RadialPsf
    shape : Shape
        Its ratio is one.

    Notes
    -----
    A Gaussian is divided into rings, and the PSF is averaged over each of them, and over squares as
    wide as the distance of two rings. That is as good as a sum of discs, and ten times faster.
    """
    if shape.model != "gaussian":
        return convolved(psf, shape)
    core = psf_core(psf)
    rings = _number(_edge(shape), core)
    theta, density = _smeared(shape, rings, core, psf, _edge(shape) / rings)
    return RadialPsf(theta, density)


@lru_cache(maxsize=4096)
def pixel_profile(psf: RadialPsf, shape: Shape, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Profile of a round shape seen through a PSF and averaged over pixels of any orientation.

    Parameters
    ----------
    psf : RadialPsf
    shape : Shape
        Its ratio is one; a disc or a Gaussian.
    width : float
        Side of a pixel in radians.

    Returns
    -------
    chord, density : ndarray
        As from `gammafind.sky.psf_stamps.averaged_profile`.
    """
    scale = np.hypot(psf_core(psf), width / 2)
    theta, density = _smeared(shape, _number(_edge(shape), scale), scale, psf, width)
    return 2 * np.sin(theta / 2), density


def _edge(shape: Shape) -> float:
    """Radius in radians within which the rings of a shape are."""
    return shape.radius * (_REACH / GAUSSIAN_R68 if shape.model == "gaussian" else 1)


def _number(edge: float, scale: float) -> int:
    return int(np.clip(np.ceil(_PER_CORE * edge / scale), *_RINGS))


def _smeared(
    shape: Shape, rings: int, scale: float, psf: RadialPsf, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Angles, and the mean of a PSF that is averaged over squares over the rings of a shape."""
    edge = _edge(shape)
    radius = edge * (np.arange(rings) + 0.5) / rings
    weight = radius.copy()
    if shape.model == "gaussian":
        weight *= np.exp(-((radius * GAUSSIAN_R68 / shape.radius) ** 2) / 2)
    angle = np.pi * (np.arange(2 * rings) + 0.5) / (2 * rings)
    end = min(psf.theta[-1] + edge, np.pi)
    inner, outer = np.linspace(0, edge + scale, _NODES), np.geomspace(scale, end, _NODES)
    theta = np.unique(np.concatenate([inner, outer]))
    squared = theta[:, None, None] ** 2 + radius[:, None] ** 2
    apart = squared - 2 * theta[:, None, None] * radius[:, None] * np.cos(angle)
    averaged = averaged_density(psf, width, np.sqrt(np.maximum(apart, 0)))
    return theta, averaged.mean(axis=2) @ (weight / weight.sum())
