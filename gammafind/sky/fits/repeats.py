"""Rows that come a second time in a stream: overlapping files, or a file given twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Of Fibonacci hashing: spreads numbers over 64 bits."""


def keys_of(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One 64-bit number for each row; two rows in 2e19 share it by chance.

    Parameters
    ----------
    columns : sequence of ndarray, each of shape (n,)
        Integers or floats.

    Returns
    -------
    ndarray of uint64, shape (n,)
    """
    found = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        as_bits = np.ascontiguousarray(column, dtype="f8" if column.dtype.kind == "f" else "i8")
        found ^= as_bits.view(np.uint64)
        found *= _ODD
        found ^= found >> np.uint64(32)
    return found


class Repeats:
    """Finds rows whose key came before; 8 bytes a row are kept.

    Parts whose times do not overlap are not compared, so that files one after the other take no
    time.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[float, float, np.ndarray]] = []

    def first(self, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Whether each row is the first of its key, in this part and all before it.

        Parameters
        ----------
        keys : ndarray of uint64, shape (n,)
        times : ndarray, shape (n,)
            Rows of the same key have the same time.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        if not len(keys):
            return np.zeros(0, dtype=bool)
        known, index = np.unique(keys, return_index=True)
        new = np.zeros(len(keys), dtype=bool)
        new[index] = True
        low, high = np.min(times), np.max(times)
        for begin, end, others in self._parts:
            if begin <= high and end >= low:
                place = np.minimum(np.searchsorted(others, known), len(others) - 1)
                new[index[others[place] == known]] = False
        self._parts.append((float(low), float(high), known))
        return new

    def forget(self, before: float) -> None:
        """Drop rows with times before this one, if none of them can come again."""
        self._parts = [part for part in self._parts if part[1] >= before]
