"""Recipes of the classifier of maps."""

from __future__ import annotations

import pytest

from gammafind.errors import ConfigError
from gammafind.training.recipe import read_recipe


def training_of(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    (stage,) = read_recipe(path, "classifier")
    return stage.prepare(folder)


def test_a_short_recipe_has_defaults(tmp_path):
    read = training_of(tmp_path, '[training]\npreset = "fermi-lat"\n')
    assert read.recipe.preset.localiser.name == "unet"
    assert (read.options.network, read.options.samples.time) == ("gammafind", "yes")
    assert read.settings["detections"] == {"min_score": 0.2, "random_fakes": 500}
    assert read.settings["layout"]["n_pixels"] == 7


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('time = "often"', "time is 'often'"),
        ("colour = 1", "colour"),
        ("batch_size = 0", "batch_size is 0"),
        ("[detections]\nrandom_fakes = -1", "random_fakes is -1"),
        ("[vary.renderer]\nseeing = [1.0]", "unknown key vary"),
    ],
)
def test_recipes_that_cannot_be_are_refused(tmp_path, lines, message):
    with pytest.raises(ConfigError, match=f"recipe.toml: .*{message}"):
        training_of(tmp_path, f'[training]\npreset = "fermi-lat"\n{lines}\n')
