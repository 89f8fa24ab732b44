"""Batches: drawn again, turned with their truth, and the same for the same seed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.networks.features import FeatureSpec, features
from gammafind.training.draws import DrawOptions
from gammafind.training.patches import turned
from gammafind.training.targets import TargetOptions, target_maps
from tests.training.toy import toy_batches


def same(one, other):
    """Whether two lists of batches are equal to the bit."""
    arrays = [[*inputs, target] for batches in (one, other) for inputs, target in batches]
    half = len(arrays) // 2
    return all(
        np.array_equal(a, b)
        for first, second in zip(arrays[:half], arrays[half:], strict=True)
        for a, b in zip(first, second, strict=True)
    )


def test_an_epoch_depends_on_seed_and_number_alone(shards):
    batches = toy_batches(shards, draw=DrawOptions(background_jitter=0.1))
    first = list(batches.epoch(1))
    assert len(first) == len(batches) == 5
    list(batches.epoch(0))
    assert same(first, list(batches.epoch(1)))
    assert same(first, list(replace(batches, threads=3).epoch(1)))
    assert not same(first, list(batches.epoch(2)))
    assert not same(first, list(replace(batches, seed=4).epoch(1)))


def test_fixed_batches_are_the_same_in_all_epochs(shards):
    batches = toy_batches(shards, fixed=True)
    assert same(list(batches.epoch(0)), list(batches.epoch(7)))


def test_shapes_are_those_that_a_network_takes(shards):
    spec = FeatureSpec(background=True, exposure=True)
    inputs, target = next(toy_batches(shards, spec=spec).epoch(0))
    assert [array.shape for array in inputs] == [(4, 32, 32, 3), (4, 16, 16, 3)]
    assert target.shape == (4, 32, 32, 4)
    assert {array.dtype for array in (*inputs, target)} == {np.dtype(np.float32)}


def test_all_patches_are_seen_equally_often(shards):
    batches = toy_batches(shards, per_epoch=60)
    times = np.bincount(batches.rows(0).ravel(), minlength=24)
    assert (times.min(), times.max(), times.sum()) == (2, 3, 60)


def test_a_patch_without_turns_holds_its_own_counts_and_truth(shards):
    batches = toy_batches(shards, draw=DrawOptions(turns=False))
    rows = batches.rows(0)[0]
    expected = shards.read(rows)
    inputs, target = next(batches.epoch(0))
    counts = (inputs[0][..., 0] / 2) ** 2 - 0.375
    assert np.abs(counts - np.rint(counts)).max() < 1e-2
    mean = expected.sources[1] + expected.background[1]
    assert abs(counts.sum() / mean.sum() - 1) < 5 / np.sqrt(mean.sum())
    np.testing.assert_array_equal(
        target, target_maps(expected.truth, len(rows), 32, TargetOptions())
    )


def test_sources_turn_with_their_patches(shards):
    choices = np.array(list(itertools.product((False, True), repeat=3)))
    expected = shards.read(np.arange(8), exposure=True)
    result = turned(expected, choices)
    options = TargetOptions(least_ts=-np.inf)
    before = target_maps(expected.truth, 8, 32, options)[..., 0]
    after = target_maps(result.truth, 8, 32, options)[..., 0]
    spec = FeatureSpec(background=True, exposure=True)
    seen = features(expected.sources, expected.background, expected.exposure, spec)
    seen_after = features(result.sources, result.background, result.exposure, spec)
    for i, (transposed, flip_y, flip_x) in enumerate(choices):
        for was, is_now in ((before, after), *zip(seen, seen_after, strict=True)):
            image = was[i].swapaxes(0, 1) if transposed else was[i]
            image = image[::-1] if flip_y else image
            image = image[:, ::-1] if flip_x else image
            np.testing.assert_allclose(is_now[i], image, atol=1e-5)


def test_all_eight_turns_occur(shards, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "gammafind.training.patches.turned",
        lambda expected, choices: seen.extend(map(tuple, choices)) or expected,
    )
    list(toy_batches(shards, per_epoch=120).epoch(0))
    assert len(set(seen)) == 8


def test_the_faintest_background_is_near_the_least_of_all(shards):
    read = shards.read(np.arange(12))
    for least, background in zip(shards.faintest, read.background, strict=True):
        assert background.min() <= least <= 2 * np.quantile(background, 0.05)


def test_a_fault_in_a_thread_is_raised(shards):
    class Broken:
        widths, margin, faintest = (8,), 8.0, (1.0,)

        def __len__(self):
            return 24

        def read(self, rows, exposure):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(toy_batches(Broken()).epoch(0))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"per_epoch": 3}, "an epoch of 3 patches holds no batch of 4"),
        ({"targets": TargetOptions(shape="disc", radius=9)}, "reach 9 pixels"),
    ],
)
def test_what_cannot_be_is_refused(shards, changes, said):
    with pytest.raises(OptionError, match=said):
        toy_batches(shards, **changes)
