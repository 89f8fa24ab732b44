"""Expected number of peaks of the noise that a search takes for sources."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import SkyData, in_parts, photon_shares, source_sizes
from gammafind.fitting.photons.likelihood import fit_amplitudes
from gammafind.fitting.photons.noise_patches import Patch, fit_pixels, random_places
from gammafind.fitting.photons.spectra import INDICES, n_energies
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.projection import local_bases
from gammafind.utils.workers import in_threads

_STEP, _HALF = 0.2, 2
"""Distance of the positions around a place in sizes of a source, and how many of them on each side
belong to it: as far as noise moves a peak."""
_TARGETS = (6.0, 12.0, 20.0, 30.0)
"""Expected TS of the drawn sources: those of the peaks that matter."""
_INDICES = (1.6, 2.3, 3.2)
"""Photon indices of the drawn sources: peaks of the noise have any spectrum."""
_PLACES, _DRAWS, _PER_STEP = 60, 12, 6
"""Places, draws at each, and places in one step: an error of a tenth, and bounded memory."""
_HALVINGS = 14
"""Steps to the counts of a drawn source: exact to 0.1 %."""
_BOX = np.array([(i, j) for j in range(-_HALF, _HALF + 1) for i in range(-_HALF, _HALF + 1)])
"""Steps from a peak to the places of sources that may have made it."""


@dataclass(frozen=True, eq=False)
class NoisePeaks:
    """Peaks of simulated noise, each with the number of them that it stands for.

    Attributes
    ----------
    ts, weight : ndarray, shape (n,)
    """

    ts: np.ndarray
    weight: np.ndarray

    def above(self, ts: float) -> tuple[float, float]:
        """Expected number of peaks with at least this TS, and its error."""
        chosen = self.weight[self.ts >= ts]
        return float(chosen.sum()), float(np.sqrt((chosen**2).sum()))


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
        Lowest TS of a peak for this index.
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
    n_places: int = _PLACES,
) -> NoisePeaks:
    """Simulate the peaks of TS of a sky that contains only its background.
    """
    vectors, area = random_places(data, n_places, rng)
    sizes = source_sizes(data, vectors)
    parts = np.array_split(np.arange(n_places), -(-n_places // _PER_STEP))
    seeds = rng.spawn(len(parts))

    def of_part(number: int) -> np.ndarray:
        places = _Places(data, vectors[parts[number]], sizes[parts[number]], finer, search)
        return _peaks(places, search, seeds[number])

    ts, weight = np.concatenate(list(in_threads(of_part, range(len(parts)))), axis=1)
    found = weight > 0
    return NoisePeaks(ts[found], weight[found] * area / n_places)


class _Places:
    """Pixels around some places, and a grid of positions around each."""

    def __init__(
        self,
        data: SkyData,
        vectors: np.ndarray,
        sizes: np.ndarray,
        finer: Sequence[FineCounts],
        search: Search,
    ) -> None:
        self.vectors, self.basis = vectors, local_bases(vectors)
        self.step = np.radians(_STEP * sizes)
        y, x = np.indices((4 * _HALF + 1, 4 * _HALF + 1)) - 2 * _HALF
        self.grid = np.stack([x.ravel(), y.ravel()], axis=1)
        self.finer = bool(finer)
        reach = float(self.step.max()) * _HALF
        self.patches = [
            Patch.of(band, fit_pixels(band, i, finer), vectors, reach, search.smoothing)
            for i, band in enumerate(data.bands)
        ]
        self.band = np.repeat(
            np.arange(len(self.patches)), [patch.model.shape[1] for patch in self.patches]
        )
        self.starts = np.flatnonzero(np.diff(self.band, prepend=-1))
        self.model = np.concatenate([patch.model for patch in self.patches], axis=1)
        self._exposures = data.exposures(vectors)
        self._edges = [band.edges for band in data.bands]
        several = n_energies(data) > 1
        self.drawn = _INDICES if several else (search.index,)
        self.fitted = INDICES if several else (search.index,)

    def spectrum(self, index: float) -> np.ndarray:
        """Shares of the counts of a source in the bands, shape (n, n_bands)."""
        return in_parts(self._exposures * photon_shares(self._edges, index))

    def shares(self, steps: np.ndarray, row: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Shares of sources in the pixels at steps (n, m, 2) from some places, (n, m, k)."""
        plane = steps * self.step[row][:, None, None]
        east, north = (self.basis[row][:, None, axis] for axis in (0, 1))
        moved = self.vectors[row][:, None] + plane[..., :1] * east + plane[..., 1:] * north
        moved /= np.linalg.norm(moved, axis=-1, keepdims=True)
        return np.concatenate([patch.shares(moved, row) for patch in self.patches], axis=-1)

    def fitted_model(
        self, row: np.ndarray, counts: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Background that is fitted to counts at some places, shape (n, k)."""
        pieces = np.split(counts, self.starts[1:], axis=1)
        pairs = zip(self.patches, pieces, strict=True)
        parts = [patch.fitted_model(row, piece, rng) for patch, piece in pairs]
        return np.concatenate(parts, axis=1)


class _Drawn:
    """Counts of several rows, each at one of the places, in the pixels that have any."""

    def __init__(self, places: _Places, row: np.ndarray, counts: np.ndarray) -> None:
        most = int((counts > 0).sum(axis=1).max(initial=1))
        order = np.argsort(counts == 0, axis=1, kind="stable")[:, :most]
        self._row, self._order, self._starts = row, order, places.starts
        self._band = places.band[order]
        self.counts = np.take_along_axis(counts, order, axis=1)
        self.null = places.model[row[:, None], order]

    def take(self, chosen: np.ndarray) -> _Drawn:
        """Some of the rows."""
        new = copy(self)
        for name in ("_row", "_order", "_band", "counts", "null"):
            setattr(new, name, getattr(self, name)[chosen])
        return new

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values of pixels with photons, from those of all, shape (n, k)."""
        return np.take_along_axis(values, self._order, axis=1)

    def templates(self, shares: np.ndarray) -> _Templates:
        """Sources at positions around each place, from shares (n_places, m, k)."""
        near = shares.transpose(0, 2, 1)[self._row[:, None], self._order].transpose(0, 2, 1)
        total = np.add.reduceat(shares, self._starts, axis=2)[self._row]
        return _Templates(near, total, self._band)

    def own_templates(self, shares: np.ndarray) -> _Templates:
        """Sources at positions of each row, from shares (n, m, k)."""
        near = np.take_along_axis(shares, self._order[:, None], axis=2)
        return _Templates(near, np.add.reduceat(shares, self._starts, axis=2), self._band)

    def ts(self, model: np.ndarray, templates: _Templates, spectrum: np.ndarray) -> np.ndarray:
        """TS of sources at each position, shape (n, m)."""
        share, total = templates.weighted(spectrum)
        n, m, k = share.shape
        counts, model = (np.repeat(one, m, axis=0) for one in (self.counts, model))
        fit = fit_amplitudes(counts, model, share.reshape(n * m, k), total.ravel())
        return fit.ts.reshape(n, m)


@dataclass(frozen=True, eq=False)
class _Templates:
    """Shares (n, m, k) of sources in pixels, their sums (n, m, n_bands), and bands (n, k)."""

    share: np.ndarray
    total: np.ndarray
    band: np.ndarray

    def take(self, rows: np.ndarray, positions: np.ndarray) -> _Templates:
        """Some positions, shape (n_rows, m), of some rows."""
        at = rows[:, None], positions
        return _Templates(self.share[at], self.total[at], self.band[rows])

    def weighted(self, spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares and sums for shares (n, n_bands) of the counts in the bands."""
        weight = np.take_along_axis(spectrum, self.band, axis=1)
        return self.share * weight[:, None], np.einsum("nmb,nb->nm", self.total, spectrum)


def _peaks(places: _Places, search: Search, rng: np.random.Generator) -> np.ndarray:
    """TS of peaks, and the number per steradian that each stands for, shape (2, n)."""
    grid, n = places.grid, len(places.vectors)
    shares = places.shares(np.broadcast_to(grid, (n, *grid.shape)).astype(float))
    middle = shares[:, len(grid) // 2]
    spectra = [places.spectrum(index) for index in places.drawn]
    sources = []
    for spectrum in spectra:
        template = middle * spectrum[:, places.band]
        sources += [(_amplitude(places.model, template, ts), spectrum) for ts in _TARGETS]
    row = np.repeat(np.arange(n), _DRAWS)
    which = np.tile(np.arange(_DRAWS) % len(sources), n)
    amplitude, spectrum = (np.stack(one)[which, row] for one in zip(*sources, strict=True))
    expected = places.model[row] + amplitude[:, None] * middle[row] * spectrum[:, places.band]
    counts = rng.poisson(expected).astype(float)
    drawn = _Drawn(places, row, counts)
    templates = drawn.templates(shares)
    fitted = drawn.of(places.fitted_model(row, counts, rng))
    ts = drawn.ts(fitted, templates, places.spectrum(search.index)[row])
    highest, top = ts.max(axis=1), ts.argmax(axis=1)
    here = (np.abs(grid[top]).max(axis=1) <= _HALF) & (highest >= search.threshold)
    kept = np.flatnonzero(here)
    row, ts, highest, top = row[kept], ts[kept], highest[kept], top[kept]
    drawn, fitted = drawn.take(kept), fitted[kept]
    around = (_BOX * [[1, 4 * _HALF + 1]]).sum(axis=1) + top[:, None]
    near, ratio = templates.take(kept, around), 0.0
    for amplitude, spectrum in sources:
        share, total = near.weighted(spectrum[row])
        strength = amplitude[row, None]
        growth = np.log1p(strength[..., None] * share / drawn.null[:, None])
        likelihood = np.einsum("nk,nmk->nm", drawn.counts, growth) - strength * total
        ratio = ratio + np.exp(likelihood).sum(axis=1) / len(sources)
    weight = 1 / (_DRAWS * places.step[row] ** 2 * ratio)
    final = grid[top].astype(float)
    if not places.finer:
        posterior = np.exp((ts - highest[:, None]) / 2)
        final = (posterior @ grid) / posterior.sum(axis=1, keepdims=True)
    alone = drawn.own_templates(places.shares(final[:, None], row))
    best = [drawn.ts(fitted, alone, places.spectrum(index)[row])[:, 0] for index in places.fitted]
    return np.stack([np.max(best, axis=0), weight])


def _amplitude(model: np.ndarray, template: np.ndarray, ts: float) -> np.ndarray:
    """Counts of sources with an expected TS, by bisection in the logarithm, shape (n,)."""
    low, high = np.full(len(model), -3.0), np.full(len(model), 9.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        source = np.exp(middle)[:, None] * template
        expected = 2 * ((model + source) * np.log1p(source / model) - source).sum(axis=1)
        low, high = np.where(expected < ts, middle, low), np.where(expected < ts, high, middle)
    return np.exp(low)
