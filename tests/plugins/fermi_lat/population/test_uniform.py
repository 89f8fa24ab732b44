import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import OptionError, TableError
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.population.uniform import UniformPopulation
from gammafind.testing import check_population

FLUX = 1 / u.cm**2 / u.s


def test_keeps_the_contract():
    check_population(UniformPopulation, n=50)


def test_all_sources_are_equal():
    population = UniformPopulation(n=20, flux=3e-9 * FLUX, index=1.8, class_label="FSRQ")
    sources = population.sample(rng=np.random.default_rng(1))
    assert len(sources) == 20
    assert set(sources["class_label"]) == {"FSRQ"}
    np.testing.assert_allclose(sources["flux"].value, 3e-9, rtol=1e-6)
    flux = spectra_of(sources).flux(1 * u.GeV, 100 * u.GeV)
    np.testing.assert_allclose(flux.value, 3e-9, rtol=1e-6)
    assert set(sources["PL_Index"]) == {np.float32(1.8)}
    assert np.all(sources["flux_history"].value == 1)
    assert "LP_beta" not in sources.colnames


def test_no_sources_are_a_table_too():
    sources = UniformPopulation(n=0).sample(rng=np.random.default_rng(1))
    assert len(sources) == 0
    assert sources["flux_history"].shape == (0, 10)


@pytest.mark.parametrize(
    "options",
    [{"n": -1}, {"flux": 0 * FLUX}, {"flux": 1e-9}, {"flux": 1 * u.K}, {"index": np.nan}],
)
def test_bad_options(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        UniformPopulation(**options)


@pytest.mark.parametrize("name", ["PL_Flux_Density", "Pivot_Energy"])
def test_spectra_of_other_units_are_refused(name):
    sources = UniformPopulation(n=3).sample(rng=np.random.default_rng(1))
    sources[name] = np.ones(3) * u.m
    with pytest.raises(TableError, match=rf"the column {name} is in m\. It must convert"):
        spectra_of(sources)


def test_spectra_need_the_columns_of_the_forms_that_occur():
    sources = UniformPopulation(n=3).sample(rng=np.random.default_rng(1))
    assert len(spectra_of(sources)) == 3
    sources["SpectrumType"] = np.full(3, "LogParabola")
    with pytest.raises(TableError, match="LP_Flux_Density, LP_Index, LP_beta"):
        spectra_of(sources)
