"""Sources in the pixels of patches, next to those that a map shows."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.sky.bands import energy_bands
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_sources import PatchSources
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.point_sources import is_narrow, sky_counts
from gammafind.sky.skymap import SkyMap
from tests.fitting.skies import gaussian_psf

GRID = PatchGrid.healpix(1, size=20 * u.deg)
PIXELS = HealpixPixels(128)
BANDS = energy_bands([1, 2] * u.GeV)
VECTORS = GRID.bases[:3, 2] + 0.05 * GRID.bases[:3, 0]
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
COUNTS = np.array([2.0, 50.0, 4000.0])


@pytest.mark.parametrize("sigma", [0.3, 1.5])
def test_patches_show_the_sources_of_a_map(sigma):
    psf = gaussian_psf(sigma)
    assert is_narrow(psf) == (sigma < 1)
    whole = sky_counts(VECTORS, COUNTS, PIXELS, psf)
    sky = SkyMap(BANDS, [PIXELS], [whole], "expected counts")
    (cut,) = GRID.cut(sky, (40,), sharp=True)
    (shown,) = PatchSources(VECTORS, COUNTS[:, None]).in_patches(GRID, (40,), sky, (psf,))
    assert shown.shape == cut.shape == (12, 40, 40)
    np.testing.assert_allclose(shown[:3].sum(axis=(1, 2)), COUNTS, rtol=0.05)
    for ours, theirs in zip(shown[:3], cut[:3], strict=True):
        assert np.abs(ours - theirs).sum() < 0.2 * theirs.sum()


def test_a_source_near_a_border_is_in_all_patches_that_it_reaches():
    psf = gaussian_psf(0.3)
    whole = SkyMap(BANDS, [PIXELS], [np.zeros(PIXELS.shape)], "expected counts")
    grid = PatchGrid(np.array([0.0, 10.2]), np.zeros(2), 10 * u.deg)
    source = PatchSources(np.array([[np.cos(0.0873), np.sin(0.0873), 0]]), np.array([[100.0]]))
    (shown,) = source.in_patches(grid, (20,), whole, (psf,))
    assert np.all(shown.sum(axis=(1, 2)) > 10)
