"""Completeness of a catalogue as a function of flux, latitude and spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.evaluation.intervals import binomial_interval

_MOST_VALUES = 6
"""Most different indices that get a row each; with more of them there are as many bins."""


def completeness_table(sources: QTable, flux_edges: Quantity, latitude_edges: Quantity) -> QTable:
    """Share of sources that were found, in bins.

    Parameters
    ----------
    sources : QTable
        ``flux``, ``glat``, ``index`` and ``found`` of each source.
    flux_edges : Quantity, shape (n + 1,)
    latitude_edges : Quantity, shape (m + 1,)
        Of ``|b|``.

    Returns
    -------
    QTable
        One row a bin with at least one source: its edges ``flux_low, flux_high, b_low, b_high,
        index_low, index_high``, the numbers ``n`` and ``n_found``, ``completeness`` and the ends
        of its 68 % interval, ``completeness_low`` and ``completeness_high``.

    Notes
    -----
    A bin holds its lower edges; the last one holds its upper edge too. Sources outside of all
    bins are left out. Where indices have few values each is a bin, with equal edges.
    """
    unit = sources["flux"].unit
    fluxes = np.asarray(flux_edges.to_value(unit), dtype=float)
    latitudes = np.asarray(latitude_edges.to_value(u.deg), dtype=float)
    index, (low, high) = _index_bins(np.asarray(sources["index"], dtype=float))
    axes = (
        _bin(sources["flux"].value, fluxes),
        _bin(np.abs(sources["glat"].to_value(u.deg)), latitudes),
        index,
    )
    shape = (len(fluxes) - 1, len(latitudes) - 1, len(low))
    inside = np.all([axis >= 0 for axis in axes], axis=0)
    flat = np.ravel_multi_index([axis[inside] for axis in axes], shape)
    found = np.asarray(sources["found"], dtype=bool)[inside]
    size = int(np.prod(shape))
    n = np.bincount(flat, minlength=size)
    n_found = np.bincount(flat[found], minlength=size)
    filled = np.flatnonzero(n)
    i, j, k = np.unravel_index(filled, shape)
    n, n_found = n[filled], n_found[filled]
    lower, upper = binomial_interval(n_found, n)
    table = QTable(
        {
            "flux_low": fluxes[i] * unit,
            "flux_high": fluxes[i + 1] * unit,
            "b_low": latitudes[j] * u.deg,
            "b_high": latitudes[j + 1] * u.deg,
            "index_low": low[k],
            "index_high": high[k],
            "n": n,
            "n_found": n_found,
            "completeness": n_found / np.maximum(n, 1),
            "completeness_low": lower,
            "completeness_high": upper,
        }
    )
    for name, text in _TEXTS.items():
        table[name].info.description = text
    return table


_TEXTS = {
    "flux_low": "Lower edge of the flux in all bands together",
    "flux_high": "Upper edge of the flux in all bands together",
    "b_low": "Lower edge of the absolute Galactic latitude",
    "b_high": "Upper edge of the absolute Galactic latitude",
    "index_low": "Lower edge of the photon index",
    "index_high": "Upper edge of the photon index",
    "n": "Sources that were injected",
    "n_found": "Sources that were found at the cut",
    "completeness": "Share of the sources that was found",
    "completeness_low": "Lower end of its 68 % interval (Jeffreys)",
    "completeness_high": "Upper end of its 68 % interval (Jeffreys)",
}


def _bin(values: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Index of the bin of each value, -1 outside of all."""
    index = np.searchsorted(edges, values, side="right") - 1
    index[values == edges[-1]] = len(edges) - 2
    return np.where((index >= 0) & (index < len(edges) - 1), index, -1)


def _index_bins(index: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Bin of each index, and the edges of the bins: of each value, or of equal numbers."""
    values = np.unique(index)
    if len(values) <= _MOST_VALUES:
        return np.searchsorted(values, index), (values, values)
    edges = np.unique(np.quantile(index, np.linspace(0, 1, _MOST_VALUES + 1)))
    return _bin(index, edges), (edges[:-1], edges[1:])
