"""Old module names work for one release, and say where to look."""

from __future__ import annotations

import importlib
import sys

import pytest

import gammafind


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("config", "build"),
        ("registry", "plugins"),
        ("hookspecs", "hookimpl"),
        ("interfaces", "Localiser"),
        ("interfaces", "SkyRenderer"),
        ("choice", "with_plugins"),
    ],
)
def test_an_old_name_gives_what_has_moved_with_a_warning(monkeypatch, old, name):
    monkeypatch.delitem(sys.modules, f"gammafind.{old}", raising=False)
    with pytest.warns(DeprecationWarning, match=rf"gammafind\.{old} has moved to gammafind\."):
        module = importlib.import_module(f"gammafind.{old}")
    assert callable(getattr(module, name))
    monkeypatch.delattr(gammafind, old)


def test_other_names_are_still_unknown():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gammafind.nowhere")
