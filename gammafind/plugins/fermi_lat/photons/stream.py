"""FITS tables written row by row, and photons sorted by time, without holding them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from gammafind.plugins.fermi_lat.photons.times import date_of
from gammafind.utils.version import running_version

_BLOCK = 2880
"""Bytes of a block of a FITS file."""
_TYPES = {"D": ">f8", "E": ">f4", "J": ">i4", "I": ">i2", "B": "u1", "L": "S1", "32X": ">u4"}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
    format : str
        D, E, J, I, B, L or 32X, after the number of values in a row.
    unit : str
    comment : str
        What it holds.
    """

    name: str
    format: str
    unit: str = ""
    comment: str = ""

    @property
    def dtype(self) -> tuple:
        """Name, type and shape in the file."""
        if self.format in _TYPES:
            return self.name, _TYPES[self.format]
        return self.name, _TYPES[self.format[-1]], int(self.format[:-1])


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a FITS file.

    Parameters
    ----------
    name : str
    columns : sequence of Column
    n_rows : int
    rows : iterable of ndarray
        Structured arrays with the columns, one part after the other.
    keywords : mapping
        Cards after those of the columns.
    """

    name: str
    columns: Sequence[Column]
    n_rows: int
    rows: Iterable[np.ndarray]
    keywords: Mapping[str, Any]

    @property
    def dtype(self) -> np.dtype:
        """Type of a row in the file."""
        return np.dtype([column.dtype for column in self.columns])

    def header(self) -> fits.Header:
        """Header, with the number of rows."""
        empty = fits.BinTableHDU.from_columns(
            [fits.Column(c.name, c.format, unit=c.unit or None) for c in self.columns]
        )
        header = empty.header
        header["NAXIS2"] = self.n_rows
        header["EXTNAME"] = self.name
        for number, column in enumerate(self.columns, start=1):
            header.comments[f"TTYPE{number}"] = column.comment
        for key, value in self.keywords.items():
            header[key] = value
        return header


def write_tables(path: Path, keywords: Mapping[str, Any], tables: Sequence[Table]) -> None:
    """Write a FITS file of tables.

    Parameters
    ----------
    path : Path
    keywords : mapping
        Of the primary header.
    tables : sequence of Table
    """
    primary = fits.PrimaryHDU().header
    for key, value in keywords.items():
        primary[key] = value
    with path.open("wb") as file:
        file.write(primary.tostring().encode("ascii"))
        for table in tables:
            file.write(table.header().tostring().encode("ascii"))
            n_bytes = sum(file.write(rows.astype(table.dtype).tobytes()) for rows in table.rows)
            file.write(bytes(-n_bytes % _BLOCK))


def file_keywords(start: float, stop: float) -> dict[str, Any]:
    """Cards that all files and tables of the LAT share.

    The date of writing is left out, so that a seed always gives the same files.

    Parameters
    ----------
    start, stop : float
        Mission elapsed time in seconds.
    """
    return {
        "TELESCOP": "GLAST",
        "INSTRUME": "LAT",
        "EQUINOX": 2000.0,
        "RADECSYS": "FK5",
        "DATE-OBS": date_of(start),
        "DATE-END": date_of(stop),
        "OBSERVER": "simulated",
        "ORIGIN": "gammafind",
        "CREATOR": running_version(),
        "TSTART": start,
        "TSTOP": stop,
        "MJDREFI": 51910,
        "MJDREFF": 0.00074287037037037,
        "TIMEUNIT": "s",
        "TIMEZERO": 0.0,
        "TIMESYS": "TT",
        "TIMEREF": "LOCAL",
        "TASSIGN": "SATELLITE",
        "CLOCKAPP": False,
        "GPS_OUT": False,
    }


class Sorter:
    """Photons in files, one for each part of the time, which are sorted one by one.

    Parameters
    ----------
    folder : Path
        Exists, and is empty.
    edges : ndarray, shape (n + 1,)
        Times between which the photons of a file lie.
    dtype : dtype
        Of a photon, with a field ``time``.
    """

    def __init__(self, folder: Path, edges: np.ndarray, dtype: np.dtype) -> None:
        self._edges, self._dtype = edges, dtype
        self._paths = [folder / f"{i}" for i in range(len(edges) - 1)]
        self.n = 0

    def add(self, photons: np.ndarray) -> None:
        """Append photons in any order."""
        self.n += len(photons)
        part = np.searchsorted(self._edges[1:-1], photons["time"], side="right")
        for i in np.unique(part):
            with self._paths[i].open("ab") as file:
                file.write(photons[part == i].tobytes())

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the photons of one file after the other, in the order of time."""
        for path in self._paths:
            if path.exists():
                photons = np.fromfile(path, dtype=self._dtype)
                yield photons[np.argsort(photons["time"], kind="stable")]
