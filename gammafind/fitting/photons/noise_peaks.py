"""Expected number of peaks of the noise that a search takes for sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from gammafind.fitting.photons.data import BandData, SkyData, in_parts, photon_shares, source_sizes
from gammafind.fitting.photons.noise_draws import Drawn
from gammafind.fitting.photons.noise_patches import (
    Part,
    Patch,
    divided,
    fitted_models,
    parts_of,
    random_places,
    widest_band,
)
from gammafind.fitting.photons.position import mean_positions
from gammafind.fitting.photons.spectra import INDICES
from gammafind.fitting.photons.surroundings import CONTAINMENT
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.projection import local_bases
from gammafind.utils.workers import in_threads

_STEP, _HALF, _WIDE = 0.25, 2, 5
"""Distance of the positions around a place in sizes of a source; how many of them on each side
belong to it, as far as noise moves a peak; and how many matter for the mean position."""
_TARGETS = (0.7, 1.3, 2.2, 3.3)
"""Expected TS of the drawn sources over the threshold: those of the peaks that matter."""
_INDICES = (1.6, 2.3, 3.2)
"""Photon indices of the drawn sources: peaks of the noise have any spectrum."""
_PLACES, _PIXELS = (60, 120), 30_000
"""Range of the number of places, and pixels in all of them together: errors of 9 to 15 % on
whole skies, and a small part of the time of a search."""
_SPARSE, _FEWEST = 3.0, 24
"""Regions have fewer places, by this times the root of their share of the sky, since the number
that is found there varies more; and the least number of places."""
_SKY = 4 * np.pi
"""Area of the sky in sr."""
_DRAWS, _STEP_PIXELS, _PER_STEP = 12, 4000, (1, 24)
"""Draws at each place; pixels in one step, which limit memory, and the range of places in it."""
_LARGEST = 600.0
"""Logarithm of a likelihood ratio beyond which a peak stands for no peak of the noise."""
_HALVINGS = 14
"""Steps to the counts of a drawn source: exact to 0.1 %."""
_BOX = np.array([(i, j) for j in range(-_HALF, _HALF + 1) for i in range(-_HALF, _HALF + 1)])
"""Steps from a peak to the places of sources that may have made it."""


@dataclass(frozen=True, eq=False)
class NoisePeaks:
    """Peaks of simulated noise, and the number of peaks of a sky that each stands for.

    Attributes
    ----------
    ts, weight : ndarray, shape (n,)
    """

    ts: np.ndarray
    weight: np.ndarray

    def above(self, ts: float) -> float:
        """Expected number of peaks with at least this TS."""
        return float(self.weight[self.ts >= ts].sum())

    def error(self, ts: float) -> float:
        """Error of this number, 1 sigma, as few peaks were simulated."""
        return float(np.sqrt((self.weight[self.ts >= ts] ** 2).sum()))


@dataclass(frozen=True, kw_only=True)
class Search:
    """How a sky is searched.

    Attributes
    ----------
    index : float
        Photon index of the searched sources.
    smoothing : float
        Full width in degrees over which the norm of the background is fitted; 0 for none.
    threshold : float
        Lowest TS of a peak, for this index.
    """

    index: float
    smoothing: float
    threshold: float


def noise_peaks(
    data: SkyData,
    search: Search,
    *,
    finer: Sequence[FineCounts] = (),
    rng: np.random.Generator,
) -> NoisePeaks:
    """Peaks that a search finds on a sky that contains only its background.

    Parameters
    ----------
    data : SkyData
        Its background is that of the sky; its counts are not used.
    search : Search
    finer : sequence of FineCounts
        Where counts are known on finer pixels, in which the final TS is computed. Those of bands
        in the pixels of an image are left out: the numbers are those of its pixels.
    rng : Generator

    Returns
    -------
    NoisePeaks

    Notes
    -----
    Peaks of the noise are rare, so that plain simulations would take many skies. At random places a
    source is drawn over the background, and the highest peak next to it is measured as a search
    does it, with the background fitted to the drawn counts. The peak stands for as many peaks of
    the noise as the likelihood ratio of the counts says: the inverse of its mean over all sources
    that could have been drawn next to the peak. On average this number is exact, for any number of
    photons.

    References
    ----------
    Naiman & Priebe 2001, J. Comput. Graph. Stat. 10, 296.
    """
    finer = [one for one in finer if isinstance(data.bands[one.parent].pixels, HealpixPixels)]
    widest, area = widest_band(data)
    if area == 0:
        return NoisePeaks(np.zeros(0), np.zeros(0))
    near = sum(_n_near(band, band.pixels) for band in data.bands)
    n_places = int(np.clip(_PIXELS // near, *_PLACES) * min(1, _SPARSE * (area / _SKY) ** 0.5))
    n_places = max(n_places, _FEWEST)
    vectors = random_places(widest, n_places, rng)
    sizes = source_sizes(data, vectors)
    parts = parts_of(data, finer)
    each = sum(_n_near(data.bands[part.parent], part.pixels) for part in parts)
    per_step = int(np.clip(_STEP_PIXELS // each, *_PER_STEP))
    steps = np.array_split(np.arange(n_places), -(-n_places // per_step))
    seeds = rng.spawn(len(steps))

    def of_step(number: int) -> np.ndarray:
        places = _Places(data, vectors[steps[number]], sizes[steps[number]], parts, search)
        return _peaks(places, search, seeds[number])

    ts, weight = np.concatenate(list(in_threads(of_step, range(len(steps)))), axis=1)
    return NoisePeaks(ts, weight * area / n_places)


def _n_near(band: BandData, pixels: Pixels) -> int:
    """Number of pixels, those of a band or finer ones, that hold a source."""
    vector = centre_vectors(band.pixels, np.zeros(1, dtype=int))
    return band.n_near(vector, CONTAINMENT) * divided(band.pixels, pixels)


class _Places:
    """Pixels around some places, and a grid of positions around each."""

    def __init__(
        self,
        data: SkyData,
        vectors: np.ndarray,
        sizes: np.ndarray,
        parts: Sequence[Part],
        search: Search,
    ) -> None:
        self.vectors, self.basis = vectors, local_bases(vectors)
        self.sizes, self.step = sizes, np.radians(_STEP * sizes)
        y, x = np.indices((2 * _WIDE + 1, 2 * _WIDE + 1)) - _WIDE
        self.grid = np.stack([x.ravel(), y.ravel()], axis=1)
        self.finer = any(part.fine is not None for part in parts)
        reach = float(self.step.max()) * _HALF
        self.parents = np.array([part.parent for part in parts])
        self.patches = [
            Patch.of(
                data.bands[part.parent], part, vectors, reach=reach, smoothing=search.smoothing
            )
            for part in parts
        ]
        self.band = np.repeat(
            np.arange(len(self.patches)), [patch.model.shape[1] for patch in self.patches]
        )
        self.starts = np.flatnonzero(np.diff(self.band, prepend=-1))[1:]
        self.model = np.concatenate([patch.model for patch in self.patches], axis=1)
        self._exposures = data.exposures(vectors)[:, self.parents]
        self._exposures *= [part.exposure for part in parts]
        pairs = zip(data.bands, data.containing(vectors), strict=True)
        weights = [np.broadcast_to(b.weights(place), len(vectors)) for b, place in pairs]
        self.band_weight = np.stack(weights, axis=1)
        self.weight = self.band_weight[:, self.parents]
        self._edges = [part.edges for part in parts]
        several = len(set(self._edges)) > 1
        self.drawn = _INDICES if several else (search.index,)
        self.fitted = INDICES if several else (search.index,)

    def spectrum(self, index: float) -> np.ndarray:
        """Shares of the counts of a source in the bands, shape (n, n_bands)."""
        return in_parts(self._exposures * photon_shares(self._edges, index))

    def at(self, steps: np.ndarray, row: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Unit vectors (n, m, 3) at steps (n, m, 2) from some places."""
        plane = steps * self.step[row][:, None, None]
        east, north = (self.basis[row][:, None, axis] for axis in (0, 1))
        moved = self.vectors[row][:, None] + plane[..., :1] * east + plane[..., 1:] * north
        return moved / np.linalg.norm(moved, axis=-1, keepdims=True)

    def steps(self, vectors: np.ndarray, row: np.ndarray) -> np.ndarray:
        """East and north of the places of unit vectors (n, m, 3), in steps, shape (2, n, m)."""
        plane = np.einsum("nmi,nji->jnm", vectors, self.basis[row][:, :2])
        return plane / self.step[row][:, None]

    def shares(self, vectors: np.ndarray, row: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Shares of sources (n, m, 3) in the pixels of some places, (n, m, k)."""
        return np.concatenate([patch.shares(vectors, row) for patch in self.patches], axis=-1)

    def left_over(self, vectors: np.ndarray, row: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What stays in the model of sources (n, 3) that are removed, from counts (n, n_bands)."""
        pairs = enumerate(self.patches)
        parts = [patch.left_over(vectors, row, counts[:, i]) for i, patch in pairs]
        return np.concatenate(parts, axis=1)

    def fitted_model(
        self, row: np.ndarray, counts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Background that is fitted to counts at some places, shape (n, k)."""
        pieces = np.split(counts, self.starts, axis=1)
        return np.concatenate(fitted_models(self.patches, row, pieces, rng), axis=1)

    def searched(self, values: np.ndarray) -> list[np.ndarray]:
        """Sums of values (..., k) over the pixels of each band that are searched."""
        found: dict[int, np.ndarray] = {}
        pieces = np.split(values, self.starts, axis=-1)
        for patch, piece in zip(self.patches, pieces, strict=True):
            band = patch.part.parent
            found[band] = found.get(band, 0) + patch.searched(piece)
        return list(found.values())

    def searched_ts(
        self,
        row: np.ndarray,
        counts: np.ndarray,
        model: np.ndarray,
        shares: np.ndarray,
        index: float,
    ) -> np.ndarray:
        """TS at each position in the pixels that are searched, shape (n, m)."""
        summed = self.searched(counts)
        band = np.repeat(np.arange(len(summed)), [one.shape[-1] for one in summed])
        parents = list(dict.fromkeys(self.parents.tolist()))
        weight = self.band_weight[row][:, parents]
        drawn = Drawn(row, band, np.concatenate(summed, axis=-1), weight)
        weighted = shares * self.spectrum(index)[:, None, self.band]
        templates = drawn.templates(np.concatenate(self.searched(weighted), axis=-1))
        model = drawn.of(np.concatenate(self.searched(model), axis=-1))
        return drawn.ts(model, templates, np.ones((len(row), len(summed))))


def _peaks(places: _Places, search: Search, rng: np.random.Generator) -> np.ndarray:
    """TS of peaks, and the number per steradian that each stands for, shape (2, n)."""
    grid, n = places.grid, len(places.vectors)
    shares = places.shares(places.at(np.broadcast_to(grid, (n, *grid.shape)).astype(float)))
    middle = shares[:, len(grid) // 2]
    spectra = [places.spectrum(index) for index in places.drawn]
    sources = []
    for spectrum in spectra:
        template = middle * spectrum[:, places.band]
        for target in _TARGETS:
            ts = target * search.threshold
            sources.append((_amplitude(places.model, template, ts), spectrum))
    row = np.repeat(np.arange(n), _DRAWS)
    which = np.tile(np.arange(_DRAWS) % len(sources), n)
    amplitude, spectrum = (np.stack(one)[which, row] for one in zip(*sources, strict=True))
    expected = places.model[row] + amplitude[:, None] * middle[row] * spectrum[:, places.band]
    counts = rng.poisson(expected).astype(float)
    drawn = Drawn(row, places.band, counts, places.weight[row])
    templates = drawn.templates(shares)
    fitted = places.fitted_model(row, counts, rng)
    searched = places.searched_ts(row, counts, fitted, shares, search.index)
    fitted = drawn.of(fitted)
    own = places.spectrum(search.index)[row]
    ts = drawn.ts(fitted, templates, own) if places.finer else searched
    top = ts.argmax(axis=1)
    found = searched.max(axis=1) >= search.threshold
    kept = np.flatnonzero(found & (np.abs(grid[top]).max(axis=1) <= _HALF))
    row, ts, top = row[kept], ts[kept], top[kept]
    drawn, fitted = drawn.take(kept), fitted[kept]
    around = (_BOX * [[1, 2 * _WIDE + 1]]).sum(axis=1) + top[:, None]
    near, ratio, null = templates.take(kept, around), 0.0, drawn.of(places.model[row])
    for amplitude, spectrum in sources:
        share, total = near.weighted(spectrum[row])
        strength = amplitude[row, None]
        growth = np.log1p(strength[..., None] * share / null[:, None])
        likelihood = np.einsum("nk,nmk->nm", drawn.counts, growth) - strength * total
        ratio = ratio + np.exp(np.minimum(likelihood, _LARGEST)).sum(axis=1) / len(sources)
    weight = 1 / (_DRAWS * places.step[row] ** 2 * ratio)
    vectors = _mean_places(places, row, ts, top)[:, None]
    if places.finer:
        highest = places.at(grid[top][:, None].astype(float), row)
        vectors = np.concatenate([vectors, highest], axis=1)
    alone = drawn.own_templates(places.shares(vectors, row))
    fit = drawn.fit(fitted, alone, places.spectrum(search.index)[row])
    best = fit.ts.argmax(axis=1)[:, None]
    alone, each = alone.take(np.arange(len(row)), best), np.arange(len(row))
    counts = fit.amplitude[each, best[:, 0]][:, None] * places.spectrum(search.index)[row]
    fitted = fitted + drawn.of(places.left_over(vectors[each, best[:, 0]], row, counts))
    tried = [drawn.ts(fitted, alone, places.spectrum(index)[row]) for index in places.fitted]
    return np.stack([np.max(tried, axis=(0, 2)), weight])


def _mean_places(places: _Places, row: np.ndarray, ts: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Mean positions from TS at each position of the grid, as a search fits them, (n, 3)."""
    side = 2 * _WIDE + 1
    image = ts.reshape(-1, side, side)

    def ts_at(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        x, y = places.steps(vectors, row[rows]) + _WIDE
        which = np.broadcast_to(rows[:, None], x.shape)
        return map_coordinates(image, [which, y, x], order=1, mode="nearest")

    start = places.at(places.grid[top][:, None].astype(float), row)[:, 0]
    scale = places.sizes[row] / np.sqrt(np.maximum(ts.max(axis=1), 1))
    return mean_positions(ts_at, start, scale, places.sizes[row]).vectors


def _amplitude(model: np.ndarray, template: np.ndarray, ts: float) -> np.ndarray:
    """Counts of sources with an expected TS, by bisection in the logarithm, shape (n,)."""
    low, high = np.full(len(model), -3.0), np.full(len(model), 9.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        source = np.exp(middle)[:, None] * template
        expected = 2 * ((model + source) * np.log1p(source / model) - source).sum(axis=1)
        low, high = np.where(expected < ts, middle, low), np.where(expected < ts, high, middle)
    return np.exp(low)
