"""The classical localiser: a Poisson likelihood-ratio map, brightest sources first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.merging import merge_duplicates
from gammafind.evaluation.metrics import FALSE_BY_SCORE
from gammafind.fitting.photons.data import SkyData, sky_data, source_size, source_sizes
from gammafind.fitting.photons.extended_templates import known_sources
from gammafind.fitting.photons.noise_peaks import Search, noise_peaks
from gammafind.fitting.photons.position import climb, fit_positions
from gammafind.fitting.photons.resolution import at_own_resolution
from gammafind.fitting.photons.scan import CORE, scan
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.fitting.photons.weights import SYSTEMATIC
from gammafind.plugins.likelihood.detections import alone, detections_of
from gammafind.plugins.likelihood.extended import keep_significant, replace_points
from gammafind.roles.base import Sees
from gammafind.roles.localiser import SCORE_MAP, Localiser, no_detections
from gammafind.sky.fits.norm_regions import read_norm_regions
from gammafind.sky.norm_regions import NormRegions
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches, require_parts
from gammafind.sky.projection import positions_of
from gammafind.sky.score_map import score_map
from gammafind.sky.skymap import SkyMap
from gammafind.utils.checks import require
from gammafind.utils.progress import track

_PASSES = (1000.0, 200.0, 60.0, 25.0)
"""Thresholds in TS of the first passes: balance time and neighbours of bright sources
(benchmarks/real_sky.py)."""
_COARSER = 2.0
"""Factor by which the searched positions are farther apart in all passes but the last: balances
neighbours of bright sources and time."""
_QUICK_SHARE = 0.5
"""Share of the threshold from which maxima of the quick TS are fitted: balances time and lost
peaks."""
_GRID_SHARE = 0.8
"""Share of the threshold that a position of the grid must reach: the maximum between positions is
higher."""
_CLIMBS = 3
"""Steps from a position of the grid to the maximum: more change little, since positions are fitted
at the end."""
_DROPS = 3
"""Most rounds of dropping sources below the threshold: later ones concern a few faint ones."""
_SAFE = 1.5
"""TS, in thresholds, from which a source stays when others are dropped: that raises its TS."""
_PEAK_CLIMBS = 2
"""Steps from the mean position to the most likely one: more add less than 0.1 to TS."""
_PEAK_STEP = 0.7
"""First step from the mean position to the most likely one, in sigma: few photons need several."""
_BACKGROUND_TS = 16.0
"""TS below which peaks are mostly noise: subtracting them would bias the background to low
values."""


_EXTENSION_FROM = 25.0
"""TS of a point from which its extension is tested: fainter ones cannot exceed the threshold."""
_LEVELS = 22
"""TS from the threshold on, in steps of one, at which the number of false detections is stated:
above them it is negligible."""
_NORMS = "background_norms"
"""Entry of the table's meta: norm of each background component, and its 1 sigma error."""
_DIVISIONS = ("1", "2", "4")
"""Nside of a division into regions: smaller ones hold too few counts for norms of their own."""


