import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from scipy import stats

from gammafind.catalogue.io import read_table, write_table
from gammafind.errors import MissingFileError, OptionError
from gammafind.plugins.fermi_lat.catalogues import class_group, spectra_of
from gammafind.plugins.fermi_lat.population.fit import log_energy_flux
from gammafind.plugins.fermi_lat.population.plugin import FermiPopulation
from gammafind.plugins.fermi_lat.population.shares import (
    CLASSES,
    LATITUDE_EDGES,
    class_shares,
)
from gammafind.plugins.fermi_lat.population.uniform import UniformPopulation
from gammafind.roles.options import option_defaults
from gammafind.testing import check_population

ENERGY_FLUX = u.erg / u.cm**2 / u.s
PAPER = {"correlated": False, "marginals": "paper", "latitudes": "paper"}


@pytest.mark.parametrize("options", [{}, {"correlated": False}, PAPER])
def test_keeps_the_contract(options):
    check_population(FermiPopulation, flux_min=1e-11 * ENERGY_FLUX, **options)


def test_about_ten_thousand_sources_of_four_classes(sources):
    assert 9500 < len(sources) < 11000
    assert set(sources["class_label"]) == set(CLASSES)


def test_fluxes_are_those_of_the_spectra_from_the_floor_up(sources):
    spectra = spectra_of(sources)
    flux = spectra.flux(1 * u.GeV, 100 * u.GeV).value
    energy_flux = spectra.energy_flux(1 * u.GeV, 100 * u.GeV).value
    np.testing.assert_allclose(sources["flux"].value, flux, rtol=1e-6)
    np.testing.assert_allclose(sources["energy_flux"].value, energy_flux, rtol=1e-6)
    assert energy_flux.min() > 1e-13 * (1 - 1e-6)
    assert np.all(np.diff(sources["energy_flux"].value) <= 0)


def test_below_the_peak_fluxes_are_level(sources):
    log_flux = np.log10(sources["energy_flux"].value.astype(float))
    faint = log_flux[log_flux < -12]
    assert stats.kstest(faint, "uniform", args=(-13, 1)).pvalue > 0.05


def test_above_the_peak_fluxes_follow_the_catalogue(catalogue, sources):
    real = log_energy_flux(catalogue)
    drawn = np.log10(sources["energy_flux"].value.astype(float))
    assert stats.ks_2samp(real[real >= -12], drawn[drawn >= -12]).pvalue > 0.05


def test_numbers_by_class_and_latitude_are_those_of_the_catalogue(catalogue, sources):
    log_flux = log_energy_flux(catalogue)
    bright = log_flux >= -12
    lat = np.abs(catalogue["GLAT"].value[bright])
    shares = class_shares(class_group(catalogue["CLASS1"][bright]), lat)
    drawn = sources[sources["energy_flux"].value >= 1e-12]
    difference, variance = [], []
    for name, share in zip(CLASSES, shares.T, strict=True):
        wanted = np.histogram(lat, LATITUDE_EDGES, weights=share)[0]
        one = np.abs(drawn["glat"].value[drawn["class_label"] == name])
        found = np.histogram(one, LATITUDE_EDGES)[0]
        difference.extend(found - wanted)
        variance.extend(np.maximum(wanted, 1))
    chi2 = np.sum(np.square(difference) / np.array(variance))
    assert stats.chi2(len(variance)).sf(chi2) > 0.01


def test_positions_agree_in_both_frames(sources):
    galactic = SkyCoord(sources["ra"], sources["dec"]).galactic
    other = SkyCoord(sources["glon"], sources["glat"], frame="galactic")
    assert galactic.separation(other).max() < 0.02 * u.arcsec


def test_blazars_are_isotropic_and_pulsars_follow_the_plane(sources):
    for name in ("BLL", "FSRQ"):
        one = sources[sources["class_label"] == name]
        assert stats.kstest(np.sin(one["glat"]).value, "uniform", args=(-1, 2)).pvalue > 0.05
    assert np.median(np.abs(sources["glat"][sources["class_label"] == "PWN+SNR"].value)) < 3


