"""The exponent of a cut-off is fitted where photons say what it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from gammafind.fitting.sources.forms import (
    CUT_OFF,
    EXPONENT,
    FREE_CUT_OFF,
    LOG_PARABOLA,
    POWER_LAW,
    BandCounts,
)
from gammafind.fitting.sources.local import Local, least_factors
from gammafind.fitting.sources.measure import _of_spectra
from gammafind.fitting.sources.spectrum import first_power_law, fit_spectra, peak_energy
from gammafind.sky.spectral_response import SpectralResponse
from tests.fitting.skies import gaussian_psf

EDGES = np.array([100.0, 300.0, 700.0, 1500.0, 3000.0, 6000.0, 12000.0, 50000.0])
EXPOSURE = 1e11
PIVOT = 1000.0
TRUTH = np.array([1.0, 1.6, 0.6, 0.4])
"""Amplitude, index, curvature and exponent of a pulsar."""


def fitted(form, values, *, amplitude, edges=EDGES, rng=None):
    """Spectra of a source in one pixel a band, next to one without it."""
    pairs = list(pairwise(edges))
    n = len(pairs)
    responses = [SpectralResponse.exact(*edge, gaussian_psf(0.3)) for edge in pairs]
    bands = BandCounts(responses, np.full(n, EXPOSURE))
    band, share = np.repeat(np.arange(n), 2), np.tile([0.8, 0.0], n)
    level = np.geomspace(3000, 20, n)[band] * (band == np.arange(n)[:, None])
    counts = bands.of(form, PIVOT, np.array([amplitude, *values[1:]]))[band] * share + level.sum(0)
    local = Local(
        counts=counts if rng is None else rng.poisson(counts).astype(float),
        fixed=np.full(2 * n, 1e-9),
        band=band,
        share=share,
        others=level,
        least=least_factors(0, n),
        n_bands=n,
    )
    plain = first_power_law(local, bands, (edges[0], edges[-1]), None)
    return fit_spectra(local, bands, plain, None, energies=n)


def test_the_exponent_of_a_bright_pulsar_is_fitted():
    spectra = fitted(FREE_CUT_OFF, TRUTH, amplitude=1e-10)
    assert spectra.best.form is FREE_CUT_OFF
    assert_allclose(spectra.best.values[3], TRUTH[3], atol=0.01)
    assert 0 < spectra.best.errors[3] < 0.15
    found = _of_spectra(spectra, (EDGES[0], EDGES[-1]))
    assert found["SpectrumType"] == "PLSuperExpCutoff"
    assert_allclose(found["PLEC_Exp_Index"], TRUTH[3], atol=0.01)
    assert_allclose(found["Unc_PLEC_Exp_Index"], spectra.best.errors[3])
    x = np.log(found["Pivot_Energy"] / PIVOT)
    assert_allclose(found["PLEC_ExpfactorS"], TRUTH[2] * np.exp(TRUTH[3] * x), rtol=0.02)
    index = TRUTH[1] + TRUTH[2] / TRUTH[3] * (np.exp(TRUTH[3] * x) - 1)
    assert_allclose(found["PLEC_IndexS"], index, rtol=0.01)


def test_the_significance_of_curvature_is_that_of_one_parameter():
    spectra = fitted(FREE_CUT_OFF, TRUTH, amplitude=1e-10)
    gain = spectra.fits[CUT_OFF.name].fitted.log_likelihood
    gain -= spectra.fits[POWER_LAW.name].fitted.log_likelihood
    assert_allclose(spectra.curvature(CUT_OFF), 2 * gain)
    assert spectra.best.fitted.log_likelihood > spectra.fits[CUT_OFF.name].fitted.log_likelihood


def test_the_error_of_the_exponent_is_the_scatter():
    rng = np.random.default_rng(2)
    fits = [fitted(FREE_CUT_OFF, TRUTH, amplitude=4e-10, rng=rng).best for _ in range(40)]
    assert all(fit.form is FREE_CUT_OFF for fit in fits)
    pulls = [(fit.values[3] - TRUTH[3]) / fit.errors[3] for fit in fits]
    assert abs(np.mean(pulls)) < 0.5
    assert 0.7 < np.std(pulls) < 1.3


def test_the_exponent_of_a_faint_pulsar_is_fixed():
    spectra = fitted(FREE_CUT_OFF, TRUTH, amplitude=2e-12)
    assert spectra.best.form in (CUT_OFF, LOG_PARABOLA)
    found = _of_spectra(spectra, (EDGES[0], EDGES[-1]))
    assert found["PLEC_Exp_Index"] == EXPONENT
    assert "Unc_PLEC_Exp_Index" not in found


def test_an_exponent_near_that_of_a_log_parabola_is_fitted_too():
    small = np.array([1.0, 1.6, 0.6, 0.2])
    assert_allclose(fitted(FREE_CUT_OFF, small, amplitude=1e-9).best.values[3], 0.2, atol=0.01)
    curved = np.array([1.0, 1.6, 0.3])
    assert fitted(LOG_PARABOLA, curved, amplitude=1e-9).best.form is LOG_PARABOLA


def test_few_bands_have_a_fixed_exponent():
    few = fitted(CUT_OFF, TRUTH[:3], amplitude=1e-10, edges=EDGES[::2])
    assert few.best.form is not FREE_CUT_OFF


def test_the_peak_is_where_the_local_index_is_two():
    best = fitted(FREE_CUT_OFF, TRUTH, amplitude=1e-10).best
    peak, error = peak_energy(best)
    step = 1 + 1e-4
    nu = [energy**2 * best.density(np.array([energy]))[0] for energy in (peak / step, peak * step)]
    assert_allclose(*nu, rtol=1e-5)
    assert 0 < error < peak
