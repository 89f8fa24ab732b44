"""Flags of detections that depend on errors of the background."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.catalogue.flags import Flag, has_flag
from gammafind.errors import OptionError
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, source_sky
from tests.plugins.likelihood.helpers import finder

PLACES = np.array([[0.0, 0, 1], [0.0, 0, -1]])


def found(level: float, systematic: float):
    """A source of 40 and one of 8 sigma, without weights."""
    pixels, sigma = HealpixPixels(32), 2.0
    noise = np.sqrt(4 * np.pi * sigma**2 * level / pixels.pixel_area.to_value("deg2"))
    counts = [40 * noise, 8 * noise]
    sky = source_sky(PLACES, counts, pixels, gaussian_psf(sigma), level=level)
    return finder(systematic=systematic).localise_sky(sky)


def test_a_faint_source_on_a_bright_background_is_limited_by_its_error():
    table = found(60.0, 0.03)
    assert has_flag(table["flags"], Flag.DIFFUSE_LIMITED).tolist() == [False, True]


def test_a_source_of_the_same_ts_on_a_faint_background_is_not():
    assert not has_flag(found(1.0, 0.03)["flags"], Flag.DIFFUSE_LIMITED).any()


def test_without_a_systematic_error_there_is_no_flag():
    assert not has_flag(found(60.0, 0.0)["flags"], Flag.DIFFUSE_LIMITED).any()


@pytest.mark.parametrize("systematic", [-0.1, 1.0])
def test_a_systematic_error_is_a_share(systematic):
    with pytest.raises(OptionError, match="systematic"):
        finder(systematic=systematic)
