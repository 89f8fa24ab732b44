"""Expected counts of patches anywhere on the sky of one setting, simulated without any map.

Each patch is flat: sources are laid on a fine grid and convolved with the PSF by Fourier
transforms. A patch of six bands takes about a fiftieth of a second, and no two patches are alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from scipy import fft
from scipy.special import j0

from gammafind.networks.tiers import TIERS, BandResolution, spectral_shares, ts_of_counts
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.sky.upsample import upsample
from gammafind.training.shard_set import Expected
from gammafind.training.targets import TRUTH

SIZE = 12.8
"""Side of the patches in degrees."""
MARGIN = 8.0
"""Finest pixels beyond the border of a patch within which sources are listed."""

_REACH = 64.0
"""Finest pixels beyond the border of a patch from which sources shine in."""
_FINER = 2
"""Fine pixels in a pixel of a patch, in each direction."""
_PADDED = {128: 384, 64: 256, 32: 128, 16: 96}
"""Fine pixels a side of the grid that holds a patch and what is around it, by the width of the
patch. On the finest grid it is 3.2 deg to each side, twenty times the radius of its PSFs."""
_MAP_NSIDE, _EXPOSURE_NSIDE = 128, 32
"""Of background and exposure: the embedded emission has no finer structure."""
_NODES = 32
"""Points a side at which a background is interpolated: as many as the map has pixels."""
_FREQUENCIES = 256
"""At which the transform of a PSF is computed."""
_ANGLES = 6000
_PIXEL_SPREAD = 1 / np.sqrt(6)
"""Standard deviation of the displacement of photons within the pixels of a map, in pixels."""
_FAINTEST, _ABOVE_FAINTEST = 0.01, 1.5
"""As `gammafind.training.shard_set.ShardSet.faintest` has it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FlatSky:
    """One setting of an instrument and one population, as patches need them.

    Attributes
    ----------
    resolution : BandResolution
    shares : ndarray, shape (n_bands,)
        Of the counts of a typical source in each band, on average over the sky.
    moments : ndarray, shape (n_bands, 256)
        Transform of the PSF of each band, at frequencies from 0 to the highest on its grid.
    vectors : ndarray, shape (n_sources, 3)
    counts : ndarray, shape (n_sources, n_bands)
        Of each source.
    background : ndarray, shape (n_bands, 12 * 128**2)
        Expected counts per square degree, RING.
    frame : str
    """

    resolution: BandResolution
    shares: np.ndarray
    moments: np.ndarray
    vectors: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    frame: str

    @cached_property
    def faintest(self) -> np.ndarray:
        """Background of each band where it is faintest, in counts a pixel; shape (n_bands,)."""
        lowest = np.quantile(self.background, _FAINTEST, axis=1)
        return _ABOVE_FAINTEST * lowest * self.resolution.pixel**2

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays by name, but for the frame."""
        facts = {"r68": self.resolution.r68, "area": self.resolution.area}
        names = ("shares", "moments", "vectors", "counts", "background")
        return {**facts, **{name: getattr(self, name) for name in names}}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray], frame: str) -> Self:
        """Make it of what `arrays` gives."""
        known = {name: np.asarray(values) for name, values in arrays.items()}
        facts = {name: known.pop(name) for name in ("r68", "area")}
        return cls(resolution=BandResolution(**facts, size=SIZE), frame=frame, **known)

    def grid(self, n: int, rng: np.random.Generator, *, crowded: float = 0.0) -> PatchGrid:
        """Patches at random places.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        crowded : float
            Share of the patches whose centres are within 10 deg of the equator of the frame.
        """
        sine = rng.uniform(-1, 1, n)
        near = rng.random(n) < crowded
        sine[near] = rng.uniform(-1, 1, near.sum()) * np.sin(np.radians(10))
        lat = np.degrees(np.arcsin(sine))
        return PatchGrid(rng.uniform(0, 360, n), lat, SIZE * u.deg, self.frame)

    def expected(self, grid: PatchGrid, exposure: np.ndarray, flux: np.ndarray) -> Expected:
        """Expected counts in patches; those of each band have the pixels of its tier.

        Parameters
        ----------
        grid : PatchGrid
        exposure, flux : ndarray, shape (len(grid),)
            Factors on the exposure and on the fluxes of the sources in each patch.
        """
        finest = TIERS[0]
        patch, source, x, y = grid.members(self.vectors, finest, margin=_REACH)
        sources = tuple(
            np.zeros((len(grid), width, width), dtype=np.float32)
            for width in self.resolution.widths
        )
        counts = self.counts[source] * (exposure * flux)[patch][:, None]
        transforms = list(map(_transform, self.moments, self.resolution.widths))
        for row in range(len(grid)):
            here = patch == row
            bands = [band[row] for band in sources]
            self._lay(bands, transforms, counts[here], x[here], y[here])
        background = self._backgrounds(grid, exposure)
        near = np.all([(a > -0.5 - MARGIN) & (a < finest - 0.5 + MARGIN) for a in (x, y)], axis=0)
        truth = np.zeros(int(near.sum()), dtype=TRUTH)
        for name, values in (("patch", patch), ("source", source), ("x", x), ("y", y)):
            truth[name] = values[near]
        truth["ts"] = self._ts(truth, counts[near], sources, background)
        return Expected(sources=sources, background=background, exposure=None, truth=truth)

    def _lay(
        self,
        patch: Sequence[np.ndarray],
        transforms: Sequence[np.ndarray],
        counts: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
    ) -> None:
        """Add sources to one patch in all bands."""
        for width in set(self.resolution.widths):
            bands = [i for i, w in enumerate(self.resolution.widths) if w == width]
            size, step = _PADDED[width], TIERS[0] / width / _FINER
            at = np.stack([(c + 0.5) / step - 0.5 + (size - width * _FINER) // 2 for c in (y, x)])
            inside = np.all((at >= 0) & (at < size - 1), axis=0)
            place, weight = _corners(at[:, inside], size)
            for band in bands:
                laid = (weight * counts[inside, band]).ravel()
                laid = np.bincount(place.ravel(), laid, minlength=size**2)
                laid = laid.astype(np.float32).reshape(size, size)
                image = fft.irfft2(fft.rfft2(laid) * transforms[band], s=(size, size))
                patch[band][...] = np.maximum(_central(image, width), 0)

    def _backgrounds(self, grid: PatchGrid, exposure: np.ndarray) -> tuple[np.ndarray, ...]:
        """Expected counts of the background in patches."""
        angles = np.moveaxis(grid.angles(np.arange(len(grid)), _NODES), -1, 0)
        pixels, weights = hp.get_interp_weights(_MAP_NSIDE, *angles.reshape(2, -1))
        shape = (len(grid), _NODES, _NODES)
        at = np.arange(_NODES, dtype=float)
        areas = grid.pixel_areas(*np.meshgrid(at, at), _NODES)
        factor = exposure[:, None, None] * areas / np.radians(grid.pixel_size(_NODES)) ** 2
        made = []
        for values, width, pixel in zip(
            self.background, self.resolution.widths, self.resolution.pixel, strict=True
        ):
            nodes = np.einsum("kn,kn->n", values[pixels], weights).reshape(shape)
            nodes = (nodes * factor * pixel**2).astype(np.float32)
            made.append(np.maximum(_resized(nodes, width), 0))
        return tuple(made)

    def _ts(
        self,
        truth: np.ndarray,
        counts: np.ndarray,
        sources: tuple[np.ndarray, ...],
        background: tuple[np.ndarray, ...],
    ) -> np.ndarray:
        """TS that is expected of each source, with its neighbours known."""
        ts = np.zeros(len(truth))
        facts = (self.resolution.widths, self.resolution.area, self.resolution.core)
        for band, (width, area, core) in enumerate(zip(*facts, strict=True)):
            step = TIERS[0] / width
            row, column = (
                np.clip(np.rint((truth[c] + 0.5) / step - 0.5).astype(int), 0, width - 1)
                for c in ("y", "x")
            )
            at = (truth["patch"], row, column)
            own = counts[:, band]
            others = np.maximum(sources[band][at] - own * core, 0)
            ts += ts_of_counts(own, area * np.maximum(background[band][at] + others, 1e-7))
        return ts


def flat_sky(
    renderer: SkyRenderer, population: SourcePopulation, *, rng: np.random.Generator
) -> FlatSky:
    """Sample sources, and prepare what patches of a setting need.

    Parameters
    ----------
    renderer : SkyRenderer
        With HEALPix maps.
    population : SourcePopulation
    rng : numpy.random.Generator
    """
    sources = population.sample(rng=rng)
    psfs, n_bands = renderer.psfs(), len(renderer.bands)
    frame = renderer.pixels[0].frame
    sizes = [pixels.pixel_size.to_value(u.deg) for pixels in renderer.pixels]
    resolution = BandResolution.of_maps(psfs, renderer.pixels, SIZE)
    coarse = [HealpixPixels(_MAP_NSIDE, frame)] * n_bands
    components = renderer.background(coarse).values()
    area = hp.nside2pixarea(_MAP_NSIDE, degrees=True)
    background = [sum(one.values[band] for one in components) / area for band in range(n_bands)]
    exposure = renderer.exposure([HealpixPixels(_EXPOSURE_NSIDE, frame)] * n_bands)
    mean = np.array([[values.mean() for values in exposure.values]])
    positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    return FlatSky(
        resolution=resolution,
        shares=spectral_shares(renderer.bands, mean)[0],
        moments=np.array(
            [
                _moments(psf, width, size)
                for psf, width, size in zip(psfs, resolution.widths, sizes, strict=True)
            ]
        ),
        vectors=vectors_in(frame, positions),
        counts=renderer.source_counts(sources),
        background=np.array(background, dtype=np.float32),
        frame=frame,
    )


def _moments(psf: RadialPsf, width: int, map_pixel: float) -> np.ndarray:
    """Transform of a PSF, with the displacement of photons in the pixels of a map."""
    known = np.linspace(0, _frequencies(width)[0].max(), _FREQUENCIES)
    angle = np.concatenate([[0.0], np.geomspace(1e-6, psf.theta[-1], _ANGLES)])
    density = psf(angle) * angle
    moments = np.trapezoid(j0(known[:, None] * angle) * density, angle, axis=1)
    spread = np.radians(_PIXEL_SPREAD * map_pixel)
    return moments * np.exp(-((known * spread) ** 2) / 2) / moments[0]


def _transform(moments: np.ndarray, width: int) -> np.ndarray:
    """Transform of a PSF on the grid of a band.

    It undoes the linear interpolation by which sources are laid on the grid, and integrates over
    its pixels.
    """
    frequency, pixel = _frequencies(width)
    known = np.linspace(0, frequency.max(), _FREQUENCIES)
    return (np.interp(frequency, known, moments) / pixel).astype(np.float32)


@cache
def _frequencies(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies per radian on the grid of a band, and the transform of its pixels."""
    size, step = _PADDED[width], np.radians(SIZE / width / _FINER)
    along, across = np.fft.rfftfreq(size), np.fft.fftfreq(size)[:, None]
    return 2 * np.pi * np.hypot(along, across) / step, np.sinc(along) * np.sinc(across)


def _corners(at: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels about positions (2, n) and their weights by linear interpolation, each (4, n)."""
    low = np.floor(at).astype(int)
    part = at - low
    row, column = low
    place = np.stack([(row + i) * size + column + j for i in (0, 1) for j in (0, 1)])
    one = (1 - part, part)
    weight = np.stack([one[i][0] * one[j][1] for i in (0, 1) for j in (0, 1)])
    return place, weight


def _central(image: np.ndarray, width: int) -> np.ndarray:
    """Patch in the middle of a fine grid."""
    first = (len(image) - width * _FINER) // 2
    inner = image[first : first + width * _FINER, first : first + width * _FINER]
    parts = range(_FINER)
    return sum(inner[i::_FINER, j::_FINER] for i in parts for j in parts)


def _resized(nodes: np.ndarray, width: int) -> np.ndarray:
    """Patches with other pixels; coarser ones are means."""
    if width >= nodes.shape[-1]:
        return upsample(nodes, width)
    part = nodes.shape[-1] // width
    return nodes.reshape(len(nodes), width, part, width, part).mean(axis=(2, 4))
