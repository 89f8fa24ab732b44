import numpy as np
import pytest

from gammafind.errors import InputDataError
from gammafind.plugins.fermi_lat.population.fit import fit_population, log_energy_flux
from gammafind.plugins.fermi_lat.population.storage import fit_from_table, fit_to_table


def test_the_stored_fit_is_that_of_the_embedded_catalogue(catalogue, fit):
    stored, fresh = fit_to_table(fit), fit_to_table(fit_population(catalogue))
    for name in ("class_label", "quantity", "index"):
        assert list(stored[name]) == list(fresh[name])
    np.testing.assert_allclose(stored["value"], fresh["value"], rtol=1e-4, atol=1e-9)


def test_a_fit_survives_its_table(fit):
    again = fit_to_table(fit_from_table(fit_to_table(fit)))
    np.testing.assert_array_equal(again["value"], fit_to_table(fit)["value"])


def test_energy_fluxes_agree_with_the_listed_spectra(catalogue):
    import astropy.units as u

    from gammafind.plugins.fermi_lat.catalogues import spectra_of

    listed = spectra_of(catalogue).energy_flux(1 * u.GeV, 100 * u.GeV).value
    log_flux = log_energy_flux(catalogue)
    without = ~np.isfinite(log_flux)
    assert without.sum() == 6
    assert listed[without].max() < 1e-12
    ratio = (log_flux - np.log10(listed))[~without]
    assert abs(np.median(ratio)) < 0.02
    assert np.mean(np.abs(ratio) < 0.1) > 0.95


def test_a_catalogue_without_pulsars_is_refused(catalogue):
    few = catalogue[np.char.lower(np.asarray(catalogue["CLASS1"])) != "psr"]
    with pytest.raises(InputDataError, match=r"PSR.*A fit needs 10"):
        fit_population(few)
