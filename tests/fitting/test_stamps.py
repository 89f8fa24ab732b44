from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import OptionError
from gammafind.fitting.image.stamps import NO_DATA, SATURATED, make_stamps
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.skymap import SkyMap
from tests.plugins.image_finders.test_finders import ELECTRONS, NOISE, SHAPE, X, Y, seen
from tests.simulation.toy_sky import BANDS, PIXELS, TwoYears

LAYOUT = CutoutLayout(n_pixels=11)


def detected(x, y):
    x, y = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
    return QTable({"x": x * u.pix, "y": y * u.pix, "score": np.ones(len(x))})


def stamps(x, y, **changes):
    return make_stamps(replace(seen(), **changes), detected(x, y), layout=LAYOUT)


def test_a_stamp_is_the_image_in_units_of_its_noise():
    image = seen().counts.values[0]
    cut = stamps(X, Y)
    assert cut.inside.all()
    for i, (x, y) in enumerate(zip(np.rint(X).astype(int), np.rint(Y).astype(int), strict=True)):
        part = image[y - 5 : y + 6, x - 5 : x + 6]
        assert_allclose(cut.arrays["excess"][i], (part - 100) / NOISE, rtol=1e-5)
    assert_allclose(cut.arrays["noise"], NOISE)
    assert_allclose(cut.arrays["fwhm"], 5.0, rtol=0.01)


def test_the_psf_stands_where_the_source_is():
    cut = stamps(X, Y)
    model = ELECTRONS[:, None, None] / NOISE * cut.arrays["psf"]
    assert np.std(cut.arrays["excess"] - model) == pytest.approx(1, abs=0.1)


def test_positions_on_the_sky_do_as_well():
    sky = seen()
    x, y = X + 0.1, Y + 0.1
    found = detected(x, y)
    places = sky.counts.pixels[0].wcs.pixel_to_world(x, y).icrs
    there = QTable({"ra": places.ra, "dec": places.dec, "score": found["score"]})
    one, other = (make_stamps(sky, table, layout=LAYOUT) for table in (found, there))
    assert_array_equal(one.arrays["excess"], other.arrays["excess"])
    assert_allclose(one.arrays["psf"], other.arrays["psf"], atol=1e-6)


@pytest.mark.parametrize(
    ("x", "y"), [(-0.4, 50), (239.4, 199.4), (3, 100), (-40, 1e9), (np.nan, 5)]
)
def test_what_lies_over_the_edge_is_no_data(x, y):
    cut = stamps(x, y)
    assert not cut.inside[0]
    outside = cut.arrays["flags"][0] == NO_DATA
    assert outside.any()
    assert np.all(cut.arrays["excess"][0][outside] == 0)
    assert all(np.isfinite(array).all() for array in cut.arrays.values())


def test_pixels_without_data_are_told():
    sky = seen()
    image, valid = sky.counts.values[0].copy(), np.ones(SHAPE, dtype=bool)
    image[40, 52], valid[40, 52] = np.nan, False
    counts = SkyMap(sky.counts.bands, sky.counts.pixels, (image,), "electrons", (valid,))
    cut = stamps(X, Y, counts=counts)
    assert_array_equal(cut.inside, [False, True, True])
    assert cut.arrays["flags"][0, 5, 7] == NO_DATA
    assert np.isfinite(cut.arrays["excess"]).all()


def test_saturated_cores_are_told():
    cut = stamps(X, Y, full=500.0)
    assert_array_equal(cut.columns["cutout_saturated"], [False, False, True])
    assert cut.arrays["flags"][2, 5, 5] == SATURATED
    assert not stamps(X, Y).columns["cutout_saturated"].any()


def test_without_noise_it_is_that_of_photons():
    assert_allclose(stamps(X, Y, noise=None).arrays["noise"], 10.0)


def test_what_has_no_middle_is_refused():
    with pytest.raises(OptionError, match="stamps of 10 pixels"):
        make_stamps(seen(), detected(X, Y), layout=CutoutLayout(n_pixels=10))


def test_maps_in_several_bands_are_refused():
    sky = SkyMap(BANDS, PIXELS, tuple(np.full(p.shape, 4) for p in PIXELS), "counts")
    with pytest.raises(OptionError, match="images in one band"):
        make_stamps(TwoYears().observe(sky), detected(X, Y), layout=LAYOUT)
