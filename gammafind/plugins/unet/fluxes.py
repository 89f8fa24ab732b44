"""Fluxes of what a network found, and scores in which the likelihood has a say."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.measure.patch_fit import PatchFit, fit_in_patches
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.ranking import evidence
from gammafind.sky.stacks import PatchStacks

__all__ = ["known_of", "with_fluxes"]

_SOLID = 0.3
"""Probability of the network above which a detection is fitted together with others."""


def with_fluxes(found: QTable, stacks: PatchStacks, architecture: Architecture) -> QTable:
    """Fit the fluxes of detections, and score them by all that is known then.

    Parameters
    ----------
    found : QTable
        Detections by the network alone, each source once.
    stacks : PatchStacks
        In which they were found.
    architecture : Architecture
        With a ranking.

    Returns
    -------
    QTable
        The same detections with ``ts, npred, flux, flux_err``; of the photon index with which TS
        is highest.
    """
    known, fit = known_of(found, stacks, architecture)
    ts, npred, npred_err, exposure = fit.at_best()
    flux_unit = u.Unit("cm-2 s-1")
    exposure = np.where(exposure > 0, exposure, np.nan)
    table = QTable(found, copy=True)
    table["score"] = architecture.ranking.probability(known)
    table["ts"], table["npred"] = ts, npred
    table["flux"] = npred / exposure * flux_unit
    table["flux_err"] = np.where(np.isfinite(npred_err), npred_err, np.nan) / exposure * flux_unit
    return table


def known_of(
    found: QTable, stacks: PatchStacks, architecture: Architecture
) -> tuple[np.ndarray, PatchFit]:
    """Evidence for each detection, and the fit that it is a part of.

    Parameters
    ----------
    found : QTable
    stacks : PatchStacks
    architecture : Architecture
        These three as for `with_fluxes`; a ranking is not needed.
    """
    score = np.asarray(found["score"])
    positions = SkyCoord(found["ra"], found["dec"], frame="icrs")
    fit = fit_in_patches(stacks, positions, score >= _SOLID)
    sigma = found["pos_err"].to_value(u.deg) / architecture.r68_of_sigma(stacks.grid)
    return evidence(score, sigma, fit), fit
