"""Sources on maps with pixels finer than the PSF, fitted in all bands together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from scipy import sparse

from gammafind.fitting.photons.data import BandData, SkyData, in_parts, photon_shares, sky_data
from gammafind.fitting.photons.joint import fit_jointly
from gammafind.sky.observation import Observation
from gammafind.sky.point_sources import fast_counts
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf_stamps import COARSE, Stamps, stamps
from gammafind.utils.workers import in_threads

Rows = np.ndarray | slice
"""Selection of detections."""

_INDEX = 2.3
"""Photon index of the sources in the joint fit: typical of 4FGL sources."""
_CONTAINMENT = 0.9
"""Share of the counts in a stamp: balances accuracy and time; `_FAR` adds the wings of bright
sources."""
_FAR = 300.0
"""Counts above which the wings of a source beyond its stamp are part of the model: they are much
larger than the TS of faint sources nearby (benchmarks/localiser.py)."""
_FREE_TS = 60.0
"""Significance, squared, above which the counts of a source are free in each band: balances noise
and residuals."""
_FIRST_GUESS = 20.0
"""Counts of each source before the first steps; the steps remove its influence."""
_FIRST_STEPS = 20
"""Steps of expectation maximisation, which quickly bring bright sources near their counts."""
_TOLERANCE, _LEAST_GAIN = 0.1, 1.0
"""End of a joint fit: steps of a tenth of an amplitude, or a gain too small to matter for a
source."""


@dataclass(frozen=True, eq=False)
class SkySources:
    """The maps around n detections, and joint fits of the detections.

    Attributes
    ----------
    data : SkyData
        Its background includes the wings of bright sources beyond their stamps.
    vectors : ndarray, shape (n, 3)
    stamps : sequence of Stamps
        Pixels near each detection, one per band; shares in pixels without data are zero.
    exposure : ndarray, shape (n, n_bands)
        In cm2 s.
    edges : list of tuple of float
        Energy edges of each band in MeV.
    """

    data: SkyData
    vectors: np.ndarray
    stamps: Sequence[Stamps]
    exposure: np.ndarray
    edges: list[tuple[float, float]]

    @classmethod
    def of(cls, observation: Observation, positions: SkyCoord) -> SkySources:
        """The maps of an observation around some positions."""
        data = sky_data(observation, index=_INDEX)
        vectors = vectors_in(data.frame, positions)

        def near(band: int) -> Stamps:
            one = data.bands[band]
            found = stamps(vectors, one.pixels, one.psf, containment=_CONTAINMENT, sampling=COARSE)
            fraction = found.fraction * one.valid[found.pixel]
            return Stamps(found.pixel.astype(np.int32), fraction.astype(np.float32))

        bands = observation.counts.bands
        exposure = [
            values.ravel()[band.pixels.containing(vectors)]
            for values, band in zip(observation.exposure.values, data.bands, strict=True)
        ]
        return cls(
            data=data,
            vectors=vectors,
            stamps=list(in_threads(near, range(len(bands)))),
            exposure=np.stack(exposure, axis=1).astype(float),
            edges=[tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in bands],
        )

    def counts_of(self, index: float) -> np.ndarray:
        """Counts in each band of sources of flux one (in all bands together) of a photon index."""
        return self.exposure * photon_shares(self.edges, index)

    def shares(self, index: float) -> np.ndarray:
        """Share of the counts of each detection in each band, for a photon index."""
        return in_parts(self.counts_of(index))

    def fit(self, rows: np.ndarray) -> tuple[SkySources, np.ndarray]:
        """Fit some detections together; bright ones have their own spectrum.

        Returns
        -------
        sky : SkySources
            With the wings of bright sources in the background.
        counts : ndarray, shape (n, n_bands)
            Zero for all other detections.
        """
        counts = np.zeros(self.exposure.shape)
        if not len(rows):
            return self, counts
        shares = self.shares(_INDEX)[rows]
        pixels, templates = _templates([stamp.take(rows) for stamp in self.stamps], shares)
        seen = self._at("counts", pixels)
        amplitude = _expected(seen, self._at("background", pixels), templates)
        counts[rows] = amplitude[:, None] * shares
        sky = self._with_wings(counts, rows[amplitude > _FAR])
        fixed = sky._at("background", pixels)
        fit = fit_jointly(
            seen, fixed, templates, amplitude, tolerance=_TOLERANCE, least_gain=_LEAST_GAIN
        )
        counts[rows] = fit.amplitude[:, None] * shares
        significance = fit.amplitude**2 * fit.own_information
        return sky, sky._with_spectra(counts, rows[significance > _FREE_TS])

    def models(self, counts: np.ndarray) -> list[np.ndarray]:
        """Expected counts in each pixel of each band, for source ``counts`` (n, n_bands)."""

        def of_band(i: int) -> np.ndarray:
            model = self.data.bands[i].background.copy()
            self.stamps[i].add_to(model, counts[:, i])
            return model

        return list(in_threads(of_band, range(len(self.stamps))))

    def others(self, band: int, model: np.ndarray, counts: np.ndarray, rows: Rows) -> np.ndarray:
        """Expected counts of everything except the source, near each of some sources, (n_rows, k).

        Parameters
        ----------
        band : int
        model : ndarray, shape (n_pixels,)
            From `models`.
        counts : ndarray, shape (n, n_bands)
            Source counts in the model.
        rows : ndarray of int or slice
        """
        stamp = self.stamps[band].take(rows)
        without = model[stamp.pixel] - stamp.fraction * counts[rows, band, None]
        return np.maximum(without, self.data.bands[band].background[stamp.pixel])

    def background(self) -> np.ndarray:
        """Expected background counts per pixel at each detection, shape (n, n_bands)."""
        bands = self.data.bands
        at = [band.background[band.pixels.containing(self.vectors)] for band in bands]
        return np.stack(at, axis=1)

    def _with_wings(self, counts: np.ndarray, bright: np.ndarray) -> SkySources:
        """The same sky with the wings of bright sources beyond their stamps in the background."""
        if not len(bright):
            return self
        own = self._with_spectra(counts, bright)[bright]

        def of_band(i: int) -> BandData:
            band, near = self.data.bands[i], self.stamps[i].take(bright)
            wings = fast_counts(self.vectors[bright], own[:, i], band.pixels, band.psf)
            near.add_to(wings, -own[:, i])
            wings = np.maximum(wings, 0, out=wings).astype(band.background.dtype)
            return replace(band, background=band.background + wings)

        return replace(self, data=SkyData(tuple(in_threads(of_band, range(len(self.data.bands))))))

    def _with_spectra(self, counts: np.ndarray, bright: np.ndarray) -> np.ndarray:
        """Counts, with those of bright sources fitted in each band separately."""
        if not len(bright) or counts.shape[1] == 1:
            return counts

        def fit(i: int) -> np.ndarray:
            band, stamp, own = self.data.bands[i], self.stamps[i], counts[:, i].copy()
            own[bright] = 0
            (pixel,), templates = _templates([stamp.take(bright)], np.ones((len(bright), 1)))
            fixed = band.background[pixel] + stamp.spread(own, len(band.background))[pixel]
            return fit_jointly(
                band.counts[pixel].astype(float),
                fixed,
                templates,
                counts[bright, i],
                tolerance=_TOLERANCE,
                least_gain=_LEAST_GAIN,
            ).amplitude

        free = counts.copy()
        free[bright] = np.stack(list(in_threads(fit, range(counts.shape[1]))), axis=1)
        return free

    def _at(self, name: str, pixels: Sequence[np.ndarray]) -> np.ndarray:
        """Values of the maps in some pixels of each band, all bands in a row."""
        bands = zip(self.data.bands, pixels, strict=True)
        return np.concatenate([getattr(band, name)[pixel] for band, pixel in bands], dtype=float)


def _templates(
    stamps: Sequence[Stamps], shares: np.ndarray
) -> tuple[list[np.ndarray], sparse.csc_array]:
    """Pixels in each band that n sources contribute to, and shares of their counts in a row.

    Parameters
    ----------
    stamps : sequence of Stamps
        One per band.
    shares : ndarray, shape (n, n_bands)
        Shares of the counts of each source in each band.
    """
    pixels, places = zip(
        *in_threads(lambda one: np.unique(one.pixel, return_inverse=True), stamps), strict=True
    )
    starts = np.cumsum([0, *map(len, pixels)])
    index = np.concatenate(
        [
            place.reshape(one.pixel.shape) + start
            for one, place, start in zip(stamps, places, starts[:-1], strict=True)
        ],
        axis=1,
    )
    fraction = np.concatenate(
        [one.fraction * own[:, None] for one, own in zip(stamps, shares.T, strict=True)], axis=1
    )
    n = len(index)
    entries = (fraction.ravel(), index.ravel(), np.arange(n + 1) * index.shape[1])
    return list(pixels), sparse.csc_array(entries, shape=(starts[-1], n))


def _expected(counts: np.ndarray, fixed: np.ndarray, templates: sparse.csc_array) -> np.ndarray:
    """Amplitudes after some steps of expectation maximisation, shape (n,).

    References
    ----------
    Dempster et al. 1977, doi:10.1111/j.2517-6161.1977.tb01600.x
    """
    by_source = templates.T.tocsr()
    total = np.maximum(by_source.sum(axis=1), 1e-12)
    amplitude = np.full(templates.shape[1], _FIRST_GUESS)
    for _ in range(_FIRST_STEPS):
        amplitude *= (by_source @ (counts / (fixed + templates @ amplitude))) / total
    return amplitude
