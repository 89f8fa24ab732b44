"""Sources as they would be measured if they were fainter: fluxes scaled down, noise added."""

from __future__ import annotations

import numpy as np

from gammafind.plugins.features.columns import Columns

_KNEES = np.log([1.0, 20.0, 60.0, 1e4])
_SLOPES = np.array([1.1, 1.27, 1.55])
"""Slopes of the energy flux with the significance, both in logarithms, below 20 sigma, from 20 to
60, and above: those of 4FGL-DR2 at a given index and latitude. It would be 1 for sources below the
background and 2 for sources without one."""


def factors(significance: np.ndarray, like: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Factors by which sources become as significant as others, at least 1.

    Parameters
    ----------
    significance : ndarray, shape (n,)
        ``Signif_Avg``.
    like : ndarray, shape (m,)
        That of the sources to be imitated; each factor is for one of them at random.
    rng : numpy.random.Generator
    """
    drawn = rng.choice(like, size=len(significance))
    return np.fmax(significance / drawn, 1.0)


def degraded(columns: Columns, factor: np.ndarray, *, rng: np.random.Generator) -> Columns:
    """Columns of sources that are fainter by a factor, in the same exposure.

    Parameters
    ----------
    columns : dict of str to ndarray
        As measured, n sources, with errors.
    factor : ndarray, shape (n,)
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to ndarray
        Relative errors grow by the factor and significances shrink by it, fluxes shrink by
        `flux_ratio`, and all values get the noise that this adds.
    """
    ratio = flux_ratio(columns["Signif_Avg"], factor)
    new = {name: values.copy() for name, values in columns.items()}
    noise = {name: rng.normal(size=len(factor)) for name in ("PL_Index", "LP_Index", "LP_beta")}
    for name, draw in noise.items():
        error = columns[f"Unc_{name}"]
        new[name] = columns[name] + draw * error * np.sqrt(factor**2 - 1)
        new[f"Unc_{name}"] = error * factor
    new["Signif_Avg"] = columns["Signif_Avg"] / factor
    for name in ("Energy_Flux100", "Flux1000"):
        new[name] = columns[name] * ratio
    bend = np.sign(columns["LP_beta"]) * noise["LP_beta"] * np.sqrt(1 - factor**-2)
    for name in ("LP_SigCurv", "PLEC_SigCurv"):
        new[name] = np.abs(columns[name] / factor + bend)
    return {**new, **_bands(columns, factor, ratio, rng), **_variability(columns, factor, rng)}


def flux_ratio(significance: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Flux of a source whose significance shrinks by a factor, as a share of its own flux."""
    heights = np.append(0, np.cumsum(_SLOPES * np.diff(_KNEES)))
    before = np.log(significance)
    after = before - np.log(factor)
    return np.exp(np.interp(after, _KNEES, heights) - np.interp(before, _KNEES, heights))


def _bands(
    columns: Columns, factor: np.ndarray, ratio: np.ndarray, rng: np.random.Generator
) -> Columns:
    """Fluxes of the bands, which are not negative, as in the catalogues.

    The significance of each band keeps its share of that of the source, as it does on average in
    4FGL-DR2.
    """
    flux, error = columns["Flux_Band"], columns["Unc_Flux_Band"]
    noise = rng.normal(size=flux.shape)
    by, fall = ratio[:, None], 1 / factor[:, None]
    new = by * (flux + error * np.sqrt(fall**-2 - 1) * noise)
    root_ts = columns["Sqrt_TS_Band"] * fall + np.sqrt(1 - fall**2) * noise
    return {
        "Flux_Band": np.maximum(new, 0),
        "Unc_Flux_Band": error * by / fall,
        "Sqrt_TS_Band": np.where(fall < 1, np.maximum(root_ts, 0), columns["Sqrt_TS_Band"]),
    }


def _variability(columns: Columns, factor: np.ndarray, rng: np.random.Generator) -> Columns:
    """Variability index: chi-square whose non-centrality shrinks by the square of the factor."""
    index, freedom = columns["Variability_Index"], columns["n_intervals"] - 1
    excess = np.nan_to_num(np.maximum(index - freedom, 0)) / factor**2
    drawn = rng.noncentral_chisquare(freedom, np.maximum(excess, 1e-9))
    new = np.where(factor > 1, drawn, index)
    return {"Variability_Index": np.where(np.isnan(index), np.nan, new)}
