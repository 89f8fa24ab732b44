"""Compact tables: one row that holds each column apart, which gzip packs best.

Numbers are split into the planes of their bytes: the first bytes of all rows, then the second
ones, and so on. Texts are joined by line breaks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from astropy.io import fits

_FORMS = {2: ">u2", 4: ">f4"}
"""Numbers by their bytes: counts, and the float32 of official catalogues."""


def to_planes(columns: fits.ColDefs, rows: fits.FITS_rec, *, name: str) -> fits.BinTableHDU:
    """Pack columns of float32 and ASCII text.

    Parameters
    ----------
    columns : ColDefs
        Their names and units are kept.
    rows : FITS_rec, shape (n,)
        n is 1 or more.
    name : str
        Of the table.
    """
    packed = []
    for column in columns:
        values = np.asarray(rows[column.name])
        if values.dtype.kind in "US":
            text = "\n".join(value.strip() for value in values.tolist())
            data = np.frombuffer(text.encode("ascii"), np.uint8)[np.newaxis]
            packed.append(fits.Column(column.name, f"{data.size}B", array=data))
            continue
        packed.append(_planes(column.name, values, 4, unit=column.unit))
    return fits.BinTableHDU.from_columns(packed, name=name)


def counts_to_planes(columns: Mapping[str, np.ndarray], *, name: str) -> fits.BinTableHDU:
    """Pack columns of whole numbers from 0 to 65,535, shape (n,).

    Parameters
    ----------
    columns : mapping of str to ndarray
        By name; n is 1 or more.
    name : str
        Of the table.

    Raises
    ------
    ValueError
        If a number does not fit.
    """
    for column, values in columns.items():
        if not np.array_equal(values, np.asarray(values).astype(_FORMS[2])):
            raise ValueError(f"{column} does not fit into 16 bits")
    packed = [_planes(column, np.asarray(values), 2) for column, values in columns.items()]
    return fits.BinTableHDU.from_columns(packed, name=name)


def from_planes(hdu: fits.BinTableHDU) -> dict[str, np.ndarray]:
    """Unpack the columns of `to_planes` and `counts_to_planes`: float64 and text, shape (n,)."""
    return {name: _column(np.asarray(hdu.data[name][0])) for name in hdu.columns.names}


def _planes(name: str, values: np.ndarray, n_bytes: int, *, unit: str | None = None) -> fits.Column:
    data = np.ascontiguousarray(values.astype(_FORMS[n_bytes])).view(np.uint8)
    planes = np.ascontiguousarray(data.reshape(-1, n_bytes).T)[np.newaxis]
    shape = f"({len(values)},{n_bytes})"
    return fits.Column(name, f"{planes.size}B", unit, dim=shape, array=planes)


def _column(packed: np.ndarray) -> np.ndarray:
    if packed.ndim == 1:
        return np.array(packed.tobytes().decode("ascii").split("\n"))
    return np.ascontiguousarray(packed.T).view(_FORMS[len(packed)]).ravel().astype(float)
