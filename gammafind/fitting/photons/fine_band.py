"""A band whose photons are counted on fine pixels, where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from astropy import units as u
from scipy.spatial import cKDTree

from gammafind.fitting.photons.data import (
    BandData,
    Near,
    SkyData,
    near_a_pixel,
    photon_shares,
)
from gammafind.fitting.photons.surroundings import BRIGHT
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import COARSE, FINE, add_at, fractions_at, pixels_near
from gammafind.utils.workers import in_threads

_ANGLES = 16
"""Directions in which the border of a circle is taken: its share is exact to 1e-4."""
_NODES = 24
"""Offsets at which it is computed: it changes slowly."""
_OUTSIDE = 0.2
"""Share of the outer counts of a source that fine pixels leave out: they cost little, and each
photon matters."""
_INDEX = 2.3
"""Photon index with which the counts of a band are divided among its parts."""
_CHUNK = 200
"""Sources per step: limits memory."""
_WHOLE = 0.998
"""Share of the counts of a source that is added to the model of its neighbours."""
Known = dict[bytes, tuple[np.ndarray, np.ndarray]]
"""Places and shares of sources, by position and sub-pixels."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FineBand(BandData):
    """One band, or a part of it, with its photons on fine pixels; see `BandData`.

    Background, exposure and where they are known come from the pixels of the band. Pixels without
    photons are not held: only the sum of the expected counts in them matters.

    Attributes
    ----------
    fine : HealpixPixels
    index : ndarray of int, shape (n_fine,)
        Fine pixels with photons.
    fine_counts, fine_model, fine_background : ndarray, shape (n_fine,)
    tree : cKDTree
        Of the centres of these pixels.
    part : float
        Exposure over that of the whole band.
    """

    fine: HealpixPixels
    index: np.ndarray
    fine_counts: np.ndarray
    fine_model: np.ndarray
    fine_background: np.ndarray
    tree: cKDTree
    part: float

    def exposure_at(self, place: np.ndarray) -> np.ndarray:
        """Exposure at some places."""
        return self.part * self.exposure[place].astype(float)

    @property
    def resolution(self) -> float:
        """Size in degrees of the fine pixels."""
        return float(self.fine.pixel_size.to_value("deg"))

    def raised(self, share: float) -> FineBand:
        """The band with a background that is higher by a share of itself."""
        more = share * self.fine_background
        fine = {
            "fine_background": self.fine_background + more,
            "fine_model": self.fine_model + more,
        }
        return replace(super().raised(share), **fine)

    def near(
        self,
        centre: np.ndarray,
        vectors: np.ndarray,
        *,
        containment: float,
        own: tuple[np.ndarray, np.ndarray] | None,
        sampling: float,
    ) -> Near:
        """Counts, model and sources in the fine pixels near each place; see `BandData.near`.

        All have the weight at the place, which changes little over the PSF.
        """
        reach = float(np.linalg.norm(vectors - centre[:, None], axis=-1).max(initial=0))
        radius = self._radius(containment) + reach
        weight = np.reshape(self.weights(self.containing(centre)), (-1, 1))
        total = self._totals(centre, vectors, radius) * weight
        if not len(self.index):
            none = np.zeros((*vectors.shape[:2], 0))
            return Near(none[:, 0], none[:, 0], none, total)
        place, there = self._within(centre, radius)
        share = self._shares(vectors, place[:, None], sampling)
        share *= there[:, None]
        model = np.where(there, self.fine_model[place], 1.0)
        if own is not None:
            removed = self._shares(own[0], place, sampling)
            model = np.maximum(model - removed * own[1][:, None], self.fine_background[place])
        counts = np.where(there, self.fine_counts[place], 0.0)
        return Near(counts * weight, model * weight, share * weight[:, None], total)

    def n_near(self, vectors: np.ndarray, containment: float, reach: float = 0) -> int:
        """Most pixels near one of some places, shape (n, 3), for sources within ``reach`` of it."""
        if not len(vectors) or not len(self.index):
            return 1
        radius = self._radius(containment) + reach
        return int(self.tree.query_ball_point(vectors, radius, return_length=True).max()) + 1

    def with_sources(
        self, vectors: np.ndarray, counts: np.ndarray, bright: np.ndarray, known: Known
    ) -> FineBand:
        """The band with sources in its model.

        Sub-pixels are those with which a source is removed again: what is left of it would be its
        background.

        Parameters
        ----------
        vectors : ndarray, shape (n, 3)
        counts : ndarray, shape (n,)
            In this band.
        bright : ndarray of bool, shape (n,)
        known : dict
            Sources of earlier calls, which is changed to those of this one.
        """
        model = self.fine_background.copy()
        if not len(self.index) or not len(vectors):
            return replace(self, fine_model=model)
        radius = self._radius(_WHOLE)
        keys = [row.tobytes() + one.tobytes() for row, one in zip(vectors, bright, strict=True)]
        new = np.array([key not in known for key in keys])
        for chosen, sampling in ((~bright, COARSE), (bright, FINE)):
            rows = np.flatnonzero(chosen & new)
            for part in np.array_split(rows, len(rows) // _CHUNK + 1) if len(rows) else ():
                place, there = self._within(vectors[part], radius)
                share = self._shares(vectors[part], place, sampling)
                for row, own, at, of in zip(part, there, place, share, strict=True):
                    known[keys[row]] = at[own], of[own]
        used = {key: known[key] for key in keys}
        known.clear()
        known.update(used)
        places, shares = zip(*(used[key] for key in keys), strict=True)
        each = np.repeat(counts, [len(place) for place in places])
        add_at(model, np.concatenate(places), np.concatenate(shares) * each)
        return replace(self, fine_model=model)

    def _shares(self, vectors: np.ndarray, place: np.ndarray, sampling: float) -> np.ndarray:
        """Share of the counts of sources in the fine pixels at some places."""
        return fractions_at(
            vectors,
            self.index[place],
            self.fine,
            self.psf,
            sampling=sampling,
            centres=self.tree.data[place],
        )

    def _radius(self, containment: float) -> float:
        """Chord within which the photons of a source are used."""
        within = 1 - _OUTSIDE * (1 - containment)
        angle = self.psf.containment_radius(within).to_value("rad")
        return 2 * np.sin((angle + np.radians(self.resolution)) / 2)

    def _within(self, centre: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
        """Places of the fine pixels within a chord, (n, k), and which of them are there."""
        found = self.tree.query_ball_point(centre, radius)
        sizes = np.array([len(one) for one in found], dtype=int)
        there = np.arange(max(sizes.max(initial=0), 1)) < sizes[:, None]
        place = np.zeros(there.shape, dtype=int)
        place[there] = np.fromiter(chain.from_iterable(found), dtype=int, count=int(sizes.sum()))
        return place, there

    def _totals(self, centre: np.ndarray, vectors: np.ndarray, radius: float) -> np.ndarray:
        """Share of the counts of sources (n, m) that falls within a chord of each centre."""
        offset = np.linalg.norm(vectors - centre[:, None], axis=-1)
        total = _share_in_circle(self.psf, offset, radius)
        if self.held is None and self.valid.all():
            return total
        pixel = pixels_near(centre, self.pixels, self.psf, containment=0.95, reach=radius)
        cut = np.flatnonzero(~self.valid[self.places(pixel)].all(axis=1))
        if len(cut):
            share = fractions_at(
                vectors[cut], pixel[cut, None], self.pixels, self.psf, sampling=FINE
            )
            seen = (share * self.valid[self.places(pixel[cut])][:, None]).sum(axis=-1)
            total[cut] *= seen / np.maximum(share.sum(axis=-1), 1e-300)
        return total


def fine_data(
    data: SkyData,
    fine: Sequence[FineCounts],
    vectors: np.ndarray,
    counts: np.ndarray,
    index: float,
    known: Sequence[Known] | None = None,
) -> SkyData:
    """Bands with their photons on fine pixels, where these are known.

    Parameters
    ----------
    data : SkyData
        Its background is used.
    fine : sequence of FineCounts
        Bands that are not a parent of any of them stay as they are.
    vectors : ndarray, shape (n, 3)
        Positions of the sources.
    counts : ndarray, shape (n, n_fine_bands)
        Their counts, from `in_fine_bands`.
    index : float
        Photon index of other sources.
    known : sequence of dict, optional
        One for each of ``fine``, as for `FineBand.with_sources`.

    Returns
    -------
    SkyData
        Its model includes the sources.
    """
    refined = {one.parent for one in fine}
    plain = [i for i in range(len(data.bands)) if i not in refined]
    edges = [one.edges for one in fine] + [data.bands[i].edges for i in plain]
    shares = photon_shares(edges, index)

    def of_fine(i: int) -> FineBand:
        return _fine_band(data.bands[fine[i].parent], fine[i], float(shares[i]))

    made = list(in_threads(of_fine, range(len(fine))))
    bright = counts.sum(axis=1) > BRIGHT
    stamps = [{} for _ in fine] if known is None else known
    with_sources = in_threads(
        lambda i: made[i].with_sources(vectors, counts[:, i], bright, stamps[i]), range(len(fine))
    )
    others = [
        replace(data.bands[i], share=float(share))
        for i, share in zip(plain, shares[len(fine) :], strict=True)
    ]
    return SkyData((*with_sources, *others))


def in_fine_bands(
    data: SkyData, fine: Sequence[FineCounts], vectors: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Counts of sources in the bands of `fine_data`, shape (n, n_fine_bands).

    The counts of each band are divided as its exposure and a typical spectrum say.
    """
    refined = {one.parent for one in fine}
    typical = photon_shares([one.edges for one in fine], _INDEX)
    weights = np.array([one.exposure for one in fine]) * typical
    columns = []
    for one, weight in zip(fine, weights, strict=True):
        whole = sum(w for w, other in zip(weights, fine, strict=True) if other.parent == one.parent)
        columns.append(counts[:, one.parent] * weight / whole)
    columns += [counts[:, i] for i in range(len(data.bands)) if i not in refined]
    return np.stack(columns, axis=1) if len(counts) else np.zeros((0, len(columns)))


def _fine_band(band: BandData, fine: FineCounts, share: float) -> FineBand:
    """A band on the fine pixels that are not empty; photons where it is not valid do not count."""
    vectors = fine.tree.data
    place = band.containing(vectors)
    good = band.valid[place] & near_a_pixel(band.pixels, vectors, place)
    part = fine.background_share(vectors)
    ratio = (fine.pixels.pixel_area / band.pixels.pixel_area).to_value(u.dimensionless_unscaled)
    background = np.maximum(band.background[place].astype(float) * ratio * part, 1e-12)
    return FineBand(
        counts=band.counts,
        model=band.model,
        background=band.background,
        exposure=band.exposure,
        part=fine.exposure,
        share=share,
        edges=fine.edges,
        valid=band.valid,
        pixels=band.pixels,
        psf=fine.psf or band.psf,
        held=band.held,
        weight=band.weight,
        fine=fine.pixels,
        index=fine.index,
        fine_counts=np.where(good, fine.counts, 0.0),
        fine_model=background,
        fine_background=background,
        tree=fine.tree,
    )


def _share_in_circle(psf: RadialPsf, offset: np.ndarray, radius: float) -> np.ndarray:
    """Share of the counts of sources within a circle, at some offsets from its centre."""
    nodes = np.linspace(0, max(float(offset.max(initial=0)), 1e-9), _NODES)
    angle = np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    across = np.sqrt(np.maximum(radius**2 - (nodes[:, None] * np.sin(angle)) ** 2, 0))
    border = np.maximum(across - nodes[:, None] * np.cos(angle), 0)
    return np.interp(offset, nodes, psf.containment(border * u.rad).mean(axis=-1))
