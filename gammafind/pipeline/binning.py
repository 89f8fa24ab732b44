"""The counts of one epoch: binned in slices of time, written with a record of how."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from gammafind.errors import FileFormatError, NoPhotonsError
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits import EventList, PhotonLists, write_counts_by_nside
from gammafind.sky.fits.good_times import common, gti_table, read_good_times
from gammafind.sky.fits.repeats import keys_of
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.cache import DAMAGE
from gammafind.utils.files import atomic_output
from gammafind.utils.progress import track

_TOGETHER = 20_000_000
"""Photons that are binned in one go: the half minute that an interruption may cost."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Binning:
    """What is binned, and how.

    Parameters
    ----------
    renderer : SkyRenderer
        Instrument with bands, event class and event types.
    lists : PhotonLists
    pixels : tuple of Pixels, optional
        In place of those of the instrument.
    max_zeniths : list of float, optional
        Zenith cut in degrees of all energy bands, or of each.
    """

    renderer: SkyRenderer
    lists: PhotonLists
    pixels: tuple[Pixels, ...] | None = None
    max_zeniths: list[float] | None = None

    def sky(self, span: tuple[float, float] | None) -> SkyMap:
        """Counts of the photons in a span of time."""
        lists = replace(self.lists, span=span)
        return self.renderer.bin_events(self._checked(lists), self.pixels)

    def sky_in_slices(
        self, span: tuple[float, float] | None, folder: Path, settings: Mapping[str, Any]
    ) -> SkyMap:
        """As `sky`, where slices of time are kept in ``folder`` until all are done."""
        slices = self._slices(span)
        if len(slices) == 1:
            return self.sky(span)
        folder.mkdir(exist_ok=True)
        found = []
        for number, one in enumerate(track(slices, "slices of time")):
            key = json.dumps({**settings, "slice": one})
            kept = self._kept(folder / f"{number}.npz", key, one)
            found += [] if kept is None else [kept]
        if not found:
            return self.sky(span)
        return replace(
            found[0],
            values=tuple(sum(values) for values in zip(*(s.values for s in found), strict=True)),
            valid=tuple(
                np.logical_or.reduce(valid) for valid in zip(*(s.valid for s in found), strict=True)
            ),
        )

    def cuts(self, recorded: Sequence[str]) -> list[tuple[str, ...]]:
        """Cuts of each band: those in the headers of the lists, and those of this binning."""
        own = self.renderer.selections
        limits = self.max_zeniths or []
        zeniths = [f"ZENITH_ANGLE = 0:{limit:g} deg" for limit in limits]
        each = zeniths * (len(own) // max(len(zeniths), 1)) or [""] * len(own)
        return [
            tuple(filter(None, dict.fromkeys([*recorded, *cuts, zenith])))
            for cuts, zenith in zip(own, each, strict=True)
        ]

    def good_times(self, span: tuple[float, float] | None) -> np.ndarray | None:
        """Good time intervals of the photons; None if the lists do not have them."""
        found = read_good_times(self.lists.paths)
        for cut in (self.lists.good_times, None if span is None else np.array([span])):
            if found is not None and cut is not None:
                found = common(found, cut)
        return found

    def _kept(self, path: Path, key: str, span: tuple[float, float] | None) -> SkyMap | None:
        """Counts of a slice of time from its file, or binned and written to it.

        None if the slice has no photons: a gap of the observation.
        """
        with (
            suppress(*DAMAGE),
            path.open("rb") as stream,
            np.load(stream, allow_pickle=False) as stored,
        ):
            if str(stored["key"]) == key:
                return self._restored(stored)
        try:
            sky = self.sky(span)
        except NoPhotonsError:
            sky = None
        arrays = {} if sky is None else _arrays(sky)
        with atomic_output(path, overwrite=True) as temporary:
            np.savez_compressed(temporary, key=np.array(key), **arrays)
        return sky

    def _restored(self, stored: Mapping[str, np.ndarray]) -> SkyMap | None:
        if "meta" not in stored:
            return None
        bands = self.renderer.bands
        values, valid = (
            tuple(stored[f"{name}{i}"] for i in range(len(bands))) for name in ("values", "valid")
        )
        pixels = self.pixels or self.renderer.pixels
        meta = {name: tuple(each) for name, each in json.loads(str(stored["meta"])).items()}
        return SkyMap(bands=bands, pixels=pixels, values=values, valid=valid, meta=meta)

    def _checked(self, lists: PhotonLists) -> Iterator[EventList]:
        for part in lists:
            if self.max_zeniths is not None and part.zeniths is None:
                raise FileFormatError(
                    "EVENTS has no column ZENITH_ANGLE to cut",
                    path=part.meta["inputs"][0]["name"],
                    remedy="Leave out max_zenith, or select the photons with gtselect.",
                )
            yield part

    def _slices(self, span: tuple[float, float] | None) -> list[tuple[float, float] | None]:
        rows, first, last = self.lists.size()
        n = int(np.ceil(rows / _TOGETHER))
        if n < 2 or not last > first:
            return [span]
        low, high = (-np.inf, np.inf) if span is None else span
        inner = np.linspace(first, last, n + 1)[1:-1]
        edges = [low, *inner[(inner > low) & (inner < high)].tolist(), high]
        return list(pairwise(edges))


def write_counts_of(
    job: Binning, place: Path, span: tuple[float, float] | None, settings: Mapping[str, Any]
) -> Callable[[Path], None]:
    """Function that writes the counts of an epoch to a folder; see `write_epoch`."""

    def write(folder: Path) -> None:
        slices = place.with_name(f"{place.name}.slices")
        sky = job.sky_in_slices(span, slices, settings)
        good = job.good_times(span)
        cuts = job.cuts(sky.meta["selections"])
        for path in write_counts_by_nside(sky, folder, selections=cuts):
            if good is not None and len(good):
                with fits.open(path, mode="append") as file:
                    file.append(gti_table(good))
        shutil.rmtree(slices, ignore_errors=True)

    return write


def hashed(intervals: np.ndarray) -> list[int]:
    """Numbers that stand for good time intervals in settings."""
    return [len(intervals), int(keys_of(intervals.T).sum(dtype=np.uint64))]


def _arrays(sky: SkyMap) -> dict[str, np.ndarray]:
    """Contents of a sky as named arrays."""
    values = {f"values{i}": array for i, array in enumerate(sky.values)}
    valid = {f"valid{i}": array for i, array in enumerate(sky.valid)}
    return {**values, **valid, "meta": np.array(json.dumps(dict(sky.meta)))}
