"""Bands and epochs of the columns of several numbers, from the metadata of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from gammafind.catalogue.measured_columns import ENERGY_EDGES, EPOCH_EDGES, EPOCH_SPANS
from gammafind.errors import TableError

_REMEDY = "Measure the catalogue again (gammafind measure), or remove the entry."


def energy_spans(meta: Mapping[str, Any]) -> np.ndarray:
    """Edges of the bands in MeV, shape (n, 2); none where the metadata do not say them.

    Raises
    ------
    TableError
        If they are no pairs of positive numbers that increase.
    """
    spans = _spans(meta, ENERGY_EDGES)
    if np.any(spans <= 0):
        raise TableError(f"{ENERGY_EDGES} of the metadata are not positive", remedy=_REMEDY)
    return spans


def epoch_spans(meta: Mapping[str, Any]) -> np.ndarray:
    """Begin and end of the epochs in s, shape (n, 2); none where the metadata do not say them.

    Raises
    ------
    TableError
        If they are no numbers that increase.
    """
    if not meta.get(EPOCH_EDGES):
        return _spans(meta, EPOCH_SPANS)
    edges = meta[EPOCH_EDGES]
    pairs = list(map(list, pairwise(edges))) if isinstance(edges, list | tuple) else edges
    return _spans({EPOCH_EDGES: pairs}, EPOCH_EDGES)


def check_spans(values: np.ndarray, spans: np.ndarray, name: str, *more: int) -> np.ndarray:
    """Return the values of a column, shape (n, spans, ...), if they have one for each span.

    Raises
    ------
    TableError
        If the column has another number of values.
    """
    if values.shape[1:] != (len(spans), *more):
        raise TableError(
            f"{name} has the shape {values.shape[1:]} in each row, and the metadata state "
            f"{len(spans)} bands or epochs",
            remedy=_REMEDY,
        )
    return values


def _spans(meta: Mapping[str, Any], key: str) -> np.ndarray:
    given = meta.get(key)
    if given is None or given == []:
        return np.zeros((0, 2))
    try:
        spans = np.array(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        spans = np.zeros(0)
    pairs = spans.ndim == 2 and spans.shape[1] == 2
    if not (pairs and np.all(np.isfinite(spans)) and np.all(spans[:, 0] < spans[:, 1])):
        raise TableError(f"{key} of the metadata are {given!r:.80}", remedy=_REMEDY)
    return spans
