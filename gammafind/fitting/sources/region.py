"""The pixels around one source, and what the model of the sky has in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.spectra import INDICES
from gammafind.fitting.sources.local import Local, least_factors
from gammafind.sky.pixels import Pixels, centre_vectors
from gammafind.sky.projection import chords
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import COARSE, FINE, fractions_at, fractions_of_each, pixels_near
from gammafind.sky.spectral_response import SpectralResponse

_CONTAINMENT = 0.95
"""Share of the counts of a source in the pixels, next to a margin of r68 that fixes the
background: balances information and time."""
_OVERLAP = 0.03
"""Correlation with the source from which a neighbour is free."""
_MOST_FREE, _MOST_NEAR = 24, 120
"""Neighbours that are free, and that are looked at: limit time in crowded regions."""
_BRIGHT = 100.0
"""Significance, squared, from which a neighbour is free in each band by itself, with the PSFs of
its own spectrum."""
_FEW = 1e-3
"""Counts of a source that has none in the model: it may share those of another one."""
_LEAST = 1e-9
"""Least expected counts that are not fitted: keeps logarithms finite."""


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
        region = self._around(one.vector, self.model.extended_counts[source], -1, radius)
        template = []
        for i, (band, pixel) in enumerate(
            zip(self.model.data.bands, self.instrument.near(one.vector, radius), strict=True)
        ):
            place = band.places(pixel)
            row = np.minimum(np.searchsorted(one.places[i], place), len(one.places[i]) - 1)
            there = (
                (one.places[i][row] == place) if len(one.places[i]) else np.zeros(len(place), bool)
            )
            template.append(np.where(there, one.shares[i][row], 0.0) * band.valid[place])
        return replace(region, template=template, radius=radius)

    def _around(
        self, vector: np.ndarray, own: np.ndarray, source: int, radius: float = 0.0
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
        )

    def _neighbours(self, vector: np.ndarray, radius: float) -> np.ndarray:
        """Points of the model that may have counts around a place, nearest first."""
        if self._tree is None:
            return np.zeros(0, dtype=int)
        most = min(_MOST_NEAR, len(self.model.vectors))
        distance, row = self._tree.query(vector, most, distance_upper_bound=self._reach + radius)
        return np.atleast_1d(row)[np.isfinite(np.atleast_1d(distance))]


@dataclass(eq=False)
class Field:
    """The pixels of a region, and the shares of sources in them.

    Parameters
    ----------
    region : Region
    instrument : Instrument
    """

    region: Region
    instrument: Instrument

    def __post_init__(self) -> None:
        region = self.region
        self.pixels = self.instrument.near(region.vector, region.radius)
        sizes = [len(pixel) for pixel in self.pixels]
        self.band = np.repeat(np.arange(len(sizes)), sizes)
        self.valid = np.concatenate(region.valid)
        bright = region.near_ts > _BRIGHT
        self._near = np.empty((len(region.near), len(self.band)))
        for chosen, sampling in ((~bright, COARSE), (bright, FINE)):
            self._near[chosen] = self._shares(region.near[chosen], sampling)
        self._known: dict[tuple[int, int], np.ndarray] = {}
        if region.template is None:
            self._before = self._shares(region.vector[None], FINE)[0]
        else:
            self._before = np.concatenate(region.template)

    def _shares(self, vectors: np.ndarray, sampling: float) -> np.ndarray:
        """Shares of the counts of sources with the PSFs of the model of the sky, (n, k)."""
        if not len(vectors):
            return np.zeros((0, len(self.band)))
        parts = [
            fractions_at(vectors, pixel[None], pixels, psf, sampling=sampling)
            for pixel, pixels, psf in zip(
                self.pixels, self.instrument.pixels, self.instrument.psfs, strict=True
            )
        ]
        return np.concatenate(parts, axis=1) * self.valid

    def within(self, radius: np.ndarray) -> np.ndarray:
        """Which pixels are within a radius in each band, in radians, shape (k,)."""
        parts = zip(self.instrument.pixels, self.pixels, radius, strict=True)
        return np.concatenate(
            [chords(self.region.vector, centre_vectors(p, i)) < r for p, i, r in parts]
        )

    def cut(self, chosen: np.ndarray) -> list[np.ndarray]:
        """Pixels of each band that are chosen, of `pixels`."""
        return [pixel[chosen[self.band == i]] for i, pixel in enumerate(self.pixels)]

    def shares_at(
        self,
        vectors: np.ndarray,
        chosen: Sequence[np.ndarray],
        places: np.ndarray,
        sampling: float = COARSE,
    ) -> np.ndarray:
        """Shares of sources with the PSFs of a spectrum in some pixels of each band, (n, k)."""
        parts = []
        bands = zip(chosen, self.instrument.pixels, self.instrument.responses, places, strict=True)
        for pixel, pixels, response, place in bands:
            weights = mixture(place, len(response.psfs))
            psfs = [response.psfs[i] for i in weights]
            each = fractions_of_each(vectors, pixel[None], pixels, psfs, sampling=sampling)
            parts.append(sum(w * one for w, one in zip(weights.values(), each, strict=True)))
        return np.concatenate(parts, axis=1)

    def local(self, places: np.ndarray) -> Local:
        """Likelihood of the source with the PSFs of a spectrum.

        Parameters
        ----------
        places : ndarray, shape (n_bands,)
            Of `Instrument.places_of`.
        """
        if self.region.template is not None:
            return replace(self._local, share=self._before[self.valid])
        parts = [
            sum(weight * self._with_psf(band, i) for i, weight in weights.items())
            for band, weights in enumerate(
                mixture(place, len(response.psfs))
                for place, response in zip(places, self.instrument.responses, strict=True)
            )
        ]
        return replace(self._local, share=np.concatenate(parts)[self.valid])

    def _with_psf(self, band: int, psf: int) -> np.ndarray:
        """Shares of the source in one band with one of its PSFs, computed once."""
        key = band, psf
        if key not in self._known:
            instrument, pixel = self.instrument, self.pixels[band]
            self._known[key] = fractions_at(
                self.region.vector[None],
                pixel[None],
                instrument.pixels[band],
                instrument.responses[band].psfs[psf],
            )[0]
        return self._known[key]

    @property
    def overlap(self) -> float:
        """Largest correlation with a neighbour."""
        return float(self._overlaps.max(initial=0.0))

    def seen(self, counts: np.ndarray) -> float:
        """Share of some counts in each band that are in pixels with data."""
        share = np.bincount(self.band, self._before, minlength=len(counts))
        total = counts.sum()
        return float(share @ counts / total) if total > 0 else float(share.max(initial=0.0))

    @cached_property
    def _local(self) -> Local:
        region, n_bands = self.region, len(self.pixels)
        near = self._near * region.near_counts[:, self.band]
        model, level = (
            np.concatenate(part, dtype=float) for part in (region.model, region.background)
        )
        rest = model - self._before * region.own[self.band] - near.sum(axis=0) - level
        own = self._before * np.maximum(region.own, _FEW)[self.band]
        order = np.argsort(-self._overlaps, kind="stable")[:_MOST_FREE]
        seen = region.near_counts.sum(axis=1) > 0
        free = order[(self._overlaps[order] > _OVERLAP) & seen[order]]
        used = np.zeros(len(near), dtype=bool)
        used[free] = True
        bright = region.near_ts[free] > _BRIGHT
        bands = self.band == np.arange(n_bands)[:, None]
        split = [self._of_bright(i) * one for i in free[bright] for one in bands]
        neighbours = [near[i] for i in free[~bright]] + [one for one in split if one.sum() > 0]
        levels = [one for one in level * bands if one.sum() > 0]
        good = self.valid
        fixed = np.maximum(rest, 0.0) + near[~used].sum(axis=0)
        return Local(
            counts=np.concatenate(region.counts, dtype=float)[good],
            fixed=np.maximum(fixed[good], _LEAST),
            band=self.band[good],
            share=own[good],
            others=np.array([*neighbours, *levels])[:, good],
            least=least_factors(len(neighbours), len(levels)),
            n_bands=n_bands,
        )

    def _of_bright(self, i: int) -> np.ndarray:
        """Expected counts of a neighbour with the PSFs of its own spectrum, shape (k,)."""
        counts = self.region.near_counts[i]
        places = self.instrument.places_of_counts(counts, self.region.exposure)
        share = self.shares_at(self.region.near[i, None], self.pixels, places, FINE)[0]
        return share * self.valid * counts[self.band]

    @cached_property
    def _overlaps(self) -> np.ndarray:
        """Correlation of the counts of the source with those of each neighbour."""
        region = self.region
        if not len(region.near):
            return np.zeros(0)
        near = self._near * np.maximum(region.near_counts, _FEW)[:, self.band]
        own = self._before * np.maximum(region.own, _FEW)[self.band]
        weight = 1 / np.maximum(np.concatenate(region.model, dtype=float), 1e-6)
        length = np.sqrt(np.einsum("mk,mk,k->m", near, near, weight))
        both = np.einsum("mk,k,k->m", near, own, weight)
        return both / np.maximum(length * np.sqrt(own**2 @ weight), 1e-300)


def mixture(place: float, n_psfs: int) -> dict[int, float]:
    """Weights of the PSFs next to a place among some of them."""
    weights = np.maximum(1 - np.abs(np.arange(n_psfs) - place), 0)
    return {int(i): float(weights[i]) for i in np.flatnonzero(weights)}
