"""Norms of background components in regions of the sky."""

from __future__ import annotations

import healpy as hp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import InputDataError, OptionError
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.sky.fits.norm_regions import read_norm_regions
from gammafind.sky.norm_regions import REST, NormRegions
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, image, observe
from tests.plugins.likelihood.helpers import finder

PIXELS = HealpixPixels(32)
LEVEL = 5.0


def north() -> np.ndarray:
    return PIXELS.vectors[:, 2] > 0


def halves() -> NormRegions:
    """North has the number 7, south 2."""
    return NormRegions(np.where(north(), 7, 2), PIXELS)


def uneven(*, rng=None):
    """A sky that is 1.3 times as bright as its background in the north, and 0.8 times south."""
    background = np.full(PIXELS.shape, LEVEL)
    expected = background * np.where(north(), 1.3, 0.8)
    return observe([expected], [background], [PIXELS], [gaussian_psf(3.0)], rng=rng)


def fitted(sky, regions) -> SkyModel:
    data = sky_data(sky, index=2.3)
    return SkyModel(data, background_components(sky, data), smoothing=0.0, regions=regions)


def test_each_region_has_its_own_norm():
    model = fitted(uneven(), halves())
    assert model.names.tolist() == [2, 7]
    assert_allclose(model.norms[:, 0], [0.8, 1.3], rtol=1e-3)
    assert_allclose(model.data.bands[0].background / LEVEL, np.where(north(), 1.3, 0.8), rtol=1e-3)


def test_norms_of_few_counts_have_larger_errors():
    few = NormRegions(np.where(np.arange(PIXELS.shape[0]) < 100, 0, 1), PIXELS)
    small, large = fitted(uneven(), few).norm_errors[:, 0]
    assert small > 5 * large > 0


def test_a_component_that_a_region_lacks_has_no_error_there():
    sky = uneven()
    data = sky_data(sky, index=2.3)
    parts = [[np.full(PIXELS.shape, LEVEL), np.where(north(), 3.0, 0.0)]]
    model = SkyModel(data, parts, smoothing=0.0, regions=halves())
    assert np.isnan(model.norm_errors).tolist() == [[False, True], [False, False]]


def test_a_sky_is_divided_into_base_pixels():
    model = fitted(uneven(), NormRegions.of_nside(1, "galactic"))
    assert len(model.norms) == 12
    assert_allclose(model.norms[:4, 0], 1.3, rtol=1e-3)
    assert_allclose(model.norms[8:, 0], 0.8, rtol=1e-3)


def test_what_no_region_holds_is_a_region():
    inner = image(20, step=1.0)
    model = fitted(uneven(), NormRegions(np.zeros(400, dtype=int), inner))
    assert model.names.tolist() == [REST, 0]


@pytest.fixture(scope="module")
def drawn():
    return uneven(rng=np.random.default_rng(3))


def test_a_search_reports_norms_and_errors_of_regions_in_a_file(drawn, tmp_path):
    path = tmp_path / "halves.fits"
    hp.write_map(path, halves().number, coord="G", dtype=np.int32)
    norms = finder(regions=str(path)).localise_sky(drawn).meta["background_norms"]["isotropic"]
    assert list(norms) == ["2", "7"]
    for name, true in (("2", 0.8), ("7", 1.3)):
        norm, error = norms[name]
        assert_allclose(norm, true, atol=4 * error)
        assert 0 < error < 0.02


def test_a_search_without_regions_reports_one_norm(drawn):
    norm, error = finder().localise_sky(drawn).meta["background_norms"]["isotropic"]
    assert 0.8 < norm < 1.3
    assert error > 0


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.full(PIXELS.shape, 0.5), "no numbers of regions"),
        (np.full(PIXELS.shape, -3.0), "no numbers of regions"),
        (np.arange(PIXELS.shape[0]), "12288 regions"),
    ],
)
def test_a_map_that_numbers_no_regions_is_refused(values, fault, tmp_path):
    path = tmp_path / "map.fits"
    hp.write_map(path, values, coord="G", dtype=np.float64)
    with pytest.raises(InputDataError, match=fault):
        read_norm_regions(path)


def test_several_maps_are_refused(tmp_path):
    path = tmp_path / "maps.fits"
    hp.write_map(path, [halves().number] * 2, coord="G", dtype=np.int32)
    with pytest.raises(InputDataError, match="2 maps of regions"):
        read_norm_regions(path)


def test_other_divisions_are_refused():
    with pytest.raises(OptionError, match="Give 1, 2, 4 or a map"):
        finder(regions="3")
