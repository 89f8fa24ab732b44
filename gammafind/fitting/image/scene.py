"""A part of an image as input for finders: sky-subtracted, with its noise and PSF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gammafind.errors import OptionError
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches
from gammafind.sky.psf import RadialPsf
from gammafind.sky.tiles import Tile, tiles

_KERNEL = 1.25
"""Half side of the filter in FWHM: balances captured light and time."""
_LARGEST_KERNEL = 20
"""Largest half side of the filter in pixels: limits time for wide PSFs."""
_LEAST_BACKGROUND = 1e-4
"""Least expected counts of a pixel: keeps the noise positive."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """A part of an image in one band.

    Parameters
    ----------
    excess : ndarray of float32, shape (ny, nx)
        Image minus its sky; 0 where not valid.
    noise : ndarray of float32, shape (ny, nx)
        Standard deviation of the sky, positive.
    valid : ndarray of bool, shape (ny, nx)
    psf : RadialPsf
        PSF at the centre of the part.
    pixel_size : float
        Radians.
    tile : Tile, optional
        Position of the part in a larger image.
    """

    excess: np.ndarray
    noise: np.ndarray
    valid: np.ndarray
    psf: RadialPsf
    pixel_size: float
    tile: Tile | None = None

    @cached_property
    def fwhm(self) -> float:
        """Full width at half maximum of the PSF in pixels."""
        return self.psf.fwhm / self.pixel_size

    @cached_property
    def profile(self) -> np.ndarray:
        """Share of the light of a source in each pixel around it; the side is odd."""
        reach = min(int(np.ceil(_KERNEL * self.fwhm)), _LARGEST_KERNEL, *_halves(self.excess))
        offset = np.arange(-reach, reach + 1) * self.pixel_size
        return self.psf(np.hypot(offset[:, None], offset)) * self.pixel_size**2

    @cached_property
    def kernel(self) -> np.ndarray:
        """`profile`, normalised to the sum one."""
        return self.profile / self.profile.sum()

    @cached_property
    def snr(self) -> np.ndarray:
        """Signal-to-noise ratio of each single pixel, float32."""
        return self.excess / self.noise

    @cached_property
    def matched_snr(self) -> np.ndarray:
        """Signal-to-noise ratio of a point source at the centre of each pixel, float32.

        The image is filtered with the PSF; pixels outside count as empty.
        """
        import cv2

        kernel = (self.profile / np.sqrt(np.sum(self.profile**2))).astype(np.float32)
        return cv2.filter2D(self.snr, -1, kernel, borderType=cv2.BORDER_CONSTANT)

    def at(self, image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Values of an image of this part in the pixels that contain the given positions."""
        return image[np.rint(y).astype(int), np.rint(x).astype(int)]


def scene_of_patch(patches: Patches, index: int) -> Scene:
    """Part of an image that a patch covers.

    Raises
    ------
    OptionError
        If the patches have several bands, or lack background or PSFs.
    """
    missing = [name for name in ("background", "psfs") if getattr(patches, name) is None]
    if missing or len(patches.bands) != 1:
        raise _no_image(len(patches.bands), missing)
    counts, background = patches.counts[0][index], patches.background[0][index]
    noise = poisson_noise(background) if patches.noise is None else patches.noise[0][index]
    return _scene(
        counts, background, noise, patches.valid[0][index], patches.psfs[0],
        np.radians(patches.grid.pixel_size(patches.n_pixels[0])),
    )  # fmt: skip


def scenes_of_image(observation: Observation, *, side: int, margin: int) -> Iterator[Scene]:
    """Parts of an image, each with the PSF at its centre.

    Parameters
    ----------
    observation : Observation
    side, margin : int
        Side and margin of the parts in pixels, as for `gammafind.sky.tiles.tiles`.

    Raises
    ------
    OptionError
        If it is not an image, or has several bands.
    """
    counts = observation.counts
    if counts.n_bands != 1 or len(counts.pixels[0].shape) != 2:
        raise _no_image(counts.n_bands, ())
    background = observation.total_background()
    size = counts.pixels[0].pixel_size.to_value("rad")
    for tile in tiles(counts.pixels[0].shape, side=side, margin=margin):
        sky = tile.cut(background.values[0])
        known = observation.noise
        scene = _scene(
            tile.cut(counts.values[0]),
            sky,
            poisson_noise(sky) if known is None else tile.cut(known.values[0]),
            tile.cut(counts.valid[0]),
            observation.psfs[0].at(*tile.middle),
            size,
        )
        yield replace(scene, tile=tile)


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


def poisson_noise(background: np.ndarray) -> np.ndarray:
    """Standard deviation of pixels with Poisson counts of the expected background."""
    return np.sqrt(np.maximum(background, _LEAST_BACKGROUND))


def _halves(image: np.ndarray) -> tuple[int, ...]:
    return tuple((n - 1) // 2 for n in image.shape)


def _no_image(n_bands: int, missing: list[str] | tuple) -> OptionError:
    fault = f"there are {n_bands} bands" if n_bands != 1 else "there is no image"
    if missing:
        fault = f"the patches have no {', '.join(missing)}"
    return OptionError(
        f"{fault} for a finder of images",
        remedy="It needs images in one band, with background and PSF.",
    )
