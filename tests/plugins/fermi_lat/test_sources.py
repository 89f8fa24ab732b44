import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import read_fermi_sources, true_sources


@pytest.fixture(scope="module")
def sources():
    return true_sources(load_4fgl_dr2())


def test_a_catalogue_becomes_true_sources(sources):
    catalogue = load_4fgl_dr2()
    assert list(sources["name"]) == list(catalogue["Source_Name"])
    np.testing.assert_array_equal(sources["ra"], catalogue["RAJ2000"])
    np.testing.assert_array_equal(sources["flux"].value, catalogue["Flux1000"].value)
    assert set(catalogue.colnames) <= set(sources.colnames)
    assert len(spectra_of(sources)) == len(catalogue)


def test_classes_are_groups(sources):
    groups = {"BLL", "FSRQ", "PSR", "PWN+SNR", "BCU", "UNASSOCIATED", "OTHER"}
    assert set(sources["class_label"]) == groups


def test_histories_have_mean_one(sources):
    history = np.asarray(sources["flux_history"])
    assert history.shape == (len(sources), 10)
    np.testing.assert_allclose(history.mean(axis=1), 1)


def test_years_without_a_flux_have_the_mean():
    catalogue = load_4fgl_dr2()[:2]
    catalogue["Flux_History"][0, 3] = np.nan
    catalogue["Flux_History"][1] = np.nan
    history = np.asarray(true_sources(catalogue)["flux_history"])
    assert history[0, 3] == 1
    np.testing.assert_allclose(history.mean(axis=1), 1)
    np.testing.assert_array_equal(history[1], 1)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("fl16y", "Give 4fgl-dr2, or gll_psc_v41.fit by its path."), ("2fhl", "Give 4fgl-dr2.")],
)
def test_a_catalogue_without_spectra_is_no_sky(name, remedy):
    with pytest.raises(OptionError, match=f"{name} comes without spectra.*{remedy}"):
        read_fermi_sources(name.upper())
