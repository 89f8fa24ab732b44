"""Photon lists (FT1), whole or in parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    NoPhotonsError,
    RepeatedPhotonsWarning,
    ShapeError,
)
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.good_times import is_good
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.repeats import Repeats, keys_of
from gammafind.sky.fits.selections import selections
from gammafind.sky.fits.table_rows import RowReader
from gammafind.utils.listing import listed
from gammafind.utils.progress import track

_WHAT = "a photon list (FT1)"
_IDENTITY = ("RUN_ID", "EVENT_ID")
"""Columns that number the photons of the LAT."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EventList:
    """A list of photons.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
        Reconstructed directions, ICRS.
    energies : Quantity, shape (n,)
        Reconstructed energies.
    event_type : ndarray of uint32, shape (n,)
        Bit mask: 1 FRONT, 2 BACK, 4 to 32 PSF0 to PSF3; 0 if the file does not say.
    event_class : ndarray of uint32, shape (n,)
        Bit mask; 0 if the file does not say.
    times : Quantity, shape (n,), optional
        Mission elapsed time; None if the file does not say.
    zeniths : Quantity, shape (n,), optional
        Zenith angles; None if the file does not say.
    selections : tuple of str
        Cuts on the photons that the headers record.
    fields : tuple of tuple of str
        The cuts of each file that select a part of the sky; empty for the whole sky.
    meta : mapping
        Names and checksums of the files.
    """

    positions: SkyCoord
    energies: Quantity
    event_type: np.ndarray
    event_class: np.ndarray
    times: Quantity | None = None
    zeniths: Quantity | None = None
    selections: tuple[str, ...] = ()
    fields: tuple[tuple[str, ...], ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.energies)

    def select(self, keep: np.ndarray, *, cut: str) -> EventList:
        """Photons where ``keep`` (bool, shape (n,)) is true; ``cut`` describes the selection."""
        if np.shape(keep) != (len(self),):
            raise ShapeError(f"a selection of shape {np.shape(keep)} for {len(self)} photons")
        kept = {
            name: values[keep]
            for name in (*_ARRAYS, "positions")
            if (values := getattr(self, name)) is not None
        }
        return replace(self, **kept, selections=(*self.selections, cut))


_ARRAYS = ("energies", "event_type", "event_class", "times", "zeniths")


def read_events(paths: Sequence[str | PathLike] | str | PathLike) -> EventList:
    """Read photon lists into memory; `PhotonLists` reads long ones in parts.

    Parameters
    ----------
    paths : sequence of path-like
        FT1 files: ``EVENTS`` with columns ``RA``, ``DEC`` (deg) and ``ENERGY`` (MeV). Patterns and
        ``@list.txt`` stand for several files.

    Returns
    -------
    EventList

    Raises
    ------
    FileFormatError
        If there is no ``EVENTS``, or a column is missing.
    InputDataError
        If a position or an energy is not finite, or there is no photon.
    InputFileError
        If a file cannot be used; the class names the fault.

    Warns
    -----
    RepeatedPhotonsWarning
        If photons are in the files more than once; each is kept once.
    """
    parts = list(PhotonLists.of(paths))
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, Any] = {}
    for name in _ARRAYS:
        arrays = [getattr(part, name) for part in parts]
        known = all(array is not None for array in arrays)
        joined[name] = np.concatenate(arrays) if known else None
    ra, dec = (
        np.concatenate([getattr(part.positions, name).deg for part in parts])
        for name in ("ra", "dec")
    )
    return EventList(
        positions=SkyCoord(ra, dec, unit="deg", frame="icrs"), **joined, **about(parts)
    )