def test_only_blazars_vary(sources):
    history = sources["flux_history"].value
    assert history.shape == (len(sources), 10)
    blazar = np.isin(sources["class_label"], ["BLL", "FSRQ"])
    assert np.all(history[~blazar] == 1)
    assert history[blazar].std(axis=1).min() > 0
    np.testing.assert_allclose(history.mean(axis=1, dtype=float), 1, rtol=1e-6)


def test_each_class_has_the_columns_of_its_form(sources):
    pulsar = sources["class_label"] == "PSR"
    assert set(sources["SpectrumType"][pulsar]) == {"PLSuperExpCutoff"}
    assert set(sources["SpectrumType"][~pulsar]) == {"LogParabola"}
    assert np.all(np.isfinite(sources["PLEC_Expfactor"]) == pulsar)
    assert np.all(np.isfinite(sources["LP_beta"]) == ~pulsar)


def test_a_fits_file_is_small_and_exact(sources, tmp_path):
    path = tmp_path / "sources.fits"
    write_table(sources, path)
    assert path.stat().st_size < 2e6
    again = read_table(path)
    for name in sources.colnames:
        np.testing.assert_array_equal(again[name], sources[name])
    assert fits.getheader(path, 1)["NAXIS2"] == len(sources)


def test_columns_are_described(sources):
    for name in sources.colnames:
        assert sources[name].info.description
        assert check_ucd(sources[name].info.meta["ucd"], check_controlled_vocabulary=True), name


def test_options_are_independent_of_each_other(fit):
    for options in ({"marginals": "paper"}, {"latitudes": "paper"}, {"correlated": False}):
        population = FermiPopulation(flux_min=1e-11 * ENERGY_FLUX, **options)
        assert len(population.sample(rng=np.random.default_rng(3))) > 100


def test_a_higher_floor_gives_the_bright_end_only():
    high = FermiPopulation(flux_min=5e-12 * ENERGY_FLUX).sample(rng=np.random.default_rng(4))
    assert high["energy_flux"].value.min() > 5e-12 * (1 - 1e-6)
    assert 500 < len(high) < 1500
    none = FermiPopulation(flux_min=1e-3 * ENERGY_FLUX).sample(rng=np.random.default_rng(4))
    assert len(none) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flux_min": 1e-13}, "flux_min has no unit"),
        ({"flux_min": 1 * u.m}, "flux_min is in m"),
        ({"flux_min": 0 * ENERGY_FLUX}, "flux_min is 0"),
        ({"flux_min": np.nan * ENERGY_FLUX}, "flux_min is nan"),
        ({"flux_min": [1e-13, 1e-12] * ENERGY_FLUX}, "flux_min is"),
        ({"marginals": "normal"}, "marginals is 'normal'.*'catalogue' or 'paper'"),
        ({"latitudes": "flat"}, "latitudes is 'flat'.*'catalogue' or 'paper'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(OptionError, match=message):
        FermiPopulation(**options)


def test_another_release_is_fitted_as_it_is_read(root, tmp_path):
    path = root / "gammafind" / "plugins" / "fermi_lat" / "data" / "4fgl_dr2.fits.gz"
    stored, fresh = FermiPopulation(), FermiPopulation(catalogue=str(path))
    np.testing.assert_allclose(fresh.fit.fluxes.counts, stored.fit.fluxes.counts, rtol=1e-5)
    with pytest.raises(MissingFileError):
        FermiPopulation(catalogue=str(tmp_path / "none.fit")).sample(rng=np.random.default_rng(1))


@pytest.mark.parametrize("population", [FermiPopulation, UniformPopulation])
def test_the_guide_tells_every_option_with_its_default(root, population):
    page = (root / "docs" / "guide" / "population.md").read_text()
    for name, default in option_defaults(population).items():
        written = default.strip("'") if "/" in default else default.replace("'", '"')
        written = written.lower() if default in ("True", "False") else written
        assert f"| `{name}` | `{written}` |" in page