@dataclass(frozen=True, kw_only=True)
class Likelihood(Localiser):
    """Poisson likelihood-ratio search over all bands, brightest sources first.

    The test statistic TS of one more source is computed on a grid of positions; its peaks above a
    threshold are fitted and added to the model, and the next pass uses a lower threshold. Fluxes of
    all sources are fitted together, those of bright ones in each band. Each background component
    has one norm in each region, and their sum has a norm that varies slowly over the sky. The entry
    ``background_norms`` of the table's ``meta`` holds the norm of each component and its error; if
    there are regions, those of each by its number.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Finds peaks of the TS map; local maxima by default.
    threshold : float
        Lowest TS of a detection; below the TS that is published, so that the purity of fainter
        detections can be measured (0.90 is reached at a TS of 9.5, benchmarks/real_sky.py).
    index : float
        Photon index of the searched sources.
    smoothing : float
        Full width in degrees over which the norm of the background may vary; 0 for none.
    separation : float, optional
        Smallest distance of two detections, in degrees. By default the size of a point source
        in the finest band: r68 of the PSF and the pixel, added in quadrature.
    extension : float
        TS from which an extended source takes the place of a point or of several; 0 for none.
        Five of 1,127 true points exceed 25, some of them close groups
        (benchmarks/extended_sources.py).
    regions : str
        Where each background component has a norm of its own: nside of a division of the sky into
        HEALPix pixels (1 for twelve), or a file of a map whose values are the numbers of regions;
        the whole sky by default.
    systematic : float
        Relative systematic error of the background under a point source, from which the weights
        of the pixels in all likelihoods follow; 0 for none.

    References
    ----------
    Mattox et al. 1996, ApJ 461, 396 (doi:10.1086/177068).
    """

    name: ClassVar[str] = "likelihood"
    sees: ClassVar[Sees] = "maps"
    score_name: ClassVar[str] = "TS"
    published_score: ClassVar[float] = 16.0
    fits_finer: ClassVar[bool] = True

    threshold: float = 9.0
    index: float = 2.3
    smoothing: float = 6.0
    separation: float | None = None
    extension: float = 25.0
    regions: str = ""
    systematic: float = SYSTEMATIC

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be positive.")
        require("smoothing", self.smoothing, self.smoothing >= 0, "It must not be negative.")
        require("extension", self.extension, self.extension >= 0, "It must not be negative.")
        require(
            "systematic", self.systematic, 0 <= self.systematic < 1, "It is a share, from 0 to 1."
        )
        if self.regions.isdigit():
            good = self.regions in _DIVISIONS
            require("regions", int(self.regions), good, "Give 1, 2, 4 or a map.")
        require("index", self.index, True, "It must be a number.")
        if self.separation is not None:
            require("separation", self.separation, self.separation > 0, "It must be positive.")

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        model, ts_ext = self._search(observation)
        flux_unit = observation.flux_unit
        empty = not len(model.counts) and not model.extended
        found = no_detections() if empty else detections_of(model, ts_ext, flux_unit)
        found.meta[_NORMS] = _norms_of(model, list(observation.background))
        found.meta[FALSE_BY_SCORE] = self._false_by_score(model, rng)
        found.meta[SCORE_MAP] = _ts_map(model.empty(), observation.counts)
        return found

    def _false_by_score(self, model: SkyModel, rng: np.random.Generator) -> dict[str, float]:
        """Expected number of peaks of the noise at and above some TS."""
        search = Search(index=self.index, smoothing=self.smoothing, threshold=self.threshold)
        peaks = noise_peaks(model.empty(), search, finer=model.finer, rng=rng)
        levels = self.threshold + np.arange(_LEVELS)
        return {f"{ts:g}": float(f"{peaks.above(ts):.4g}") for ts in levels}

    def _localise(self, patches: Patches) -> QTable:
        tables = [self._localise_patch(patches, index) for index in range(len(patches))]
        names = ("patch", "x", "y", "score", "pos_err", "npred")
        rows = np.concatenate(tables) if tables else np.zeros((0, len(names)))
        units = (1, u.pix, u.pix, 1, u.deg, 1)
        columns = (column * unit for column, unit in zip(rows.T, units, strict=True))
        return QTable(dict(zip(names, columns, strict=True)))

    def _localise_patch(self, patches: Patches, index: int) -> np.ndarray:
        observation = _observation(patches, index)
        model, ts_ext = self._search(observation)
        if not len(model.counts):
            return np.zeros((0, 6))
        found = detections_of(model, ts_ext, observation.flux_unit)
        sky = SkyCoord(found["ra"], found["dec"], frame="icrs")
        x, y = patches.grid.pixels(index, patches.score_width).xy(sky)
        position_error = found["pos_err"].to_value("deg")
        patch = np.full(len(x), index)
        return np.column_stack([patch, x, y, found["score"], position_error, found["npred"]])

    def _search(self, observation: Observation) -> tuple[SkyModel, np.ndarray]:
        """Fitted model, and TS of the extension of its points."""
        observation = at_own_resolution(observation, finer=True)
        data = sky_data(observation, index=self.index, crop=True)
        known = observation.extended
        model = SkyModel(
            data,
            background_components(observation, data),
            self.smoothing,
            extended=[] if known is None else known_sources(data, known),
            finer=observation.counts.finer,
            index=self.index,
            regions=self._regions(data.frame),
            systematic=self.systematic,
        )
        wide, narrow = SearchGrid(data, coarser=_COARSER), SearchGrid(data)
        passes = [(wide, t) for t in _PASSES if t > self.threshold] + [(narrow, self.threshold)]
        for grid, threshold in track(passes, "search, brightest sources first"):
            if grid is narrow and self.extension:
                self._extended(model, alone(model))
            self._pass(model, grid, threshold)
        return model, self._finish(model)

    def _regions(self, frame: str) -> NormRegions | None:
        """Regions of the norms."""
        if not self.regions:
            return None
        if self.regions.isdigit():
            return NormRegions.of_nside(int(self.regions), frame)
        return read_norm_regions(self.regions, frame=frame)

    def _pass(self, model: SkyModel, grid: SearchGrid, threshold: float) -> None:
        """Add the peaks above ``threshold`` to the model."""
        peaks = self._peaks(model, grid, threshold)
        if len(peaks):
            climbed = climb(model.data, peaks, step=grid.spacing / 2, iterations=_CLIMBS)
            vectors = _held_inside(model.data, peaks, climbed)
            fit = scan(model.data, vectors)
            high = fit.ts >= threshold
            model.add(vectors[high], np.maximum(fit.amplitude[high], 1e-3))
        model.update(background=threshold >= _BACKGROUND_TS)

    def _peaks(self, model: SkyModel, grid: SearchGrid, threshold: float) -> np.ndarray:
        """Unit vectors of the peaks of TS that may reach ``threshold`` between the positions."""
        data, least = model.data, _GRID_SHARE * threshold
        index, _ = grid.summits(data, _QUICK_SHARE * threshold)
        vectors = grid.vectors(index)
        inside = data.inside(vectors)
        index, vectors = index[inside], vectors[inside]
        ts = scan(data, vectors, containment=CORE).ts
        good = ts > least
        index, vectors, ts = index[good], vectors[good], ts[good]
        if self.clusterer is not None:
            kept = self._highest(data, vectors, ts)
            vectors, ts = self._clustered(data, grid, index[kept], ts[kept], least)
        return vectors[self._highest(data, vectors, ts)]

    def _clustered(
        self, data: SkyData, grid: SearchGrid, index: np.ndarray, ts: np.ndarray, least: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Peaks that the clusterer finds in images of TS at and around some positions."""
        around = np.setdiff1d(grid.neighbours(index), np.append(index, -1))
        more = scan(data, grid.vectors(around)).ts
        index, ts = np.append(index, around), np.append(ts, more)
        found, scores = [np.zeros((0, 3))], [np.zeros(0)]
        for image, tile in grid.images(index, np.where(ts < least, 0, ts)):
            clusters = self.clusterer.cluster(image)
            x, y = clusters["x"].value, clusters["y"].value
            found.append(grid.tile_vectors(tile, x, y))
            scores.append(np.asarray(clusters["score"]))
        vectors, score = np.concatenate(found), np.concatenate(scores)
        inside = data.inside(vectors)
        return vectors[inside], score[inside]

    def _highest(self, data: SkyData, vectors: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Indices of the highest of all peaks that could be the same source.

        Neighbours that are separate sources appear again when the highest peak is in the model.
        """
        sizes = source_sizes(data, vectors) if self.separation is None else self.separation
        return merge_duplicates(positions_of(vectors, data.frame), score, sizes * u.deg)

    def _finish(self, model: SkyModel) -> np.ndarray:
        """Fit the positions with all other sources in the model, and drop sources below the TS."""
        ts = self._finish_points(model) if len(model.counts) else np.zeros(0)
        before = len(model.extended)
        keep_significant(model, self.threshold)
        if not self.extension:
            return np.full(len(model.counts), np.nan)
        same = len(model.extended) == before
        return self._extended(model, ts if same else alone(model))

    def _extended(self, model: SkyModel, ts: np.ndarray) -> np.ndarray:
        """Replace points by extended sources; return TS of the extension of all other points."""
        return replace_points(model, ts, least=_EXTENSION_FROM, threshold=self.extension)

    def _finish_points(self, model: SkyModel) -> np.ndarray:
        """Fit the positions of the points, drop those that are too faint, and return their TS."""
        ts = alone(model)
        high = np.flatnonzero(ts >= _GRID_SHARE * self.threshold)
        model.keep(high)
        data, counts = model.fine()
        scale = source_sizes(data, model.vectors) / np.sqrt(np.maximum(ts[high], 1))
        fit = fit_positions(data, model.vectors, counts, scale)
        model.place(_held_inside(data, model.vectors, fit.vectors), fit.sigma)
        apart = source_size(data) if self.separation is None else self.separation
        positions = positions_of(model.vectors, data.frame)
        model.keep(merge_duplicates(positions, model.counts.sum(axis=1), apart * u.deg))
        model.update(background=False)
        if model.finer:
            data, counts = model.fine()
            own = model.vectors, counts
            step = _PEAK_STEP * model.sigma
            model.peaks = climb(
                data, model.vectors, step=step, iterations=_PEAK_CLIMBS, without=own
            )
        ts = alone(model)
        for _ in range(_DROPS):
            low = ts < self.threshold
            if not low.any():
                break
            model.keep(np.flatnonzero(~low))
            model.update(background=False)
            ts = ts[~low]
            faint = np.flatnonzero(ts < max(_SAFE * self.threshold, _EXTENSION_FROM))
            ts[faint] = alone(model, faint)
        return ts


def _ts_map(data: SkyData, counts: SkyMap) -> SkyMap:
    """Quick TS of a source at each place, over the fitted background alone; 0 below 1."""
    grid = SearchGrid(data, coarser=_COARSER)

    def image(tile: int) -> np.ndarray:
        ts = grid.quick_ts(data, tile)
        return np.where(ts >= 1, ts, 0)

    return score_map(counts, grid.tiles.grid, grid.width, image)


def _norms_of(model: SkyModel, components: Sequence[str]) -> dict[str, object]:
    """Norm and error of each component, in each region if there are any."""
    found: dict[str, object] = {}
    for i, name in enumerate(components):
        pairs = zip(model.names, model.norms[:, i], model.norm_errors[:, i], strict=True)
        of_regions = {
            str(number): [float(norm), float(error)]
            for number, norm, error in pairs
            if np.isfinite(error)
        }
        found[name] = next(iter(of_regions.values()), None)
        if model.regions is not None:
            found[name] = of_regions
    return found


def _held_inside(data: SkyData, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Unit vectors ``end``, or points on the way from ``start`` if the end has no data."""
    places = end.copy()
    for share in (0.75, 0.5, 0.25, 0.0):
        outside = ~data.inside(places)
        way = start[outside] + share * (end[outside] - start[outside])
        places[outside] = way / np.linalg.norm(way, axis=-1, keepdims=True)
    return places


def _observation(patches: Patches, index: int) -> Observation:
    """One patch as a separate observation."""
    require_parts(patches, "background", "exposure", "psfs", remedy="The likelihood needs them.")
    pixels = tuple(patches.grid.pixels(index, width) for width in patches.n_pixels)
    valid = tuple(band[index] for band in patches.valid)

    def sky(arrays: tuple[np.ndarray, ...], kind: str) -> SkyMap:
        values = tuple(band[index] for band in arrays)
        return SkyMap(patches.bands, pixels, values, kind, valid)

    return Observation(
        counts=sky(patches.counts, "counts"),
        background={"background": sky(patches.background, "expected counts")},
        exposure=sky(patches.exposure, "exposure"),
        psfs=patches.psfs,
    )
