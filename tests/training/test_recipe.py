"""Recipes: what is trained, and the stages that take the place of a chain of files."""

from __future__ import annotations

import pytest

from gammafind.errors import ConfigError
from gammafind.training.recipe import read_recipe

BASE = """\
[localiser]
name = "unet"

[training]
preset = "fermi-lat"
epochs = 20

[data]
train = 30
seed = 7

[draw]
background_waves = 0.15
"""


def stages_of(folder, text, role=None):
    path = folder / "recipe.toml"
    path.write_text(text)
    return [stage.prepare(folder / "net") for stage in read_recipe(path, role)]


def test_a_recipe_without_stages_is_one(tmp_path):
    (stage,) = stages_of(tmp_path, BASE)
    assert (stage.recipe.role, stage.recipe.plugin) == ("localiser", "unet")
    assert stage.options.training.epochs == 20


def test_stages_change_some_keys_and_leave_the_others(tmp_path):
    text = f"""{BASE}
[[stage]]
training = {{ epochs = 24, seed = 1 }}
draw = {{ background_waves = 0.3 }}

[[stage]]
training = {{ seed = 2 }}
draw = {{ background_grain = 0.1 }}
data = {{ validation = 4 }}
"""
    first, second = stages_of(tmp_path, text)
    assert (first.options.training.epochs, second.options.training.epochs) == (24, 20)
    assert (first.recipe.seed, second.recipe.seed) == (1, 2)
    draws = [one.options.draw for one in (first, second)]
    waves = [(draw.background_waves, draw.background_grain) for draw in draws]
    assert waves == [(0.3, 0), (0.15, 0.1)]
    assert (first.recipe.data.validation, second.recipe.data.validation) == (1, 4)
    assert first.recipe.data.train == second.recipe.data.train == 30


@pytest.mark.parametrize("folder", ["", 'folder = "kept"'])
def test_stages_of_one_seed_share_their_data(tmp_path, folder):
    text = f"""{BASE.replace("seed = 7", f"seed = 7{chr(10)}{folder}")}
[[stage]]
data = {{ seed = 6 }}
[[stage]]
[[stage]]
draw = {{ turns = false }}
"""
    first, second, third = (stage.maker.folder for stage in stages_of(tmp_path, text))
    assert second == third
    assert second == (tmp_path / "kept" if folder else tmp_path / "net" / "shards")
    assert first == second.with_name(f"{second.name}-6")


def test_what_varies_in_a_stage_takes_the_place_of_what_varies_else(tmp_path):
    text = """\
[localiser]
name = "image-unet"
[training]
preset = "meerlicht"
[vary.renderer]
sky = [18.5, 22.3]
saturation = [15000.0, 60000.0]
[[stage]]
vary.renderer = { sky = [18.0, 22.0] }
[[stage]]
"""
    first, second = stages_of(tmp_path, text)
    assert first.variation == {"renderer": {"sky": [18.0, 22.0]}}
    assert list(second.variation["renderer"]) == ["sky", "saturation"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[stage]]\ndraw = { waves = 1.0 }\n[[stage]]", r"stage 1: unknown key \[draw\] waves"),
        ("[[stage]]\n[[stage]]\ntraining = { epochs = 0 }", "stage 2: epochs .* is 0"),
        ("[[stage]]\nepochs = 3", r"stage is .* Write \[\[stage\]\]"),
        ("[stage]\nepochs = 3", r"stage is .* Write \[\[stage\]\]"),
        ("[[stage]]\ndrawing = { turns = true }\n[[stage]]", "stage 1: unknown key drawing"),
        ("[[stage]]\n[[stage]]\nlocaliser = { name = 'image-unet' }", "stage 2: unknown key feat"),
    ],
)
def test_faults_name_the_stage(tmp_path, text, said):
    from gammafind.pipeline.train import train

    path = tmp_path / "recipe.toml"
    path.write_text(f"{BASE}[features]\nbackground = true\n{text}\n")
    with pytest.raises(ConfigError, match=f"recipe.toml: .*{said}"):
        train(path, tmp_path / "net")
    assert not (tmp_path / "net").exists()


def test_stages_train_one_plugin(tmp_path):
    text = BASE.replace("[draw]\nbackground_waves = 0.15\n", "")
    with pytest.raises(ConfigError, match=r"stages train unet, image-unet\. Name one"):
        stages_of(tmp_path, f"{text}[[stage]]\n[[stage]]\nlocaliser.name = 'image-unet'\n")


def test_a_table_classifier_makes_it_a_recipe_of_a_classifier(tmp_path):
    text = '[training]\npreset = "fermi-lat"\n[classifier]\nname = "cnn"\n'
    (stage,) = stages_of(tmp_path, text)
    assert (stage.recipe.role, stage.recipe.plugin) == ("classifier", "cnn")


def test_a_plugin_that_does_not_learn_is_named_with_those_that_do(tmp_path):
    with pytest.raises(ConfigError, match=r"likelihood does not learn\. .* image-unet, unet"):
        stages_of(tmp_path, BASE.replace('"unet"', '"likelihood"'))


def test_without_a_name_the_default_is_trained(tmp_path):
    (stage,) = stages_of(tmp_path, BASE.replace('[localiser]\nname = "unet"\n', ""))
    assert stage.recipe.plugin == "unet"
