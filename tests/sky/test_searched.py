from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels, PlainPixels, WcsPixels
from gammafind.sky.projection import north_up
from gammafind.sky.searched import WHOLE_SKY, covered, in_region, searched_region, sky_share
from gammafind.sky.skymap import SkyMap

BANDS = energy_bands([2, 20] * u.GeV)


def sky_on(pixels):
    return SkyMap(BANDS, [pixels], [np.ones(pixels.shape, dtype=int)])


def somewhere(centre, radius, n=4000):
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, 360, n) * u.deg
    return centre.directional_offset_by(angle, radius * np.sqrt(rng.uniform(0, 1, n)))


def test_the_region_of_a_whole_sky_is_short_and_holds_everything():
    region = searched_region(sky_on(HealpixPixels(8)))
    assert region == WHOLE_SKY
    assert sky_share(region) == 1
    assert in_region(region, SkyCoord([0, 359.9], [-90, 89], unit="deg")).all()


@pytest.mark.parametrize("radius", [3, 20, 60])
def test_a_part_of_a_sky_keeps_its_border(radius):
    sky, centre = sky_on(HealpixPixels(64)), SkyCoord(10, 40, unit="deg")
    inside = sky.pixels[0].centres().separation(centre) < radius * u.deg
    sky = replace(sky, valid=(inside,))
    region = searched_region(sky)
    places = somewhere(centre, 1.5 * radius * u.deg)
    assert np.mean(covered(sky, places) != in_region(region, places)) < 0.03
    assert sky_share(region) == pytest.approx(inside.mean(), rel=0.02)
    assert len(region) < 10_000


def test_the_region_of_an_image_is_that_image():
    wcs = north_up(["RA---TAN", "DEC--TAN"], [200, -60], (100, 200), 0.01)
    sky = sky_on(WcsPixels(wcs, (100, 200)))
    places = somewhere(SkyCoord(200, -60, unit="deg"), 2 * u.deg)
    assert np.mean(covered(sky, places) != in_region(searched_region(sky), places)) < 0.02


def test_an_image_without_a_wcs_has_no_region():
    assert searched_region(sky_on(PlainPixels.of((8, 8), 1 * u.arcsec))) == ""


@pytest.mark.parametrize("text", ["", "yes", "6/", "99/1", "6/1-", "6/a"])
def test_other_text_is_no_region(text):
    with pytest.raises(ValueError, match="no region"):
        in_region(text, SkyCoord([0], [0], unit="deg"))
