"""Comparison of a catalogue with a reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import column_of, fluxes, numbers_of, texts_of
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import map_positions, sky_positions
from gammafind.evaluation.metrics import (
    Evaluation,
    Rates,
    completeness_at_purity,
    evaluate_detections,
    rates,
    score_curve,
)
from gammafind.evaluation.numbers import PURITY, QUANTILES, RegionSummary, Summary
from gammafind.evaluation.searched import searched_sources
from gammafind.sky.skymap import SkyMap
from gammafind.units import FLUX, degrees

_PLANE = 20.0
"""Galactic latitude in degrees that separates the plane from the rest of the sky."""
_BRIGHT = 1e-9 * FLUX
"""Flux above which sources are bright: their completeness is reported separately."""
_GAMMA = 10 * u.MeV
"""Energy above which that is a flux of bright sources; X-ray sources have far more photons."""
_SHIFTS = (-10.0, -6.0, 6.0, 10.0)
"""Shifts along Galactic longitude, in match radii, at which all matches are by chance."""


def summarise(
    catalogue: QTable,
    reference: QTable | None = None,
    *,
    radius: Quantity,
    counts: SkyMap | None = None,
    detections: QTable | None = None,
) -> Summary:
    """Count detections, and compare them with a reference catalogue.

    Rows of extended sources whose positions were given beforehand do not count, nor do their
    counterparts: nobody found them. The fraction of matches by chance is the mean over four copies
    of the detections, shifted by 6 and 10 match radii in both directions along Galactic longitude.

    Parameters
    ----------
    catalogue : QTable
        Schema CATALOGUE, n rows. ``score_name`` and ``min_score`` in its metadata are the kind of
        scores and the lowest published score.
    reference : QTable, optional
        Positions and, where known, fluxes.
    radius : Quantity
        Match radius of the one-to-one matching; a single angle.
    counts : SkyMap, optional
        Reference sources outside its valid pixels are ignored. Without it those outside the region
        that the metadata of the catalogue name are; all count where these name none.
        The completeness of bright sources is reported separately, unless it is an image of a
        detector or the reference has none.
    detections : QTable, optional
        All detections of the localiser, schema DETECTIONS, including those below the threshold of
        the catalogue. They are needed to find the score at which the purity is `PURITY`.

    Returns
    -------
    Summary

    Raises
    ------
    OptionError
        If ``radius`` is not an angle.
    TableError
        If a table has no positions.
    """
    degrees(radius, name="radius")
    pixels = None if counts is None or reference is not None else counts.finest_pixels
    found = map_positions(catalogue, pixels, what="the catalogue")
    common = {
        "score_name": str(catalogue.meta.get("score_name", "score")),
        "score_quantiles": _quantiles(numbers_of(catalogue, "score")),
        "radius": radius,
        "cut": catalogue.meta.get("min_score"),
        "expected_false": catalogue.meta.get("expected_false"),
    }
    if reference is None:
        return Summary(regions=_count(found), bright=None, **common)
    truth = sky_positions(reference, what="the reference")
    matches = match_one_to_one(found, truth, radius)
    inside = searched_sources(catalogue, reference, radius=radius, counts=counts)
    inside = np.ones(len(truth), bool) if inside is None else inside
    bright = inside & _brighter(reference, counts)
    by_chance = _chance(found, truth, radius)
    score = column_of(catalogue, "score") or "score"
    matched = evaluate_detections(catalogue, reference, radius=radius, score=score)
    of_all = None
    if detections is not None:
        of_all = evaluate_detections(detections, reference, radius=radius)
    given = _given(catalogue)
    free = np.ones(len(truth), dtype=bool)
    free[matches.b[given[matches.a]]] = False
    regions = []
    for name, part in _regions(found, truth[inside]):
        here, there = part(found) & ~given, part(truth) & free
        chosen = there & inside, there & bright
        every, of_bright = (rates(matched.select(selected=s, counted=here)) for s in chosen)
        chance = float(by_chance[here].mean()) if here.any() else float("nan")
        pure = _pure(of_all, detections, chosen, part)
        regions.append(
            RegionSummary(name=name, rates=every, bright=of_bright, chance=chance, **pure)
        )
    return Summary(
        regions=tuple(regions),
        bright=_BRIGHT if bright.any() else None,
        matches=matches,
        footprint=inside,
        **common,
    )


def _brighter(reference: QTable, counts: SkyMap | None) -> np.ndarray:
    """Which sources have more flux; none where fluxes are not those of gamma rays."""
    flux = fluxes(reference)
    of_others = counts is not None and (
        counts.kind == "electrons"
        or max(band.edges.to(u.MeV, u.spectral()).max() for band in counts.bands) < _GAMMA
    )
    if of_others or not flux.unit.is_equivalent(_BRIGHT.unit):
        return np.zeros(len(reference), dtype=bool)
    return flux > _BRIGHT


def _given(catalogue: QTable) -> np.ndarray:
    """Which rows are extended sources whose positions were given beforehand, shape (n,)."""
    if not catalogue.meta.get("extended"):
        return np.zeros(len(catalogue), dtype=bool)
    return texts_of(catalogue, "extended_name") != ""


def _count(found: SkyCoord) -> tuple[RegionSummary, ...]:
    """Regions without a reference."""
    regions = []
    for name, inside in _regions(found):
        n_detections = int(np.sum(inside(found)))
        alone = Rates(cut=-np.inf, n_detections=n_detections, n_matched=0, n_sources=0, n_found=0)
        regions.append(RegionSummary(name=name, rates=alone, bright=alone))
    return tuple(regions)


def _pure(
    matched: Evaluation | None,
    detections: QTable | None,
    chosen: tuple[np.ndarray, np.ndarray],
    inside: Callable[[SkyCoord], np.ndarray],
) -> dict[str, Any]:
    """Rates of the chosen reference sources by score, as input for `RegionSummary`."""
    if matched is None:
        return {}
    counted = inside(sky_positions(detections, what="the table of detections"))
    counted &= texts_of(detections, "extended_name") == ""
    every, bright = (matched.select(selected=one, counted=counted) for one in chosen)
    pure = completeness_at_purity(every, purity=PURITY)
    return {
        "pure": pure,
        "pure_bright": rates(bright, cut=pure.cut),
        "curve": score_curve(every),
    }


def _regions(
    *positions: SkyCoord,
) -> list[tuple[str, Callable[[SkyCoord], np.ndarray]]]:
    """Name and test of each region: everything, and both sides of |b| = 20 deg if not empty."""
    latitude = np.concatenate([np.abs(p.galactic.b.deg) for p in positions])
    regions = [("all", lambda p: np.ones(len(p), bool))]
    if np.any(latitude > _PLANE) and np.any(latitude <= _PLANE):
        regions += [
            (f"|b| > {_PLANE:g} deg", lambda p: np.abs(p.galactic.b.deg) > _PLANE),
            (f"|b| <= {_PLANE:g} deg", lambda p: np.abs(p.galactic.b.deg) <= _PLANE),
        ]
    return regions


def _chance(found: SkyCoord, truth: SkyCoord, radius: Quantity) -> np.ndarray:
    """Fraction of the shifts at which each detection has a match, shape (n,)."""
    partners = np.zeros(len(found))
    for shift in _SHIFTS if len(found) else ():
        moved = found.galactic.directional_offset_by(90 * u.deg, shift * radius)
        partners[match_one_to_one(moved, truth, radius).a] += 1
    return partners / len(_SHIFTS)


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return (float("nan"),) * len(QUANTILES)
    return tuple(float(q) for q in np.quantile(values, QUANTILES))
