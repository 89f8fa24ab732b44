"""Flat patches of a setting, next to those that the renderer makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gammafind.errors import OptionError, OutputError
from gammafind.presets.preset import build, load_preset
from gammafind.training.draws import DrawOptions, drawn_counts
from gammafind.training.flat_skies import FlatSky, flat_sky, with_maps
from gammafind.training.sets import make_shards
from gammafind.training.settings import (
    SettingBatches,
    SettingDrawOptions,
    SettingMaker,
    SettingSet,
)
from gammafind.training.targets import TargetOptions

PRESET = load_preset("fermi-lat")


@pytest.fixture(scope="module")
def renderer():
    """Two bands of the preset."""
    return replace(
        build(PRESET.renderer),
        energies=(1.0, 5.0, 50.0),
        nsides=(256, 1024),
        max_zeniths=(100.0, 100.0),
        dispersion=False,
    )


@pytest.fixture(scope="module")
def sky(renderer) -> FlatSky:
    """The sky of these bands."""
    return flat_sky(renderer, build(PRESET.population), rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> SettingSet:
    """Two settings on disk."""
    folder = tmp_path_factory.mktemp("settings")
    preset = replace(PRESET, renderer=replace(PRESET.renderer, options={"dispersion": False}))
    maker = SettingMaker(folder=folder, settings={}, seed=8, preset=preset, variation={})
    make_shards(maker, range(2))
    return SettingSet(folder, range(2))


def batches(settings, **changes):
    chosen = {"per_epoch": 16, "batch_size": 8, "seed": 3, "targets": TargetOptions()}
    return SettingBatches(data=settings, **{**chosen, "draw": SettingDrawOptions(), **changes})


def test_patches_agree_with_those_of_the_renderer(renderer, sky):
    rng, one = np.random.default_rng(2), np.ones(4)
    seen = sky.resolution(np.array([1e-3, 1e-3]))
    grid = sky.grid(4, rng)
    flat = sky.expected(grid, seen, one, one)
    sources = build(PRESET.population).sample(rng=np.random.default_rng(1))
    patches = renderer.render_patches(sources, grid, seen.widths)
    for band in range(2):
        rendered = patches.counts[band] - patches.background[band]
        assert flat.sources[band].sum() == pytest.approx(rendered.sum(), rel=0.02)
        assert np.abs(flat.sources[band] - rendered).max() < 0.2 * rendered.max()
        total = patches.background[band].sum()
        assert flat.background[band].sum() == pytest.approx(total, rel=0.01)


def test_exposure_and_flux_change_what_is_expected(sky):
    grid, seen = sky.grid(2, np.random.default_rng(3)), sky.resolution(np.array([0.2, 0.05]))
    one, two = np.ones(2), np.full(2, 2.0)
    plain, longer = sky.expected(grid, seen, one, one), sky.expected(grid, seen, two, one)
    brighter = sky.expected(grid, seen, one, two)
    for band in range(2):
        np.testing.assert_allclose(longer.sources[band], 2 * plain.sources[band], rtol=1e-4)
        np.testing.assert_allclose(longer.background[band], 2 * plain.background[band], rtol=1e-5)
        np.testing.assert_array_equal(brighter.background[band], plain.background[band])
    assert np.all(longer.truth["ts"] > plain.truth["ts"])


def test_crowded_patches_are_near_the_equator(sky):
    grid = sky.grid(200, np.random.default_rng(4), crowded=1.0)
    assert np.abs(grid.lat).max() <= 10


def test_counts_of_wide_pixels_are_spread_and_none_is_lost(sky):
    rng, one = np.random.default_rng(5), np.ones(2)
    seen = sky.resolution(np.array([0.9, 0.05]))
    assert list(seen.spread) == [True, False]
    expected = with_maps(sky.expected(sky.grid(2, rng), seen, one, one), seen, rng)
    first, second = expected.maps[0]
    assert second is None
    np.testing.assert_allclose(first.shares.sum(axis=0), 1, rtol=1e-5)
    assert first.sources.sum() == pytest.approx(expected.sources[0][0].sum(), rel=1e-4)
    counts = drawn_counts(expected, DrawOptions(), [1.0, 1.0], rng=rng)
    total = (expected.sources[0] + expected.background[0]).sum()
    assert counts[0].sum() == pytest.approx(total, abs=5 * np.sqrt(total))
    assert np.any(counts[0] % 1)
    assert not np.any(counts[1] % 1)


def test_batches_depend_on_the_seed_and_the_epoch(settings):
    (first, target), *_ = batches(settings).epoch(0)
    (again, _), *_ = batches(settings).epoch(0)
    (other, _), *_ = batches(settings).epoch(1)
    assert [one.shape[1] for one in first] == [128, 64, 32, 16]
    assert target.shape == (8, 128, 128, 4)
    assert target[..., 0].max() > 0.5
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.any(one != two) for one, two in zip(first, other, strict=True))


def test_settings_that_varied_in_another_way_are_refused(settings):
    limits = {"population": {"flux_min": ["3e-14 erg / (s cm2)", "3e-13 erg / (s cm2)"]}}
    folder, preset = settings.parts[0].folder.parent, PRESET
    other = SettingMaker(folder=folder, settings={}, seed=8, preset=preset, variation=limits)
    with pytest.raises(OutputError, match="was made with other settings: vary was"):
        make_shards(other, range(1))


def test_targets_that_reach_too_far_are_refused(settings):
    with pytest.raises(OptionError, match="targets reach 20 pixels"):
        batches(settings, targets=TargetOptions(sigma=5.0))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"flux_factor": 0.5}, "flux_factor is 0.5"),
        ({"crowded": 1.5}, "crowded is 1.5"),
        ({"coarse": -0.1}, "coarse is -0.1"),
        ({"exposure_factor": np.nan}, "exposure_factor is nan"),
    ],
)
def test_what_cannot_be_drawn_is_named(options, fault):
    with pytest.raises(OptionError, match=fault):
        SettingDrawOptions(**options)
