"""A part of an image as finders want it: without its sky, with its noise and PSF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gammafind.errors import OptionError
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches
from gammafind.sky.psf import RadialPsf

__all__ = ["Scene", "scene_of_patch", "scenes_of_image"]

_SIDE = 2048
_MARGIN = 64
"""Pixels about a part that are searched too, so that no source is cut."""
_KERNEL = 1.25
"""Half side of the kernel in FWHM."""
_LARGEST_KERNEL = 20
_LEAST_BACKGROUND = 1e-4


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """A part of an image in one band.

    Parameters
    ----------
    excess : ndarray of float32, shape (ny, nx)
        Image less its sky; 0 where not valid.
    noise : ndarray of float32, shape (ny, nx)
        Standard deviation of the sky, positive.
    valid : ndarray of bool, shape (ny, nx)
    psf : RadialPsf
        In the middle of the part.
    pixel_size : float
        Radians.
    corner : tuple of int
        Column and row of the first pixel in the whole image.
    core : tuple of slice
        Rows and columns of the part; what lies about it is in other parts too.
    """

    excess: np.ndarray
    noise: np.ndarray
    valid: np.ndarray
    psf: RadialPsf
    pixel_size: float
    corner: tuple[int, int] = (0, 0)
    core: tuple[slice, slice] | None = None

    @cached_property
    def fwhm(self) -> float:
        """Full width at half maximum of the PSF in pixels."""
        theta, density = self.psf.theta, self.psf.density
        half = np.interp(-density[0] / 2, -density, theta)
        return float(2 * half / self.pixel_size)

    @cached_property
    def kernel(self) -> np.ndarray:
        """PSF at the centres of pixels, of odd side, sum one."""
        reach = min(int(np.ceil(_KERNEL * self.fwhm)), _LARGEST_KERNEL, *_halves(self.excess))
        offset = np.arange(-reach, reach + 1) * self.pixel_size
        density = self.psf(np.hypot(offset[:, None], offset))
        return density / density.sum()

    def at(self, image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Values of an image of this part in the pixels that hold some places."""
        return image[np.rint(y).astype(int), np.rint(x).astype(int)]

    def mine(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Which places in the pixels of this part belong to no other part."""
        if self.core is None:
            return np.ones(len(x), dtype=bool)
        rows, columns = self.core
        return (
            (x >= columns.start - 0.5) & (x < columns.stop - 0.5)
            & (y >= rows.start - 0.5) & (y < rows.stop - 0.5)
        )  # fmt: skip


def scene_of_patch(patches: Patches, index: int) -> Scene:
    """Part of an image that a patch shows.

    Raises
    ------
    OptionError
        If the patches have several bands, or lack background or PSFs.
    """
    missing = [name for name in ("background", "psfs") if getattr(patches, name) is None]
    if missing or len(patches.bands) != 1:
        raise _no_image(len(patches.bands), missing)
    counts, background = patches.counts[0][index], patches.background[0][index]
    noise = _poisson(background) if patches.noise is None else patches.noise[0][index]
    return _scene(
        counts, background, noise, patches.valid[0][index], patches.psfs[0],
        np.radians(patches.grid.pixel_size(patches.n_pixels[0])),
    )  # fmt: skip


def scenes_of_image(observation: Observation) -> Iterator[Scene]:
    """Parts of an image, each with the PSF of its middle.

    Raises
    ------
    OptionError
        If it is no image, or has several bands.
    """
    counts = observation.counts
    if counts.n_bands != 1 or len(counts.pixels[0].shape) != 2:
        raise _no_image(counts.n_bands, ())
    background = observation.total_background()
    size = counts.pixels[0].pixel_size.to_value("rad")
    for core, around in _parts(counts.pixels[0].shape):
        rows, columns = around
        sky = background.values[0][around]
        noise = (
            _poisson(sky) if observation.noise is None else observation.noise.values[0][around]
        )
        middle = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
        scene = _scene(
            counts.values[0][around], sky, noise, counts.valid[0][around],
            observation.psfs[0].at(*middle), size,
        )  # fmt: skip
        corner = columns.start, rows.start
        own = tuple(
            slice(c.start - a.start, c.stop - a.start) for c, a in zip(core, around, strict=True)
        )
        yield _placed(scene, corner, own)


def _scene(
    counts: np.ndarray,
    background: np.ndarray,
    noise: np.ndarray,
    valid: np.ndarray,
    psf: RadialPsf,
    pixel_size: float,
) -> Scene:
    excess = np.where(valid, counts - background, 0).astype(np.float32)
    return Scene(
        excess=excess,
        noise=np.ascontiguousarray(noise, dtype=np.float32),
        valid=np.array(valid),
        psf=psf,
        pixel_size=float(pixel_size),
    )


def _placed(scene: Scene, corner: tuple[int, int], core: tuple[slice, slice]) -> Scene:
    return replace(scene, corner=corner, core=core)


def _poisson(background: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(background, _LEAST_BACKGROUND))


def _parts(shape: tuple[int, int]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Rows and columns of each part, and of the part with its margin."""
    for row in range(0, shape[0], _SIDE):
        for column in range(0, shape[1], _SIDE):
            starts = row, column
            core = tuple(
                slice(a, min(a + _SIDE, n)) for a, n in zip(starts, shape, strict=True)
            )
            yield core, tuple(
                slice(max(c.start - _MARGIN, 0), min(c.stop + _MARGIN, n))
                for c, n in zip(core, shape, strict=True)
            )


def _halves(image: np.ndarray) -> tuple[int, ...]:
    return tuple((n - 1) // 2 for n in image.shape)


def _no_image(n_bands: int, missing: list[str] | tuple) -> OptionError:
    fault = f"there are {n_bands} bands" if n_bands != 1 else "there is no image"
    if missing:
        fault = f"the patches have no {', '.join(missing)}"
    return OptionError(
        f"{fault} for a finder of images",
        remedy="It takes images in one band, with background and PSF.",
    )
