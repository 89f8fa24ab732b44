"""Sources as they would be measured if they were fainter: fluxes scaled down, noise added."""

from __future__ import annotations

import numpy as np

from gammafind.plugins.features.columns import BAND_EDGES, Columns

_PHOTON_LIMITED = BAND_EDGES[:-1] >= 3
"""Bands from 3 GeV: few photons under the PSF, so that errors shrink as the root of the flux.
Below, the background dominates, and errors stay."""


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
        Relative errors grow by the factor, significances and fluxes shrink by it, and all values
        get the noise that this adds.
    """
    new = {name: values.copy() for name, values in columns.items()}
    noise = {name: rng.normal(size=len(factor)) for name in ("PL_Index", "LP_Index", "LP_beta")}
    for name, draw in noise.items():
        error = columns[f"Unc_{name}"]
        new[name] = columns[name] + draw * error * np.sqrt(factor**2 - 1)
        new[f"Unc_{name}"] = error * factor
    for name in ("Energy_Flux100", "Flux1000", "Signif_Avg"):
        new[name] = columns[name] / factor
    bend = np.sign(columns["LP_beta"]) * noise["LP_beta"] * np.sqrt(1 - factor**-2)
    for name in ("LP_SigCurv", "PLEC_SigCurv"):
        new[name] = np.abs(columns[name] / factor + bend)
    return {**new, **_bands(columns, factor, rng), **_variability(columns, factor, rng)}


def _bands(columns: Columns, factor: np.ndarray, rng: np.random.Generator) -> Columns:
    """Fluxes of the bands, which are not negative, as in the catalogues."""
    flux, error, by = columns["Flux_Band"], columns["Unc_Flux_Band"], factor[:, None]
    kept = np.where(_PHOTON_LIMITED, error / np.sqrt(by), error)
    added = np.sqrt(np.maximum(kept**2 - (error / by) ** 2, 0))
    new = np.maximum(flux / by + added * rng.normal(size=flux.shape), 0)
    root_ts = np.divide(new, kept, out=np.zeros_like(new), where=kept > 0)
    return {
        "Flux_Band": new,
        "Unc_Flux_Band": kept,
        "Sqrt_TS_Band": np.where(by > 1, root_ts, columns["Sqrt_TS_Band"]),
    }


def _variability(columns: Columns, factor: np.ndarray, rng: np.random.Generator) -> Columns:
    """Variability index: chi-square whose non-centrality shrinks by the square of the factor."""
    index, freedom = columns["Variability_Index"], columns["n_intervals"] - 1
    excess = np.nan_to_num(np.maximum(index - freedom, 0)) / factor**2
    drawn = rng.noncentral_chisquare(freedom, np.maximum(excess, 1e-9))
    new = np.where(factor > 1, drawn, index)
    return {"Variability_Index": np.where(np.isnan(index), np.nan, new)}
