"""Sources that are bright in one epoch: the search of each epoch on top of the model of all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import chi2

from gammafind.fitting.photons.data import BandData, SkyData, source_sizes
from gammafind.fitting.photons.epoch_sky import EpochProbe
from gammafind.fitting.photons.light_curve import fit_light_curve
from gammafind.fitting.photons.position import R68_PER_SIGMA, climb, fit_positions
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.spectra import fluxes
from gammafind.sky.degrade import parents
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame, positions_of, to_frame
from gammafind.sky.psf_stamps import COARSE, stamps
from gammafind.sky.time_epochs import BandPhotons, TimeEpochs
from gammafind.utils.progress import track

LOWEST_TS = 25.0
"""TS of a source of the whole time: that of 4FGL."""
_QUICK, _NEAR = 0.5, 0.7
"""Shares of the threshold that the quick TS, and TS at a position of the grid, must reach: the
maximum is between positions, and the quick TS is lower where photons are few."""
_APART = 3.0
"""Degrees around a brighter peak in which others wait until it is in the model: its wings."""
_ROUNDS = 6
"""Rounds of adding peaks to the model of an epoch: more find nothing."""
_WHOLE = 0.99
"""Share of the counts of a flare that is added to the model: the rest is below the noise."""
_LEAST = 1e-6
"""Least expected counts of a pixel: keeps logarithms finite."""


@dataclass(frozen=True, eq=False)
class Flares:
    """Sources of one epoch, n of them, brightest first.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
    sigma : ndarray, shape (n,)
        1 sigma position errors in degrees.
    epoch : ndarray of int, shape (n,)
        In which TS is largest.
    ts : ndarray, shape (n,)
        In that epoch, the neighbours free.
    counts : ndarray, shape (n,)
        In that epoch.
    flux : ndarray, shape (n, 2)
        In that epoch, and its error.
    """

    vectors: np.ndarray
    sigma: np.ndarray
    epoch: np.ndarray
    ts: np.ndarray
    counts: np.ndarray
    flux: np.ndarray

    @property
    def r68(self) -> np.ndarray:
        """Radii in degrees that hold the positions at 68 %."""
        return R68_PER_SIGMA * self.sigma


def threshold(n_epochs: int, lowest: float = LOWEST_TS) -> float:
    """TS in one of n epochs that is as rare by chance as ``lowest`` in the whole time.

    Each epoch is one more search of the same sky, so that its chance is divided by their number.
    """
    return float(chi2.isf(chi2.sf(lowest, 1) / n_epochs, 1))


def search_epochs(
    model: SkyModel, epochs: TimeEpochs, *, radius: float, lowest: float = LOWEST_TS
) -> Flares:
    """Find sources that the model of the whole time lacks, in each epoch.

    Parameters
    ----------
    model : SkyModel
        Fitted to the whole time.
    epochs : TimeEpochs
    radius : float
        Distance in degrees within which a peak is a source of the model, or another peak.
    lowest : float
        TS of a source of the whole time; see `threshold`.

    Returns
    -------
    Flares
    """
    least = threshold(len(epochs), lowest)
    probe = EpochProbe(model, epochs)
    parts = _Parts(model.data, epochs, probe.photons)
    grid = SearchGrid(model.data)
    found = []
    for epoch in track(range(len(epochs)), "searching the epochs"):
        data = parts.data(epoch)
        for vector, ts in _peaks(data, grid, model.vectors, least, radius):
            found.append((ts, epoch, vector))
    return _measured(model, epochs, probe, parts, _distinct(found, radius), least)


def _measured(
    model: SkyModel,
    epochs: TimeEpochs,
    probe: EpochProbe,
    parts: _Parts,
    found: list[tuple[float, int, np.ndarray]],
    least: float,
) -> Flares:
    """Peaks that are significant with their neighbours free, with errors."""
    kept = []
    for _, epoch, start in sorted(found, key=lambda one: -one[0]):
        data = parts.data(epoch)
        size = source_sizes(data, start[None])
        none = np.zeros((1, len(data.bands)))
        fit = fit_positions(data, start[None], none, size / np.sqrt(least))
        vector = fit.vectors[0]
        shares = epochs.shares_at(positions_of(vector[None], model.data.frame))[..., 0]
        curve = fit_light_curve(probe.sky(vector, -1, shares))
        if not curve.ts[epoch] >= least:
            continue
        spectrum = model.data.shares(vector[None])
        counts = float(shares[epoch] @ spectrum[0]) * curve.amplitude[epoch]
        per_count = fluxes(model.data, vector[None], spectrum)[0]
        flux = per_count * np.array([curve.amplitude[epoch], curve.upper[epoch]])
        kept.append((vector, fit.sigma[0], epoch, curve.ts[epoch], counts, flux))
    columns = zip(*kept, strict=True) if kept else [[]] * 6
    vectors, sigma, epoch, ts, counts, flux = map(np.array, columns)
    return Flares(vectors.reshape(-1, 3), sigma, epoch.astype(int), ts, counts, flux.reshape(-1, 2))


def _peaks(
    data: SkyData, grid: SearchGrid, known: np.ndarray, least: float, radius: float
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield unit vectors and TS of the peaks of an epoch that are no known source."""
    index, _ = grid.summits(data, _QUICK * least)
    vectors = grid.vectors(index)
    vectors = vectors[_ts(data, vectors) > _NEAR * least]
    if not len(vectors):
        return
    vectors = climb(data, vectors, step=grid.spacing / 2)
    for _ in range(_ROUNDS):
        ts = _ts(data, vectors)
        vectors, ts = vectors[ts >= least], ts[ts >= least]
        if not len(vectors):
            return
        first = _highest(vectors, ts, _APART)
        added, rows = vectors[first], _nearest(known, vectors[first], radius)
        own = np.where((rows >= 0)[:, None], known[rows], added) if len(known) else added
        data = _with_sources(data, own)
        yield from zip(added[rows < 0], ts[first][rows < 0].tolist(), strict=True)
        vectors = np.delete(vectors, first, axis=0)


