from __future__ import annotations

import pytest

from gammafind.errors import ConfigError
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import load_preset
from tests.cli.fixtures import toy

__all__ = ["toy"]

pytestmark = pytest.mark.usefixtures("toy")


def test_plugins_and_options_of_a_preset_can_be_changed():
    preset = with_plugins(
        load_preset("toy"), {"clusterer": "peaks"}, {"localiser": {"threshold": 50.0}}
    )
    assert preset.clusterer.name == "peaks"
    assert preset.localiser.options == {"threshold": 50.0}


def test_options_of_the_preset_go_with_its_plugin():
    preset = with_plugins(load_preset("toy"), {}, {"localiser": {"threshold": 50.0}})
    assert with_plugins(preset, {"localiser": "bright"}).localiser.options == {"threshold": 50.0}
    assert with_plugins(preset, {"localiser": "other"}).localiser.options == {}


def test_what_a_preset_has_for_its_localiser_goes_with_it():
    preset = with_plugins(load_preset("toy"), {"clusterer": "peaks"})
    assert preset.score_threshold == 16
    same = with_plugins(preset, {"localiser": "bright"})
    assert (same.clusterer.name, same.score_threshold) == ("peaks", 16)
    other = with_plugins(preset, {"localiser": "probable"})
    assert (other.clusterer, other.score_threshold) == (None, None)
    chosen = with_plugins(preset, {"localiser": "probable", "clusterer": "disk"})
    assert (chosen.clusterer.name, chosen.score_threshold) == ("disk", None)
    with pytest.raises(ConfigError, match="the localiser probable chooses"):
        with_plugins(preset, {"localiser": "probable"}, {"clusterer": {"threshold": 1.0}})


def test_options_without_a_plugin_are_refused():
    with pytest.raises(ConfigError, match="options for the clusterer"):
        with_plugins(load_preset("toy"), {}, {"clusterer": {"threshold": 1.0}})
