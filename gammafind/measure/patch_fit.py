"""Fluxes and test statistics of detections, fitted patch by patch to all bands together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.measure.data import photon_shares
from gammafind.measure.few import fit_few
from gammafind.measure.flux_fit import FluxFit
from gammafind.measure.likelihood import fit_amplitudes
from gammafind.measure.patch_stamps import PatchStamps, patch_stamps
from gammafind.progress import track
from gammafind.sky.patches import Patches
from gammafind.sky.projection import vectors_in
from gammafind.sky.stacks import PatchStacks

__all__ = ["INDICES", "counts_in_patches", "fit_in_patches"]

INDICES = (1.7, 2.0, 2.3, 2.6, 3.0)
"""Photon indices with which each detection is tried."""
_TYPICAL = 2
"""Place of the index with which sources enter the joint fit."""
_MARGIN = 4.0
"""Finest pixels beyond the border of a patch from which sources reach in."""
_FLOOR = 1e-6
_FREE_TS = 60.0
"""Significance, squared, above which a source has counts of its own in each band."""
_FIRST_GUESS = 20.0


def fit_in_patches(stacks: PatchStacks, positions: SkyCoord, solid: np.ndarray) -> FluxFit:
    """Fit a source at each position, each in the patch whose centre is nearest.

    In each patch all solid detections are fitted together, on the background as it is, those of
    high significance band by band. Then every detection is fitted with all others held.

    Parameters
    ----------
    stacks : PatchStacks
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are so probable that they are a part of the model of the others.

    Returns
    -------
    FluxFit
    """
    found = np.zeros((4, len(positions), len(INDICES)))
    background = np.zeros((len(positions), len(stacks.n_pixels)))
    for sky in _skies(stacks, positions):
        mine = sky.rows[sky.core]
        found[:, mine] = sky.alone(sky.fit(solid[sky.rows]))
        background[mine] = sky.background_at[sky.core]
    return FluxFit(*found, background)


def counts_in_patches(stacks: PatchStacks, positions: SkyCoord) -> np.ndarray:
    """Fit a source at each position together with those about it; see `fit_in_patches`.

    Returns
    -------
    ndarray, shape (n, n_bands)
        Counts of each source.
    """
    counts = np.zeros((len(positions), len(stacks.n_pixels)))
    for sky in _skies(stacks, positions):
        counts[sky.rows[sky.core]] = sky.fit(np.ones(len(sky.rows), dtype=bool))[sky.core]
    return counts


def _skies(stacks: PatchStacks, positions: SkyCoord) -> Iterator[_PatchSky]:
    """The patches to whose centres a position is nearest."""
    grid, width = stacks.grid, max(stacks.n_pixels)
    home = grid.nearest(positions)
    vectors = vectors_in(grid.frame, positions)
    patch, row, x, y = grid.members(vectors, width, margin=_MARGIN)
    bounds = np.searchsorted(patch, np.arange(len(grid) + 1))
    for start, patches in stacks:
        for index in track(range(len(patches)), "fluxes of detections"):
            part = slice(bounds[start + index], bounds[start + index + 1])
            rows = row[part]
            core = np.flatnonzero(home[rows] == start + index)
            if len(core):
                yield _PatchSky.of(patches, index, rows, core, x[part], y[part])


@dataclass(frozen=True, eq=False)
class _PatchSky:
    """One patch with the detections in it; pixels of all bands in one row.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Which of all detections are in it.
    core : ndarray of int, shape (m,)
        Which of these are nearest to its centre.
    counts, background : ndarray, shape (n_pixels,)
    widths : tuple of int
    stamps : PatchStamps
    exposure, background_at : ndarray, shape (n, n_bands)
        At the positions.
    spectra : ndarray, shape (n_indices, n_bands)
        Share of the photons of a source in each band.
    """

    rows: np.ndarray
    core: np.ndarray
    counts: np.ndarray
    background: np.ndarray
    widths: tuple[int, ...]
    stamps: PatchStamps
    exposure: np.ndarray
    background_at: np.ndarray
    spectra: np.ndarray

    @classmethod
    def of(
        cls,
        patches: Patches,
        index: int,
        rows: np.ndarray,
        core: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
    ) -> _PatchSky:
        """The sky of a patch with detections at pixels of the finest band."""
        widths = patches.n_pixels
        stamps = patch_stamps(x, y, widths, patches.psfs, patches.grid.pixel_size(1))
        valid = _row(patches.valid, index)
        edges = [tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in patches.bands]
        stamps = PatchStamps(
            stamps.pixel, stamps.fraction * valid[stamps.pixel], stamps.band, stamps.n_pixels
        )
        return cls(
            rows=rows,
            core=core,
            counts=_row(patches.counts, index),
            background=np.maximum(_row(patches.background, index), _FLOOR),
            widths=widths,
            stamps=stamps,
            exposure=_at(patches.exposure, index, x, y),
            background_at=_at(patches.background, index, x, y),
            spectra=np.stack([photon_shares(edges, one) for one in INDICES]),
        )

    def shares(self, place: int) -> np.ndarray:
        """Share of the counts of each detection in each band, for the index at a place."""
        expected = self.exposure * self.spectra[place]
        return expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)

    def fit(self, solid: np.ndarray) -> np.ndarray:
        """Fit all solid detections together, bright ones with a spectrum of their own.

        Returns
        -------
        ndarray, shape (n, n_bands)
            Counts; zero for detections that are not solid.
        """
        chosen = np.flatnonzero(solid)
        counts = np.zeros((len(solid), len(self.widths)))
        stamps, shares = self.stamps.take(chosen), self.shares(_TYPICAL)[chosen]
        template = stamps.fraction * shares[:, stamps.band]
        start = np.full(len(chosen), _FIRST_GUESS)
        amplitude, information = fit_few(
            self.counts, self.background, stamps.pixel, template, start
        )
        counts[chosen] = amplitude[:, None] * shares
        bright = amplitude**2 * np.diagonal(information) > _FREE_TS
        if bright.any() and len(self.widths) > 1:
            counts[chosen[bright]] = self._in_bands(stamps, counts[chosen], np.flatnonzero(bright))
        return counts

    def alone(self, counts: np.ndarray) -> np.ndarray:
        """Fit each detection of the core with all others held.

        Parameters
        ----------
        counts : ndarray, shape (n, n_bands)
            From `fit`.

        Returns
        -------
        ndarray, shape (4, m, n_indices)
            TS, counts, their error, and exposure.
        """
        core = self.core
        stamps = self.stamps.take(core)
        model = self.background + self.stamps.spread(counts)
        others = model[stamps.pixel] - stamps.fraction * counts[core][:, stamps.band]
        others = np.maximum(others, self.background[stamps.pixel])
        seen = self.counts[stamps.pixel]
        found = np.empty((4, len(core), len(INDICES)))
        for place in range(len(INDICES)):
            template = stamps.fraction * self.shares(place)[core][:, stamps.band]
            fit = fit_amplitudes(seen, others, template)
            exposure = (self.exposure[core] * self.spectra[place]).sum(axis=1)
            found[..., place] = fit.ts, fit.amplitude, fit.error, exposure
        return found

    def _in_bands(self, stamps: PatchStamps, counts: np.ndarray, bright: np.ndarray) -> np.ndarray:
        """Counts of bright sources in each band, all else held, shape (len(bright), n_bands)."""
        fixed = counts.copy()
        fixed[bright] = 0
        rest = self.background + stamps.spread(fixed)
        own = stamps.take(bright)
        free = counts[bright].copy()
        for band in range(len(self.widths)):
            here = own.only(band)
            free[:, band], _ = fit_few(
                *self._in_band(band, rest, here), here.fraction, free[:, band]
            )
        return free

    def _in_band(
        self, band: int, rest: np.ndarray, stamps: PatchStamps
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Counts and fixed part of one band, and places of the stamps within it."""
        end = int(np.sum(np.square(self.widths[: band + 1])))
        pixels = slice(end - self.widths[band] ** 2, end)
        return self.counts[pixels], rest[pixels], stamps.pixel - pixels.start


def _row(arrays: Sequence[np.ndarray], index: int) -> np.ndarray:
    """Pixels of one patch, all bands in one row."""
    return np.concatenate([array[index].ravel() for array in arrays]).astype(float)


def _at(arrays: Sequence[np.ndarray], index: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of each band at pixels of the finest one, shape (n, n_bands)."""
    finest = max(array.shape[-1] for array in arrays)
    values = []
    for array in arrays:
        width = array.shape[-1]
        row, column = (
            np.clip(np.rint((at + 0.5) * width / finest - 0.5).astype(int), 0, width - 1)
            for at in (y, x)
        )
        values.append(array[index][row, column])
    return np.stack(values, axis=1).astype(float)
