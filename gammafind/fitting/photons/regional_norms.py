"""Norms of background components in each of several regions of the sky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.fitting.photons.background import component_norms
from gammafind.fitting.photons.coarse_sky import CoarseBand
from gammafind.sky.norm_regions import NormRegions


def regions_of(
    bands: Sequence[CoarseBand], regions: NormRegions | None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Numbers of the regions that have background, and which of them holds each cell.

    Parameters
    ----------
    bands : sequence of CoarseBand
    regions : NormRegions, optional
        One region by default, with the number 0.

    Returns
    -------
    names : ndarray of int, shape (n_regions,)
    region : list of ndarray of int, shape (n_cells,)
        Index in ``names``, per band; 0 for cells without background.
    """
    if regions is None:
        return np.zeros(1, dtype=int), [np.zeros(len(band.counts), dtype=int) for band in bands]
    number = [regions.of_pixels(band.pixels) for band in bands]
    used = [own[band.good] for own, band in zip(number, bands, strict=True)]
    names = np.unique(np.concatenate(used))
    if not len(names):
        names = np.zeros(1, dtype=int)
    places = [np.minimum(np.searchsorted(names, own), len(names) - 1) for own in number]
    pairs = zip(places, bands, strict=True)
    return names, [np.where(band.good, place, 0) for place, band in pairs]


def regional_norms(
    bands: Sequence[CoarseBand],
    sources: Sequence[np.ndarray],
    region: Sequence[np.ndarray],
    n_regions: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one norm to each component in each region, to all bands together.

    Parameters
    ----------
    bands : sequence of CoarseBand
    sources : sequence of ndarray, shape (n_cells,)
        Expected counts of known sources.
    region, n_regions : sequence of ndarray of int, int
        From `regions_of`.

    Returns
    -------
    norms, errors : ndarray, shape (n_regions, n_components)
        An error is NaN where a component has no expected counts.
    """
    areas = [band.pixels.pixel_area.to_value("deg2") for band in bands]
    norms, errors = [], []
    for number in range(n_regions):
        used = []
        for band, source, own in zip(bands, sources, region, strict=True):
            good = band.good & (own == number)
            used.append((band.counts[good], source[good], band.components[good]))
        counts, known, parts = zip(*used, strict=True)
        fit = component_norms(counts, known, parts, areas=areas)
        there = sum(part.sum(axis=0) for part in parts) > 0
        norms.append(fit.amplitude)
        errors.append(np.where(there, fit.errors(), np.nan))
    return np.stack(norms), np.stack(errors)
