"""A model of the sky whose sources are known, and one more source at given places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy.coordinates import SkyCoord
from scipy import sparse
from scipy.spatial import cKDTree

from gammafind.fitting.photons.data import BandData, sky_data
from gammafind.fitting.photons.extended_templates import known_sources
from gammafind.fitting.photons.limits import LocalFit, LocalSky, fit_place
from gammafind.fitting.photons.resolution import at_own_resolution
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.fitting.photons.smooth_spectra import SpectralPrior
from gammafind.fitting.photons.surroundings import CONTAINMENT
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf_stamps import fractions_at, pixels_near
from gammafind.utils.progress import track

_SMOOTHING = 6.0
"""Full width in degrees over which the norm of the background may vary: as in the search."""
_ROUNDS = 2
"""Rounds of a fit, each from the result of the last: more change little."""
_LEAST_COUNTS = 1e-3
"""First guess of a source without excess counts: positive, so that it can grow."""
_OVERLAP = 0.1
"""Correlation of a neighbour with a place from which its counts are free: below it an error grows
by less than 1 %."""
_MOST_FREE, _MOST_NEAR = 24, 80
"""Neighbours that are free, and that are looked at: limit time in crowded regions."""
_REACH = 0.8
"""Share of the counts of a source within half of the distance at which it is no neighbour."""
_NEIGHBOUR = 0.9
"""Share of the counts of a neighbour in the pixels that determine it: its wings do not."""


def known_sky(
    observation: Observation,
    positions: SkyCoord,
    *,
    index: float,
    extended: bool = False,
    prior: SpectralPrior | None = None,
) -> tuple[SkyModel, np.ndarray]:
    """Fit the background, and the counts of sources at known positions.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    index : float
        Photon index of faint sources; bright ones have their own spectrum.
    extended : bool
        Whether the extended sources of the observation are in the model too.
    prior : SpectralPrior, optional
        Of the spectra of all sources, which are fitted together in the end.

    Returns
    -------
    model : SkyModel
        Its sources are those with data.
    rows : ndarray of int, shape (n_sources,)
        Their rows in ``positions``.
    """
    observation = at_own_resolution(observation)
    data = sky_data(observation, index=index, crop=True)
    vectors = vectors_in(data.frame, positions)
    rows = np.flatnonzero(data.inside(vectors)) if len(vectors) else np.zeros(0, dtype=int)
    known = observation.extended if extended else None
    model = SkyModel(
        data,
        background_components(observation, data),
        smoothing=0.0,
        extended=[] if known is None else known_sources(data, known),
    )
    if len(rows):
        first = scan(model.data, vectors[rows]).amplitude
        model.add(vectors[rows], np.maximum(first, _LEAST_COUNTS))
    if len(rows) or model.extended:
        model.update(background=False)
    # Only now: a background that may vary would absorb sources that are not fitted yet.
    model.smoothing, model.prior = _SMOOTHING, prior
    for _ in range(_ROUNDS):
        model.update()
    return model, rows


@dataclass(eq=False)
class Probe:
    """Fits of one more source at any place of a model.

    Parameters
    ----------
    model : SkyModel
    """

    model: SkyModel

    def fits(self, vectors: np.ndarray, own: np.ndarray) -> Iterator[LocalFit | None]:
        """Fit a source at each place, the sources of the model that overlap with it free.

        Parameters
        ----------
        vectors : ndarray, shape (n, 3)
        own : ndarray of int, shape (n,)
            Source of the model that is taken out for each place; -1 for none.

        Yields
        ------
        LocalFit or None
            None where the place has no data or no exposure.
        """
        seen = self.model.data.inside(vectors) if len(vectors) else np.zeros(0, dtype=bool)
        seen &= self.model.data.sensitivity(vectors).sum(axis=1) > 0
        for vector, source, good in track(list(zip(vectors, own, seen, strict=True)), "places"):
            sky = self._local(vector, int(source)) if good else None
            yield None if sky is None or sky.template.sum() <= 0 else fit_place(sky)

    def _local(self, vector: np.ndarray, own: int) -> LocalSky:
        """Counts near a place, with its neighbours."""
        near = self._candidates(vector, own)
        region = [near_pixels(band, vector[None], CONTAINMENT) for band in self._bands]
        free = near[self._overlaps(vector, near, region)]
        around = self.model.vectors[free]
        region = [
            np.unique(np.concatenate([pixel, near_pixels(band, around, _NEIGHBOUR)]))
            for band, pixel in zip(self._bands, region, strict=True)
        ]
        places = [band.places(pixel) for band, pixel in zip(self._bands, region, strict=True)]
        template, neighbours = self._templates(vector, free, region)
        start = self.model.counts[free].sum(axis=1)
        fixed = self._values("model", places) - neighbours @ start
        if own >= 0:
            itself = self.model.vectors[own, None], self.model.counts[own, None]
            fixed -= self._of_sources(*itself, region)[0]
        return LocalSky(
            counts=self._values("counts", places),
            fixed=np.maximum(fixed, self._values("background", places)),
            template=template,
            neighbours=sparse.csr_array(neighbours),
            start=start,
        )

    @property
    def _bands(self) -> tuple[BandData, ...]:
        return self.model.data.bands

    @cached_property
    def _spectra(self) -> np.ndarray:
        """Share of the counts of each source in each band, shape (n_sources, n_bands)."""
        return self.model.data.shares_of(self.model.vectors, self.model.counts)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.model.vectors)

    @cached_property
    def _reach(self) -> float:
        """Chord beyond which a source is no neighbour."""
        radii = [band.psf.containment_radius(_REACH).to_value("rad") for band in self._bands]
        sizes = [band.pixels.pixel_size.to_value("rad") for band in self._bands]
        return 2 * (max(radii) + max(sizes))

    def _candidates(self, vector: np.ndarray, own: int) -> np.ndarray:
        """Sources that may overlap with a place, without that of the place."""
        if not len(self.model.vectors):
            return np.zeros(0, dtype=int)
        distance, row = self._tree.query(
            vector, min(_MOST_NEAR, len(self.model.vectors)), distance_upper_bound=self._reach
        )
        row = np.atleast_1d(row)[np.isfinite(np.atleast_1d(distance))]
        return row[row != own]

    def _overlaps(
        self, vector: np.ndarray, near: np.ndarray, region: list[np.ndarray]
    ) -> np.ndarray:
        """Indices of those of the sources ``near`` that overlap much with a place, most first."""
        if not len(near):
            return np.zeros(0, dtype=int)
        places = [band.places(pixel) for band, pixel in zip(self._bands, region, strict=True)]
        template, others = self._templates(vector, near, region)
        weight = 1 / self._values("model", places)
        shared = (template * weight) @ others
        own = self._information[near] * ((template**2) @ weight)
        overlap = shared / np.sqrt(np.maximum(own, 1e-300))
        most = np.argsort(-overlap)[:_MOST_FREE]
        return most[overlap[most] > _OVERLAP]

    @cached_property
    def _information(self) -> np.ndarray:
        """Information of the counts of each source alone, shape (n_sources,)."""
        total = np.zeros(len(self.model.vectors))
        for i, band in enumerate(self._bands):
            pixel = pixels_near(self.model.vectors, band.pixels, band.psf, containment=_NEIGHBOUR)
            share = fractions_at(self.model.vectors, pixel, band.pixels, band.psf)
            place = band.places(pixel)
            share *= self._spectra[:, i, None] * band.valid[place]
            total += (share**2 / band.model[place]).sum(axis=1)
        return total

    def _templates(
        self, vector: np.ndarray, near: np.ndarray, region: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts of a source at a place, and of each near source, for one count: (k,), (k, m)."""
        shares = self.model.data.shares(vector[None])
        of_place = self._of_sources(vector[None], shares, region)[0]
        return of_place, self._of_sources(self.model.vectors[near], self._spectra[near], region).T

    def _of_sources(
        self, vectors: np.ndarray, counts: np.ndarray, region: list[np.ndarray]
    ) -> np.ndarray:
        """Expected counts of sources in the pixels of a region, all bands in a row: (m, k)."""
        parts = []
        for i, (band, pixel) in enumerate(zip(self._bands, region, strict=True)):
            share = fractions_at(vectors, pixel[None], band.pixels, band.psf)
            parts.append(counts[:, i, None] * share * band.valid[band.places(pixel)])
        return np.concatenate(parts, axis=1)

    def _values(self, name: str, places: list[np.ndarray]) -> np.ndarray:
        """Values of the maps at some places of each band, all bands in a row."""
        pairs = zip(self._bands, places, strict=True)
        return np.concatenate([getattr(band, name)[place] for band, place in pairs], dtype=float)


def near_pixels(band: BandData, vectors: np.ndarray, containment: float) -> np.ndarray:
    """Pixels near any of some positions."""
    if not len(vectors):
        return np.zeros(0, dtype=int)
    return pixels_near(vectors, band.pixels, band.psf, containment=containment).ravel()
