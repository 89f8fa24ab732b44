"""The pixels around one source, and what the model of the sky has in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.spectra import INDICES
from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import pixels_near
from gammafind.sky.spectral_response import SpectralResponse

_CONTAINMENT = 0.95
"""Share of the counts of a source in the pixels, next to a margin of r68 that fixes the
background: balances information and time."""
_MOST_NEAR = 120
"""Neighbours that are looked at: limits time in crowded regions."""


@dataclass(frozen=True, eq=False)
class Instrument:
    """Bands as the fits see them.

    Attributes
    ----------
    pixels : tuple of Pixels
    psfs : tuple of RadialPsf
        Of the model of the sky.
    responses : tuple of SpectralResponse
    edges : tuple of tuple of float
        Energies in MeV.
    """

    pixels: tuple[Pixels, ...]
    psfs: tuple[RadialPsf, ...]
    responses: tuple[SpectralResponse, ...]
    edges: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, data: SkyData, responses: Sequence[SpectralResponse]) -> Instrument:
        """The bands of some data."""
        bands = data.bands
        return cls(
            tuple(band.pixels for band in bands),
            tuple(band.psf for band in bands),
            tuple(responses),
            tuple(tuple(band.edges) for band in bands),
        )

    def near(self, vector: np.ndarray, radius: float = 0.0) -> list[np.ndarray]:
        """Pixels of each band around a source of some radius in radians."""
        return [
            pixels_near(
                vector[None],
                pixels,
                psf,
                containment=_CONTAINMENT,
                reach=psf.containment_radius(0.68).to_value("rad") + radius,
            )[0]
            for pixels, psf in zip(self.pixels, self.psfs, strict=True)
        ]

    def places_of(self, density: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Place of the PSF of a spectrum in each band; a function of the energy in MeV."""
        return np.array([one.place_of(density(one.energy)) for one in self.responses])

    def places_of_counts(self, counts: np.ndarray, exposure: np.ndarray) -> np.ndarray:
        """Place of the PSF in each band of the power law that is nearest to some counts."""
        tried = exposure * np.array(
            [[one.seen((one.energy / 1e3) ** -i) for one in self.responses] for i in INDICES]
        )
        weight = 1 / (counts + 1)
        scale = (tried * counts * weight).sum(axis=1) / (tried**2 * weight).sum(axis=1)
        miss = ((counts - scale[:, None] * tried) ** 2 * weight).sum(axis=1)
        index = INDICES[int(miss.argmin())]
        return self.places_of(lambda energy: (energy / 1e3) ** -index)


