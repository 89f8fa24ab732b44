"""Small parts of a sky as rows of pixels, in which counts of the background are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
_PIXEL = np.sqrt(np.pi / 3)
"""Side of a HEALPix pixel in radians, times nside."""
_LEAST = 1e-9
"""Least expected counts of a pixel: keeps logarithms finite."""
_WITHIN = 8
"""Parts of a pixel a side at which places are drawn."""


@dataclass(frozen=True, eq=False)
class Part:
    """A band, or a part of it, in the pixels in which its photons are fitted.

    Attributes
    ----------
    parent : int
        Index of the band.
    edges : tuple of float
        Energy edges in MeV.
    pixels : Pixels
        Those of the band, or finer ones.
    psf : RadialPsf
    fine : FineCounts or None
        Where its photons are on finer pixels.
    """

    parent: int
    edges: tuple[float, float]
    pixels: Pixels
    psf: RadialPsf
    fine: FineCounts | None = None

    @property
    def exposure(self) -> float:
        """Exposure over that of the band."""
        return 1.0 if self.fine is None else self.fine.exposure


def parts_of(data: SkyData, finer: Sequence[FineCounts]) -> list[Part]:
    """Parts of all bands, those of a band one after the other."""
    found = []
    for i, band in enumerate(data.bands):
        fine = [one for one in finer if one.parent == i]
        for one in fine:
            psf = one.psf or band.psf
            found.append(Part(i, one.edges, _enough(band, psf, one), psf, one))
        if not fine:
            found.append(Part(i, band.edges, band.pixels, band.psf))
    return found


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels of a part near each of n places.

    Attributes
    ----------
    part : Part
    pixel : ndarray of int, shape (n, k)
    model : ndarray, shape (n, k)
        Expected counts of the background.
    valid : ndarray of bool, shape (n, k)
    kernel : ndarray, shape (n, k)
        Weight of each pixel in the smoothed background of the place.
    far_model, far_kernel : ndarray, shape (n, k_far)
        Expected counts and weights of what is around the pixels.
    divided : int
        Number of pixels, one after the other, that make one of those that are searched.
    """

    part: Part
    pixel: np.ndarray
    model: np.ndarray
    valid: np.ndarray
    kernel: np.ndarray
    far_model: np.ndarray
    far_kernel: np.ndarray
    divided: int

    @classmethod
    def of(
        cls, band: BandData, part: Part, vectors: np.ndarray, *, reach: float, smoothing: float
    ) -> Patch:
        """Pixels near places, shape (n, 3), for sources within ``reach`` radians of them.

        Parameters
        ----------
        band : BandData
        part : Part
            Of this band.
        vectors : ndarray, shape (n, 3)
        reach : float
        smoothing : float
            Full width in degrees over which the norm of the background is fitted; 0 for a fixed
            one.
        """
        pixel = pixels_near(vectors, band.pixels, band.psf, containment=CONTAINMENT, reach=reach)
        pixels, number = part.pixels, divided(band.pixels, part.pixels)
        if number > 1:
            pixel = _children(band.pixels.nside, pixels.nside, pixel)
        there = centre_vectors(pixels, pixel.ravel())
        place = band.containing(there).reshape(pixel.shape)
        valid = band.valid[place]
        share = 1.0 if part.fine is None else part.fine.background_share(there)
        share = np.broadcast_to(share, len(there)).reshape(pixel.shape) / number
        model = np.where(valid, np.maximum(band.background[place] * share, _LEAST), _LEAST)
        far_model = far_kernel = np.zeros((len(vectors), 0))
        kernel = np.zeros(pixel.shape)
        if smoothing:
            sigma = np.radians(smoothing * SIGMA_OF_FWHM)
            distance = np.linalg.norm(there.reshape(*pixel.shape, 3) - vectors[:, None], axis=-1)
            kernel = valid * np.exp(-(distance**2) / (2 * sigma**2))
            area = pixel.shape[1] * pixels.pixel_area.to_value("sr")
            far_model, far_kernel = _around(band, vectors, np.sqrt(area / np.pi), sigma)
        return cls(part, pixel, model, valid, kernel, far_model, far_kernel, number)

    def shares(
        self,
        vectors: np.ndarray,
        row: np.ndarray | slice = slice(None),
        sampling: float = COARSE,
    ) -> np.ndarray:
        """Shares of the counts of sources at (n, m, 3) in the pixels of some places, (n, m, k)."""
        pixel = self.pixel[row][:, None]
        part = self.part
        share = fractions_at(vectors, pixel, part.pixels, part.psf, sampling=sampling)
        return share * self.valid[row][:, None]

    def left_over(self, vectors: np.ndarray, row: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What stays in the model of sources (n, 3) of some counts (n,) that are removed, (n, k).

        The sub-pixels of sources in a model are finer than those with which they are removed, and
        nothing is removed below the background.
        """
        if self.part.fine is not None:
            return np.zeros(self.model[row].shape)
        fine, coarse = (self.shares(vectors[:, None], row, one)[:, 0] for one in (FINE, COARSE))
        return np.maximum(fine - coarse, 0) * counts[:, None]

    def searched(self, values: np.ndarray) -> np.ndarray:
        """Sums (..., k / divided) of values (..., k) over the pixels that are searched."""
        return values.reshape(*values.shape[:-1], -1, self.divided).sum(axis=-1)

    def smoothed(self, row: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum of values (n, k) at some places, weighted for the smoothed background, (n,)."""
        return (values * self.kernel[row]).sum(axis=1)

    def around(self, row: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Weighted counts that are drawn around the pixels, and expected ones, (n,) both."""
        expected, kernel = self.far_model[row], self.far_kernel[row]
        drawn = rng.poisson(expected)
        return (drawn * kernel).sum(axis=1), (expected * kernel).sum(axis=1)


def fitted_models(
    patches: Sequence[Patch],
    row: np.ndarray,
    counts: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Background of patches with the norms that the smoothed counts of their bands give.

    Parameters
    ----------
    patches : sequence of Patch
    row : ndarray of int, shape (n,)
        Places of the counts.
    counts : sequence of ndarray, shape (n, k)
        In the pixels of each patch.
    rng : Generator
        Draws the counts around them.

    Returns
    -------
    list of ndarray, shape (n, k)
    """
    models = [patch.model[row] for patch in patches]
    for band in {patch.part.parent for patch in patches}:
        own = [i for i, patch in enumerate(patches) if patch.part.parent == band]
        seen, expected = patches[own[0]].around(row, rng)
        for i in own:
            seen = seen + patches[i].smoothed(row, counts[i])
            expected = expected + patches[i].smoothed(row, models[i])
        norm = np.divide(seen, expected, out=np.ones(len(row)), where=expected > 0)
        for i in own:
            models[i] = models[i] * np.clip(norm, *NORM_LIMITS)[:, None]
    return models


def _enough(band: BandData, psf: RadialPsf, fine: FineCounts) -> Pixels:
    """Pixels that are fine enough for photons on the finest ones."""
    r68 = psf.containment_radius(0.68).to_value("deg")
    nside = band.pixels.nside
    while nside < fine.pixels.nside and np.degrees(_PIXEL / nside) > _ENOUGH * r68:
        nside *= 2
    return HealpixPixels(nside, band.pixels.frame)


def widest_band(data: SkyData) -> tuple[BandData, float]:
    """The band that sees most of a sky, and the area of its valid pixels in sr."""
    areas = [one.valid.sum() * one.pixels.pixel_area.to_value("sr") for one in data.bands]
    widest = int(np.argmax(areas))
    return data.bands[widest], float(areas[widest])


def random_places(band: BandData, number: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors of random places in the valid pixels of a band, evenly spread."""
    places = np.flatnonzero(band.valid)
    chosen = places[((np.arange(number) + rng.uniform()) * len(places) / number).astype(int)]
    index = chosen if band.held is None else band.held[chosen]
    inner = band.pixels.subpixel_vectors(index, _WITHIN)
    return inner[np.arange(number), rng.integers(inner.shape[1], size=number)]


def divided(pixels: Pixels, finer: Pixels) -> int:
    """Number of the finer pixels in each one."""
    return 1 if finer == pixels else (finer.nside // pixels.nside) ** 2


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
