"""The package has few rooms, short files and no cycle of imports."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

MOST_ROOMS = 22
MOST_LOOSE_MODULES = 8
LONGEST_FILE = 400


@pytest.fixture(scope="module")
def house(root) -> ModuleType:
    """The counts of tools/count_lines.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "tools")
        yield importlib.import_module("count_lines")


def test_the_rooms_at_the_top_can_be_overlooked(house):
    assert len(house.folders()) + len(house.loose_modules()) <= MOST_ROOMS
    assert len(house.loose_modules()) <= MOST_LOOSE_MODULES


def test_no_file_is_long(house):
    path, lines = house.longest_file()
    assert lines <= LONGEST_FILE, path


def test_no_modules_import_each_other_not_even_for_type_hints(house):
    assert house.cycle(house.imports()) == []


def test_every_module_is_looked_at(house):
    modules = house.imports()
    assert "gammafind.errors" in modules["gammafind.sky.patches"]
    assert "gammafind.roles.localiser" in modules
    assert "gammafind._version" not in modules


def test_a_cycle_is_found_where_there_is_one(house):
    modules = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert sorted(set(house.cycle(modules))) == ["b", "c"]


def test_modules_imported_for_type_hints_or_in_functions_count(house):
    source = """
from typing import TYPE_CHECKING
import package.one
if TYPE_CHECKING:
    from package import two
def f():
    from package.three import name
"""
    modules = dict.fromkeys(["package", "package.one", "package.two", "package.three"])
    assert list(house.imported(source, modules)) == ["package.one", "package.two", "package.three"]


def test_only_code_counts_as_code(house):
    source = '''
"""Docstring
of two lines."""

# A comment.
TEXT = """a
b"""  # Two lines.
"""What it is."""


def f(
    x,
):
    """Return it."""
    return x  # As it is.
'''
    assert house.code_lines(source) == 6


def test_the_counts_are_printed(house, capsys):
    house.main()
    printed = capsys.readouterr().out
    assert "lines of code in" in printed
    assert "cycle of modules: none" in printed