def about(parts: Iterable[EventList]) -> dict[str, Any]:
    """Selections, fields and files of lists together, as arguments of `EventList`."""
    parts = list(parts)
    inputs = {one["sha256"]: one for part in parts for one in part.meta.get("inputs", ())}
    return {
        "selections": tuple(dict.fromkeys(cut for part in parts for cut in part.selections)),
        "fields": tuple(dict.fromkeys(cuts for part in parts for cuts in part.fields)),
        "meta": {"inputs": tuple(inputs.values())},
    }


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotonLists:
    """Photon lists in files, which are read in parts; see `of`.

    Parameters
    ----------
    paths : tuple of Path
    good_times : ndarray, shape (n, 2), optional
        Photons outside these intervals, in seconds of the mission elapsed time, are left out.
    span : tuple of float, optional
        Photons before the first time are left out, and those at the second and later.
    """

    paths: tuple[Path, ...]
    good_times: np.ndarray | None = None
    span: tuple[float, float] | None = None

    @classmethod
    def of(
        cls,
        paths: Sequence[str | PathLike] | str | PathLike,
        *,
        good_times: np.ndarray | None = None,
    ) -> PhotonLists:
        """Lists of files, patterns or ``@list.txt``; of equal files only the first.

        Warns
        -----
        RepeatedPhotonsWarning
            If a file is given twice.
        """
        files: dict[str, Path] = {}
        for path in listed(paths):
            checksum = describe_input(path)["sha256"]
            if checksum in files:
                _warn(f"{path} is the same file as {files[checksum]}: its photons are counted once")
            files.setdefault(checksum, path)
        return cls(paths=tuple(files.values()), good_times=good_times)

    def __iter__(self) -> Iterator[EventList]:
        """Yield the photons in parts; of those that come again only the first.

        Raises
        ------
        NoPhotonsError
            At the end, if there was no photon.
        """
        repeats, n_rows, n_kept = Repeats(), 0, 0
        numbered = all(self._numbered(path) for path in self.paths)
        for path in track(self.paths, "photon lists"):
            for part, keys in self._parts_of(path, numbered):
                new = np.ones(len(part), dtype=bool)
                if keys is not None:
                    new = repeats.first(
                        keys, np.zeros(1) if part.times is None else part.times.value
                    )
                n_rows, n_kept = n_rows + len(new), n_kept + np.count_nonzero(new)
                yield part if new.all() else _kept(part, new)
        names = ", ".join(map(str, self.paths))
        if not n_rows:
            cut = self.good_times is not None or self.span is not None
            within = " within the chosen time" if cut else ": the list is empty"
            raise NoPhotonsError(f"there is no photon{within}", path=names)
        if n_kept < n_rows:
            _warn(
                f"{n_rows - n_kept} of {n_rows} photons are in {names} more than once: each is "
                "counted once"
            )

    def size(self) -> tuple[int, float, float]:
        """Number of rows, and first and last time in the headers; NaN where these are not there."""
        rows, times = 0, []
        for path in self.paths:
            with open_fits(path, what=_WHAT) as file:
                for reader in _readers(file, path):
                    rows += len(reader)
                    times.append(_times_in(reader))
        return rows, float(np.min(times, axis=0)[0]), float(np.max(times, axis=0)[1])

    def _numbered(self, path: Path) -> bool:
        with open_fits(path, what=_WHAT) as file:
            readers = _readers(file, path)
            return all(reader.has(name) for reader in readers for name in _IDENTITY)

    def _parts_of(
        self, path: Path, numbered: bool
    ) -> Iterator[tuple[EventList, np.ndarray | None]]:
        """Photons of one file, with their keys if these differ from photon to photon."""
        described = {"inputs": (describe_input(path),)}
        with open_fits(path, what=_WHAT) as file:
            for reader in _readers(file, path):
                cuts = selections(reader.hdu.header)
                first, last = _times_in(reader)
                if self.span is not None and (last < self.span[0] or first >= self.span[1]):
                    continue
                for rows in reader.parts():
                    part = _photons(reader, rows, cuts, described)
                    keys = _keys(reader, rows, part, numbered)
                    chosen = self._chosen(part, path)
                    if chosen is not None:
                        part, keys = _kept(part, chosen), None if keys is None else keys[chosen]
                    yield part, keys
                if not len(reader):
                    yield _photons(reader, reader.none(), cuts, described), None

    def _chosen(self, part: EventList, path: Path) -> np.ndarray | None:
        """Photons in the good time and the span; None if neither is given."""
        if self.good_times is None and self.span is None:
            return None
        if part.times is None:
            raise FileFormatError("EVENTS has no column TIME to choose photons by", path=path)
        times = part.times.to_value(u.s)
        chosen = np.ones(len(times), dtype=bool)
        if self.good_times is not None:
            chosen &= is_good(self.good_times, times)
        if self.span is not None:
            chosen &= (times >= self.span[0]) & (times < self.span[1])
        return chosen


