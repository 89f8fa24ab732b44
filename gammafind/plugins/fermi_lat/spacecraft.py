"""Spacecraft files (FT2): where the LAT pointed, and how long it observed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import FileFormatError, InputDataError, PointingWarning
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeCube
from gammafind.plugins.fermi_lat.irf.pointings import NSIDE, Pointings
from gammafind.sky.fits.good_times import good_time, good_time_within
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.repeats import Repeats, keys_of
from gammafind.sky.fits.table_rows import RowReader
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.utils.cache import cached_arrays
from gammafind.utils.files import file_checksum
from gammafind.utils.listing import listed
from gammafind.utils.progress import track

_VERSION = 1
"""Of the algorithm, in the key of the cache."""
_COVERED = 0.999
"""Share of the good time that spacecraft files cover at least, without a warning."""
_TWICE = 1.001
"""Time of the rows within the good time, over that time, above which rows overlap."""


def holds_spacecraft(path: str | PathLike) -> bool:
    """Whether a FITS file is a spacecraft file."""
    with open_fits(path) as file:
        return any(hdu.name == "SC_DATA" for hdu in file)


def livetime_cube(
    paths: Sequence[str | PathLike] | str | PathLike,
    *,
    max_zenith: float,
    good_times: np.ndarray | None = None,
    nside: int = NSIDE,
) -> LivetimeCube:
    """Livetime cube of spacecraft files, from the cache if it was computed before.

    Parameters
    ----------
    paths : sequence of path-like
        FT2 files, patterns or ``@list.txt``. Rows that are in several files count once.
    max_zenith : float
        Zenith cut of the photons, in degrees.
    good_times : ndarray, shape (n, 2), optional
        Good time intervals of the photons in seconds of the mission elapsed time; by default all
        time of the files.
    nside : int
        Of the pixels, in ICRS.

    Returns
    -------
    LivetimeCube
        In 40 bins of inclination, plain and weighted with the livetime fraction, as gtltcube
        makes it: each row has the pointing of its start, and its livetime is shared evenly over
        its time.

    Raises
    ------
    FileFormatError
        If there is no ``SC_DATA``, or a column is missing.
    InputDataError
        If there is no livetime in the good time, or rows overlap.
    InputFileError
        If a file cannot be used; the class names the fault.

    Warns
    -----
    PointingWarning
        If the files do not cover all of the good time.
    """
    files = listed(paths)
    key = {
        "name": "livetime cube",
        "version": _VERSION,
        "files": [file_checksum(path) for path in files],
        "good_times": None if good_times is None else keys_of(good_times.T).tolist(),
        "max_zenith": max_zenith,
        "nside": nside,
    }
    arrays = cached_arrays(key, lambda: _arrays(files, max_zenith, good_times, nside))
    _check_time(files, good_times, float(arrays["time"]))
    names = ("cos_theta", "livetime", "weighted")
    return LivetimeCube(HealpixPixels(nside, "icrs"), *(arrays[name] for name in names))


def read_pointings(
    paths: Sequence[str | PathLike] | str | PathLike, good_times: np.ndarray | None = None
) -> tuple[Pointings, float]:
    """Pointings of spacecraft files, and the time of their rows within the good time.

    Parameters
    ----------
    paths : sequence of path-like
    good_times : ndarray, shape (n, 2), optional
        As for `livetime_cube`.

    Returns
    -------
    pointings : Pointings
    time : float
        In seconds, with and without livetime.
    """
    pointings, repeats, time = Pointings(), Repeats(), 0.0
    for path in track(listed(paths), "spacecraft files"):
        for start, stop, livetime, z, zenith in _rows(Path(path)):
            length = stop - start
            within = length if good_times is None else good_time_within(good_times, start, stop)
            within = np.where(repeats.first(keys_of([start]), start), within, 0.0)
            time += float(within.sum())
            used = (within > 0) & (livetime > 0)
            share = within[used] / length[used]
            seconds = livetime[used] * share
            pointings.add(
                unit_vectors(*z[:, used]),
                unit_vectors(*zenith[:, used]),
                seconds,
                seconds * livetime[used] / length[used],
            )
    return pointings, time


def _arrays(
    files: Sequence[Path], max_zenith: float, good_times: np.ndarray | None, nside: int
) -> dict[str, np.ndarray]:
    pointings, time = read_pointings(files, good_times)
    if not pointings.livetime > 0:
        within = "" if good_times is None else " in the good time of the photons"
        raise InputDataError(
            f"there is no livetime{within}",
            path=_names(files),
            remedy="Give the spacecraft files of the time of the photons.",
        )
    cube = pointings.cube(max_zenith, nside=nside)
    return {
        "cos_theta": cube.cos_theta,
        "livetime": cube.livetime.astype(np.float32),
        "weighted": cube.weighted.astype(np.float32),
        "time": np.array(time),
    }


def _check_time(files: Sequence[Path], good_times: np.ndarray | None, time: float) -> None:
    if good_times is None:
        return
    total = good_time(good_times)
    if time > _TWICE * total:
        raise InputDataError(
            f"the rows take {time:.6g} s of {total:.6g} s of good time: some of them overlap",
            path=_names(files),
            remedy="Give each time only once, with rows of 30 s or of 1 s.",
        )
    if time < _COVERED * total:
        warnings.warn(
            f"{_names(files)}: only {100 * time / total:.4g} % of the good time of the photons is "
            "covered: exposures are too small, and fluxes too large. Give all spacecraft files of "
            "that time",
            PointingWarning,
            stacklevel=3,
        )


def _names(files: Sequence[Path]) -> str:
    shown = [str(path) for path in files[:3]]
    return ", ".join(shown) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _rows(path: Path) -> Iterator[tuple[np.ndarray, ...]]:
    """Start, stop and livetime in s; longitude and latitude of boresight and zenith in deg."""
    with open_fits(path, what="a spacecraft file (FT2)") as file:
        reader = RowReader.of(_table(file, path), path)
        for rows in reader.parts():
            times = [reader.numbers(rows, name, u.s) for name in ("START", "STOP", "LIVETIME")]
            angles = [
                np.stack([reader.numbers(rows, f"{axis}_{name}", u.deg) for axis in ("RA", "DEC")])
                for name in ("SCZ", "ZENITH")
            ]
            start, stop, livetime = times
            fine = np.isfinite([*times, *angles[0], *angles[1]]).all(axis=0)
            fine &= (stop > start) & (np.abs([angles[0][1], angles[1][1]]) <= 90).all(axis=0)
            if not fine.all():
                raise InputDataError(
                    f"{np.count_nonzero(~fine)} rows of SC_DATA have no time or direction",
                    path=path,
                )
            if np.any((livetime < 0) | (livetime > 1.01 * (stop - start))):
                raise InputDataError("LIVETIME is negative or longer than its row", path=path)
            yield start, stop, livetime, *angles


def _table(file: fits.HDUList, path: Path) -> fits.hdu.base._BaseHDU:
    for hdu in file:
        if hdu.name == "SC_DATA":
            return hdu
    raise FileFormatError(
        f"no SC_DATA among the HDUs {', '.join(hdu.name for hdu in file)}",
        path=path,
        remedy="Accepted is a spacecraft file (FT2).",
    )
