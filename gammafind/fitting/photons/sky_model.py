"""The model of a sky during a search: background and the sources found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.fitting.photons.background import component_norms, slow_norm
from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.joint import JointFit, fit_jointly
from gammafind.sky.degrade import added_up
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf_stamps import Stamps, stamps

_FIT_CONTAINMENT = 0.9
"""Share of the counts in a stamp of the joint fit: balances accuracy and time."""
_FAINT_SHARE = 2 / 3
"""Share of the sky for global norms: without the brightest part, where models are worst."""
_NORM_NSIDE = 128
"""Resolution for global norms: coarser pixels save time and lose nothing."""
_FREE_TS = 100.0
"""Significance, squared, above which a source has its own spectrum: balances noise and false
sources next to bright ones."""


@dataclass(frozen=True, eq=False)
class _NearSources:
    """One band in the pixels near sources: counts, fixed model, one template per source."""

    counts: np.ndarray
    fixed: np.ndarray
    templates: sparse.csc_array


@dataclass
class SkyModel:
    """Background and sources of one sky.

    Parameters
    ----------
    data : SkyData
        Its model is replaced as the fit proceeds.
    components : list of ndarray, shape (n_pixels, n_components)
        One array per band: expected counts of the background components with norm one.
    smoothing : float
        Full width in degrees over which the norm of the background may vary; 0 for one norm per
        component.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Positions of the sources.
    counts : ndarray, shape (n, n_bands)
        Their counts in each band.
    sigma : ndarray, shape (n,)
        Their 1 sigma position errors in degrees, NaN if not fitted.
    norms : ndarray, shape (n_components,)
        Norms of the background components.
    """

    data: SkyData
    components: list[np.ndarray]
    smoothing: float
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    counts: np.ndarray = field(init=False)
    sigma: np.ndarray = field(default_factory=lambda: np.zeros(0))
    norms: np.ndarray = field(init=False)
    _stamps: list[Stamps] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.norms = np.ones(self.components[0].shape[1])
        self.counts = np.zeros((0, len(self.data.bands)))
        self._stamps = self._stamps_of(self.vectors)
        self.update()

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources with given counts in all bands together."""
        self.vectors = np.concatenate([self.vectors, vectors])
        in_bands = counts[:, None] * self.data.shares(vectors)
        self.counts = np.concatenate([self.counts, in_bands])
        self.sigma = np.concatenate([self.sigma, np.full(len(counts), np.nan)])
        new = self._stamps_of(vectors)
        self._stamps = [old.join(stamp) for old, stamp in zip(self._stamps, new, strict=True)]

    def keep(self, chosen: np.ndarray) -> None:
        """Keep only the chosen sources."""
        self.vectors, self.counts = self.vectors[chosen], self.counts[chosen]
        self.sigma = self.sigma[chosen]
        self._stamps = [stamp.take(chosen) for stamp in self._stamps]

    def place(self, vectors: np.ndarray, sigma: np.ndarray) -> None:
        """Set new positions of all sources, with their 1 sigma errors in degrees."""
        self.vectors, self.sigma = vectors, sigma
        self._stamps = self._stamps_of(vectors)

    def update(self, *, background: bool = True) -> None:
        """Fit the background, if requested, and all sources; set the model of `data`."""
        sources = self.data.source_maps(self.vectors, self.counts)
        if background:
            self._backgrounds = self._fit_background(sources)
        if len(self.counts):
            near = self._near_sources(sources)
            fit = self._fit_sources(near)
            self.counts = fit.amplitude[:, None] * self._spectra()
            if len(near) > 1:
                significance = fit.amplitude**2 * fit.information.diagonal()
                self._fit_spectra(near, np.flatnonzero(significance > _FREE_TS))
            sources = self.data.source_maps(self.vectors, self.counts)
        self.data = self.data.with_model(self._backgrounds, sources)

    def _stamps_of(self, vectors: np.ndarray) -> list[Stamps]:
        """Stamps of some positions in each band."""
        return [
            stamps(vectors, band.pixels, band.psf, containment=_FIT_CONTAINMENT)
            for band in self.data.bands
        ]

    def _fit_background(self, sources: list[np.ndarray]) -> list[np.ndarray]:
        faint, good = [], []
        for band, source, part in zip(self.data.bands, sources, self.components, strict=True):
            good.append(band.valid & (part.sum(axis=1) > 0))
            faint.append(_faintest(band.pixels, band.counts, source, part, good[-1]))
        self.norms = component_norms(*zip(*faint, strict=True))
        backgrounds = [part @ self.norms for part in self.components]
        if self.smoothing:
            parts = zip(self.data.bands, backgrounds, sources, good, strict=True)
            for i, (band, background, source, g) in enumerate(parts):
                residual, expected = (
                    np.where(g, values, 0) for values in (band.counts - source, background)
                )
                factor = slow_norm(residual, expected, band.pixels, fwhm=self.smoothing)
                backgrounds[i] = background * factor
        return backgrounds

    def errors(self) -> np.ndarray:
        """1 sigma error of the counts of each source in all bands, with all others free."""
        sources = self.data.source_maps(self.vectors, self.counts)
        return self._fit_sources(self._near_sources(sources)).errors()

    def _spectra(self) -> np.ndarray:
        """Share of each source's counts in each band, shape (n, n_bands)."""
        total = self.counts.sum(axis=1, keepdims=True)
        shares = self.data.shares(self.vectors)
        return np.divide(self.counts, total, out=shares, where=total > 0)

    def _near_sources(self, whole: list[np.ndarray]) -> list[_NearSources]:
        """Pixels near the sources in each band; the far wings in ``whole`` do not change."""
        near = []
        for i, (band, stamp) in enumerate(zip(self.data.bands, self._stamps, strict=True)):
            weights = stamp.fraction * band.valid[stamp.pixel]
            touched, pixel = np.unique(stamp.pixel, return_inverse=True)
            source = np.repeat(np.arange(len(self.vectors)), stamp.pixel.shape[1])
            shape = (len(touched), len(self.vectors))
            templates = sparse.csc_array((weights.ravel(), (pixel.ravel(), source)), shape=shape)
            wings = np.maximum(whole[i][touched] - templates @ self.counts[:, i], 0)
            fixed = np.maximum(self._backgrounds[i][touched], 1e-6) + wings
            near.append(_NearSources(band.counts[touched], fixed, templates))
        return near

    def _fit_sources(self, near: list[_NearSources]) -> JointFit:
        """Fit one amplitude to each source, with a fixed spectrum."""
        spectra = self._spectra()
        return fit_jointly(
            np.concatenate([band.counts for band in near]),
            np.concatenate([band.fixed for band in near]),
            sparse.vstack(
                [band.templates @ sparse.diags_array(spectra[:, i]) for i, band in enumerate(near)],
                format="csr",
            ),
            self.counts.sum(axis=1),
        )

    def _fit_spectra(self, near: list[_NearSources], free: np.ndarray) -> None:
        """Fit the counts of the sources ``free`` in each band separately.

        A common index is not sufficient for bright sources: the residuals would look like more
        sources.
        """
        if not len(free):
            return
        others = self.counts.copy()
        others[free] = 0
        for i, band in enumerate(near):
            fixed = band.fixed + band.templates @ others[:, i]
            templates = band.templates[:, free].tocsr()
            fit = fit_jointly(band.counts, fixed, templates, self.counts[free, i])
            self.counts[free, i] = fit.amplitude


def background_components(observation: Observation) -> list[np.ndarray]:
    """Background components of each band, shape (n_pixels, n_components)."""
    return [
        np.stack([sky.values[i].ravel() for sky in observation.background.values()], axis=1).astype(
            float
        )
        for i in range(observation.counts.n_bands)
    ]


def _faintest(
    pixels: Pixels,
    counts: np.ndarray,
    sources: np.ndarray,
    components: np.ndarray,
    good: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, sources and background components in the faintest two thirds of the sky.

    There the errors of the background model are smallest compared with the noise. Small pixels are
    summed: they are not needed for a norm of the whole sky.
    """
    maps = [np.where(good, values, 0) for values in (counts, sources, *components.T)]
    if isinstance(pixels, HealpixPixels) and pixels.nside > _NORM_NSIDE:
        good, *maps = (added_up(values, _NORM_NSIDE) for values in (good.astype(float), *maps))
        good = good == (pixels.nside // _NORM_NSIDE) ** 2
    counts, sources, *parts = maps
    total = np.sum(parts, axis=0)
    limit = np.quantile(total[good], _FAINT_SHARE) if good.any() else 0.0
    chosen = good & (total <= limit)
    return counts[chosen], sources[chosen], np.stack(parts, axis=1)[chosen]
