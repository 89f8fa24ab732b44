"""The model of a sky while it is searched: background, and the sources found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.measure.background import component_norms, slow_norm
from gammafind.measure.data import SkyData
from gammafind.measure.joint import JointFit, fit_jointly
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.stamps import Stamps, stamps

__all__ = ["SkyModel", "background_components"]

_FIT_CONTAINMENT = 0.9
_FAINT_SHARE = 2 / 3
_NORM_NSIDE = 128


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
    _stamps: list[Stamps] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.norms = np.ones(self.components[0].shape[1])
        self._stamps = self._stamps_of(self.vectors)
        self.update()

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources."""
        self.vectors = np.concatenate([self.vectors, vectors])
        self.counts = np.concatenate([self.counts, counts])
        self.sigma = np.concatenate([self.sigma, np.full(len(counts), np.nan)])
        new = self._stamps_of(vectors)
        self._stamps = [old.join(stamp) for old, stamp in zip(self._stamps, new, strict=True)]

    def keep(self, chosen: np.ndarray) -> None:
        """Keep the chosen sources only."""
        self.vectors, self.counts = self.vectors[chosen], self.counts[chosen]
        self.sigma = self.sigma[chosen]
        self._stamps = [stamp.take(chosen) for stamp in self._stamps]

    def place(self, vectors: np.ndarray, sigma: np.ndarray) -> None:
        """Place all sources anew, with their 1 sigma position errors in degrees."""
        self.vectors, self.sigma = vectors, sigma
        self._stamps = self._stamps_of(vectors)

    def update(self, *, background: bool = True) -> None:
        """Fit the background, if asked, and all sources together; set the model of `data`."""
        sources = self.data.source_maps(self.vectors, self.counts)
        if background:
            self._backgrounds = self._fit_background(sources)
        if len(self.counts):
            self.counts = self._fit_sources(sources).amplitude
            sources = self.data.source_maps(self.vectors, self.counts)
        self.data = self.data.with_model(self._backgrounds, sources)

    def _stamps_of(self, vectors: np.ndarray) -> list[Stamps]:
        """Stamps of some positions in each band."""
        return [
            stamps(vectors, band.pixels, band.psf, containment=_FIT_CONTAINMENT)
            for band in self.data.bands
        ]

    def _fit_background(self, sources: list[np.ndarray]) -> list[np.ndarray]:
        bands = self.data.bands
        good = [
            band.valid & (part.sum(axis=1) > 0)
            for band, part in zip(bands, self.components, strict=True)
        ]
        self.norms = component_norms(
            *zip(
                *(
                    _faintest(band.pixels, band.counts, source, part, g)
                    for band, source, part, g in zip(
                        bands, sources, self.components, good, strict=True
                    )
                ),
                strict=True,
            )
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
        sources = self.data.source_maps(self.vectors, self.counts)
        return self._fit_sources(sources).errors()

    def _fit_sources(self, whole: list[np.ndarray]) -> JointFit:
        """Fit the counts of all sources; their far wings stay as they are in ``whole``."""
        shares = self.data.shares(self.vectors)
        counts, fixed, templates = [], [], []
        for i, (band, stamp) in enumerate(zip(self.data.bands, self._stamps, strict=True)):
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


def _faintest(
    pixels: Pixels,
    counts: np.ndarray,
    sources: np.ndarray,
    components: np.ndarray,
    good: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, sources and background components in two thirds of the sky, where it is faintest.

    There the errors of the background model matter least against the noise. Small pixels are
    added up: a norm for the whole sky needs none.
    """
    maps = [np.where(good, values, 0) for values in (counts, sources, *components.T)]
    if isinstance(pixels, HealpixPixels) and pixels.nside > _NORM_NSIDE:
        good, *maps = (_added_up(values, _NORM_NSIDE) for values in (good.astype(float), *maps))
        good = good == (pixels.nside // _NORM_NSIDE) ** 2
    counts, sources, *parts = maps
    total = np.sum(parts, axis=0)
    limit = np.quantile(total[good], _FAINT_SHARE) if good.any() else 0.0
    chosen = good & (total <= limit)
    return counts[chosen], sources[chosen], np.stack(parts, axis=1)[chosen]


def _added_up(values: np.ndarray, nside: int) -> np.ndarray:
    """Sum of a RING map over larger pixels."""
    import healpy as hp

    return hp.ud_grade(values, nside, power=-2)
