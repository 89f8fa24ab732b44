"""Columns of a measured source follow from each other, by the formulas of the LAT catalogues."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.sources.forms import CUT_OFF, LOG_PARABOLA
from gammafind.sky.spectral_forms import plec4
from tests.fitting.test_sources import CENTRE, EDGES, EXPOSURE, counts_of, measured, sky_of

ERG = 1.602176634e-6
"""One MeV in erg."""


def log_parabola(values):
    """Flux density by the columns of a log-parabola, a function of the energy in MeV."""

    def density(energy):
        x = np.log(energy / values["Pivot_Energy"])
        return values["LP_Flux_Density"] * np.exp(-(values["LP_Index"] + values["LP_beta"] * x) * x)

    return density


def cut_off(values):
    """Flux density by the columns of a cut-off power law (4FGL-DR3, equation 2)."""

    def density(energy):
        index, bend, b = (values[f"PLEC_{name}"] for name in ("IndexS", "ExpfactorS", "Exp_Index"))
        x = energy / values["Pivot_Energy"]
        return (
            values["PLEC_Flux_Density"] * x ** (bend / b - index) * np.exp(bend / b**2 * (1 - x**b))
        )

    return density


def integral(function, low, high):
    """By the trapezoidal rule in the logarithm of the energy."""
    energy = np.geomspace(low, high, 4001)
    return np.trapezoid(function(energy) * energy, np.log(energy))


@pytest.fixture(scope="module", params=[LOG_PARABOLA, CUT_OFF], ids=["LP", "PLEC"])
def curved(request):
    """A bright curved source, and its flux density by its columns."""
    counts = counts_of(request.param, 8e-12, 2.0, 0.4 if request.param is LOG_PARABOLA else 0.8)
    (values,) = measured(sky_of([CENTRE], [counts]), [CENTRE])
    known = {"LogParabola": log_parabola, "PLSuperExpCutoff": cut_off}
    return values, known[values["SpectrumType"]](values)


def test_fluxes_are_integrals_of_the_best_spectrum(curved):
    values, density = curved
    assert_allclose(values["Flux1000"], integral(density, 1e3, 1e5), rtol=1e-4)
    energy = integral(lambda e: e * density(e), 1e2, 1e5) * ERG
    assert_allclose(values["Energy_Flux100"], energy, rtol=1e-4)
    assert_allclose(values["Flux"], integral(density, EDGES[0], EDGES[-1]), rtol=1e-4)


def test_bands_have_the_flux_of_the_spectrum_times_a_factor(curved):
    values, density = curved
    expected = [integral(density, low, high) for low, high in pairwise(EDGES)]
    factor = values["Flux_Band"] / expected
    assert_allclose(factor, 1, atol=0.05)
    middle = np.sqrt(EDGES[:-1] * EDGES[1:])
    assert_allclose(values["nuFnu_Band"], factor * middle**2 * density(middle) * ERG, rtol=1e-4)
    assert_allclose(values["Npred"], values["Flux_Band"].sum() * EXPOSURE, rtol=0.03)


def test_the_ts_of_the_bands_sums_to_that_of_the_source(curved):
    values, _ = curved
    assert_allclose(np.sum(values["Sqrt_TS_Band"] ** 2), values["Signif_Avg"] ** 2, rtol=0.05)


def test_peaks_are_where_nu_fnu_is_highest(curved):
    values, _ = curved
    energy = np.geomspace(10, 1e6, 20001)
    for prefix, form in (("LP", log_parabola), ("PLEC", cut_off)):
        highest = energy[np.argmax(energy**2 * form(values)(energy))]
        assert_allclose(values[f"{prefix}_EPeak"], highest, rtol=2e-3)


def test_the_significance_of_curvature_follows_from_its_error(curved):
    values, _ = curved
    ratio = values["LP_beta"] / values["Unc_LP_beta"]
    assert_allclose(values["LP_SigCurv"], ratio, rtol=0.3)


def test_a_spectrum_that_rises_without_bound_stays_finite():
    values = plec4(np.geomspace(50, 2e6, 200), 1.0, 1000.0, 2.2, -0.5, 2.0)
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values[values.argmin() :]) >= 0)
