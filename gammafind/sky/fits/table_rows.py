"""Rows of large tables, some at a time, without holding or mapping the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import FileFormatError
from gammafind.units import stated_unit

AT_ONCE = 500_000
"""Rows read together: 50 MB of a photon list."""


@dataclass(frozen=True, eq=False)
class RowReader:
    """Reads columns of a table of an open file.

    Parameters
    ----------
    hdu : astropy.io.fits.BinTableHDU
    columns : dict of str to astropy.io.fits.Column
        By their names in capitals.
    dtype : dtype
        Of a row in the file.
    path : Path
        For messages.
    """

    hdu: fits.BinTableHDU
    columns: dict[str, fits.Column]
    dtype: np.dtype
    path: Path

    @classmethod
    def of(cls, hdu: fits.hdu.base._BaseHDU, path: Path) -> RowReader:
        """Reader of an HDU, which must be a binary table.

        Raises
        ------
        FileFormatError
            If it is an image or a table of text.
        """
        if not isinstance(hdu, fits.BinTableHDU):
            raise FileFormatError(
                f"{hdu.name} is no binary table", path=path, remedy="Is this another kind of file?"
            )
        # Of a copy without data: astropy copies all data of a table whose columns are in use.
        columns = fits.BinTableHDU.fromstring(hdu.header.tostring().encode()).columns
        dtype = columns.dtype.newbyteorder(">")
        width = int(hdu.header["NAXIS1"])
        if dtype.itemsize != width:
            raise FileFormatError(
                f"the columns of {hdu.name} take {dtype.itemsize} bytes of {width} in a row",
                path=path,
            )
        return cls(hdu, {str(column.name).upper(): column for column in columns}, dtype, path)

    def __len__(self) -> int:
        return int(self.hdu.header["NAXIS2"])

    def has(self, name: str) -> bool:
        """Whether there is a column of this name, in capitals or not."""
        return name in self.columns

    def parts(self) -> Iterator[np.ndarray]:
        """Yield rows as they are in the file, `AT_ONCE` at a time."""
        info = self.hdu.fileinfo()
        dtype = self.dtype
        stream = info["file"]
        for start in range(0, len(self), AT_ONCE):
            n = min(AT_ONCE, len(self) - start)
            stream.seek(info["datLoc"] + start * dtype.itemsize)
            yield np.frombuffer(stream.read(n * dtype.itemsize), dtype=dtype)

    def none(self) -> np.ndarray:
        """No rows, with the same columns."""
        return np.zeros(0, dtype=self.dtype)

    def numbers(self, rows: np.ndarray, name: str, unit: u.UnitBase) -> np.ndarray:
        """Column as floats in a unit; nulls are NaN.

        Raises
        ------
        FileFormatError
            If there is no such column, it has several values in a row, or another unit.
        """
        column = self._column(name)
        received = stated_unit(column.unit, unit)
        values = rows[column.name]
        kind = values.dtype
        if received is None or kind.kind not in "iuf" or values.ndim != 1:
            shape = f" of shape {values.shape[1:]}" if values.ndim != 1 else ""
            raise FileFormatError(
                f"column {name} has {kind.name}{shape} in {column.unit!r}",
                path=self.path,
                remedy=f"Numbers in {unit} are needed, one in each row.",
            )
        found = values.astype(float)
        if kind.kind != "f" and isinstance(column.null, int):
            found[values == column.null] = np.nan
        scale, zero = _finite(column.bscale, 1.0), _finite(column.bzero, 0.0)
        if scale != 1 or zero != 0:
            found = found * scale + zero
        factor = received.to(unit)
        return found if factor == 1 else found * factor

    def integers(self, rows: np.ndarray, name: str) -> np.ndarray:
        """Column of integers, shape (n,), as it is in the file."""
        return rows[self._column(name).name].astype(np.int64)

    def bits(self, rows: np.ndarray, name: str) -> np.ndarray:
        """Bit masks: a column of bits, the last one first, or of integers; 0 without it."""
        if not self.has(name) or not len(rows):
            return np.zeros(len(rows), dtype=np.uint32)
        column = self._column(name)
        values = rows[column.name]
        n_bits = int("".join(filter(str.isdigit, str(column.format))) or 1)
        if not str(column.format).endswith("X"):
            if values.ndim != 1 or values.dtype.kind not in "iu":
                raise FileFormatError(
                    f"column {name} has {values.dtype.name} of shape {values.shape[1:]}",
                    path=self.path,
                    remedy="Bits or integers are needed.",
                )
            return (values.astype(np.int64) + int(_finite(column.bzero, 0.0))).astype(np.uint32)
        total = np.zeros(len(rows), dtype=np.uint64)
        for byte in values.reshape(len(rows), -1).T:
            total = total << np.uint64(8) | byte.astype(np.uint64)
        return (total >> np.uint64(-n_bits % 8)).astype(np.uint32)

    def _column(self, name: str) -> fits.Column:
        if name not in self.columns:
            raise FileFormatError(
                f"{self.hdu.name} has no column {name}",
                path=self.path,
                remedy=f"It has {', '.join(self.columns)}." if self.columns else None,
            )
        return self.columns[name]


def _finite(value: object, default: float) -> float:
    """Scale or zero of a column, where there is one."""
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else default
