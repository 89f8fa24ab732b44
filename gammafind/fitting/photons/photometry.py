"""Counts of detections in each band and epoch, fitted together with their neighbours on maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.sky_sources import SkySources
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.utils.workers import in_threads

_INDICES = np.array([1.4, 1.8, 2.2, 2.6, 3.0])
"""Photon indices; the best-fitting one sets the weights of the bands in the light curve."""


@dataclass(frozen=True, eq=False)
class Photometry:
    """Photometry of n detections on maps.

    Attributes
    ----------
    counts, counts_err : ndarray, shape (n, n_bands)
        Counts of the source in each band, possibly negative due to noise, and 1 sigma errors; 0 and
        infinite if there are no data.
    exposure : ndarray, shape (n, n_bands)
        In cm2 s.
    background : ndarray, shape (n, n_bands)
        Expected counts per square degree of the background and of the wings of bright sources.
    light_curve, light_curve_err : ndarray, shape (n, n_epochs), or None
        Counts of the source in all bands, in each epoch, divided by the share of the exposure of
        the epoch; they are equal for a steady source.
    """

    counts: np.ndarray
    counts_err: np.ndarray
    exposure: np.ndarray
    background: np.ndarray
    light_curve: np.ndarray | None = None
    light_curve_err: np.ndarray | None = None


def measure_photometry(
    observation: Observation,
    positions: SkyCoord,
    solid: np.ndarray,
    *,
    epochs: Epochs | None = None,
) -> Photometry:
    """Measure the counts of detections in each band and, in all bands together, in each epoch.

    All solid detections are fitted together, with a fixed background. Then every detection is
    fitted in each band with all others fixed.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are so probable that they are a part of the model of the others.
    epochs : Epochs, optional
        On the pixels of the observation.

    Returns
    -------
    Photometry

    Notes
    -----
    Counts are sums over pixels with fixed weights, which are unbiased. The weights are those of the
    likelihood for the power law that fits best in a first step. Their noise is smallest if this is
    the spectrum and the source varies little between epochs.
    """
    sky, fitted = SkySources.of(observation, positions).fit(np.flatnonzero(solid))
    bands = [_Band.of(sky, i, model, fitted) for i, model in enumerate(sky.models(fitted))]
    areas = [one.pixels.pixel_area.to_value("deg2") for one in sky.data.bands]
    background = sky.background() / areas
    counts, error = _in_bands(bands)
    shares = _band_shares(sky, counts, error)
    expected = shares * np.maximum(_weighted(counts, error, shares)[0], 0)[:, None]
    bands = [band.weighing(own) for band, own in zip(bands, expected.T, strict=True)]
    counts, error = _in_bands(bands)
    if epochs is None:
        return Photometry(counts, error, sky.exposure, background)
    curve, curve_err = _light_curve(bands, shares, epochs, positions)
    return Photometry(counts, error, sky.exposure, background, curve, curve_err)


def _light_curve(
    bands: Sequence[_Band], shares: np.ndarray, epochs: Epochs, positions: SkyCoord
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of each epoch divided by its exposure share, and errors, (n, n_epochs)."""
    of_epochs = epochs.shares(positions)

    def of_band(i: int) -> tuple[np.ndarray, np.ndarray]:
        band, own, share = bands[i], shares[:, i, None], of_epochs[:, i].T
        seen = np.stack([band.slope(sky.values[i]) for sky in epochs.counts], axis=1)
        without = (band.total - band.information * band.amplitude)[:, None]
        return own * (seen - share * without), share * own**2 * band.information[:, None]

    weighted, information = map(sum, zip(*in_threads(of_band, range(len(bands))), strict=True))
    known = information > 0
    return np.where(known, weighted / np.where(known, information, 1), 0), _error(information)


@dataclass(frozen=True, eq=False)
class _Band:
    """One band around each of n detections.

    Attributes
    ----------
    index : ndarray of int, shape (n, k)
        Pixels near each.
    fraction : ndarray, shape (n, k)
        Share of the counts of a source in them.
    others : ndarray, shape (n, k)
        Expected counts of everything else.
    counts : ndarray, shape (n_pixels,)
        Observed counts of the map.
    amplitude : ndarray, shape (n,)
        Counts of the source in the expected counts.
    """

    index: np.ndarray
    fraction: np.ndarray
    others: np.ndarray
    counts: np.ndarray
    amplitude: np.ndarray

    @classmethod
    def of(cls, sky: SkySources, band: int, model: np.ndarray, counts: np.ndarray) -> _Band:
        """One band of a sky whose sources are fitted together."""
        stamp = sky.stamps[band]
        return cls(
            index=stamp.pixel,
            fraction=stamp.fraction,
            others=sky.others(band, model, counts, slice(None)),
            counts=sky.data.bands[band].counts,
            amplitude=counts[:, band],
        )

    def weighing(self, amplitude: np.ndarray) -> _Band:
        """Return a copy with other source counts in the weights."""
        return replace(self, amplitude=amplitude)

    @cached_property
    def ratio(self) -> np.ndarray:
        """Weights of the pixels: share of the source divided by the expected counts, (n, k)."""
        return self.fraction / (self.others + self.fraction * self.amplitude[:, None])

    @cached_property
    def total(self) -> np.ndarray:
        """Sum of the shares of a source, (n,)."""
        return self.fraction.sum(axis=1)

    @cached_property
    def information(self) -> np.ndarray:
        """Fisher information of the counts of each source alone, (n,)."""
        return np.einsum("nk,nk->n", self.ratio, self.fraction)

    def slope(self, counts: np.ndarray) -> np.ndarray:
        """Counts near each detection, weighted."""
        return np.einsum("nk,nk->n", np.ravel(counts)[self.index], self.ratio)

    def alone(self) -> tuple[np.ndarray, np.ndarray]:
        """Counts of each detection and their errors, with all others fixed."""
        known = self.information > 0
        safe = np.where(known, self.information, 1)
        counts = self.amplitude + (self.slope(self.counts) - self.total) / safe
        return np.where(known, counts, 0), _error(self.information)


def _error(information: np.ndarray) -> np.ndarray:
    """Standard error of an amplitude; infinite where nothing is known about it."""
    known = information > 0
    return np.where(known, np.where(known, information, 1) ** -0.5, np.inf)


def _in_bands(bands: Sequence[_Band]) -> tuple[np.ndarray, np.ndarray]:
    """Counts and errors of all bands, each (n, n_bands)."""
    counts, error = zip(*(band.alone() for band in bands), strict=True)
    return np.stack(counts, axis=1), np.stack(error, axis=1)


def _band_shares(sky: SkySources, counts: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Share of the counts in each band for the power law that fits best, shape (n, n_bands)."""
    tried = [sky.shares(index) for index in _INDICES]
    gain = np.stack([_weighted(counts, error, one)[1] for one in tried])
    return np.take_along_axis(np.stack(tried), gain.argmax(axis=0)[None, :, None], axis=0)[0]


def _weighted(
    counts: np.ndarray, error: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares counts in all bands together, and the reduction of chi square by them."""
    weights = shares / error**2
    norm = np.maximum((weights * shares).sum(axis=1), 1e-300)
    total = (weights * counts).sum(axis=1) / norm
    return total, np.maximum(total, 0) ** 2 * norm
