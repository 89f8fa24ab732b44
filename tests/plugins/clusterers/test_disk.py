"""The clusterer of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve, label

from gammafind.errors import OptionError
from gammafind.plugins.clusterers.disk import DiskClusterer, disk_sum, split_groups
from tests.plugins.clusterers.maps import disc_map, nearest_distance


def test_disk_sum_is_a_convolution_with_81_pixels():
    image = np.random.default_rng(1).random((30, 25))
    y, x = np.mgrid[-5:6, -5:6]
    kernel = (x**2 + y**2 <= 25).astype(float)
    assert kernel.sum() == 81
    expected = convolve(image, kernel, mode="constant")
    np.testing.assert_allclose(disk_sum(image, 5), expected, atol=1e-6)


def test_a_full_disc_scores_its_pixels():
    found = DiskClusterer().cluster(disc_map([(60, 70)], noise=0))
    assert list(found["score"]) == [81.0]
    assert (found["x"][0].value, found["y"][0].value) == (60, 70)


@pytest.mark.parametrize("distance", [5, 6, 7, 8])
def test_overlapping_discs_are_parted(distance):
    places = [(60, 60), (60 + distance, 60)]
    found = DiskClusterer().cluster(disc_map(places, noise=0))
    assert len(found) == 2
    assert nearest_distance(found, places).max() <= 2


def test_no_group_larger_than_max_pixels_is_left_unless_it_is_flat():
    image = np.random.default_rng(3).random((64, 64)) * 1.3
    sums = disk_sum(image, 5)
    for group in split_groups(sums, 30, 10, 5):
        assert group.n_pixels <= 5 or _vanishes(sums, group)


def _vanishes(sums: np.ndarray, group) -> bool:
    """Whether no pixel of the group reaches the next threshold above its lowest pixel."""
    levels = np.arange(30, sums.max() + 10, 10)
    for level in levels:
        labels, _ = label(sums >= level, structure=np.ones((3, 3)))
        here = labels[group.row, group.column]
        if here and np.count_nonzero(labels == here) == group.n_pixels:
            return group.peak < level + 10
    return False


def test_raising_all_groups_together_as_the_paper_does_finds_the_same_peaks():
    image = disc_map([(30, 30), (37, 34), (80, 80), (60, 20)], noise=0.1)
    found = {(g.row, g.column) for g in split_groups(disk_sum(image, 5), 30, 10, 5)}
    assert found == _peaks_by_whole_map(disk_sum(image, 5))


def _peaks_by_whole_map(sums: np.ndarray) -> set[tuple[int, int]]:
    """Thresholds over the whole map; a group is done when it is small or has nothing higher."""
    peaks, active, level = set(), np.ones(sums.shape, dtype=bool), 30.0
    while np.any(active & (sums >= level)):
        labels, n_groups = label(active & (sums >= level), structure=np.ones((3, 3)))
        active = np.zeros_like(active)
        for number in range(1, n_groups + 1):
            group = labels == number
            if group.sum() <= 5 or sums[group].max() < level + 10:
                row, column = np.nonzero(group & (sums == sums[group].max()))
                peaks.add((int(row[0]), int(column[0])))
            else:
                active |= group
        level += 10
    return peaks


def test_the_peak_of_a_plateau_is_its_middle():
    image = np.zeros((21, 31))
    image[5:14, 10:19] = 50
    (group,) = split_groups(image, 30, 10, 5)
    assert (group.row, group.column, group.n_pixels) == (9, 14, 81)


def test_a_steep_ramp_ends_at_its_top():
    image = np.arange(400.0).reshape(20, 20) * 1e6
    (group,) = split_groups(image, 30, 10, 5)
    assert (group.row, group.column) == (19, 19)


def test_raising_the_threshold_loses_weak_discs_only():
    image = disc_map([(30, 30), (90, 90)], noise=0)
    image[80:100, 80:100] *= 0.6
    assert len(DiskClusterer(threshold=45).cluster(image)) == 2
    strong = DiskClusterer(threshold=60).cluster(image)
    assert (strong["x"][0].value, strong["y"][0].value) == (30, 30)


@pytest.mark.parametrize("refine", ["quadratic", "centroid"])
def test_refinement_places_a_disc_between_pixels(refine):
    y, x = np.indices((64, 64))
    distance = np.hypot(x - 30.35, y - 28.2)
    image = np.clip(5.5 - distance, 0, 1)
    coarse = DiskClusterer().cluster(image)
    fine = DiskClusterer(refine=refine).cluster(image)
    truth = [(30.35, 28.2)]
    assert nearest_distance(fine, truth)[0] < 0.15 < nearest_distance(coarse, truth)[0]


@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0},
        {"threshold": float("nan")},
        {"step": 0},
        {"radius": -1},
        {"max_pixels": 0},
        {"refine": "spline"},
    ],
)
def test_options_out_of_range_are_named(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        DiskClusterer(**options)
