"""Spectral shapes of one class for given energy fluxes: fit and draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from gammafind.plugins.fermi_lat.population.forms import SpectralForm
from gammafind.plugins.fermi_lat.population.marginals import (
    family_values,
    fit_family,
    quantile_table,
    scores_of,
    values_of,
)

_CANDIDATES = 16
"""Candidate shapes per source: balances time and the accuracy of the flux distribution."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ShapeFit:
    """Joint distribution of energy flux and spectral shape of a class.

    Parameters
    ----------
    form : SpectralForm
    log_flux : ndarray, shape (33,)
        Quantiles of log10 of the energy flux 1-100 GeV in erg cm-2 s-1.
    quantiles : ndarray, shape (3, 33)
        Quantiles of log10 of the pivot energy in MeV, of the index and of the curvature.
    correlation : ndarray, shape (4, 4)
        Correlation of the normal scores of energy flux and the three parameters: the Gaussian
        copula.
    families : ndarray, shape (3, 2)
        Location and scale of the family of the paper for each shape parameter, fitted to values in
        its physical range.
    log_amplitude : ndarray, shape (2,)
        Mean and standard deviation of log10 of F0 in cm-2 s-1 MeV-1.
    exp_index : float
        Exponent b of the cut-off; not used for log-parabolas.
    """

    form: SpectralForm
    log_flux: np.ndarray
    quantiles: np.ndarray
    correlation: np.ndarray
    families: np.ndarray
    log_amplitude: np.ndarray
    exp_index: float


def fit_shapes(
    form: SpectralForm, shape: np.ndarray, log_flux: np.ndarray, exp_index: float
) -> ShapeFit:
    """Fit the shapes of a class.

    Parameters
    ----------
    form : SpectralForm
    shape : ndarray, shape (n, 3)
        Pivot energy in MeV, index, curvature of each source.
    log_flux : ndarray, shape (n,)
        log10 of the energy flux 1-100 GeV in erg cm-2 s-1.
    exp_index : float
    """
    amplitude = log_flux - np.log10(form.unit_energy_flux(shape, exp_index))
    columns = np.column_stack([np.log10(shape[:, 0]), shape[:, 1:]])
    inside = [
        values[(values > low) & (values <= high)]
        for values, (low, high) in zip(shape.T, form.ranges, strict=True)
    ]
    fits = [fit_family(*pair) for pair in zip(form.families, inside, strict=True)]
    return ShapeFit(
        form=form,
        log_flux=quantile_table(log_flux),
        quantiles=np.array([quantile_table(column) for column in columns.T]),
        correlation=_copula(np.column_stack([log_flux, columns])),
        families=np.array(fits),
        log_amplitude=np.array([amplitude.mean(), amplitude.std()]),
        exp_index=float(exp_index),
    )


def draw_shapes(
    fit: ShapeFit,
    log_flux: np.ndarray,
    *,
    correlated: bool,
    families: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the shapes of sources of given energy fluxes.

    If correlated, the shape follows the Gaussian copula at the normal score of the energy flux;
    fluxes below the fitted range get the lowest score. Otherwise F0 (log-normal), pivot energy,
    index and curvature are independent, under the condition of the given energy flux: one of
    sixteen drawn shapes is chosen with the probability of the F0 that it needs.

    Parameters
    ----------
    fit : ShapeFit
    log_flux : ndarray, shape (n,)
        log10 of the energy flux 1-100 GeV in erg cm-2 s-1.
    correlated : bool
    families : bool
        Use the families of the paper for the marginal distributions, not the quantiles of the
        catalogue.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 3)
        Pivot energy in MeV, index, curvature.
    """
    if correlated:
        return _shapes(fit, _conditional_scores(fit, log_flux, rng), families=families)
    scores = rng.standard_normal((len(log_flux), _CANDIDATES, 3))
    candidates = _shapes(fit, scores, families=families)
    amplitude = log_flux[:, np.newaxis] - np.log10(
        fit.form.unit_energy_flux(candidates, fit.exp_index)
    )
    mean, deviation = fit.log_amplitude
    chosen = _choose(-0.5 * ((amplitude - mean) / deviation) ** 2, rng)
    return candidates[np.arange(len(log_flux)), chosen]


def _copula(columns: np.ndarray) -> np.ndarray:
    """Correlation of the Gaussian copula with the rank correlation of the columns."""
    ranks = stats.rankdata(columns, axis=0)
    return 2 * np.sin(np.pi / 6 * np.corrcoef(ranks, rowvar=False))


def _conditional_scores(
    fit: ShapeFit, log_flux: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    slope = fit.correlation[0, 1:]
    factor = np.linalg.cholesky(fit.correlation[1:, 1:] - np.outer(slope, slope))
    noise = rng.standard_normal((len(log_flux), len(slope)))
    # Sums of three products instead of a matrix product: equal bits with any linear algebra.
    spread = (noise[:, np.newaxis, :] * factor).sum(axis=2)
    return scores_of(log_flux, fit.log_flux)[:, np.newaxis] * slope + spread


def _shapes(fit: ShapeFit, scores: np.ndarray, *, families: bool) -> np.ndarray:
    columns = []
    for i, (family, limits) in enumerate(zip(fit.form.families, fit.form.ranges, strict=True)):
        if families:
            columns.append(family_values(scores[..., i], family, fit.families[i], limits))
        else:
            values = values_of(scores[..., i], fit.quantiles[i])
            columns.append(10**values if i == 0 else values)
    return np.stack(columns, axis=-1)


def _choose(log_weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Column of each row, drawn with probabilities proportional to the weights."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    cumulative = np.cumsum(weight, axis=1)
    mark = rng.random(len(weight)) * cumulative[:, -1]
    return (cumulative < mark[:, np.newaxis]).sum(axis=1)
