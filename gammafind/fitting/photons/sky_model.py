"""The model of a sky during a search: background and the sources found so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.fitting.photons.background import slow_norm
from gammafind.fitting.photons.coarse_sky import CoarseBand
from gammafind.fitting.photons.data import BandData, SkyData, on_held
from gammafind.fitting.photons.extended_templates import ExtendedSource, all_counts, joined
from gammafind.fitting.photons.fine_band import Known, fine_data, in_fine_bands
from gammafind.fitting.photons.joint import JointFit, fit_jointly
from gammafind.fitting.photons.regional_norms import regional_norms, regions_of
from gammafind.fitting.photons.smooth_spectra import SpectralPrior, by_cell, fit_smooth
from gammafind.fitting.photons.spectra import fit_spectra_of, n_energies
from gammafind.fitting.photons.templates import Templates
from gammafind.fitting.photons.weights import likelihood_weights
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.norm_regions import NormRegions
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import centre_vectors
from gammafind.sky.psf_stamps import add_at
from gammafind.utils.workers import in_threads

_LEAST = 1e-6
"""Least expected background counts of a pixel: keeps logarithms finite."""
_LEAST_GAIN = 1.0
"""Gain in the log-likelihood of the whole sky at which a joint fit ends: no matter for a source."""
_INDEX_TS = 25.0
"""Significance, squared, above which a source has its own photon index."""
_FREE_TS = 100.0
"""Significance, squared, above which a source is free in each band: balances noise and false
sources next to bright ones."""


@dataclass(frozen=True, eq=False)
class _NearSources:
    """One band in the pixels near sources: counts, fixed model, one template per source.

    All have the weights of the pixels. The fixed model includes the background.
    """

    counts: np.ndarray
    fixed: np.ndarray
    templates: sparse.csc_array
    background: np.ndarray
    place: np.ndarray


@dataclass
class SkyModel:
    """Background and sources of one sky.

    Parameters
    ----------
    data : SkyData
        Its model is replaced as the fit proceeds.
    components : list of list of ndarray, shape (n_held,)
        Expected counts of each background component of each band, with norm one.
    smoothing : float
        Full width in degrees over which the norm of the background may vary; 0 for one norm per
        component.
    extended : list of ExtendedSource
        Sources that are no points.
    finer : sequence of FineCounts
        Where the same counts are known on finer pixels.
    index : float
        Photon index of the searched sources.
    regions : NormRegions, optional
        Parts of the sky in which the components have norms of their own; the whole sky by default.
    systematic : float
        Relative systematic error of the background, from which the weights of the pixels follow; 0
        for no weights.
    prior : SpectralPrior, optional
        Of the spectra of the sources, which are fitted in all bands together; by default faint
        sources have a photon index, and bright ones are free in each band.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Positions of the sources.
    counts : ndarray, shape (n, n_bands)
        Their counts in each band.
    sigma : ndarray, shape (n,)
        Their 1 sigma position errors in degrees, NaN if not fitted.
    peaks : ndarray, shape (n, 3)
        Positions where they are most likely; ``vectors`` are the mean ones.
    extended_counts : ndarray, shape (n_extended, n_bands)
        Counts of the extended sources.
    names : ndarray of int, shape (n_regions,)
        Numbers of the regions that have background.
    norms, norm_errors : ndarray, shape (n_regions, n_components)
        Norms of the background components in each region, and their 1 sigma errors; an error is NaN
        where a component has no expected counts.
    """

    data: SkyData
    components: list[list[np.ndarray]]
    smoothing: float
    extended: list[ExtendedSource] = field(default_factory=list)
    finer: Sequence[FineCounts] = ()
    index: float = 2.3
    regions: NormRegions | None = None
    systematic: float = 0.0
    prior: SpectralPrior | None = None
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    counts: np.ndarray = field(init=False)
    sigma: np.ndarray = field(default_factory=lambda: np.zeros(0))
    peaks: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    extended_counts: np.ndarray = field(init=False)
    names: np.ndarray = field(init=False)
    norms: np.ndarray = field(init=False)
    norm_errors: np.ndarray = field(init=False)
    _templates: list[Templates] = field(init=False, repr=False)
    _coarse: list[CoarseBand] = field(init=False, repr=False)
    _region: list[np.ndarray] = field(init=False, repr=False)
    _backgrounds: list[np.ndarray] = field(init=False, repr=False)
    _fine_stamps: list[Known] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = list(zip(self.data.bands, self.components, strict=True))
        self._coarse = list(in_threads(lambda pair: CoarseBand.of(*pair), pairs))
        self.names, self._region = regions_of(self._coarse, self.regions)
        self._templates = [Templates(band) for band in self.data.bands]
        self._fine_stamps = [{} for _ in self.finer]
        self.counts = np.zeros((0, len(self.data.bands)))
        self.extended_counts = np.zeros((len(self.extended), len(self.data.bands)))
        self.update()

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources with given counts in all bands together."""
        self.vectors = np.concatenate([self.vectors, vectors])
        self.peaks = np.concatenate([self.peaks, vectors])
        in_bands = counts[:, None] * self.data.shares(vectors)
        self.counts = np.concatenate([self.counts, in_bands])
        self.sigma = np.concatenate([self.sigma, np.full(len(counts), np.nan)])
        self._of_bands(lambda i, one: one.add(vectors, in_bands[:, i]))

    def keep(self, chosen: np.ndarray) -> None:
        """Keep only the chosen sources."""
        self.vectors, self.counts = self.vectors[chosen], self.counts[chosen]
        self.sigma, self.peaks = self.sigma[chosen], self.peaks[chosen]
        self._of_bands(lambda i, one: one.keep(chosen))

    def add_extended(self, source: ExtendedSource, counts: np.ndarray) -> None:
        """Add an extended source with ``counts`` in each band."""
        self.extended = [*self.extended, source]
        self.extended_counts = np.concatenate([self.extended_counts, counts[None]])

    def keep_extended(self, chosen: np.ndarray) -> None:
        """Keep only the chosen extended sources."""
        self.extended = [self.extended[i] for i in chosen]
        self.extended_counts = self.extended_counts[chosen]

    def place(self, vectors: np.ndarray, sigma: np.ndarray) -> None:
        """Set new positions of all sources, with their 1 sigma errors in degrees."""
        self.vectors, self.sigma, self.peaks = vectors, sigma, vectors
        self._templates = [Templates(band) for band in self.data.bands]
        self._of_bands(lambda i, one: one.add(vectors, self.counts[:, i]))

    def update(self, *, background: bool = True) -> None:
        """Fit the background, if requested, and all sources; set the model of `data`."""
        if background:
            self._backgrounds = self._fit_background()
        if len(self.counts) or self.extended:
            near = self._near_sources()
            if self.prior is None:
                self._fit_indices(near)
            else:
                self._fit_together(near, self.prior)
            self._of_bands(lambda i, one: one.grow(self.vectors, self.counts[:, i]))
        self.data = self.data.with_model(self._backgrounds, self._models())

    def _of_bands(self, task: Callable[[int, Templates], None]) -> None:
        """Change the templates of all bands."""
        list(in_threads(lambda pair: task(*pair), list(enumerate(self._templates))))

    def _models(self) -> list[np.ndarray]:
        """Expected counts of background and sources in each band."""
        models = []
        for i, (background, own) in enumerate(zip(self._backgrounds, self._templates, strict=True)):
            model = background.copy()
            add_at(model, *own.all(self.counts[:, i]))
            add_at(model, *all_counts(self.extended, self.extended_counts[:, i], i))
            models.append(model)
        return models

    def _fit_background(self) -> list[np.ndarray]:
        sources = [
            coarse.summed(*own.all(self.counts[:, i]))
            + coarse.summed(*all_counts(self.extended, self.extended_counts[:, i], i))
            for i, (coarse, own) in enumerate(zip(self._coarse, self._templates, strict=True))
        ]
        self.norms, self.norm_errors = regional_norms(
            self._coarse, sources, self._region, len(self.names)
        )
        factors = list(map(self._factor, range(len(sources)), sources))
        if self.systematic:
            expected = [
                np.einsum("nc,nc->n", band.components, self.norms[region]) * factor
                for band, region, factor in zip(self._coarse, self._region, factors, strict=True)
            ]
            weights = likelihood_weights(self.data, self._coarse, expected, self.systematic)
            self.data = self.data.with_weights(weights)
        return list(map(self._background, range(len(sources)), factors))

    def _factor(self, i: int, sources: np.ndarray) -> np.ndarray | float:
        """Slowly varying norm of the cells of a band."""
        if not self.smoothing:
            return 1.0
        band = self._coarse[i]
        model = np.einsum("nc,nc->n", band.components, self.norms[self._region[i]])
        residual, expected = (
            np.where(band.good, values, 0) for values in (band.counts - sources, model)
        )
        return slow_norm(residual, expected, band.pixels, fwhm=self.smoothing)

    def _background(self, i: int, factor: np.ndarray | float) -> np.ndarray:
        """Expected background counts of a band with the fitted norms."""
        band, components, region = self._coarse[i], self.components[i], self._region[i]
        total = np.zeros(len(components[0]), dtype=np.float32)
        for norm, part in zip(self.norms.T.astype(np.float32), components, strict=True):
            total += (norm[0] if len(norm) == 1 else band.spread(norm[region])) * part
        if self.smoothing:
            total *= band.spread(factor.astype(np.float32))
        return np.maximum(total, _LEAST, out=total)

    def fine(self) -> tuple[SkyData, np.ndarray]:
        """Data and model on the finest known pixels, and the counts of the points in its bands.

        Returns
        -------
        data : SkyData
            Its background includes the extended sources.
        counts : ndarray, shape (n, n_fine_bands)
        """
        if not self.finer:
            return self.data, self.counts
        counts = in_fine_bands(self.data, self.finer, self.vectors, self.counts)
        below = [band.copy() for band in self._backgrounds]
        for i, band in enumerate(below):
            add_at(band, *all_counts(self.extended, self.extended_counts[:, i], i))
        data = self.data.with_model(below, [band.model for band in self.data.bands])
        known = self._fine_stamps
        return fine_data(data, self.finer, self.vectors, counts, self.index, known), counts

    def empty(self) -> SkyData:
        """Data whose model is the fitted background, without sources."""
        return self.data.with_model(self._backgrounds, self._backgrounds)

    def errors(self) -> np.ndarray:
        """1 sigma error of the counts of each source in all bands, with all others free.

        Points first, then the extended ones.
        """
        return self._fit_sources(self._near_sources()).errors()

    def _spectra(self) -> np.ndarray:
        """Share of each source's counts in each band, points first, shape (n_all, n_bands)."""
        return self.data.shares_of(self._all_vectors(), self._all_counts())

    def _all_vectors(self) -> np.ndarray:
        """Positions of points and of extended sources, shape (n_all, 3)."""
        return np.concatenate([self.vectors, *(one.vector[None] for one in self.extended)])

    def _set_counts(self, counts: np.ndarray) -> None:
        """Set the counts of all sources, points first."""
        self.counts, self.extended_counts = np.split(counts, [len(self.counts)])

    def _all_counts(self) -> np.ndarray:
        """Counts of points and of extended sources, shape (n_all, n_bands)."""
        return np.concatenate([self.counts, self.extended_counts])

    def _near_sources(self) -> list[_NearSources]:
        """Pixels near the sources in each band; the wings beyond them do not change."""

        def of_band(i: int) -> _NearSources:
            band, own, counts = self.data.bands[i], self._templates[i], self.counts[:, i]
            touched, templates = joined(*own.near(), self.extended, i)
            place, share = own.all(counts)
            everything = np.bincount(place, share, minlength=len(band.counts))[touched]
            wings = np.maximum(everything - templates[:, : len(own)] @ counts, 0)
            seen, background = band.counts[touched].astype(float), self._backgrounds[i][touched]
            fixed = background + wings
            if band.weight is not None:
                weight = band.weights(touched)
                seen, fixed, background = seen * weight, fixed * weight, background * weight
                templates = (sparse.diags_array(weight) @ templates).tocsc()
            return _NearSources(seen, fixed, templates, background, touched)

        return list(in_threads(of_band, range(len(self._templates))))

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
            self._all_counts().sum(axis=1),
            least_gain=_LEAST_GAIN,
        )

    def _fit_indices(self, near: list[_NearSources]) -> None:
        """Fit amplitudes; then the index of each source, and the bands of bright ones."""
        fit = self._fit_sources(near)
        self._set_counts(fit.amplitude[:, None] * self._spectra())
        if n_energies(self.data) > 1:
            significance = fit.amplitude**2 * fit.own_information
            own = significance[: len(self.counts)]
            self._choose_indices(np.flatnonzero(own > _INDEX_TS))
            counts = self._all_counts()
            _fit_spectra(near, counts, np.flatnonzero(significance > _FREE_TS))
            self._set_counts(counts)

    def _fit_together(self, near: list[_NearSources], prior: SpectralPrior) -> None:
        """Fit all sources in all bands together."""
        pairs = zip(self.data.bands, near, strict=True)
        levels = [by_cell(_centres(band, one.place), one.background) for band, one in pairs]
        exposure = self.data.exposures(self._all_vectors())
        self._set_counts(fit_smooth(near, levels, self._all_counts(), exposure, prior))

    def _choose_indices(self, rows: np.ndarray) -> None:
        """Give some points the most likely of several photon indices."""
        if len(rows):
            data = self.data.with_model(self._backgrounds, self._models())
            own = self.vectors[rows], self.counts[rows]
            self.counts[rows] = fit_spectra_of(data, self._templates, rows, *own).counts


def _centres(band: BandData, place: np.ndarray) -> np.ndarray:
    """Unit vectors of the pixels at some places; that of any pixel for those that are not held."""
    pixel = place if band.held is None else np.append(band.held, 0)[place]
    return centre_vectors(band.pixels, pixel)


def _fit_spectra(near: list[_NearSources], counts: np.ndarray, free: np.ndarray) -> None:
    """Fit the ``counts`` (n_all, n_bands) of the sources ``free`` in each band separately.

    A common index is not sufficient for bright sources: the residuals would look like more
    sources.
    """
    if not len(free):
        return
    others = counts.copy()
    others[free] = 0
    for i, band in enumerate(near):
        fixed = band.fixed + band.templates @ others[:, i]
        templates = band.templates[:, free].tocsr()
        fit = fit_jointly(band.counts, fixed, templates, counts[free, i])
        counts[free, i] = fit.amplitude


def background_components(observation: Observation, data: SkyData) -> list[list[np.ndarray]]:
    """Background components of each band, each of shape (n_held,)."""
    return [
        [on_held(sky.values[i], band.held) for sky in observation.background.values()]
        for i, band in enumerate(data.bands)
    ]
