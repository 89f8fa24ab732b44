"""Every public name says what it takes and gives, and has an example that runs."""

from __future__ import annotations

import doctest
import inspect
import re

import pytest

import gammafind
import gammafind.testing

_MARKERS = ("hookimpl",)
"""Public names that are objects of another library; the page on plugins shows their use."""


def public() -> list[object]:
    things = []
    for module in (gammafind, gammafind.testing):
        for name in module.__all__:
            if not name.startswith("__") and name not in _MARKERS:
                things.append(pytest.param(getattr(module, name), id=f"{module.__name__}.{name}"))
    return things


def sections(text: str) -> set[str]:
    return set(re.findall(r"^(\w+)\n-+$", text, re.MULTILINE))


def test_the_reference_lists_every_public_name_and_no_other(root):
    text = (root / "docs" / "reference" / "index.md").read_text()
    listed = set(re.findall(r"^   (gammafind[\w.]+)$", text, re.MULTILINE))
    names = {f"gammafind.{name}" for name in gammafind.__all__ if not name.startswith("__")}
    names |= {f"gammafind.testing.{name}" for name in gammafind.testing.__all__}
    assert listed == names - {f"gammafind.{name}" for name in _MARKERS}


@pytest.mark.parametrize("thing", public())
def test_a_public_name_is_documented(thing):
    text = inspect.getdoc(thing)
    found = sections(text)
    assert "Examples" in found
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        assert "Parameters" in found or not signature.parameters
        assert "Returns" in found or signature.return_annotation in (None, "None")
    if re.search(r"^\w+(, \w+)* : [^\n]*ndarray", text, re.MULTILINE):
        assert "shape" in text
    assert not (re.search(r": Quantity", text) and not re.search(UNITS, text))


UNITS = r"angle|deg|arcsec|energy|wavelength|unit|side|cm|flux|radius"
"""Words that say what kind of quantity is meant."""


@pytest.mark.parametrize("thing", public())
def test_the_example_of_a_public_name_runs(thing):
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    tests = finder.find(thing, thing.__name__, globs={})
    assert sum(len(test.examples) for test in tests) > 0
    for test in tests:
        assert runner.run(test).failed == 0, thing.__name__
