"""One-to-one matching for all score cuts at once."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.catalogue.pairs import pairs_within, radii_of


def match_by_score(
    detections: SkyCoord,
    truth: SkyCoord,
    score: np.ndarray,
    *,
    radius: Quantity = 0.5 * u.deg,
) -> tuple[np.ndarray, np.ndarray]:
    """Match detections to true sources with the largest number of pairs at every score cut.

    Detections are added in the order of their score. Each is matched along a shortest augmenting
    path: to the nearest free source, or to a source whose detection can move to another one.
    Matched objects stay matched. So at any cut the detections above it have an optimal one-to-one
    matching.

    Parameters
    ----------
    detections : SkyCoord, shape (n,)
    truth : SkyCoord, shape (m,)
    score : ndarray, shape (n,)
    radius : Quantity, scalar or shape (n,)
        Largest separation of a pair.

    Returns
    -------
    matched : ndarray of bool, shape (n,)
        Whether the detection has a source, at all cuts that it passes.
    found_at : ndarray, shape (m,)
        Highest score cut at which the source is found; ``-inf`` if it is not.
    """
    i, j, separation = pairs_within(detections, truth, radii_of(radius, len(detections)))
    order = np.lexsort((separation, i))
    bounds = np.searchsorted(i[order], np.arange(len(detections) + 1))
    reach = [j[order[low:high]].tolist() for low, high in pairwise(bounds)]
    matched = np.zeros(len(detections), dtype=bool)
    found_at = np.full(len(truth), -np.inf)
    owner: dict[int, int] = {}
    holds: dict[int, int] = {}
    for index in np.argsort(-np.asarray(score, dtype=float), kind="stable").tolist():
        source = _augment(index, reach, owner, holds)
        if source is not None:
            matched[index] = True
            found_at[source] = score[index]
    return matched, found_at


def _augment(
    start: int, reach: list[list[int]], owner: dict[int, int], holds: dict[int, int]
) -> int | None:
    """Match one more detection; return the newly found source, or None.

    Parameters
    ----------
    start : int
        Index of the detection.
    reach : list of list of int
        Sources within the radius of each detection, nearest first.
    owner, holds : dict
        Detection of each source found so far, and the reverse; changed in place.
    """
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        detection = waiting.popleft()
        for source in reach[detection]:
            if source in came_from:
                continue
            came_from[source] = detection
            if source not in owner:
                _move_along(source, came_from, owner, holds)
                return source
            waiting.append(owner[source])
    return None


def _move_along(
    last: int, came_from: dict[int, int], owner: dict[int, int], holds: dict[int, int]
) -> None:
    """Give each detection of an augmenting path, from its end, the next source of the path."""
    source: int | None = last
    while source is not None:
        detection = came_from[source]
        given_up = holds.get(detection)
        owner[source], holds[detection] = detection, source
        source = given_up
