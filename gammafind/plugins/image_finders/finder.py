"""Common parts of the finders of images: the search in parts and the detection table."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.fitting.image.detections import image_detections
from gammafind.fitting.image.scene import Scene, scene_of_patch, scenes_of_image
from gammafind.roles.localiser import Localiser, patch_by_patch
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches

FWHM_OF_SIGMA = 2.3548
"""Full width at half maximum of a Gaussian in units of its standard deviation."""
_SIDE, _MARGIN = 2176, 64
"""Side and margin of the parts of an image in pixels: balance memory and the cost of overlaps."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Detections in the pixels of a scene, n of them.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Columns and rows.
    score : ndarray, shape (n,)
        Signal-to-noise ratios.
    electrons : ndarray, shape (n,)
        Electrons of a point source with this height.
    """

    x: np.ndarray
    y: np.ndarray
    score: np.ndarray
    electrons: np.ndarray

    def select(self, rows: np.ndarray) -> Found:
        """Return some of the detections."""
        return Found(**{name: values[rows] for name, values in vars(self).items()})

    def on_image(self, scene: Scene) -> Found:
        """Detections with their centroids on the image."""
        ny, nx = scene.excess.shape
        good = np.isfinite(self.x) & (self.x >= -0.5) & (self.x < nx - 0.5)
        return self.select(good & (self.y >= -0.5) & (self.y < ny - 0.5))


@dataclass(frozen=True, kw_only=True)
class ImageFinder(Localiser):
    """A finder that searches an image completely or in parts."""

    sees: ClassVar[str] = "both"

    @abc.abstractmethod
    def _find(self, scene: Scene) -> Found:
        """Find the sources of a part of an image."""

    def _localise(self, patches: Patches) -> QTable:
        def find(index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            scene = scene_of_patch(patches, index)
            found = self._find(scene).on_image(scene)
            return found.x, found.y, found.score

        return patch_by_patch(patches, find)

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        if len(observation.counts.pixels[0].shape) != 2:
            return super()._localise_sky(observation, grid, n_pixels, rng)
        rows = [np.zeros((0, 6))]
        for scene in scenes_of_image(observation, side=_SIDE, margin=_MARGIN):
            found = self._find(scene).on_image(scene)
            left, low = scene.tile.corner
            own = scene.tile.owns(found.x + left, found.y + low)
            rows.append(_measured(scene, found.select(own)))
        x, y, score, electrons, electrons_err, position_err = np.concatenate(rows).T
        return image_detections(
            observation,
            x=x,
            y=y,
            score=score,
            electrons=electrons,
            electrons_err=electrons_err,
            position_err=position_err,
        )


def _measured(scene: Scene, found: Found) -> np.ndarray:
    """Rows of ``x, y, score``, electrons, their error, and the position error in pixels.

    The error of the electrons combines that of a matched filter, 1 / sqrt(sum p^2) times the noise
    of a pixel for the PSF p, and the photon noise of the source. The position error is that of a
    Gaussian PSF with width w at a signal-to-noise ratio s, sqrt(2) w / s per axis.

    References
    ----------
    Horne 1986, doi:10.1086/131801; King 1983, doi:10.1086/131139
    """
    noise = scene.at(scene.noise, found.x, found.y)
    electrons = found.electrons
    error = np.sqrt(noise**2 / np.sum(scene.profile**2) + np.maximum(electrons, 0))
    ratio = np.maximum(electrons / error, 1)
    spread = np.sqrt(2) * scene.fwhm / FWHM_OF_SIGMA / ratio
    left, low = scene.tile.corner
    return np.column_stack([found.x + left, found.y + low, found.score, electrons, error, spread])
