"""A network for images from its recipe."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gammafind.errors import ConfigError, OutputError
from gammafind.networks.folder import read_architecture
from gammafind.pipeline.train import train
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.localiser import ImageUNet
from gammafind.plugins.image_unet.training.tile_set import TileSet
from gammafind.plugins.image_unet.training.tile_training import TileTraining
from gammafind.training.recipe import read_recipe
from gammafind.training.sets import make_shards
from gammafind.training.targets import TargetOptions

RECIPE = """\
[localiser]
name = "image-unet"

[training]
preset = "meerlicht"
epochs = 1
patches_per_epoch = 4
validation_patches = 2
batch_size = 2

[data]
train = 2
validation = 2
test = 0
folder = "data"

[renderer]
shape = [256, 256]
cosmic_rays = 9000.0

[population]
size = "0.05 deg"
density = 30000.0

[vary.renderer]
seeing = ["1.6 arcsec", "3 arcsec"]

[network]
filters = [4, 4]
working_width = 128

[targets]
sigma = 0.33
least_ts = 9.0
"""


def training_of(recipe, folder) -> TileTraining:
    (stage,) = read_recipe(recipe)
    return stage.prepare(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def made(folder):
    """Training data of the recipe."""
    data = training_of(folder / "recipe.toml", folder / "net")
    assert make_shards(data.maker, range(4)) == 4
    return data


def test_images_differ_in_what_varies(made):
    sets = [TileSet(made.maker.folder, [index]) for index in range(4)]
    assert all(len(one) == 1 for one in sets)
    widths = [one.fwhm[0] for one in sets]
    assert 1.6 / 0.564 * 0.9 < np.min(widths) < np.max(widths) < 3 / 0.564 * 1.1
    assert np.ptp(widths) > 0.3


def test_sources_are_where_the_tiles_show_them(made):
    tiles = TileSet(made.maker.folder, range(4)).read(np.arange(4))
    x, y = (np.rint(tiles.truth[axis]).astype(int) for axis in "xy")
    seen = (tiles.truth["ts"] > 400) & (x >= 0) & (x < 256) & (y >= 0) & (y < 256)
    ratio = tiles.features[tiles.truth["patch"], y.clip(0, 255), x.clip(0, 255), 1]
    assert seen.sum() > 20
    assert np.mean(ratio[seen] > 6) > 0.95
    faint = (tiles.truth["ts"] < 4) & (x >= 0) & (x < 256) & (y >= 0) & (y < 256)
    assert np.median(ratio[faint]) < 3


def test_an_image_is_the_same_whenever_it_is_made(made):
    truth = np.load(made.maker.place(1) / "truth.npy")
    _, sky = made.maker.sky(1)
    _, again = made.maker.sky(1)
    assert np.array_equal(sky.observation.counts.values[0], again.observation.counts.values[0])
    assert truth["source"].max() < len(sky.sources)


def test_images_of_other_settings_are_refused(folder, made):
    text = RECIPE.replace("9000.0", "100.0")
    (folder / "other.toml").write_text(text)
    maker = training_of(folder / "other.toml", folder / "net").maker
    with pytest.raises(OutputError, match="other settings: renderer"):
        make_shards(maker, [0])


def test_what_images_do_not_know_is_refused(folder):
    (folder / "foreign.toml").write_text(f"{RECIPE}\n[features]\nbackground = true\n")
    with pytest.raises(ConfigError, match="unknown key features"):
        training_of(folder / "foreign.toml", folder / "net")


def test_images_smaller_than_a_tile_are_refused(folder):
    (folder / "small.toml").write_text(RECIPE.replace("[256, 256]", "[100, 256]"))
    maker = training_of(folder / "small.toml", folder / "small").maker
    with pytest.raises(ConfigError, match=r"images of \(100, 256\) pixels for tiles of 256"):
        maker(9)


def test_a_trained_network_searches_images(folder, made):
    for name in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(name)
    trained = train(folder / "recipe.toml", folder / "net")
    assert trained.n_made == 0
    assert len(trained.history) == 1
    architecture = read_architecture(trained.weights, TileArchitecture)
    assert architecture.fwhm == pytest.approx(TileSet(made.maker.folder, range(2)).fwhm)
    record = json.loads((folder / "net" / "training.json").read_text())
    assert record["settings"]["vary"]["renderer"]["seeing"] == ["1.6 arcsec", "3 arcsec"]
    card = (trained.weights / "card.md").read_text()
    assert "| varying renderer | seeing 1.6 arcsec to 3 arcsec |" in card
    assert made.options.targets == TargetOptions(sigma=0.33, least_ts=9.0)
    _, sky = made.maker.sky(3)
    found = ImageUNet(weights=str(trained.weights), threshold=0.01).localise_sky(sky.observation)
    assert {"x", "y", "score", "flux", "pos_err"} <= set(found.colnames)
