"""Counts of training patches, on backgrounds that are off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.training.draws import CLUMPS, DrawOptions, drawn_counts, off_by
from gammafind.training.shard_set import Expected
from gammafind.training.targets import TRUTH


def flat(level, n=400):
    """Patches of one level in one band."""
    background = np.full((n, 8, 8), level, dtype=np.float32)
    return Expected(
        sources=(np.zeros_like(background),),
        background=(background,),
        exposure=None,
        truth=np.empty(0, dtype=TRUTH),
    )


def test_counts_are_poisson():
    (counts,) = drawn_counts(flat(3.0), DrawOptions(), [1.0], rng=np.random.default_rng(1))
    n = counts.size
    assert abs(counts.mean() - 3) < 4 * np.sqrt(3 / n)
    assert abs(counts.var() - 3) < 4 * np.sqrt((3 + 2 * 9) / n)


def test_the_jitter_is_one_factor_a_patch():
    options = DrawOptions(background_jitter=0.2)
    (counts,) = drawn_counts(flat(400.0), options, [1.0], rng=np.random.default_rng(1))
    norms = np.log(counts.mean(axis=(1, 2)) / 400)
    assert abs(norms.mean()) < 4 * 0.2 / np.sqrt(len(norms))
    assert norms.std() == pytest.approx(0.2, rel=0.15)
    within = counts.var(axis=(1, 2)) / counts.mean(axis=(1, 2))
    assert within.mean() == pytest.approx(1, rel=0.05)


def test_waves_vary_within_a_patch_and_are_the_same_in_all_bands():
    one = flat(1e4, n=200)
    two = replace(one, sources=one.sources * 2, background=one.background * 2)
    options = DrawOptions(background_waves=0.2)
    counts = drawn_counts(two, options, [1.0, 1.0], rng=np.random.default_rng(1))
    first, second = (np.log(array / 1e4) for array in counts)
    assert first.std(axis=(1, 2)).mean() > 0.05
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95
    assert np.abs(np.diff(first, axis=1)).mean() < first.std()


def test_there_are_no_waves_where_the_sky_is_faintest():
    options = DrawOptions(background_waves=0.5)
    (counts,) = drawn_counts(flat(1e4), options, [1e4], rng=np.random.default_rng(1))
    assert np.log(counts / 1e4).std() < 0.011


def test_clumps_stand_out_near_the_plane_alone():
    options = DrawOptions(background_clumps=0.5)
    many = flat(1e4, n=60)
    (near,) = drawn_counts(many, options, [1.0], rng=np.random.default_rng(1))
    (far,) = drawn_counts(many, options, [8e3], rng=np.random.default_rng(1))
    assert near.max() > 2e4
    assert abs(far / 1e4 - 1).max() < 0.06
    high = near / 1e4 - 1
    assert np.mean(high > 0.2) > 3 * np.mean(high < -0.2) > 0


def test_a_clump_is_as_wide_in_patches_of_all_bands():
    two = flat(1e6, n=20)
    fine = np.full((20, 64, 64), 1e6, dtype=np.float32)
    two = replace(
        two, sources=(*two.sources, np.zeros_like(fine)), background=(*two.background, fine)
    )
    coarse, fine = drawn_counts(
        two, DrawOptions(background_clumps=0.5), [1.0, 1.0], rng=np.random.default_rng(2)
    )
    binned = fine.reshape(20, 8, 8, 8, 8).mean(axis=(2, 4))
    assert np.corrcoef(coarse.ravel(), binned.ravel())[0, 1] > 0.9
    steepest = np.abs(np.diff(fine / 1e6, axis=1)).max()
    assert steepest < 4 * fine.max() / 1e6 * max(CLUMPS) / 64


def test_some_patches_are_off_by_more_than_others():
    one = flat(1e6, n=100)
    spread = []
    for unevenness in (0.0, 1.0):
        options = DrawOptions(background_waves=0.05, background_unevenness=unevenness)
        (counts,) = drawn_counts(one, options, [1.0], rng=np.random.default_rng(3))
        spread.append(np.log(np.log(counts / 1e6).std(axis=(1, 2))).std())
    assert spread[1] > spread[0] + 0.4


def test_no_background_is_dug_away():
    assert off_by(np.full(3, 1e3), 1.0, 0.0, np.array([-9.0, 0, 1])).min() > 0.3


def test_a_negative_jitter_is_refused():
    with pytest.raises(OptionError, match="background_jitter is -1"):
        DrawOptions(background_jitter=-1)
