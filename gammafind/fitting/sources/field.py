"""The pixels around one source, and the shares of sources in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gammafind.fitting.sources.local import Local, least_factors
from gammafind.fitting.sources.region import Instrument, Region
from gammafind.sky.pixels import centre_vectors
from gammafind.sky.projection import chords
from gammafind.sky.psf_stamps import COARSE, FINE, fractions_at, fractions_of_each

_MATTERS = 0.2
"""Error of the source, in standard deviations of one band, that a neighbour without counts would
make, from which it is free there: with less, more parameters change nothing
(benchmarks/measure_pulls.py)."""
_MOST_FREE = 24
"""Neighbours that are free in a band: limits time in crowded regions."""
_BRIGHT = 100.0
"""Significance, squared, from which a neighbour has the PSFs of its own spectrum."""
_FEW = 1e-3
"""Counts of a source that has none in the model: it may share those of another one."""
_LEAST = 1e-9
"""Least expected counts that are not fitted: keeps logarithms finite."""


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
        model, level = (
            np.concatenate(part, dtype=float) for part in (region.model, region.background)
        )
        near = np.concatenate(
            [self._near * region.near_counts[:, self.band], region.near_extended], dtype=float
        )
        own = self._before * np.maximum(region.own, _FEW)[self.band]
        rows, used = self._free(near, own, model)
        bands = self.band == np.arange(n_bands)[:, None]
        levels = [one for one in level * bands if one.sum() > 0]
        good = self.valid
        fixed = model - self._before * region.own[self.band] - level - (near * used).sum(axis=0)
        return Local(
            counts=np.concatenate(region.counts, dtype=float)[good],
            fixed=np.maximum(fixed[good], _LEAST),
            band=self.band[good],
            share=own[good],
            others=np.array([*rows, *levels])[:, good],
            least=least_factors(len(rows), len(levels)),
            n_bands=n_bands,
        )

    def _free(
        self, near: np.ndarray, own: np.ndarray, model: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Neighbours that are free, each in one band.

        Returns
        -------
        rows : list of ndarray, shape (k,)
            Their expected counts.
        used : ndarray of bool, shape (m, k)
            Where these stand for ``near``.
        """
        rows, used = [], np.zeros(near.shape, dtype=bool)
        weight = own / np.maximum(model, 1e-6)
        exact: dict[int, np.ndarray] = {}
        for band in range(len(self.pixels)):
            here = self.band == band
            length = np.sqrt(max(np.einsum("k,k->", weight[here], own[here]), 1e-300))
            moved = np.einsum("mk,k->m", near[:, here], weight[here]) / length
            order = np.argsort(-moved, kind="stable")[:_MOST_FREE]
            for i in map(int, order[moved[order] > _MATTERS]):
                if i not in exact:
                    bright = i < len(self._near) and self.region.near_ts[i] > _BRIGHT
                    exact[i] = self._of_bright(i) if bright else near[i]
                rows.append(exact[i] * here)
                used[i] |= here
        return rows, used

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
