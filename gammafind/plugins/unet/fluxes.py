"""Fluxes of what a network found, and scores in which the likelihood has a say."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.fitting.photons.map_fit import fit_on_maps, fitted_background
from gammafind.fitting.photons.sky_fit import fit_on_sky
from gammafind.fitting.photons.slow_background import (
    rough_factor,
    scaled_background,
    slow_factor,
    unevenness,
)
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.second_look import HIDDEN, SURE, SureSources
from gammafind.plugins.unet.sky_evidence import sky_evidence
from gammafind.sky.projection import vectors_in
from gammafind.sky.stacks import PatchStacks

__all__ = ["known_of", "with_background_of", "with_fluxes", "with_rough_background"]

_SOLID = 0.3
"""Probability of the network above which a detection is fitted together with others."""


def with_fluxes(
    found: QTable, stacks: PatchStacks, given: PatchStacks, architecture: Architecture
) -> QTable:
    """Fit the fluxes of detections, and score them by all that is known then.

    Parameters
    ----------
    found : QTable
        Detections by the network alone, each source once, of two looks or one.
    stacks : PatchStacks
        In which they were found; for a second look without the sources in the background.
    given : PatchStacks
        The same sky with the background as it was given.
    architecture : Architecture
        With a ranking.

    Returns
    -------
    QTable
        The same detections with new scores and position errors, and with ``ts, npred, flux,
        flux_err`` of the photon index with which TS is highest.
    """
    known, fit = known_of(found, stacks, given, architecture)
    ts, npred, npred_err, exposure = fit.at_best()
    flux_unit = stacks.observation.flux_unit
    exposure = np.where(exposure > 0, exposure, np.nan)
    table = QTable(found, copy=True)
    table["score"] = architecture.ranking.probability(known)
    table["pos_err"] = found["pos_err"] * architecture.ranking.error_factor(ts)
    table["ts"], table["npred"] = ts, npred
    table["flux"] = npred / exposure * flux_unit
    if HIDDEN in table.colnames:
        table.remove_column(HIDDEN)
    table["flux_err"] = np.where(np.isfinite(npred_err), npred_err, np.nan) / exposure * flux_unit
    return table


def known_of(
    found: QTable, stacks: PatchStacks, given: PatchStacks, architecture: Architecture
) -> tuple[np.ndarray, FluxFit]:
    """Evidence for each detection, and the fit that it is a part of.

    Parameters
    ----------
    found : QTable
    stacks, given : PatchStacks
    architecture : Architecture
        All as for `with_fluxes`; a ranking is not needed.
    """
    score = np.asarray(found["score"])
    positions = SkyCoord(found["ra"], found["dec"], frame="icrs")
    solid = score >= _SOLID
    fit = (fit_on_maps if stacks.observation.is_coarse else fit_on_sky)(
        stacks.observation, positions, solid
    )
    sigma = found["pos_err"].to_value(u.deg) / architecture.r68_of_sigma(stacks.grid)
    vectors = vectors_in(stacks.grid.frame, positions)
    off = unevenness(given.observation, stacks.observation, vectors)
    hidden = np.asarray(found[HIDDEN]) if HIDDEN in found.colnames else None
    return sky_evidence(score, sigma, fit, off, vectors, hidden), fit


def with_rough_background(stacks: PatchStacks) -> PatchStacks:
    """Patches of the same sky whose background is brought to the counts, before any search.

    Maps whose pixels are wider than the PSF stay as they are.
    """
    observation = stacks.observation
    if observation.is_coarse:
        return stacks
    return stacks.of_background(scaled_background(observation, rough_factor(observation)))


def with_background_of(
    found: QTable, sure: SureSources | None, seen: PatchStacks, given: PatchStacks
) -> PatchStacks:
    """Patches of the same sky whose background is fitted, with what was found in the model.

    Parameters
    ----------
    found : QTable
        Detections by the network alone, each source once.
    sure : SureSources or None
        What `gammafind.plugins.unet.second_look.sure_sources` makes of them.
    seen : PatchStacks
        In which they were found.
    given : PatchStacks
        The sky with the background that is fitted.
    """
    observation = given.observation
    if sure is None:
        positions = SkyCoord(found["ra"], found["dec"], frame="icrs")
        solid = np.asarray(found["score"]) >= SURE
        return seen.of_background(fitted_background(observation, positions, solid))
    factor = slow_factor(observation, sure.vectors(observation), sure.counts)
    return seen.of_background(scaled_background(observation, factor))
