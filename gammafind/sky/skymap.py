"""Maps of the sky: one array per band, each on its own pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import astropy.units as u
import numpy as np

from gammafind.errors import BandError, OptionError, ShapeError
from gammafind.sky.bands import Band, check_bands
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.pixels import Pixels

KINDS = {
    "counts": u.dimensionless_unscaled,
    "expected counts": u.dimensionless_unscaled,
    "electrons": u.electron,
    "noise": u.electron,
    "exposure": u.cm**2 * u.s,
    "intensity": u.Unit("cm-2 s-1 sr-1"),
    "flux": u.Unit("cm-2 s-1"),
    "score": u.dimensionless_unscaled,
}
"""Accepted contents of a map, with the unit of the values.

Counts are numbers of individual photons, so they are integers. Electrons are the readout of a
detector including its noise, and may be negative.
"""
_NOT_NEGATIVE = ("counts", "expected counts", "noise", "exposure", "flux")
_MOST_COUNTS = 1e15
"""Largest expected counts in a pixel: above this, 64-bit integers and their sums are not safe."""


@dataclass(frozen=True, eq=False)
class SkyMap:
    """Values on the sky in one or several bands.

    Parameters
    ----------
    bands : sequence of Band
    pixels : sequence of Pixels
        One pixelisation per band; they may differ.
    values : sequence of ndarray
        One array per band, of the shape of its pixels, in the unit of ``kind``.
    kind : str
        A key of `KINDS`.
    valid : sequence of ndarray of bool, optional
        False where a pixel has no data; its value is set to 0. All True by default.
    meta : mapping, optional
        Origin of the map: input names, checksums, selections.
    finer : sequence of FineCounts, optional
        Where the same counts are known on finer pixels.

    Raises
    ------
    BandError
        If bands, pixels and values differ in number, or a band name occurs twice.
    ShapeError
        If the shape of an array is not that of its pixels.
    OptionError
        If ``kind`` is unknown, or a valid value is not finite or, in counts, noise and exposure,
        negative.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from gammafind import Band, HealpixPixels, SkyMap
    >>> band = Band("2-20 GeV", 2 * u.GeV, 20 * u.GeV)
    >>> sky = SkyMap([band], [HealpixPixels(8)], [np.ones(768, dtype=int)])
    >>> sky.kind, sky.n_bands
    ('counts', 1)
    """

    bands: tuple[Band, ...]
    pixels: tuple[Pixels, ...]
    values: tuple[np.ndarray, ...]
    kind: str = "counts"
    valid: tuple[np.ndarray, ...] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    finer: tuple[FineCounts, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"kind is {self.kind!r}", remedy=f"Accepted are {', '.join(KINDS)}.")
        bands = check_bands(self.bands)
        if not len(bands) == len(self.pixels) == len(self.values):
            raise BandError(
                f"{len(bands)} bands, {len(self.pixels)} pixelisations and "
                f"{len(self.values)} arrays were given",
                remedy="A map needs one of each per band.",
            )
        valid = [*map(_light, self.valid or [True] * len(self.values), self.values)]
        checked = [
            self._check(band, pixels, array, good)
            for band, pixels, array, good in zip(
                bands, self.pixels, self.values, valid, strict=True
            )
        ]
        object.__setattr__(self, "bands", bands)
        object.__setattr__(self, "pixels", tuple(self.pixels))
        object.__setattr__(self, "values", tuple(checked))
        object.__setattr__(self, "valid", tuple(valid))

    @cached_property
    def means(self) -> tuple[float, ...]:
        """Mean of the valid values of each band, 0 where there are none."""
        pairs = zip(self.values, self.valid, strict=True)
        some = (values if valid.all() else values[valid] for values, valid in pairs)
        return tuple(float(values.mean()) if values.size else 0.0 for values in some)

    def _check(self, band: Band, pixels: Pixels, array: Any, good: Any) -> np.ndarray:
        array = np.asarray(array)
        if array.shape != pixels.shape or np.shape(good) != pixels.shape:
            raise ShapeError(
                f"band {band.name}: values of shape {array.shape} and mask of shape "
                f"{np.shape(good)} on pixels of shape {pixels.shape}"
            )
        if not np.all(good):
            array = np.where(good, array, 0)
        if not np.all(np.isfinite(array)):
            raise OptionError(
                f"band {band.name}: {np.count_nonzero(~np.isfinite(array))} valid pixels "
                "are not finite",
                remedy="Mark them as not valid.",
            )
        if self.kind in _NOT_NEGATIVE and np.any(array < 0):
            raise OptionError(
                f"band {band.name}: {np.count_nonzero(array < 0)} pixels are negative",
                remedy=f"A map of {self.kind} has no negative values.",
            )
        return array

    @property
    def unit(self) -> u.UnitBase:
        """Unit of the values."""
        return KINDS[self.kind]

    @property
    def finest_pixels(self) -> Pixels:
        """Pixelisation of the band with the smallest pixels."""
        return min(self.pixels, key=lambda pixels: pixels.pixel_area)

    @property
    def n_bands(self) -> int:
        """Number of bands."""
        return len(self.bands)

    def select(self, names: list[str]) -> SkyMap:
        """Return the bands ``names``, in that order."""
        known = [band.name for band in self.bands]
        missing = [name for name in names if name not in known]
        if missing:
            raise BandError(
                f"no band {', '.join(missing)}", remedy=f"The map has {', '.join(known)}."
            )
        order = [known.index(name) for name in names]
        names = ("bands", "pixels", "values", "valid")
        chosen = {n: tuple(getattr(self, n)[i] for i in order) for n in names}
        place = {band: i for i, band in enumerate(order)}
        finer = [replace(f, parent=place[f.parent]) for f in self.finer if f.parent in place]
        return replace(self, **chosen, finer=tuple(finer))

    def map(self, function: Callable[[np.ndarray], np.ndarray], *, kind: str) -> SkyMap:
        """Apply ``function`` to the array of each band."""
        return replace(self, values=tuple(function(array) for array in self.values), kind=kind)

    def poisson(self, *, rng: np.random.Generator) -> SkyMap:
        """Draw counts from a map of expected counts.

        Raises
        ------
        OptionError
            If the expected counts of a pixel are too large for an integer.
        """
        if self.kind != "expected counts":
            raise OptionError(
                f"a Poisson draw of a map of {self.kind}", remedy="It needs expected counts."
            )
        most = max(np.max(array, initial=0) for array in self.values)
        if most > _MOST_COUNTS:
            raise OptionError(
                f"{most:.3g} counts are expected in a pixel",
                remedy=f"At most {_MOST_COUNTS:.0e} can be drawn; some source is too bright.",
            )
        return self.map(rng.poisson, kind="counts")


def _light(good: Any, array: Any) -> np.ndarray:
    """Mask of a map; one value stands for all, and takes no memory, where all pixels are valid."""
    good = np.asarray(good, dtype=bool)
    return np.broadcast_to(True, good.shape or np.shape(array)) if good.all() else good
