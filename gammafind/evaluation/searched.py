"""Which sources of a reference can be found: those where it was searched."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.sky.searched import covered, in_region
from gammafind.sky.skymap import SkyMap

REGION = "searched"
"""Entry of the metadata of a catalogue, from `gammafind.sky.searched.searched_region`."""


def searched_sources(
    catalogue: QTable, reference: QTable, *, radius: Quantity, counts: SkyMap | None = None
) -> np.ndarray | None:
    """Which sources of a reference count.

    Parameters
    ----------
    catalogue : QTable
        What was found; its metadata say where it was searched.
    reference : QTable
    radius : Quantity
        Match radius.
    counts : SkyMap, optional
        The map that was searched, whose valid pixels take the place of the metadata.

    Returns
    -------
    ndarray of bool or None
        Sources in the region, and those outside that a detection is matched to; None where the
        region is not known.
    """
    truth = sky_positions(reference, what="the reference")
    inside = _inside(catalogue, truth, counts)
    if inside is None:
        return None
    found = sky_positions(catalogue, what="the catalogue")
    inside[match_one_to_one(found, truth, radius).b] = True
    return inside


def region_of(catalogue: QTable) -> str:
    """Text of the region that was searched; empty where the metadata do not say it."""
    text = catalogue.meta.get(REGION)
    return text if isinstance(text, str) else ""


def _inside(catalogue: QTable, truth: object, counts: SkyMap | None) -> np.ndarray | None:
    if counts is not None:
        return covered(counts, truth)
    try:
        return in_region(region_of(catalogue), truth)
    except ValueError:
        return None
