from __future__ import annotations

import dataclasses

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.errors import OptionError
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from tests.fitting.skies import (
    observe,
    random_sky,
)
from tests.plugins.likelihood.helpers import finder


def patches_of(sky, true):
    """One patch of 25.6 degrees around each position, and the same patch as an image."""
    lon, lat = np.degrees(np.arctan2(true[:, 1], true[:, 0])), np.degrees(np.arcsin(true[:, 2]))
    grid = PatchGrid(lon % 360, lat, 25.6 * u.deg)
    return sky.patches(grid, (32,), rng=np.random.default_rng(0))


def test_a_patch_and_the_same_patch_as_a_sky_agree():
    true, _, sky = random_sky(50, nside=64, sigma=1.5, n=12)
    patches = patches_of(sky, true[:3])
    found = finder().localise(patches)
    for index in range(3):
        pixels = (patches.grid.pixels(index, 32),)
        alone = observe(
            [patches.counts[0][index].ravel()],
            [patches.background[0][index].ravel()],
            pixels,
            patches.psfs,
        )
        alone = dataclasses.replace(
            alone,
            exposure=dataclasses.replace(alone.exposure, values=(patches.exposure[0][index],)),
        )
        expected = finder().localise_sky(alone)
        rows = found[found["patch"] == index]
        assert len(rows) == len(expected) > 0
        x, y = pixels[0].xy(SkyCoord(expected["ra"], expected["dec"], frame="icrs"))
        assert_allclose(np.sort(rows["x"].value), np.sort(x), atol=1e-6)
        assert_allclose(np.sort(rows["y"].value), np.sort(y), atol=1e-6)
        assert_allclose(np.sort(rows["score"])[::-1], expected["score"])


def test_the_source_at_the_centre_of_a_patch_is_found_there():
    true, counts, sky = random_sky(51, nside=64, sigma=1.5, n=12)
    brightest = np.argsort(-counts)[:3]
    found = finder().localise(patches_of(sky, true[brightest]))
    for index in range(3):
        rows = found[found["patch"] == index]
        distance = np.hypot(rows["x"].value - 15.5, rows["y"].value - 15.5) * 0.8
        assert distance.min() < 0.7


@pytest.mark.parametrize("missing", ["background", "exposure", "psfs"])
def test_patches_that_lack_a_part_are_refused_by_name(missing):
    true, _, sky = random_sky(52, nside=32, sigma=1.5, n=3)
    patches = dataclasses.replace(patches_of(sky, true), **{missing: None})
    with pytest.raises(OptionError, match=missing):
        finder().localise(patches)


def test_no_patches_have_no_detections():
    grid = PatchGrid(np.zeros(0), np.zeros(0), 10 * u.deg)
    _, _, sky = random_sky(53, nside=16, n=1)
    none = tuple(np.zeros((0, 8, 8)) for _ in range(1))
    patches = Patches(grid, sky.counts.bands, none, none, none, sky.psfs)
    assert len(finder().localise(patches)) == 0


def test_nothing_is_found_where_a_patch_has_no_data():
    true, counts, sky = random_sky(51, nside=64, sigma=1.5, n=12)
    patches = patches_of(sky, true[np.argsort(-counts)[:1]])
    seen = np.ones((1, 32, 32), dtype=bool)
    seen[:, :, :20] = False
    found = finder().localise(dataclasses.replace(patches, valid=(seen,)))
    assert np.all(found["x"].value > 19)
    assert len(found) < len(finder().localise(patches))
