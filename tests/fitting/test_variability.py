"""Fractional variability and peaks, against those of 4FGL."""

import numpy as np
import pytest

from gammafind.fitting.photons.variability import (
    fractional_variability,
    is_variable,
    peaks,
    symmetric_errors,
)


def test_noise_alone_is_no_variability():
    rng = np.random.default_rng(1)
    flux = 10 + rng.normal(size=(400, 10))
    fractional, error = fractional_variability(flux, np.ones((400, 10)), systematic=0.0)
    assert np.mean(fractional == 0) > 0.4
    assert (error[fractional == 0] == 10).all()
    assert fractional.max() < 0.15


def test_the_scatter_beyond_the_noise_is_found():
    rng = np.random.default_rng(2)
    true = 10 * (1 + 0.5 * rng.normal(size=(2000, 12)))
    fractional, _ = fractional_variability(
        true + rng.normal(size=true.shape), np.ones(true.shape), systematic=0.0
    )
    assert np.median(fractional) == pytest.approx(0.5, abs=0.02)


def test_too_few_epochs_and_no_flux_are_unknown():
    flux = np.array([[1.0, np.nan], [0.0, 0.0], [1.0, 2.0]])
    fractional, error = fractional_variability(flux, np.ones((3, 2)))
    assert np.isnan(fractional).tolist() == [True, True, False]
    assert np.isnan(error).tolist() == [True, True, False]


def test_one_error_comes_from_two():
    errors = np.array([[-1.0, 3.0], [np.nan, 5.0]])
    np.testing.assert_array_equal(symmetric_errors(errors), [2.0, 5.0])


def test_only_sources_that_vary_have_a_peak():
    flux = np.array([[1.0, 5.0, np.nan], [1.0, 2.0, 3.0]])
    peak = peaks(flux, flux / 10, flux * 2, np.array([True, False]))
    assert peak.epoch.tolist() == [1, -1]
    assert peak.flux[0] == 5
    assert peak.significance[0] == 10
    assert np.isnan(peak.flux[1])


def test_an_index_is_judged_by_its_degrees_of_freedom():
    assert is_variable(np.array([21.6, 21.7, np.nan]), 10).tolist() == [False, True, False]


@pytest.mark.parametrize(("release", "n_epochs"), [("v27", 10), ("v41", 16)])
def test_columns_of_the_lat_catalogues_follow_from_their_histories(shared, release, n_epochs):
    from astropy.table import Table

    path = shared / "fermi" / "catalogue" / f"gll_psc_{release}.fit.gz"
    table = Table.read(path, hdu=1, mask_invalid=False)
    names = ("Flux_History", "Unc_Flux_History", "Sqrt_TS_History", "Variability_Index")
    flux, errors, significance, index = (np.array(table[name], dtype=float) for name in names)
    error = symmetric_errors(errors)
    fractional, _ = fractional_variability(flux, error)
    both = (fractional > 0) & (np.array(table["Frac_Variability"]) > 0)
    ratio = fractional[both] / np.array(table["Frac_Variability"])[both]
    assert np.median(ratio) == pytest.approx(1, abs=0.002)
    variable = is_variable(index, n_epochs)
    np.testing.assert_array_equal(variable, np.isfinite(table["Flux_Peak"]))
    peak = peaks(flux, error, significance, variable)
    np.testing.assert_allclose(peak.flux[variable], table["Flux_Peak"][variable], rtol=1e-4)
    np.testing.assert_allclose(
        peak.significance[variable], table["Signif_Peak"][variable], rtol=1e-4
    )
