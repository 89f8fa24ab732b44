"""Presets are written as they are read."""

from __future__ import annotations

import pytest

from gammafind.errors import ConfigError, OptionError, OutputError
from gammafind.presets.preset import load_preset, presets, read_preset
from gammafind.presets.write import write_preset


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_comes_back_as_it_was_written(tmp_path, name):
    preset = load_preset(name)
    back = read_preset(write_preset(preset, tmp_path / f"{name}.toml"))
    assert back == preset


def test_a_preset_of_another_format_is_refused_before_its_keys_are_judged(tmp_path):
    path = tmp_path / "later.toml"
    path.write_text('[preset]\nname = "later"\nformat = 2\n[telescope]\n')
    with pytest.raises(ConfigError, match="has format 2, and this gammafind reads format 1"):
        read_preset(path)


def test_a_preset_of_the_release_before_has_no_format_and_is_read(tmp_path):
    path = write_preset(load_preset("fermi-lat"), tmp_path / "mine.toml")
    path.write_text(path.read_text().replace("format = 1\n", ""))
    assert "format" not in path.read_text()
    assert read_preset(path).renderer == load_preset("fermi-lat").renderer


def test_a_preset_needs_the_name_of_a_toml_file(tmp_path):
    with pytest.raises(OptionError, match="End it in"):
        write_preset(load_preset("fermi-lat"), tmp_path / "mine.txt")


def test_a_file_is_not_replaced_unless_this_is_wanted(tmp_path):
    path = write_preset(load_preset("fermi-lat"), tmp_path / "mine.toml")
    with pytest.raises(OutputError):
        write_preset(load_preset("fermi-lat"), path)
    write_preset(load_preset("fermi-lat"), path, overwrite=True)
