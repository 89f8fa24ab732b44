"""Presets are written as they are read."""

from __future__ import annotations

import pytest

from gammafind.errors import OptionError, OutputError
from gammafind.presets.preset import load_preset, presets, read_preset
from gammafind.presets.write import write_preset


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_comes_back_as_it_was_written(tmp_path, name):
    preset = load_preset(name)
    back = read_preset(write_preset(preset, tmp_path / f"{name}.toml"))
    assert back == preset


def test_a_preset_needs_the_name_of_a_toml_file(tmp_path):
    with pytest.raises(OptionError, match="End it in"):
        write_preset(load_preset("fermi-lat"), tmp_path / "mine.txt")


def test_a_file_is_not_replaced_unless_this_is_wanted(tmp_path):
    path = write_preset(load_preset("fermi-lat"), tmp_path / "mine.toml")
    with pytest.raises(OutputError):
        write_preset(load_preset("fermi-lat"), path)
    write_preset(load_preset("fermi-lat"), path, overwrite=True)
