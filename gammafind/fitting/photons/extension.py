"""Tests of extension: whether a disc or a Gaussian is more probable than one or several points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.extended_templates import r68_of
from gammafind.fitting.photons.neighbourhood import Neighbourhood
from gammafind.fitting.photons.position import shifted
from gammafind.sky.projection import local_bases
from gammafind.sky.shapes import Shape

_RADII = 0.08 * 1.0225 ** np.arange(218)
"""Radii of discs in units of twice the size of a point, to 10: the step is below all errors."""
_FIRST, _STRIDES = 20, (10, 3, 1)
"""Steps between the radii that are tried first, and in the rounds that follow."""
_REACHES, _WIDEST = (0.9, 2.6, 10.0), 3.0
"""Radii of the pixels in the same units that are used first, and for sources that fill them; those
beyond the second in degrees: wider ones are taken for an error of the background."""
_FULL = 0.7
"""Share of the reach from which a disc fills it."""
_OF_POINT = 3
"""Parameters of a point: position and counts."""
_DROPPED = 9.0
"""TS below which a point is not needed next to an extended source: a search would not find it."""
_RESTORED = 25.0
"""TS next to an extended source from which a point is part of the model from the start."""
_CLOSE, _SHARE = 5.0, 0.02
"""Gain that better positions and radii may bring, and the share of the TS of the point that is
added: sources that are less probable by more are points."""
_LITTLE = 2.0
"""TS of extension below which position and radius need not be exact."""
_CROWD = 4
"""Points within the first reach from which the second one is used too."""
_STEP = 0.35
"""Step of the position in radii, and at least in sizes of a point: balances range and accuracy."""
_ROUNDS = 3
"""Rounds of position and radius for each stride: more change nothing."""
_HOPELESS = 30.0
"""Fall of twice the log-likelihood after which no larger radius is tried: it would fall further."""
_FLAT = 0.05
"""Least fall of twice the log-likelihood in a step: limits errors to four steps."""
_MEANS = 3
"""Steps to the mean of the points on a disc: they hardly move after that."""
Start = Literal["kept", "cleared", "restored"]
"""Which points on an extended source are in the fit at first: all, none, or significant ones."""
_CROSS = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])


@dataclass(frozen=True, eq=False)
class Extension:
    """The most probable extended source in place of a point.

    Attributes
    ----------
    vector : ndarray, shape (3,)
        Centre.
    shape : Shape
    ts : float
        2 ln of the likelihood ratio of the extended source to the points that it replaces. For
        each of them but the first, its three parameters are doubled and added, as in the
        information criterion of Akaike.
    r68, r68_error, sigma : float
        Radius in degrees that contains 68 % of the counts, its 1 sigma error, and that of the
        position along one axis.
    replaced : ndarray of int
        Rows of the points that it replaces.
    counts : ndarray, shape (n_bands,)
    """

    vector: np.ndarray
    shape: Shape
    ts: float
    r68_error: float
    sigma: float
    replaced: np.ndarray
    counts: np.ndarray

    @property
    def r68(self) -> float:
        """Radius in degrees that contains 68 % of the counts."""
        return r68_of(self.shape)


def fit_extension(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, row: int, size: float, unit: float
) -> Extension | None:
    """Fit a disc or Gaussian in place of a point and of others that it makes unnecessary.

    Parameters
    ----------
    data : SkyData
        Its model includes the points.
    vectors : ndarray, shape (n, 3)
        Positions of all points.
    counts : ndarray, shape (n, n_bands)
        Their counts.
    row : int
        The point.
    size : float
        Size of a point there in degrees.
    unit : float
        Twice the size of a point in the sharpest band, in degrees.

    Returns
    -------
    Extension or None
        None where a point is clearly more probable.

    Notes
    -----
    Points on the extended source are in the fit, or none of them is at first, or only those that
    the source does not explain. In the end those without which the fit is worse stay, so that a
    pulsar may lie on its nebula.

    References
    ----------
    Lande et al. 2012, ApJ 756, 5 (doi:10.1088/0004-637X/756/1/5); Ackermann et al. 2017, ApJ 843,
    139 (doi:10.3847/1538-4357/aa775a).
    """
    found = []
    for number, reach in enumerate(unit * np.array(_REACHES)):
        if number > 1 and reach > _WIDEST:
            break
        near = _Near(data, vectors, counts, row, size, float(reach), unit)
        fits = [_Fit(near, start) for start in near.starts()]
        fits = [fit for fit in fits if fit.is_close()]
        for fit in fits:
            fit.climb()
        found += fits
        full = any(fit.disc > _FULL * reach for fit in fits)
        if not full and (number or len(near.rows) < _CROWD):
            break
    if not found:
        return None
    best = max(found, key=lambda fit: fit.excess)
    near_best = [fit for fit in found if fit.excess > best.excess - _CLOSE]
    if best.excess < _DROPPED:
        near_best = [best]
    return max((fit.result() for fit in near_best), key=lambda one: one.ts)


class _Near:
    """A point, and those around it."""

    def __init__(
        self,
        data: SkyData,
        vectors: np.ndarray,
        counts: np.ndarray,
        row: int,
        size: float,
        reach: float,
        unit: float,
    ) -> None:
        apart = np.degrees(np.linalg.norm(vectors - vectors[row], axis=1))
        others = np.flatnonzero((apart < reach + size) & (apart > 0))
        self.rows = np.append(row, others[np.argsort(apart[others])])
        self.vectors, self.counts = vectors[self.rows], counts[self.rows]
        self.pixels = Neighbourhood.of(data, vectors[row], reach, self.vectors, self.counts)
        self.size, self.radii = size, unit * _RADII
        self.last = int(np.flatnonzero(self.radii < reach)[-1])
        self.before, _ = self.pixels.fit(self.pixels.points)
        self.ts = self.before - self.pixels.fit(self.pixels.points[1:])[0]

    def starts(self) -> list[Start]:
        """What is tried for the points on the source."""
        crowded = np.any(self.inside(self.vectors[0], self.last)[1:])
        return ["kept", "cleared", "restored"] if crowded else ["kept"]

    def inside(self, vector: np.ndarray, place: int) -> np.ndarray:
        """Which points are on a disc around a vector, shape (m,)."""
        apart = np.degrees(np.linalg.norm(self.vectors - vector, axis=1))
        inside = apart < self.radii[place] + self.size / 2
        inside[0] = True
        return inside


class _Fit:
    """One extended source that is moved and resized until it is most probable."""

    def __init__(self, near: _Near, start: Start) -> None:
        self.near, self.cleared = near, start != "kept"
        self.vector, self.place, self.model = near.vectors[0].copy(), 0, "disc"
        self.stride = _FIRST
        self.exact: dict[tuple, np.ndarray] = {}
        self.known: dict[tuple, float] = {}
        self.needed = np.zeros(len(near.rows), dtype=bool)
        self._first()
        if start == "restored":
            self._restore()

    @property
    def disc(self) -> float:
        """Radius in degrees of the disc, or of the one with the same r68."""
        return float(self.near.radii[self.place])

    @property
    def now(self) -> float:
        """Gain of the present source."""
        return self.gain(self.vector, self.place)

    @property
    def excess(self) -> float:
        """Gain of the present source over the points, about its TS of extension."""
        return self.now - self.near.before

    def is_close(self) -> bool:
        """Whether the source may become more probable than the points."""
        return self.excess > -_CLOSE - _SHARE * self.near.ts

    def gain(self, vector: np.ndarray, place: int) -> float:
        """2 ln of the likelihood with the extended source, and twice the parameters it saves."""
        key = (vector.tobytes(), place, self.model)
        if key not in self.known:
            out = self._out(vector, place)
            value, _ = self._fitted(vector, place, np.flatnonzero(~out))
            self.known[key] = value + 2 * _OF_POINT * (np.count_nonzero(out) - 1)
        return self.known[key]

    def climb(self) -> None:
        """Move and resize the source to the maximum."""
        self._rounds(_STRIDES[0])
        if self.excess > _LITTLE - _SHARE * self.near.ts:
            self._rounds(_STRIDES[1])
            disc = self.now
            self.model = "gaussian"
            if self.now < disc - _CLOSE:
                self.model = "disc"
            else:
                self._rounds(_STRIDES[1])
                if self.now < disc:
                    self.model = "disc"
            self._resize()

    def _rounds(self, stride: int) -> None:
        self.stride = stride
        for _ in range(_ROUNDS):
            before = self.now
            self._resize()
            self._move()
            if self.now < before + 0.5:
                break

    def result(self) -> Extension:
        """The extended source, with all points next to it that are needed.

        Pixels have their true shapes where the source may be extended.
        """
        near, exact = self.near, self.excess > _DROPPED
        kept = np.flatnonzero(~self._out(self.vector, self.place)).tolist()
        gain, amplitude = self._fitted(self.vector, self.place, kept, exact=exact)
        near_by = near.inside(self.vector, self.place)
        for place in sorted(kept, key=lambda i: near.counts[i].sum()):
            rest = [i for i in kept if i != place]
            less, there = self._fitted(self.vector, self.place, rest, exact=exact)
            if near_by[place] and gain - less < _DROPPED:
                kept, gain, amplitude = rest, less, there
        for place in np.setdiff1d(np.flatnonzero(near_by), [0, *kept]) if self.cleared else ():
            more, there = self._fitted(self.vector, self.place, [*kept, place], exact=exact)
            if more - gain > _DROPPED:
                kept, gain, amplitude = [*kept, place], more, there
        replaced = np.setdiff1d(np.arange(len(near.rows)), kept)
        return Extension(
            vector=self.vector,
            shape=self._shape(self.place),
            ts=gain - near.before + 2 * _OF_POINT * (len(replaced) - 1),
            r68_error=self._r68_error(),
            sigma=self._sigma(),
            replaced=near.rows[replaced],
            counts=amplitude[0] * self._spectrum(),
        )

    def _spectrum(self) -> np.ndarray:
        return self.near.counts[0]

    def _shape(self, place: int) -> Shape:
        """Disc of a radius, or the Gaussian with the same r68."""
        radius = float(np.radians(self.near.radii[place]))
        return Shape(self.model, radius * (0.68**0.5 if self.model == "gaussian" else 1))

    def _out(self, vector: np.ndarray, place: int) -> np.ndarray:
        """Points that are not in the model."""
        if self.cleared:
            return self.near.inside(vector, place) & ~self.needed
        return np.arange(len(self.near.rows)) == 0

    def _fitted(
        self, vector: np.ndarray, place: int, kept: Sequence[int], *, exact: bool = False
    ) -> tuple[float, np.ndarray]:
        """Gain and amplitudes of the source and of the points that are kept."""
        pixels = self.near.pixels
        key = (vector.tobytes(), place, self.model)
        if exact and key not in self.exact:
            shape = self._shape(place)
            self.exact[key] = pixels.extended(vector, shape, self._spectrum(), exact=True)
        own = self.exact.get(key) if exact else None
        if own is None:
            own = pixels.extended(vector, self._shape(place), self._spectrum())
        return pixels.fit(np.concatenate([own[None], pixels.points[list(kept)]]))

    def _first(self) -> None:
        """Start at the best radius; without points around the mean of those that it holds."""
        best = -np.inf
        for place in range(0, self.near.last + 1, _FIRST):
            vector = self.near.vectors[0]
            for _ in range(_MEANS if self.cleared else 0):
                inside = self.near.inside(vector, place)
                vector = self.near.counts.sum(axis=1)[inside] @ self.near.vectors[inside]
                vector = vector / np.linalg.norm(vector)
            gain = self.gain(vector, place)
            if gain > best:
                best, self.vector, self.place = gain, vector, place
            elif gain < best - _HOPELESS and not self.cleared:
                break

    def _restore(self) -> None:
        """Put points back that the source does not explain, the most significant first."""
        out = np.flatnonzero(self._out(self.vector, self.place))
        for _ in out:
            kept = np.flatnonzero(~self._out(self.vector, self.place)).tolist()
            others = np.setdiff1d(np.arange(1, len(self.needed)), kept)
            value, _ = self._fitted(self.vector, self.place, kept)
            tried = [self._fitted(self.vector, self.place, [*kept, i])[0] for i in others]
            if max(tried, default=value) < value + _RESTORED:
                break
            self.needed[others[int(np.argmax(tried))]] = True
        self.known.clear()

    def _resize(self) -> None:
        """Go to the best radius near the present one."""
        last = self.near.last
        places = np.clip(self.place + self.stride * np.arange(-1, 2), 0, last)
        low, best, high = (self.gain(self.vector, int(place)) for place in places)
        curved = low + high - 2 * best
        peak = self.place + int(
            np.clip(round(self.stride * (low - high) / (2 * curved)), -self.stride, self.stride)
            if curved < 0
            else self.stride * np.sign(high - low)
        )
        tried = [*places.tolist(), int(np.clip(peak, 0, last))]
        self.place = max(tried, key=lambda place: self.gain(self.vector, place))

    @property
    def _step(self) -> float:
        return _STEP * max(self.disc, self.near.size / 2) * (self.stride / _STRIDES[0]) ** 0.5

    def _cross(self) -> tuple[np.ndarray, np.ndarray]:
        """Four places around the centre, and the gains there."""
        places = self._shifted(self._step * _CROSS)
        return places, np.array([self.gain(place, self.place) for place in places])

    def _shifted(self, offsets: np.ndarray) -> np.ndarray:
        basis = local_bases(self.vector[None])
        return np.array([shifted(self.vector[None], basis, one[None])[0] for one in offsets])

    def _move(self) -> None:
        """Go to the maximum of the parabolas through the cross, or to its highest place."""
        places, gains = self._cross()
        right, left, up, down = gains
        curved = np.array([right + left, up + down]) - 2 * self.now
        offset = np.array([right - left, up - down]) / np.maximum(-2 * curved, 1e-9)
        offset = np.clip(offset, -1, 1) * (curved < 0)
        top = self._shifted(self._step * offset[None])
        tried, values = [*places, *top], [*gains, self.gain(top[0], self.place)]
        if max(values) > self.now:
            self.vector = tried[int(np.argmax(values))]

    def _r68_error(self) -> float:
        """From radii next to the best one: where twice the log-likelihood falls by one."""
        r68 = r68_of(self._shape(self.place))
        for stride in _STRIDES[1::-1]:
            places = np.clip([self.place - stride, self.place + stride], 0, len(_RADII) - 1)
            fall = self.now - np.mean([self.gain(self.vector, int(place)) for place in places])
            if fall > 1:
                break
        step = r68 * (_RADII[stride] / _RADII[0] - 1)
        return float(step / max(fall, _FLAT) ** 0.5)

    def _sigma(self) -> float:
        """Position error along one axis in degrees, from the cross."""
        fall = self.now - self._cross()[1].mean()
        return float(self._step / max(fall, _FLAT) ** 0.5)
