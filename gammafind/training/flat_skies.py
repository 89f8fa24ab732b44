"""Expected counts of patches anywhere on the sky of one setting, simulated without any map.

Each patch is flat: sources are laid on a fine grid and convolved with the PSF by Fourier
transforms. A patch of six bands takes about a fiftieth of a second, and no two patches are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from scipy import fft, sparse
from scipy.special import j0

from gammafind.networks.tiers import (
    PLACED,
    TIER_SIZE,
    TIERS,
    BandResolution,
    psf_radii,
    spectral_shares,
    ts_of_counts,
)
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.sky.upsample import upsample
from gammafind.training.shard_set import Expected, PatchMap
from gammafind.training.targets import TRUTH

SIZE = TIER_SIZE
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
FREQUENCIES = np.concatenate([[0.0], np.geomspace(0.3, 5200, 255)])
"""Per radian, at which the transform of a PSF is computed: up to the highest of the finest grid."""
_ANGLES = 6000
_FAINTEST, _ABOVE_FAINTEST = 0.01, 1.5
"""As `gammafind.training.shard_set.ShardSet.faintest` has it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FlatSky:
    """One setting of an instrument and one population, as patches need them.

    Attributes
    ----------
    psf_r68, psf_area : ndarray, shape (n_bands,)
        As `gammafind.networks.tiers.BandResolution` has them.
    shares : ndarray, shape (n_bands,)
        Of the counts of a typical source in each band, on average over the sky.
    moments : ndarray, shape (n_bands, 256)
        Transform of the PSF of each band at `FREQUENCIES`.
    vectors : ndarray, shape (n_sources, 3)
    counts : ndarray, shape (n_sources, n_bands)
        Of each source.
    background : ndarray, shape (n_bands, 12 * 128**2)
        Expected counts per square degree, RING.
    frame : str
    """

    psf_r68: np.ndarray
    psf_area: np.ndarray
    shares: np.ndarray
    moments: np.ndarray
    vectors: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    frame: str

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays by name, but for the frame."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "frame"}

    def resolution(self, map_pixels: np.ndarray) -> BandResolution:
        """How sharply the bands are seen if their maps have pixels of some sizes in degrees."""
        return BandResolution(
            psf_r68=self.psf_r68, psf_area=self.psf_area, map_pixels=map_pixels, size=SIZE
        )

    @cached_property
    def faintest(self) -> np.ndarray:
        """Background of each band where it is faintest, per square degree; shape (n_bands,)."""
        return _ABOVE_FAINTEST * np.quantile(self.background, _FAINTEST, axis=1)

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

    def expected(
        self,
        grid: PatchGrid,
        resolution: BandResolution,
        exposure: np.ndarray,
        flux: np.ndarray,
    ) -> Expected:
        """Expected counts in patches; those of each band have the pixels of its tier.

        Where counts are not to be spread, photons are displaced within the pixels of the maps.

        Parameters
        ----------
        grid : PatchGrid
        resolution : BandResolution
            From `resolution`.
        exposure, flux : ndarray, shape (len(grid),)
            Factors on the exposure and on the fluxes of the sources in each patch.
        """
        finest = TIERS[0]
        patch, source, x, y = grid.members(self.vectors, finest, margin=_REACH)
        sources = tuple(
            np.zeros((len(grid), width, width), dtype=np.float32) for width in resolution.widths
        )
        counts = self.counts[source] * (exposure * flux)[patch][:, None]
        placed = np.where(resolution.spread, 0, np.radians(resolution.map_pixels)) * PLACED
        transforms = list(map(_transform, self.moments, resolution.widths, placed))
        for row in range(len(grid)):
            here = patch == row
            bands = [band[row] for band in sources]
            _lay(bands, transforms, counts[here], x[here], y[here])
        background = self._backgrounds(grid, resolution, exposure)
        near = np.all([(a > -0.5 - MARGIN) & (a < finest - 0.5 + MARGIN) for a in (x, y)], axis=0)
        truth = np.zeros(int(near.sum()), dtype=TRUTH)
        for name, values in (("patch", patch), ("source", source), ("x", x), ("y", y)):
            truth[name] = values[near]
        truth["ts"] = _ts(truth, counts[near], sources, background, resolution)
        return Expected(sources=sources, background=background, exposure=None, truth=truth)

    def _backgrounds(
        self, grid: PatchGrid, resolution: BandResolution, exposure: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Expected counts of the background in patches."""
        angles = np.moveaxis(grid.angles(np.arange(len(grid)), _NODES), -1, 0)
        pixels, weights = hp.get_interp_weights(_MAP_NSIDE, *angles.reshape(2, -1))
        shape = (len(grid), _NODES, _NODES)
        at = np.arange(_NODES, dtype=float)
        areas = grid.pixel_areas(*np.meshgrid(at, at), _NODES)
        factor = exposure[:, None, None] * areas / np.radians(grid.pixel_size(_NODES)) ** 2
        made = []
        for values, width, pixel in zip(
            self.background, resolution.widths, resolution.pixel, strict=True
        ):
            nodes = np.einsum("kn,kn->n", values[pixels], weights).reshape(shape)
            nodes = (nodes * factor * pixel**2).astype(np.float32)
            made.append(np.maximum(_resized(nodes, width), 0))
        return tuple(made)


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
    r68, area = psf_radii(psfs)
    coarse = [HealpixPixels(_MAP_NSIDE, frame)] * n_bands
    components = renderer.background(coarse).values()
    pixel = hp.nside2pixarea(_MAP_NSIDE, degrees=True)
    background = [sum(one.values[band] for one in components) / pixel for band in range(n_bands)]
    exposure = renderer.exposure([HealpixPixels(_EXPOSURE_NSIDE, frame)] * n_bands)
    mean = np.array([[values.mean() for values in exposure.values]])
    positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    return FlatSky(
        psf_r68=r68,
        psf_area=area,
        shares=spectral_shares(renderer.bands, mean)[0],
        moments=np.array([_moments(psf) for psf in psfs]),
        vectors=vectors_in(frame, positions),
        counts=renderer.source_counts(sources),
        background=np.array(background, dtype=np.float32),
        frame=frame,
    )


def _lay(
    patch: Sequence[np.ndarray],
    transforms: Sequence[np.ndarray],
    counts: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
) -> None:
    """Add sources to one patch in all bands."""
    widths = [one.shape[-1] for one in patch]
    for width in set(widths):
        bands = [i for i, w in enumerate(widths) if w == width]
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


def _ts(
    truth: np.ndarray,
    counts: np.ndarray,
    sources: tuple[np.ndarray, ...],
    background: tuple[np.ndarray, ...],
    resolution: BandResolution,
) -> np.ndarray:
    """TS that is expected of each source, with its neighbours known."""
    ts = np.zeros(len(truth))
    facts = (resolution.widths, resolution.area, resolution.core)
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


def with_maps(expected: Expected, resolution: BandResolution, rng: np.random.Generator) -> Expected:
    """Lay the pixels of maps over patches, in the bands whose counts are to be spread.

    The pixels are squares as large as those of the map, at a random angle in each patch.

    Parameters
    ----------
    expected : Expected
    resolution : BandResolution
    rng : numpy.random.Generator
    """
    if not resolution.spread.any():
        return expected
    ratios = resolution.map_pixels / resolution.pixel
    maps = []
    for patch in range(len(expected)):
        angle, shift = rng.uniform(0, np.pi / 2), rng.uniform(0, 1, 2)
        bands: list[PatchMap | None] = [None] * len(ratios)
        for band in np.flatnonzero(resolution.spread):
            sources, background = (
                array[band][patch] for array in (expected.sources, expected.background)
            )
            shares, of_cells = _cells(len(sources), float(ratios[band]), angle, shift)
            bands[band] = PatchMap(
                sources=of_cells @ sources.ravel(),
                background=of_cells @ background.ravel(),
                shares=shares,
            )
        maps.append(tuple(bands))
    return replace(expected, maps=tuple(maps))


def _cells(
    width: int, ratio: float, angle: float, shift: np.ndarray
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Square cells over a patch: shares of each in the pixels, and of each pixel in the cells."""
    at = (np.arange(width * _FINER) + 0.5) / _FINER
    column, row = (one.ravel() for one in np.meshgrid(at, at))
    turned = (
        column * np.cos(angle) - row * np.sin(angle),
        column * np.sin(angle) + row * np.cos(angle),
    )
    low, high = (
        np.floor(one / ratio + s).astype(int) for one, s in zip(turned, shift, strict=True)
    )
    high -= high.min()
    cell = np.unique((low - low.min()) * (high.max() + 1) + high, return_inverse=True)[1]
    pixel = row.astype(int) * width + column.astype(int)
    shape = (width**2, int(cell.max()) + 1)
    laid = sparse.coo_array((np.ones(len(cell), dtype=np.float32), (pixel, cell)), shape).tocsr()
    laid.sum_duplicates()
    whole = np.asarray(laid.sum(axis=0))
    return laid @ sparse.diags_array(1 / whole).tocsr(), laid.T.tocsr() / _FINER**2


def _moments(psf: RadialPsf) -> np.ndarray:
    """Transform of a PSF at `FREQUENCIES`."""
    angle = np.concatenate([[0.0], np.geomspace(1e-6, psf.theta[-1], _ANGLES)])
    density = psf(angle) * angle
    moments = np.trapezoid(j0(FREQUENCIES[:, None] * angle) * density, angle, axis=1)
    return moments / moments[0]


def _transform(moments: np.ndarray, width: int, placed: float) -> np.ndarray:
    """Transform of a PSF on the grid of a band, with a displacement of the photons in radians.

    It undoes the linear interpolation by which sources are laid on the grid, and integrates over
    its pixels.
    """
    frequency, pixel = _frequencies(width)
    seen = moments * np.exp(-((FREQUENCIES * placed) ** 2) / 2)
    return (np.interp(frequency, FREQUENCIES, seen) / pixel).astype(np.float32)


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
