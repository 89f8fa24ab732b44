"""Tiles of simulated images as they are kept and as a network sees them."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import MissingFileError, OptionError, TruncatedFileError
from gammafind.fitting.image.scene import scenes_of_image
from gammafind.plugins.image_unet.features import tile_features
from gammafind.plugins.image_unet.training.tile_set import TileBatches, TileSet
from gammafind.training.draws import TurnOptions
from gammafind.training.sets import META, shard_folder
from gammafind.training.targets import TRUTH, TargetOptions
from tests.fitting.images import stars_on_sky

SIDE = 48
FWHM = 5.0


def make_image(folder, index, n_tiles=3):
    """Tiles with one bright star each, at a place of its own."""
    rng = np.random.default_rng(index)
    place = shard_folder(folder, index)
    place.mkdir(parents=True)
    x, y = rng.uniform(8, SIDE - 9, (2, n_tiles))
    tiles = []
    for at in zip(x, y, strict=True):
        sky = stars_on_sky([at[0]], [at[1]], [30000.0], (SIDE, SIDE), fwhm=FWHM)
        tiles.append(tile_features(next(iter(scenes_of_image(sky, side=SIDE, margin=0))), SIDE))
    truth = np.zeros(n_tiles, dtype=TRUTH)
    truth["patch"], truth["x"], truth["y"], truth["ts"] = range(n_tiles), x, y, 900
    np.save(place / "tiles.npy", np.stack(tiles))
    np.save(place / "fwhm.npy", np.full(n_tiles, FWHM))
    np.save(place / "truth.npy", truth)
    (place / META).write_text("{}")


@pytest.fixture
def folder(tmp_path):
    for index in range(2):
        make_image(tmp_path, index)
    return tmp_path


def batches(folder, turns=True, **options):
    chosen = {"per_epoch": 6, "batch_size": 3, "targets": TargetOptions(sigma=0.3)}
    return TileBatches(
        data=TileSet(folder, range(2)), draw=TurnOptions(turns=turns), **{**chosen, **options}
    )


def test_sources_are_where_the_tiles_show_them_however_they_are_turned(folder):
    for epoch in range(4):
        for (seen,), target in batches(folder).epoch(epoch):
            assert seen.shape == (3, SIDE, SIDE, 3)
            for tile, truth in zip(seen, target, strict=True):
                peak = np.unravel_index(tile[..., 1].argmax(), (SIDE, SIDE))
                assert truth[peak][0] > 0.7
                assert tile[..., 2] == pytest.approx(np.log(FWHM / 4))


def test_targets_are_as_wide_as_the_psf(folder):
    (_, target) = next(iter(batches(folder, turns=False).epoch(0)))
    area = target[..., 0].sum(axis=(1, 2))
    assert area == pytest.approx(2 * np.pi * (0.3 * FWHM) ** 2, rel=0.05)


def test_an_epoch_is_the_same_each_time_and_other_than_the_next(folder):
    one, again, other = (np.stack([b[1] for b in batches(folder).epoch(i)]) for i in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    fixed = [np.stack([b[1] for b in batches(folder, fixed=True).epoch(i)]) for i in (0, 1)]
    assert np.array_equal(*fixed)


def test_too_large_batches_are_named(folder):
    with pytest.raises(OptionError, match="batches of 9 of 6 tiles"):
        batches(folder, batch_size=9, per_epoch=9)


def test_images_that_are_not_whole_are_named(folder):
    with pytest.raises(MissingFileError, match="catalogue-0007"):
        TileSet(folder, [7])
    (shard_folder(folder, 1) / "tiles.npy").write_bytes(b"no array")
    with pytest.raises(TruncatedFileError, match=r"tiles\.npy"):
        TileSet(folder, range(2))


def test_tiles_of_different_sides_are_refused(folder):
    place = shard_folder(folder, 1)
    np.save(place / "tiles.npy", np.load(place / "tiles.npy")[:, :24, :24])
    with pytest.raises(OptionError, match="different widths"):
        TileSet(folder, range(2))


def test_a_part_that_is_smaller_than_a_tile_is_empty_beyond():
    sky = stars_on_sky([10.0], [10.0], [30000.0], (20, 30))
    seen = tile_features(next(iter(scenes_of_image(sky, side=SIDE, margin=0))), SIDE)
    assert seen.shape == (SIDE, SIDE, 2)
    assert np.all(seen[20:] == 0)
    assert np.all(seen[:, 30:] == 0)
    assert seen[10, 10, 1] > 10
