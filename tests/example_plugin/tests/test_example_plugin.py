"""What the author of the example runs, with the example installed."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from gammafind import get_plugin, load_preset
from gammafind.config import build
from gammafind.registry import plugins
from gammafind.testing import check_clusterer, check_renderer

pytestmark = pytest.mark.skipif(
    "example" not in entry_points(group="gammafind").names,
    reason="needs the example plugin: pip install ./tests/example_plugin",
)


def test_both_parts_are_registered():
    found = {info.name: info for info in plugins() if info.distribution == "gammafind-example"}
    assert set(found) == {"threshold-blob", "toy-radio"}
    assert all(info.error is None for info in found.values())


def test_the_clusterer_keeps_its_contract():
    check_clusterer(get_plugin("clusterer", "threshold-blob"), threshold=0.7)


def test_the_renderer_keeps_its_contract():
    check_renderer(get_plugin("renderer", "toy-radio"))


def test_the_preset_builds():
    preset = load_preset("toy-radio")
    assert build(preset.clusterer).threshold == 16
    assert preset.bands == build(preset.renderer).bands