@dataclass(frozen=True, eq=False)
class Region:
    """Everything that the fits of one source need.

    Attributes
    ----------
    vector : ndarray, shape (3,)
        Position, in the frame of the pixels.
    exposure : ndarray, shape (n_bands,)
    own : ndarray, shape (n_bands,)
        Counts of the source in the model.
    counts, model, background : list of ndarray
        Per band, in `Instrument.near`; 0 where not valid.
    near : ndarray, shape (m, 3)
        Positions of other sources of the model.
    near_counts : ndarray, shape (m, n_bands)
    near_ts : ndarray, shape (m,)
        Their significances, squared.
    near_extended : ndarray, shape (m_extended, k)
        Expected counts of other extended sources in the pixels of all bands.
    template : list of ndarray, optional
        Per band, shares of the counts of an extended source in the pixels; None for a point.
    radius : float
        Of an extended source, in radians.
    """

    vector: np.ndarray
    exposure: np.ndarray
    own: np.ndarray
    counts: list[np.ndarray]
    valid: list[np.ndarray]
    model: list[np.ndarray]
    background: list[np.ndarray]
    near: np.ndarray
    near_counts: np.ndarray
    near_ts: np.ndarray
    near_extended: np.ndarray
    template: list[np.ndarray] | None = None
    radius: float = 0.0


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of the sources of a model.

    Parameters
    ----------
    model : SkyModel
    instrument : Instrument
    """

    model: SkyModel
    instrument: Instrument

    def __post_init__(self) -> None:
        vectors = self.model.vectors
        object.__setattr__(self, "_tree", cKDTree(vectors) if len(vectors) else None)
        pairs = zip(self.instrument.psfs, self.instrument.pixels, strict=True)
        reach = max(
            psf.containment_radius(_CONTAINMENT).to_value("rad")
            + 2 * psf.containment_radius(0.68).to_value("rad")
            + pixels.pixel_size.to_value("rad")
            for psf, pixels in pairs
        )
        object.__setattr__(self, "_reach", reach)
        errors = self.model.errors()[: len(vectors)] if len(vectors) else np.zeros(0)
        total = self.model.counts.sum(axis=1)
        significance = (total / np.maximum(errors, 1e-300)) ** 2
        object.__setattr__(self, "_ts", significance)

    def of(self, source: int) -> Region:
        """Region of one point of the model."""
        return self._around(self.model.vectors[source], self.model.counts[source], source)

    def of_extended(self, source: int) -> Region:
        """Region of one extended source of the model."""
        one = self.model.extended[source]
        radius = float(np.radians(one.radius))
        near = self.instrument.near(one.vector, radius)
        region = self._around(one.vector, self.model.extended_counts[source], -1, radius, source)
        return replace(region, template=self._shares_of(source, near), radius=radius)

    def _shares_of(self, source: int, near: list[np.ndarray]) -> list[np.ndarray]:
        """Shares of the counts of an extended source in some pixels of each band."""
        one, template = self.model.extended[source], []
        for i, (band, pixel) in enumerate(zip(self.model.data.bands, near, strict=True)):
            place, known = band.places(pixel), one.places[i]
            found = np.zeros(len(place))
            if len(known):
                row = np.minimum(np.searchsorted(known, place), len(known) - 1)
                found = np.where(known[row] == place, one.shares[i][row], 0.0)
            template.append(found * band.valid[place])
        return template

    def _around(
        self,
        vector: np.ndarray,
        own: np.ndarray,
        source: int,
        radius: float = 0.0,
        extended: int = -1,
    ) -> Region:
        model, bands = self.model, self.model.data.bands
        near = self.instrument.near(vector, radius)
        places = [band.places(pixel) for band, pixel in zip(bands, near, strict=True)]
        valid = [band.valid[place] for band, place in zip(bands, places, strict=True)]

        def values(name: str) -> list[np.ndarray]:
            parts = zip(bands, places, valid, strict=True)
            return [(getattr(b, name)[at] * good).astype(np.float32) for b, at, good in parts]

        row = self._neighbours(vector, radius)
        row = row[row != source]
        return Region(
            vector=vector,
            exposure=model.data.exposures(vector[None])[0],
            own=own,
            counts=values("counts"),
            valid=valid,
            model=values("model"),
            background=values("background"),
            near=model.vectors[row],
            near_counts=model.counts[row],
            near_ts=self._ts[row],
            near_extended=self._near_extended(vector, near, radius, extended),
        )

    def _near_extended(
        self, vector: np.ndarray, near: list[np.ndarray], radius: float, itself: int
    ) -> np.ndarray:
        """Expected counts of the extended sources that have some in the pixels, (m, k)."""
        rows = [np.zeros((0, sum(map(len, near))))]
        for i, one in enumerate(self.model.extended):
            reach = self._reach + radius + np.radians(one.radius)
            if i == itself or np.linalg.norm(one.vector - vector) > reach:
                continue
            shares = zip(self._shares_of(i, near), self.model.extended_counts[i], strict=True)
            row = np.concatenate([share * counts for share, counts in shares])
            if row.any():
                rows.append(row[None].astype(np.float32))
        return np.concatenate(rows)

    def _neighbours(self, vector: np.ndarray, radius: float) -> np.ndarray:
        """Points of the model that may have counts around a place, nearest first."""
        if self._tree is None:
            return np.zeros(0, dtype=int)
        most = min(_MOST_NEAR, len(self.model.vectors))
        distance, row = self._tree.query(vector, most, distance_upper_bound=self._reach + radius)
        return np.atleast_1d(row)[np.isfinite(np.atleast_1d(distance))]
