"""Fluxes and test statistics of detections, fitted on the maps to all bands together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from scipy import sparse

from gammafind.measure.data import SkyData, photon_shares, sky_data
from gammafind.measure.flux_fit import FluxFit
from gammafind.measure.joint import fit_jointly
from gammafind.measure.likelihood import fit_amplitudes
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.stamps import COARSE, Stamps, stamps
from gammafind.workers import in_threads

__all__ = ["INDICES", "counts_on_sky", "fit_on_sky"]

INDICES = (1.7, 2.0, 2.3, 2.6, 3.0)
"""Photon indices with which each detection is tried."""
_TYPICAL = 2
"""Place of the index with which sources enter the joint fit."""
_CONTAINMENT = 0.9
_FAR = 300.0
"""Counts above which what a source leaves beyond its stamp is a part of the model: about bright
sources the wings of the PSF are many times the TS of faint ones."""
_FREE_TS = 60.0
"""Significance, squared, above which a source has counts of its own in each band."""
_FIRST_GUESS = 20.0
_FIRST_STEPS = 20
"""Of expectation maximisation, which brings bright sources near their counts in no time."""
_TOLERANCE = 0.1
_CHUNK = 1000
"""Detections that are fitted at a time."""


def fit_on_sky(observation: Observation, positions: SkyCoord, solid: np.ndarray) -> FluxFit:
    """Fit a source at each position, on maps whose pixels are finer than the PSF.

    All solid detections are fitted together, on the background as it is, those of high
    significance band by band. Then every detection is fitted with all others held.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are so probable that they are a part of the model of the others.

    Returns
    -------
    FluxFit
        The background holds the wings of bright sources.
    """
    sky = _Sky.of(observation, positions)
    sky, counts = sky.fit(np.flatnonzero(solid))
    return sky.alone(counts)


def counts_on_sky(observation: Observation, positions: SkyCoord) -> np.ndarray:
    """Fit a source at each position together with all others; see `fit_on_sky`.

    Returns
    -------
    ndarray, shape (n, n_bands)
        Counts of each source.
    """
    return _Sky.of(observation, positions).fit(np.arange(len(positions)))[1]


@dataclass(frozen=True, eq=False)
class _Sky:
    """The maps about n detections.

    Attributes
    ----------
    data : SkyData
        Its background holds what bright sources leave beyond their stamps.
    vectors : ndarray, shape (n, 3)
    stamps : sequence of Stamps
        Pixels near each detection, one a band; no share falls into pixels without data.
    exposure : ndarray, shape (n, n_bands)
        In cm2 s.
    spectra : ndarray, shape (n_indices, n_bands)
        Share of the photons of a source in each band.
    """

    data: SkyData
    vectors: np.ndarray
    stamps: Sequence[Stamps]
    exposure: np.ndarray
    spectra: np.ndarray

    @classmethod
    def of(cls, observation: Observation, positions: SkyCoord) -> _Sky:
        """The maps of an observation about some positions."""
        data = sky_data(observation, index=INDICES[_TYPICAL])
        vectors = vectors_in(data.frame, positions)

        def near(band: int) -> Stamps:
            one = data.bands[band]
            found = stamps(vectors, one.pixels, one.psf, containment=_CONTAINMENT, sampling=COARSE)
            return Stamps(found.pixel, found.fraction * one.valid[found.pixel])

        exposure = [
            values.ravel()[band.pixels.containing(vectors)]
            for values, band in zip(observation.exposure.values, data.bands, strict=True)
        ]
        bands = observation.counts.bands
        edges = [tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in bands]
        return cls(
            data=data,
            vectors=vectors,
            stamps=list(in_threads(near, range(len(bands)))),
            exposure=np.stack(exposure, axis=1).astype(float),
            spectra=np.stack([photon_shares(edges, index) for index in INDICES]),
        )

    def shares(self, place: int) -> np.ndarray:
        """Share of the counts of each detection in each band, for the index at a place."""
        expected = self.exposure * self.spectra[place]
        return expected / np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)

    def fit(self, rows: np.ndarray) -> tuple[_Sky, np.ndarray]:
        """Fit some detections together, bright ones with a spectrum of their own.

        Returns
        -------
        sky : _Sky
            With the wings of bright sources in the background.
        counts : ndarray, shape (n, n_bands)
            Zero for all other detections.
        """
        counts = np.zeros(self.exposure.shape)
        if not len(rows):
            return self, counts
        shares = self.shares(_TYPICAL)[rows]
        parts = [_templates(stamp.take(rows)) for stamp in self.stamps]
        templates = sparse.vstack(
            [
                part @ sparse.diags_array(share)
                for (_, part), share in zip(parts, shares.T, strict=True)
            ],
            format="csr",
        )
        seen = self._at("counts", parts)
        amplitude = _expected(seen, self._at("background", parts), templates)
        counts[rows] = amplitude[:, None] * shares
        sky = self._with_wings(counts, rows[amplitude > _FAR])
        fixed = sky._at("background", parts)
        fit = fit_jointly(seen, fixed, templates, amplitude, tolerance=_TOLERANCE)
        counts[rows] = fit.amplitude[:, None] * shares
        significance = fit.amplitude**2 * fit.information.diagonal()
        return sky, sky._with_spectra(counts, rows[significance > _FREE_TS])

    def alone(self, counts: np.ndarray) -> FluxFit:
        """Fit each detection with all others held at their ``counts``, shape (n, n_bands)."""
        models = [
            band.background + stamp.spread(own, len(band.background))
            for band, stamp, own in zip(self.data.bands, self.stamps, counts.T, strict=True)
        ]
        chunks = np.array_split(np.arange(len(counts)), len(counts) // _CHUNK + 1)

        def fit(rows: np.ndarray) -> np.ndarray:
            return self._alone(rows, models, counts)

        found = np.concatenate(list(in_threads(fit, chunks)), axis=1)
        background = [
            band.background[band.pixels.containing(self.vectors)] for band in self.data.bands
        ]
        return FluxFit(*found, np.stack(background, axis=1))

    def _alone(
        self, rows: np.ndarray, models: Sequence[np.ndarray], counts: np.ndarray
    ) -> np.ndarray:
        """TS, counts, their error, and exposure, shape (4, len(rows), n_indices)."""
        seen, others, fractions = [], [], []
        for i, (band, whole, model) in enumerate(
            zip(self.data.bands, self.stamps, models, strict=True)
        ):
            stamp = whole.take(rows)
            without = model[stamp.pixel] - stamp.fraction * counts[rows, i, None]
            seen.append(band.counts[stamp.pixel])
            others.append(np.maximum(without, band.background[stamp.pixel]))
            fractions.append(stamp.fraction)
        seen, others = np.concatenate(seen, axis=1), np.concatenate(others, axis=1)
        found = np.empty((4, len(rows), len(INDICES)))
        for place in range(len(INDICES)):
            shares = self.shares(place)[rows]
            template = np.concatenate(
                [one * share[:, None] for one, share in zip(fractions, shares.T, strict=True)],
                axis=1,
            )
            fit = fit_amplitudes(seen, others, template)
            exposure = (self.exposure[rows] * self.spectra[place]).sum(axis=1)
            found[..., place] = fit.ts, fit.amplitude, fit.error, exposure
        return found

    def _with_wings(self, counts: np.ndarray, bright: np.ndarray) -> _Sky:
        """The same sky with what bright sources leave beyond their stamps in the background."""
        if not len(bright):
            return self
        own = self._with_spectra(counts, bright)[bright]
        whole = self.data.source_maps(self.vectors[bright], own)
        bands = []
        for band, stamp, of_band, total in zip(
            self.data.bands, self.stamps, own.T, whole, strict=True
        ):
            wings = total - stamp.take(bright).spread(of_band, len(total))
            bands.append(replace(band, background=band.background + np.maximum(wings, 0)))
        return replace(self, data=SkyData(tuple(bands)))

    def _with_spectra(self, counts: np.ndarray, bright: np.ndarray) -> np.ndarray:
        """Counts with those of bright sources fitted in each band by itself, all else held."""
        if not len(bright) or counts.shape[1] == 1:
            return counts

        def fit(i: int) -> np.ndarray:
            band, stamp, own = self.data.bands[i], self.stamps[i], counts[:, i].copy()
            own[bright] = 0
            pixel, templates = _templates(stamp.take(bright))
            fixed = band.background + stamp.spread(own, len(band.background))
            return fit_jointly(
                band.counts[pixel],
                fixed[pixel],
                templates.tocsr(),
                counts[bright, i],
                tolerance=_TOLERANCE,
            ).amplitude

        free = counts.copy()
        free[bright] = np.stack(list(in_threads(fit, range(counts.shape[1]))), axis=1)
        return free

    def _at(self, name: str, parts: Sequence[tuple[np.ndarray, sparse.csc_array]]) -> np.ndarray:
        """Values of the maps in the pixels of templates, all bands in a row."""
        return np.concatenate(
            [
                getattr(band, name)[pixel]
                for band, (pixel, _) in zip(self.data.bands, parts, strict=True)
            ]
        )


def _templates(stamp: Stamps) -> tuple[np.ndarray, sparse.csc_array]:
    """Pixels that some sources reach, and the shares of their counts in these."""
    pixel, place = np.unique(stamp.pixel, return_inverse=True)
    starts = np.arange(len(stamp.pixel) + 1) * stamp.pixel.shape[1]
    entries = (stamp.fraction.ravel(), place.ravel(), starts)
    return pixel, sparse.csc_array(entries, shape=(len(pixel), len(stamp.pixel)))


def _expected(counts: np.ndarray, fixed: np.ndarray, templates: sparse.csr_array) -> np.ndarray:
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
