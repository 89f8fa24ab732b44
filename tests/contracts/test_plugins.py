"""Every registered plugin keeps the contract of its role."""

from __future__ import annotations

import pytest

from gammafind.presets.preset import build, presets
from gammafind.roles.registry import PluginInfo, get_plugin, plugins
from gammafind.testing import (
    check_classifier,
    check_clusterer,
    check_localiser,
    check_population,
    check_renderer,
)
from tests.plugins.cnn.helpers import toy_architecture, toy_arrays
from tests.plugins.cnn.helpers import write as write_classifier
from tests.plugins.features.helpers import toy_catalogue
from tests.plugins.image_cnn.helpers import toy_stamps
from tests.plugins.unet.helpers import TOY, matched_filter, write

OPTIONAL = {"gammapy-ts": "gammapy", "sep": "sep"}
"""Localisers that need a library of an extra."""


def usable(role: str) -> list[str]:
    return [info.name for info in plugins(role) if info.error is None]


def test_no_plugin_is_broken():
    assert [info for info in plugins() if info.error] == []


@pytest.mark.parametrize("info", plugins(), ids=lambda info: f"{info.role}-{info.name}")
def test_every_plugin_has_a_summary_of_one_sentence(info: PluginInfo):
    assert info.summary.endswith(".")


@pytest.mark.parametrize("name", usable("population"))
def test_population(name):
    check_population(get_plugin("population", name))


@pytest.mark.parametrize("name", usable("renderer"))
def test_renderer(name):
    check_renderer(get_plugin("renderer", name))


@pytest.mark.parametrize("name", usable("localiser"))
def test_localiser(name, tmp_path):
    options = {}
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    if name == "image-unet":
        pytest.skip("it sees images: tests/plugins/image_unet tries it on some")
    if name == "unet":
        write(tmp_path / "weights", matched_filter(), TOY)
        options["weights"] = str(tmp_path / "weights")
    check_localiser(get_plugin("localiser", name), **options)


@pytest.mark.parametrize("name", usable("clusterer"))
def test_clusterer(name):
    check_clusterer(get_plugin("clusterer", name))


@pytest.mark.parametrize("name", usable("classifier"))
def test_classifier(name, tmp_path):
    options, arrays = {}, toy_arrays()
    if name == "image-cnn":
        pytest.importorskip("onnxruntime")
        arrays = toy_stamps()
    if name == "features":
        arrays = get_plugin("classifier", name)().columns_of(toy_catalogue())
    if name == "cnn":  # Its weights are made here.
        for library in ("torch", "onnx", "onnxruntime"):
            pytest.importorskip(library)
        write_classifier(tmp_path / "weights", toy_architecture())
        options["weights"] = str(tmp_path / "weights")
    check_classifier(get_plugin("classifier", name), arrays, **options)


@pytest.mark.parametrize(
    "resource", [r for name in usable("renderer") for r in get_plugin("renderer", name).presets]
)
def test_every_preset_can_be_read_and_built(resource):
    preset = next(p for p in presets().values() if p.source == resource)
    assert build(preset.renderer).bands == preset.bands
    for component in (preset.localiser, preset.clusterer, preset.classifier, preset.population):
        if component is not None:
            assert build(component).name == component.name
