"""Compact tables: one row that holds each column apart, which gzip packs best.

Numbers are split into the planes of their bytes: the first bytes of all rows, then the second
ones, and so on. Texts are joined by line breaks.
"""

from __future__ import annotations

import numpy as np
from astropy.io import fits

_BYTES = 4
"""Of a number: official catalogues store float32."""


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
        data = np.ascontiguousarray(values.astype(">f4")).view(np.uint8).reshape(-1, _BYTES).T
        form, shape = f"{data.size}B", f"({len(values)},{_BYTES})"
        planes = np.ascontiguousarray(data)[np.newaxis]
        packed.append(fits.Column(column.name, form, column.unit, dim=shape, array=planes))
    return fits.BinTableHDU.from_columns(packed, name=name)


def from_planes(hdu: fits.BinTableHDU) -> dict[str, np.ndarray]:
    """Unpack the columns of `to_planes`: float64 and text, shape (n,)."""
    return {name: _column(np.asarray(hdu.data[name][0])) for name in hdu.columns.names}


def _column(packed: np.ndarray) -> np.ndarray:
    if packed.ndim == 1:
        return np.array(packed.tobytes().decode("ascii").split("\n"))
    return np.ascontiguousarray(packed.T).view(">f4").ravel().astype(float)
