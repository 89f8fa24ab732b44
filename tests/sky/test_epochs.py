from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.errors import BandError, InputDataError, ShapeError
from gammafind.sky.epochs import Epochs
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap
from tests.simulation.toy_sky import BANDS, PIXELS


def sky_of(value, kind="counts", pixels=PIXELS):
    values = tuple(np.full(one.shape, value) for one in pixels)
    return SkyMap(BANDS, pixels, values, kind)


@pytest.fixture
def epochs():
    return Epochs([sky_of(1), sky_of(3)], [sky_of(1e10, "exposure"), sky_of(3e10, "exposure")])


def test_shares_are_those_of_the_exposure(epochs):
    shares = epochs.shares(SkyCoord([0, 100, 350], [0, 80, -30], unit="deg"))
    assert shares.shape == (2, 2, 3)
    assert_allclose(shares[0], 0.25)
    assert_allclose(shares[1], 0.75)


def test_nothing_exposed_is_shared_evenly():
    dark = Epochs([sky_of(0)] * 2, [sky_of(0.0, "exposure")] * 2)
    assert_allclose(dark.shares(SkyCoord([10], [10], unit="deg")), 0.5)


def test_epochs_that_make_up_the_whole_are_taken(epochs):
    epochs.check_sum(sky_of(4))


def test_epochs_that_do_not_add_up_are_refused(epochs):
    with pytest.raises(InputDataError, match="the 2 epochs have 768 counts in total, the whole"):
        epochs.check_sum(sky_of(5))


def test_an_epoch_given_twice_is_refused():
    rng = np.random.default_rng(2)
    years = [sky_of(20).map(rng.poisson, kind="counts") for _ in range(3)]
    whole = replace(years[0], values=[sum(b) for b in zip(*(y.values for y in years), strict=True)])
    exposure = [sky_of(1.0, "exposure")] * 3
    Epochs(years, exposure).check_sum(whole)
    with pytest.raises(InputDataError, match="pixel by pixel"):
        Epochs([years[0], years[1], years[1]], exposure).check_sum(whole)


def test_another_whole_is_refused(epochs):
    with pytest.raises(BandError, match="pixels of the epochs"):
        epochs.check_sum(sky_of(4, pixels=(HealpixPixels(4), HealpixPixels(4))))


def test_epochs_on_other_pixels_are_refused():
    other = sky_of(1, pixels=(HealpixPixels(4), HealpixPixels(4)))
    with pytest.raises(BandError, match="the pixels of epoch 2"):
        Epochs([sky_of(1), other], [sky_of(1.0, "exposure")] * 2)


def test_epochs_in_other_bands_are_refused():
    swapped = sky_of(1).select([BANDS[0].name])
    with pytest.raises(BandError, match="the bands of epoch 2"):
        Epochs([sky_of(1), swapped], [sky_of(1.0, "exposure")] * 2)


def test_each_epoch_needs_an_exposure():
    with pytest.raises(ShapeError, match="2 maps of counts for 1 epochs"):
        Epochs([sky_of(1)] * 2, [sky_of(1.0, "exposure")])
