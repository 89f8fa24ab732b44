"""The model of a sky while it is searched: background, and the sources found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.measure.background import component_norms, slow_norm
from gammafind.measure.data import SkyData
from gammafind.measure.joint import JointFit, fit_jointly
from gammafind.sky.observation import Observation
from gammafind.sky.stamps import stamps

__all__ = ["SkyModel", "background_components"]

_FIT_CONTAINMENT = 0.9
_FAINT_SHARE = 2 / 3


@dataclass
class SkyModel:
    """Background and sources of one sky.

    Parameters
    ----------
    data : SkyData
        Its model is replaced as the fit proceeds.
    components : list of ndarray, shape (n_pixels, n_components)
        One array a band: expected counts of the background components at norm one.
    smoothing : float
        Full width in degrees over which the norm of the background may vary; 0 for one norm
        a component.
    """

    data: SkyData
    components: list[np.ndarray]
    smoothing: float
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sigma: np.ndarray = field(default_factory=lambda: np.zeros(0))
    norms: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.norms = np.ones(self.components[0].shape[1])
        self.update()

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources."""
        self.vectors = np.concatenate([self.vectors, vectors])
        self.counts = np.concatenate([self.counts, counts])
        self.sigma = np.concatenate([self.sigma, np.full(len(counts), np.nan)])

    def keep(self, chosen: np.ndarray) -> None:
        """Keep the chosen sources only."""
        self.vectors, self.counts = self.vectors[chosen], self.counts[chosen]
        self.sigma = self.sigma[chosen]

    def place(self, vectors: np.ndarray, sigma: np.ndarray) -> None:
        """Place all sources anew, with their 1 sigma position errors in degrees."""
        self.vectors, self.sigma = vectors, sigma

    def update(self, *, background: bool = True) -> None:
        """Fit the background, if asked, and all sources together; set the model of `data`."""
        if background:
            self._backgrounds = self._fit_background()
        if len(self.counts):
            self.counts = self._fit_sources().amplitude
        sources = self.data.source_maps(self.vectors, self.counts)
        self.data = self.data.with_model(self._backgrounds, sources)

    def _fit_background(self) -> list[np.ndarray]:
        sources = self.data.source_maps(self.vectors, self.counts)
        bands = self.data.bands
        good = [
            band.valid & (part.sum(axis=1) > 0)
            for band, part in zip(bands, self.components, strict=True)
        ]
        faint = [_faintest(part, g) for part, g in zip(self.components, good, strict=True)]
        self.norms = component_norms(
            [band.counts[f] for band, f in zip(bands, faint, strict=True)],
            [source[f] for source, f in zip(sources, faint, strict=True)],
            [part[f] for part, f in zip(self.components, faint, strict=True)],
        )
        backgrounds = [part @ self.norms for part in self.components]
        if not self.smoothing:
            return backgrounds
        return [
            background
            * slow_norm(
                np.where(g, band.counts - source, 0),
                np.where(g, background, 0),
                band.pixels,
                fwhm=self.smoothing,
            )
            for band, background, source, g in zip(bands, backgrounds, sources, good, strict=True)
        ]

    def errors(self) -> np.ndarray:
        """1 sigma error of the counts of each source, with all others free."""
        return self._fit_sources().errors()

    def _fit_sources(self) -> JointFit:
        """Fit the counts of all sources; their far wings stay as they are."""
        shares = self.data.shares(self.vectors)
        whole = self.data.source_maps(self.vectors, self.counts)
        counts, fixed, templates = [], [], []
        for i, band in enumerate(self.data.bands):
            stamp = stamps(self.vectors, band.pixels, band.psf, containment=_FIT_CONTAINMENT)
            weights = stamp.fraction * shares[:, i, None] * band.valid[stamp.pixel]
            touched, pixel = np.unique(stamp.pixel, return_inverse=True)
            source = np.repeat(np.arange(len(self.vectors)), stamp.pixel.shape[1])
            shape = (len(touched), len(self.vectors))
            template = sparse.csr_array((weights.ravel(), (pixel.ravel(), source)), shape=shape)
            wings = np.maximum(whole[i][touched] - template @ self.counts, 0)
            templates.append(template)
            counts.append(band.counts[touched])
            fixed.append(np.maximum(self._backgrounds[i][touched], 1e-6) + wings)
        return fit_jointly(
            np.concatenate(counts),
            np.concatenate(fixed),
            sparse.vstack(templates, format="csr"),
            self.counts,
        )


def background_components(observation: Observation) -> list[np.ndarray]:
    """Background components of each band, shape (n_pixels, n_components)."""
    return [
        np.stack([sky.values[i].ravel() for sky in observation.background.values()], axis=1).astype(
            float
        )
        for i in range(observation.counts.n_bands)
    ]


def _faintest(components: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Two thirds of the good pixels, those where the background is faintest.

    There the errors of the background model matter least against the noise.
    """
    total = components.sum(axis=1)
    limit = np.quantile(total[good], _FAINT_SHARE) if good.any() else 0.0
    return good & (total <= limit)