def _times_in(reader: RowReader) -> tuple[float, float]:
    """First and last time that a header gives; NaN without."""
    found = (reader.hdu.header.get(name) for name in ("TSTART", "TSTOP"))
    first, last = (float(t) if isinstance(t, int | float) else np.nan for t in found)
    return first, last


def _readers(file: fits.HDUList, path: Path) -> list[RowReader]:
    """Readers of all EVENTS of a file."""
    found = [RowReader.of(hdu, path) for hdu in file if hdu.name == "EVENTS"]
    if not found:
        raise FileFormatError(
            f"no EVENTS among the HDUs {', '.join(hdu.name for hdu in file)}",
            path=path,
            remedy="Accepted is a photon list (FT1).",
        )
    return found


def _photons(
    reader: RowReader, rows: np.ndarray, cuts: tuple[str, ...], described: Mapping[str, Any]
) -> EventList:
    ra, dec = (reader.numbers(rows, name, u.deg) for name in ("RA", "DEC"))
    energy = reader.numbers(rows, "ENERGY", u.MeV)
    if not np.all(np.isfinite(ra) & np.isfinite(energy) & (np.abs(dec) <= 90)):
        raise InputDataError("a photon has no finite energy or position", path=reader.path)
    zero = reader.hdu.header.get("TIMEZERO", 0.0)
    times = _optional(reader, rows, "TIME", u.s)
    if times is not None and isinstance(zero, int | float):
        times = times + zero * u.s
    return EventList(
        positions=SkyCoord(ra, dec, unit="deg", frame="icrs"),
        energies=energy * u.MeV,
        event_type=reader.bits(rows, "EVENT_TYPE"),
        event_class=reader.bits(rows, "EVENT_CLASS"),
        times=times,
        zeniths=_optional(reader, rows, "ZENITH_ANGLE", u.deg),
        selections=cuts,
        fields=(cuts,),
        meta=described,
    )


def _optional(reader: RowReader, rows: np.ndarray, name: str, unit: u.UnitBase) -> Quantity | None:
    return reader.numbers(rows, name, unit) * unit if reader.has(name) else None


def _keys(
    reader: RowReader, rows: np.ndarray, part: EventList, numbered: bool
) -> np.ndarray | None:
    """Keys that differ from photon to photon; None if the file has no such columns.

    Numbers of photons are taken together with the times, since simulated lists may begin with the
    same number. Lists without times, or with one time for all, have nothing of the kind.
    """
    times = None if part.times is None else part.times.value
    timed = times is not None and (len(times) == 1 or np.ptp(times) > 0) if len(part) else False
    columns = [times] if timed else []
    numbers = [reader.integers(rows, name) for name in _IDENTITY] if numbered else []
    if numbered and (len(part) == 1 or np.ptp(numbers[1]) > 0 if len(part) else False):
        return keys_of([*columns, *numbers])
    if not timed:
        return None
    sky = part.positions
    return keys_of([*columns, part.energies.value, sky.ra.deg, sky.dec.deg])


def _kept(part: EventList, keep: np.ndarray) -> EventList:
    """Some of the photons, under the same cuts."""
    return replace(part.select(keep, cut=""), selections=part.selections)


def _warn(message: str) -> None:
    warnings.warn(message, RepeatedPhotonsWarning, stacklevel=3)
