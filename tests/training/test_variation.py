"""Options that vary from image to image."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import ConfigError
from gammafind.presets.preset import build, load_preset
from gammafind.training.recipe import read_recipe
from gammafind.training.variation import varied


def recipe_of(folder, text):
    path = folder / "recipe.toml"
    path.write_text(f'[localiser]\nname = "image-unet"\n[training]\npreset = "meerlicht"\n{text}')
    (stage,) = read_recipe(path)
    return stage.prepare(folder)


def test_options_are_drawn_between_their_limits(tmp_path):
    seeing, density = 'seeing = ["1.5 arcsec", "4 arcsec"]', "density = [1e3, 1e5]"
    text = f"[vary.renderer]\n{seeing}\n[vary.population]\n{density}\n"
    training = recipe_of(tmp_path, text)
    rng = np.random.default_rng(1)
    drawn = [varied(training.recipe.preset, training.variation, rng=rng) for _ in range(200)]
    seeing = [build(one.renderer).seeing.to_value("arcsec") for one in drawn]
    density = np.log10([build(one.population).density for one in drawn])
    assert 1.5 <= min(seeing) < 1.6 < 3.8 < max(seeing) <= 4
    assert np.median(density) == pytest.approx(4, abs=0.2)
    assert 3 <= density.min() < 3.1 < 4.9 < density.max() <= 5


def test_without_any_the_preset_stays(tmp_path):
    training = recipe_of(tmp_path, "")
    preset = training.recipe.preset
    assert varied(preset, training.variation, rng=np.random.default_rng(1)) == preset
    assert preset == load_preset("meerlicht")
    assert "vary" not in training.settings


@pytest.mark.parametrize(
    "limits", ['["4 arcsec", "1.5 arcsec"]', "[1.0]", "2.0", '["1 arcsec", "2 s"]', "[0.0, 1.0]"]
)
def test_limits_that_are_none_are_named(tmp_path, limits):
    with pytest.raises(ConfigError, match=r"recipe\.toml: \[vary.renderer\] seeing is .* two"):
        recipe_of(tmp_path, f"[vary.renderer]\nseeing = {limits}\n")


def test_roles_that_do_not_vary_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown key \[vary\] localiser"):
        recipe_of(tmp_path, "[vary.localiser]\nthreshold = [1.0, 2.0]\n")


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ("[vary.renderer]\nseeing = [1.0, 2.0]\n", r"\[vary.renderer\] seeing = 1.0: "),
        ("[vary.renderer]\nseeings = ['1 arcsec', '2 arcsec']\n", r"\[vary.renderer\] seeings = "),
    ],
)
def test_values_that_a_plugin_does_not_take_are_refused_with_the_recipe(tmp_path, tables, told):
    with pytest.raises(ConfigError, match=told) as refused:
        recipe_of(tmp_path, tables)
    assert "recipe.toml" in str(refused.value)
