"""Small parts of a sky as rows of pixels, in which counts of the background are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy import units as u

from gammafind.fitting.photons.background import NORM_LIMITS
from gammafind.fitting.photons.data import BandData, SkyData, near_a_pixel
from gammafind.fitting.photons.surroundings import CONTAINMENT
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.harmonics import SIGMA_OF_FWHM
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.projection import local_bases
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import COARSE, FINE, fractions_at, pixels_near

_ENOUGH = 0.3
"""Least pixel over r68 of the PSF: finer ones cost time and change no TS by more than 1 %."""
_RINGS, _ANGLES, _FARTHEST = 10, 16, 3.5
"""Rings around a patch, places on each, and the largest radius in sigma of the smoothed
background: what is beyond does not matter."""
_WITHIN = 8
"""Parts of a pixel a side at which places are drawn."""


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels of one band near each of n places.

    Attributes
    ----------
    pixel : ndarray of int, shape (n, k)
    model : ndarray, shape (n, k)
        Expected counts of the background.
    valid : ndarray of bool, shape (n, k)
    kernel : ndarray, shape (n, k)
        Weight of each pixel in the smoothed background of the place.
    far_model, far_kernel : ndarray, shape (n, k_far)
        Expected counts and weights of what is around the pixels.
    parts : int
        Number of pixels, one after the other, that make one of those that are searched.
    pixels : Pixels
    psf : RadialPsf
    """

    pixel: np.ndarray
    model: np.ndarray
    valid: np.ndarray
    kernel: np.ndarray
    far_model: np.ndarray
    far_kernel: np.ndarray
    parts: int
    pixels: Pixels
    psf: RadialPsf

    @classmethod
    def of(
        cls, band: BandData, pixels: Pixels, vectors: np.ndarray, reach: float, smoothing: float
    ) -> Patch:
        """Pixels near places, shape (n, 3), for sources within ``reach`` radians of them.

        Parameters
        ----------
        band : BandData
        pixels : Pixels
            Those of the band, or finer ones.
        vectors : ndarray, shape (n, 3)
        reach : float
        smoothing : float
            Full width in degrees over which the norm of the background is fitted; 0 for a fixed
            one.
        """
        pixel = pixels_near(vectors, band.pixels, band.psf, containment=CONTAINMENT, reach=reach)
        parts = 1
        if pixels != band.pixels:
            parts = (pixels.nside // band.pixels.nside) ** 2
            pixel = _children(band.pixels.nside, pixels.nside, pixel)
        there = centre_vectors(pixels, pixel.ravel()).reshape(*pixel.shape, 3)
        ratio = (pixels.pixel_area / band.pixels.pixel_area).to_value(u.dimensionless_unscaled)
        place = band.containing(there.reshape(-1, 3)).reshape(pixel.shape)
        valid = band.valid[place]
        model = np.where(valid, band.background[place].astype(float) * ratio, 1e-9)
        sigma = np.radians(smoothing * SIGMA_OF_FWHM)
        far_model = far_kernel = np.zeros((len(vectors), 0))
        kernel = np.zeros(pixel.shape)
        if smoothing:
            distance = np.linalg.norm(there - vectors[:, None], axis=-1)
            kernel = valid * np.exp(-(distance**2) / (2 * sigma**2))
            area = pixel.shape[1] * pixels.pixel_area.to_value("sr")
            far_model, far_kernel = _around(band, vectors, np.sqrt(area / np.pi), sigma)
        return cls(pixel, model, valid, kernel, far_model, far_kernel, parts, pixels, band.psf)

    def shares(
        self,
        vectors: np.ndarray,
        row: np.ndarray | slice = slice(None),
        sampling: float = COARSE,
    ) -> np.ndarray:
        """Shares of the counts of sources at (n, m, 3) in the pixels of some places, (n, m, k)."""
        pixel = self.pixel[row][:, None]
        share = fractions_at(vectors, pixel, self.pixels, self.psf, sampling=sampling)
        return share * self.valid[row][:, None]

    def left_over(self, vectors: np.ndarray, row: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What stays in the model of sources (n, 3) of some counts (n,) that are removed, (n, k).

        The sub-pixels of sources in a model are finer than those with which they are removed, and
        nothing is removed below the background.
        """
        if self.parts > 1:
            return np.zeros(self.model[row].shape)
        fine, coarse = (self.shares(vectors[:, None], row, one)[:, 0] for one in (FINE, COARSE))
        return np.maximum(fine - coarse, 0) * counts[:, None]

    def searched(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., k / parts) of values (..., k) over the pixels that are searched."""
        return values.reshape(*values.shape[:-1], -1, self.parts).sum(axis=-1)

    def fitted_model(
        self, row: np.ndarray, counts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Background with the norm that its smoothed counts give at some places, shape (n, k)."""
        model, kernel = self.model[row], self.kernel[row]
        far_model, far_kernel = self.far_model[row], self.far_kernel[row]
        seen = (counts * kernel).sum(axis=1) + (rng.poisson(far_model) * far_kernel).sum(axis=1)
        expected = (model * kernel).sum(axis=1) + (far_model * far_kernel).sum(axis=1)
        ratio = np.divide(seen, expected, out=np.ones(len(seen)), where=expected > 0)
        return model * np.clip(ratio, *NORM_LIMITS)[:, None]


def fit_pixels(band: BandData, parent: int, finer: Sequence[FineCounts]) -> Pixels:
    """Pixels of a band in which the final TS is computed."""
    fine = [one.pixels for one in finer if one.parent == parent]
    if not fine:
        return band.pixels
    r68 = band.psf.containment_radius(0.68).to_value("deg")
    nside, finest = band.pixels.nside, max(one.nside for one in fine)
    while nside < finest and HealpixPixels(nside).pixel_size.to_value("deg") > _ENOUGH * r68:
        nside *= 2
    return HealpixPixels(nside, band.pixels.frame)


def random_places(data: SkyData, number: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Unit vectors of random places in the valid part of a sky, and its area in sr."""
    areas = [one.valid.sum() * one.pixels.pixel_area.to_value("sr") for one in data.bands]
    band = data.bands[int(np.argmax(areas))]
    places = np.flatnonzero(band.valid)
    chosen = places[((np.arange(number) + rng.uniform()) * len(places) / number).astype(int)]
    index = chosen if band.held is None else band.held[chosen]
    inner = band.pixels.subpixel_vectors(index, _WITHIN)
    return inner[np.arange(number), rng.integers(inner.shape[1], size=number)], max(areas)


def _children(nside: int, finer: int, pixel: np.ndarray) -> np.ndarray:
    """The finer pixels in each of (n, k), one after the other, in RING order all."""
    import healpy as hp

    number = (finer // nside) ** 2
    nested = hp.ring2nest(nside, pixel)[..., None] * number + np.arange(number)
    return hp.nest2ring(finer, nested).reshape(len(pixel), -1)


def _around(
    band: BandData, vectors: np.ndarray, inner: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts and weights of places in rings around patches of a radius in radians."""
    outer = _FARTHEST * sigma
    if inner >= outer:
        none = np.zeros((len(vectors), 0))
        return none, none
    edges = np.linspace(inner, outer, _RINGS + 1)
    radius = np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)
    angle = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    basis = local_bases(vectors)
    direction = np.einsum("ja,nji->nai", [np.cos(angle), np.sin(angle)], basis[:, :2])
    at = (
        np.cos(radius)[:, None, None] * vectors[:, None, None]
        + np.sin(radius)[:, None, None] * direction[:, None]
    )
    at = at.reshape(-1, 3)
    pixel = band.pixels.containing(at)
    place = band.places(pixel)
    seen = band.valid[place] & near_a_pixel(band.pixels, at, pixel)
    density = band.background[place] * seen / band.pixels.pixel_area.to_value("sr")
    density = density.reshape(len(vectors), -1)
    area = np.repeat(np.pi * np.diff(edges**2) / _ANGLES, _ANGLES)
    kernel = np.repeat(np.exp(-(radius**2) / (2 * sigma**2)), _ANGLES)
    return density * area, np.broadcast_to(kernel, density.shape)
