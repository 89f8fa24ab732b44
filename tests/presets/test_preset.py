"""Presets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import (
    BrokenPluginWarning,
    ConfigError,
    EnergyEdgesError,
    MissingFileError,
    UnknownPluginError,
)
from gammafind.plugins.clusterers import PeaksClusterer
from gammafind.presets import preset
from gammafind.presets.choose import choose_preset
from gammafind.presets.preset import (
    Component,
    PatchLayout,
    build,
    load_preset,
    presets,
    read_preset,
)
from gammafind.sky.bands import energy_bands

MINIMAL = """
[preset]
name = "toy"
[renderer]
name = "fake"
[localiser]
name = "likelihood"
"""
FULL = """
[preset]
name = "toy"
description = "A toy"
[renderer]
name = "fake"
edges = [2, 7, 20]
[localiser]
name = "likelihood"
[clusterer]
name = "peaks"
threshold = 16
[patches]
size = "600 arcmin"
nside = 16
n_pixels = [16, 32]
[match]
radius = "0.5 deg"
[catalogue]
score_threshold = 16
"""


@dataclass(frozen=True, kw_only=True)
class FakeRenderer:
    name = "fake"
    presets = ()
    edges: tuple[float, ...] = (2, 20)
    filter: str = ""

    @property
    def bands(self):
        return energy_bands(np.array(self.edges, dtype=float) * u.GeV)

    def accepts(self, selections):
        return not self.filter or all(self.filter in cuts for cuts in selections)


@pytest.fixture
def written(tmp_path: Path):
    """Write a preset and return its path."""

    def write(text: str, name: str = "toy.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def known(written, monkeypatch: pytest.MonkeyPatch):
    """Make these presets, a text each, those of the renderers; ``fake`` is a renderer."""

    def set_presets(*texts: str) -> list[str]:
        paths = [str(written(text, f"{number}.toml")) for number, text in enumerate(texts)]
        monkeypatch.setattr(preset, "_resources", lambda: paths)
        return paths

    real = preset.create

    def create(role: str, name: str, **options):
        return FakeRenderer(**options) if name == "fake" else real(role, name, **options)

    monkeypatch.setattr(preset, "create", create)
    return set_presets


def preset_of(name: str, edges: str) -> str:
    return MINIMAL.replace('"toy"', f'"{name}"').replace('"fake"', f'"fake"\nedges = {edges}')


def test_every_value_is_read(written):
    path = written(FULL)
    preset = read_preset(path)
    assert (preset.name, preset.description, preset.source) == ("toy", "A toy", str(path))
    assert preset.renderer == Component(role="renderer", name="fake", options={"edges": [2, 7, 20]})
    assert preset.clusterer == Component(role="clusterer", name="peaks", options={"threshold": 16})
    assert preset.patches.size == 10 * u.deg
    assert preset.patches.nside == 16
    assert preset.patches.n_pixels == (16, 32)
    assert preset.match_radius == 0.5 * u.deg
    assert preset.score_threshold == 16.0


def test_what_is_left_out_has_a_default(written):
    preset = read_preset(written(MINIMAL))
    assert preset.patches == PatchLayout(size=12.8 * u.deg, nside=8)
    assert preset.match_radius == 0.3 * u.deg
    assert preset.score_threshold is None
    assert preset.clusterer is preset.classifier is preset.population is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[preset]", "[presets]", r"unknown key presets \(did you mean 'preset'\?\). Accepted"),
        ("description", "descriptions", r"unknown key \[preset\] descriptions.*'description'"),
        ("nside", "nsides", r"unknown key \[patches\] nsides .*Accepted are size, nside, n_pixels"),
        ("radius =", "distance =", r"unknown key \[match\] distance. Accepted are radius"),
        ('[localiser]\nname = "likelihood"\n', "", r"missing key localiser"),
        ('[localiser]\nname = "likelihood"', "[localiser]", r"missing key \[localiser\] name"),
        ('name = "peaks"', "name = 3", r"\[clusterer\] name is 3. It must be of type str"),
        ("nside = 16", "nside = 16.0", r"\[patches\] nside is 16.0. It must be of type int"),
        ("[16, 32]", "16", r"\[patches\] n_pixels is 16. It must be of type list"),
        ("[16, 32]", "[16, 0]", r"n_pixels of the patches is \[16, 0\]. Give integers"),
        ("[16, 32]", "[16.0]", r"n_pixels of the patches is \[16.0\]"),
        ("nside = 16", "nside = 12", "nside is 12. It must be a power of two"),
        ('"600 arcmin"', '"600 arcsex"', r"\[patches\] size is '600 arcsex'. Write a number"),
        ('"600 arcmin"', "10", r"\[patches\] size is 10. Write a number and a unit in quotes"),
        ('"600 arcmin"', '"-1 deg"', "the patches are -1.0 deg wide"),
        ('"0.5 deg"', '"0 deg"', "the match radius is 0.0 deg"),
        ("score_threshold = 16", "score_threshold = true", "score_threshold is True"),
        ("[preset]", "[preset", "this is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(written, old, new, message):
    assert old in FULL
    path = written(FULL.replace(old, new, 1))
    with pytest.raises(ConfigError, match=f"^{path}: .*{message}"):
        read_preset(path)


def test_a_section_must_be_a_table(written):
    path = written("match = 3\n" + MINIMAL)
    with pytest.raises(ConfigError, match=r"match is 3. Write \[match\]"):
        read_preset(path)


@pytest.mark.parametrize("name", ["missing.toml", "no_such_package:toy.toml", "gammafind:no.toml"])
def test_a_missing_file_is_named(tmp_path, name):
    path = tmp_path / name if ":" not in name else name
    with pytest.raises(MissingFileError, match=str(path)):
        load_preset(path)


def test_binary_is_no_preset(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="this is not a text file"):
        read_preset(path)


def test_components_become_plugins(written):
    preset = read_preset(written(FULL))
    assert build(preset.clusterer) == PeaksClusterer(threshold=16.0)
    assert build(preset.clusterer, threshold=25) == PeaksClusterer(threshold=25.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"thresholds": 3},
            r"\[clusterer\] peaks has no option 'thresholds' \(did you mean",
        ),
        ({"threshold": -1}, r"\[clusterer\] threshold is -1"),
    ],
)
def test_wrong_options_are_named_with_the_file(options, message):
    component = Component(role="clusterer", name="peaks", options=options, source="toy.toml")
    with pytest.raises(ConfigError, match=f"^toy.toml: {message}"):
        build(component)


def test_an_unknown_plugin_is_named_with_the_file():
    with pytest.raises(UnknownPluginError, match=r"^toy\.toml: there is no clusterer 'peeks'"):
        build(Component(role="clusterer", name="peeks", source="toy.toml"))


def test_presets_are_known_by_name(known):
    known(preset_of("one", "[2, 20]"), preset_of("two", "[1, 2]"))
    assert list(presets()) == ["one", "two"]
    assert load_preset("two").renderer.options == {"edges": [1, 2]}
    with pytest.raises(ConfigError, match=r"'twe' \(did you mean 'two'\?\). Known are one, two"):
        load_preset("twe")


def test_a_preset_that_cannot_be_read_does_not_hide_the_others(known):
    paths = known("[preset]\n", preset_of("two", "[1, 2]"), preset_of("two", "[1, 3]"))
    with pytest.warns(BrokenPluginWarning) as warned:
        assert load_preset("two").source == paths[1]
    said = " ".join(str(w.message) for w in warned)
    assert f"{paths[0]}: missing key" in said
    assert f"{paths[2]}: the preset 'two' already exists in {paths[1]}" in said


def test_the_preset_whose_bands_the_edges_fill_is_chosen(known):
    known(preset_of("wide", "[2, 7, 20]"), preset_of("low", "[0.3, 1]"))
    assert choose_preset([2, 3.5, 7.004, 12, 20] * u.GeV).name == "wide"
    assert choose_preset([300, 500, 1000] * u.MeV).name == "low"


@pytest.mark.parametrize(
    "edges", [[2, 6.9, 20] * u.GeV, [2, 7] * u.GeV, [3, 7, 20] * u.GeV, [500, 600] * u.nm]
)
def test_edges_that_fill_no_preset_are_an_error(known, edges):
    known(preset_of("wide", "[2, 7, 20]"), preset_of("low", "[0.3, 1]"))
    with pytest.raises(EnergyEdgesError, match=r"no preset fits.*wide \(2-7 GeV, 7-20 GeV\); low"):
        choose_preset(edges)


def test_edges_that_fill_several_presets_are_an_error(known):
    known(preset_of("wide", "[2, 20]"), preset_of("fine", "[2, 7, 20]"), preset_of("x", "[1, 2]"))
    with pytest.raises(EnergyEdgesError, match=r"several presets fit .* 2, 7, 20 GeV") as error:
        choose_preset([2, 7, 20] * u.GeV)
    assert "x (1-2 GeV)" not in str(error.value)


def test_the_selection_decides_between_presets_of_the_same_bands(known):
    both = [preset_of(name, f'[2, 20]\nfilter = "{name}"') for name in ("red", "blue")]
    known(*both, preset_of("low", "[1, 2]"))
    edges = [2, 20] * u.GeV
    assert choose_preset(edges, selections=[("red",), ("red", "dark")]).name == "red"
    assert choose_preset(edges, selections=[("blue",)]).name == "blue"
    for unclear in ([("red",), ("blue",)], [("green",)]):
        with pytest.raises(EnergyEdgesError, match=r"no preset fits.*red \(2-20.*blue"):
            choose_preset(edges, selections=unclear)


def test_the_widths_of_patches_are_those_of_each_channel():
    layout = PatchLayout(n_pixels=(16, 32))
    assert layout.widths(2) == (16, 32)
    assert layout.widths(4) == (16, 32, 16, 32)
    assert PatchLayout().widths(3) is None
    with pytest.raises(ConfigError, match="2 n_pixels of the patches for 3 bands"):
        layout.widths(3)


def test_the_bands_of_a_preset_are_those_of_its_renderer(known):
    known(FULL)
    assert [band.name for band in load_preset("toy").bands] == ["2-7 GeV", "7-20 GeV"]