def _ts(data: SkyData, vectors: np.ndarray) -> np.ndarray:
    return scan(data, vectors).ts if len(vectors) else np.zeros(0)


def _highest(vectors: np.ndarray, ts: np.ndarray, radius: float) -> np.ndarray:
    """Indices of the peaks without a higher one within a radius in degrees."""
    chosen: list[int] = []
    for i in np.argsort(-ts, kind="stable"):
        near = vectors[chosen] @ vectors[i] > np.cos(np.radians(radius)) if chosen else []
        if not np.any(near):
            chosen.append(int(i))
    return np.array(chosen)


def _nearest(known: np.ndarray, vectors: np.ndarray, radius: float) -> np.ndarray:
    """Nearest known source within a radius in degrees of each place; -1 for none."""
    if not len(known):
        return np.full(len(vectors), -1)
    apart, row = cKDTree(known).query(vectors)
    return np.where(np.degrees(apart) < radius, row, -1)


def _with_sources(data: SkyData, vectors: np.ndarray) -> SkyData:
    """The same data with sources in the model, as bright as they are."""
    amplitude = scan(data, vectors).amplitude
    counts = amplitude[:, None] * data.shares(vectors)
    bands = []
    for band, own in zip(data.bands, counts.T, strict=True):
        near = stamps(vectors, band.pixels, band.psf, containment=_WHOLE, sampling=COARSE)
        total = band.model.copy()
        added = (near.fraction * own[:, None]).ravel().astype(total.dtype)
        np.add.at(total, band.places(near.pixel.ravel()), added)
        bands.append(replace(band, model=total))
    return SkyData(tuple(bands))


def _distinct(
    found: list[tuple[float, int, np.ndarray]], radius: float
) -> list[tuple[float, int, np.ndarray]]:
    """Peaks of all epochs, each place once: in the epoch of its highest TS."""
    if not found:
        return []
    ts = np.array([one[0] for one in found])
    return [found[i] for i in _highest(np.array([one[2] for one in found]), ts, radius)]


@dataclass(eq=False)
class _Parts:
    """Data of single epochs."""

    whole: SkyData
    epochs: TimeEpochs
    photons: tuple[BandPhotons, ...]
    _cells: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.whole.bands, self.epochs.share_pixels, strict=True)
        known: dict[tuple[Pixels, int], np.ndarray] = {}
        self._cells = []
        for band, coarse in pairs:
            key = band.pixels, len(band.counts)
            if band.held is not None or key not in known:
                known[key] = _cells(band, coarse)
            self._cells.append(known[key])

    def data(self, epoch: int) -> SkyData:
        """Counts and model of an epoch."""
        bands = []
        parts = zip(self.whole.bands, self.photons, self._cells, self.epochs.shares, strict=True)
        for band, photons, cells, shares in parts:
            share = shares[epoch].astype(np.float32)[cells]
            counts = np.zeros(len(band.counts), dtype=np.float32)
            here = photons.epoch == epoch
            np.add.at(counts, photons.index[here], photons.counts[here])
            model, background = (
                np.maximum(values * share, _LEAST).astype(np.float32)
                for values in (band.model, band.background)
            )
            bands.append(
                replace(
                    band,
                    counts=counts,
                    model=model,
                    background=background,
                    exposure=band.exposure * share,
                    valid=band.valid & (share > 0),
                )
            )
        return SkyData(tuple(bands))


def _cells(band: BandData, coarse: Pixels) -> np.ndarray:
    """Pixel of the shares that holds each place of a band."""
    places = np.arange(len(band.counts)) if band.held is None else band.held
    pixels = band.pixels
    healpix = isinstance(pixels, HealpixPixels) and isinstance(coarse, HealpixPixels)
    if healpix and pixels.frame == coarse.frame and pixels.nside >= coarse.nside:
        return _with_other(parents(pixels.nside, coarse.nside, places), band)
    vectors = band.vectors(np.arange(len(places)))
    found = coarse.containing(to_frame(from_frame(vectors, pixels.frame), coarse.frame))
    return _with_other(found, band)


def _with_other(cells: np.ndarray, band: BandData) -> np.ndarray:
    """Cells of the places, and of the entry that stands for all other pixels."""
    return cells.astype(np.int32) if band.held is None else np.append(cells, 0).astype(np.int32)
