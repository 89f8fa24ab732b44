"""Maps of what a network is to answer."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.training.targets import TRUTH, TargetOptions, discs, offsets, target_maps


def truth(*sources):
    """Truth of (patch, x, y, ts)."""
    rows = [(patch, x, y, ts, i) for i, (patch, x, y, ts) in enumerate(sources)]
    return np.array(rows, dtype=TRUTH)


def test_a_source_is_a_gaussian_about_its_own_place():
    maps = target_maps(truth((1, 7.3, 4.8, 30)), 2, 16, TargetOptions(sigma=1.2))
    y, x = np.indices((16, 16))
    square = (x - 7.3) ** 2 + (y - 4.8) ** 2
    expected = np.where(square <= 4.8**2, np.exp(-square / (2 * 1.2**2)), 0)
    np.testing.assert_allclose(maps[1, ..., 0], expected, atol=1e-6)
    np.testing.assert_array_equal(maps[..., 0], maps[..., 3])
    assert not maps[0].any()


def test_offsets_lead_to_the_nearest_source():
    places = [(3.2, 5.1), (8.9, 5.4), (8.4, 12.7)]
    found = offsets(truth(*((0, x, y, 9) for x, y in places)), 1, 16, reach=4)[0]
    y, x = np.indices((16, 16))
    apart = np.array([np.hypot(px - x, py - y) for px, py in places])
    near = apart.min(axis=0) <= 4
    nearest = np.array(places)[apart.argmin(axis=0)]
    np.testing.assert_allclose(found[near, 0] + x[near], nearest[near, 0], atol=1e-5)
    np.testing.assert_allclose(found[near, 1] + y[near], nearest[near, 1], atol=1e-5)
    assert np.all(np.isinf(found[~near]))


def test_sources_that_nobody_can_see_are_left_out():
    sources = truth((0, 4, 4, 4.9), (0, 11, 11, 5.0))
    maps = target_maps(sources, 1, 16, TargetOptions(least_ts=5))
    assert maps[0, 4, 4, 0] == 0
    assert maps[0, 11, 11, 0] == 1


def test_sources_beyond_the_border_reach_in():
    maps = target_maps(truth((0, -1.5, 8, 9), (0, 8, 17, 9)), 1, 16, TargetOptions(sigma=1))
    assert maps[0, 8, 0, 0] == pytest.approx(np.exp(-(1.5**2) / 2))
    assert tuple(maps[0, 8, 0, 1:3]) == (-1.5, 0)
    assert maps[0, 15, 8, 0] == pytest.approx(np.exp(-2))


def test_discs_have_the_radius_of_the_option():
    sources = truth((0, 10, 10, 9))
    maps = target_maps(sources, 1, 24, TargetOptions(shape="disc", radius=5))
    y, x = np.indices((24, 24))
    np.testing.assert_array_equal(maps[0, ..., 0], (x - 10) ** 2 + (y - 10) ** 2 <= 25)
    assert discs(sources, 1, 24, radius=2.5).sum() == 21
    assert maps[0, 10, 12, 3] == pytest.approx(np.exp(-(2**2) / (2 * 1.2**2)))


def test_no_sources_make_empty_maps():
    assert not target_maps(truth(), 3, 8, TargetOptions()).any()


@pytest.mark.parametrize(
    "options",
    [{"shape": "square"}, {"sigma": 0}, {"radius": np.inf}, {"least_ts": np.nan}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        TargetOptions(**options)
