"""Sources that are found once brighter ones beside them are expected."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.fitting.photons.sky_fit import counts_on_sky
from gammafind.plugins.unet.second_look import HIDDEN, SureSources, sure_sources, with_hidden
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.stacks import PatchStacks
from tests.fitting.skies import gaussian_psf, observe

PIXELS = HealpixPixels(64)
GRID = PatchGrid.healpix(1, size=40 * u.deg)
PLACE = GRID.centres[5]


def detections(offsets, scores):
    at = PLACE.icrs.directional_offset_by(0 * u.deg, np.asarray(offsets) * u.deg)
    return QTable({"ra": at.ra, "dec": at.dec, "score": np.asarray(scores, dtype=float)})


def sky(counts: float):
    """One source on an even background, with a PSF of two pixels."""
    psf = gaussian_psf(2.0)
    nothing = np.full(PIXELS.shape, 3.0)
    empty = observe([nothing], [nothing], [PIXELS], [psf])
    source = SureSources(PLACE.reshape(1), np.array([[counts]]))
    seen = sky_counts(source.vectors(empty), source.counts[:, 0], PIXELS, psf)
    return replace(empty, counts=replace(empty.counts, values=(nothing + seen,))), source


def test_the_second_look_adds_what_is_neither_left_over_nor_seen_before():
    found = detections([0.0, 2.0], [0.9, 0.1])
    again = detections([0.05, 0.2, 2.2, 2.4], [0.3] * 4)
    both = with_hidden(found, again)
    np.testing.assert_array_equal(both[HIDDEN], [False, False, True, True])
    np.testing.assert_allclose(both["dec"][2:], again["dec"][[1, 3]])
    assert HIDDEN not in found.colnames


@pytest.mark.parametrize("n", [0, 1])
def test_either_look_may_find_nothing(n):
    nothing, one = detections([], []), detections([0.0], [0.9])
    assert len(with_hidden(nothing, one if n else nothing)) == n
    assert len(with_hidden(one if n else nothing, nothing)) == n


def test_what_is_sure_is_fitted_and_expected_in_all_patches():
    observation, source = sky(500.0)
    found = detections([0.0, 20.0], [0.9, 0.2])
    sure = sure_sources(found, observation)
    assert len(sure.positions) == 1
    np.testing.assert_allclose(sure.counts, [[500]], rtol=0.02)
    np.testing.assert_allclose(sure.counts, counts_on_sky(observation, sure.positions))
    given = PatchStacks(observation, GRID, (40,), np.random.default_rng(0))
    (_, before), (_, after) = next(iter(given)), next(iter(source.in_background_of(given)))
    added = (after.background[0] - before.background[0])[5]
    assert added.sum() == pytest.approx(500, rel=0.02)
    assert np.all(added >= 0)


def test_pixels_wider_than_the_psf_have_another_fit():
    observation, _ = sky(500.0)
    coarse = replace(observation, psfs=(gaussian_psf(0.2),))
    assert sure_sources(detections([0.0], [0.9]), coarse) is None
