"""Options of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import astropy.units as u
import pytest
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.roles.options import check_options, close_match, option_defaults

if TYPE_CHECKING:
    from elsewhere import Unknown


@dataclass(frozen=True, kw_only=True)
class Toy:
    name = "toy"
    catalogue: str
    beam: Quantity = 2 * u.deg
    cut: Quantity | None = None
    widths: tuple[int, ...] = (16, 32)
    fraction: float = 0.5
    deep: bool = False
    extra: dict = field(default_factory=dict)


def test_text_and_lists_take_the_types_of_the_fields():
    checked = check_options(
        Toy,
        {"catalogue": "a", "beam": "90 arcmin", "cut": "3 cm", "widths": [1, 2], "fraction": 1},
    )
    assert checked["beam"] == 1.5 * u.deg
    assert checked["beam"].unit == u.deg
    assert checked["cut"] == 3 * u.cm
    assert checked["widths"] == (1, 2)
    assert type(checked["fraction"]) is float


def test_quantities_take_the_unit_of_the_default():
    checked = check_options(Toy, {"catalogue": "a", "beam": 90 * u.arcmin, "cut": None})
    assert checked["beam"].unit == u.deg
    assert checked["beam"] == 1.5 * u.deg
    assert checked["cut"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "toy needs the option catalogue. It accepts catalogue \\(required\\), beam"),
        ({"catalogue": "a", "beem": 1}, "did you mean 'beam'"),
        ({"catalogue": "a", "beam": "2 kg"}, "beam of toy is in kg"),
        ({"catalogue": "a", "beam": "2"}, "beam of toy has no unit"),
        ({"catalogue": "a", "beam": 2}, "beam of toy is 2"),
        ({"catalogue": "a", "beam": 2 * u.kg}, "beam of toy is in kg"),
        ({"catalogue": "a", "cut": "wide"}, "cut of toy is 'wide'"),
        ({"catalogue": "a", "cut": 0.5}, "cut of toy is 0.5"),
        ({"catalogue": 3}, "catalogue of toy is 3"),
        ({"catalogue": "a", "deep": 1}, "deep of toy is 1"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        check_options(Toy, options)


def test_the_defaults_are_shown_as_they_are_written():
    assert option_defaults(Toy) == {
        "catalogue": "required",
        "beam": "'2.0 deg'",
        "cut": "None",
        "widths": "(16, 32)",
        "fraction": "0.5",
        "deep": "False",
        "extra": "{}",
    }


@dataclass(frozen=True, kw_only=True)
class Typed:
    name = "typed"
    gains: tuple[float, ...] = (1.0,)
    shape: tuple[int, int] = (2, 3)
    types: tuple[str, ...] = ("FRONT",)
    filters: Sequence[int] = (4,)
    anything: tuple = ()
    sky: float | None = None
    size: int | str = 3
    reach: float | Quantity = 1.0
    way: Literal["up", "down"] = "up"
    inner: Toy | None = None
    unknown: Unknown = None


@dataclass(frozen=True, kw_only=True)
class Derived(Typed):
    name = "derived"
    more: Sequence[float] = ()


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("gains", [1, 2.5], (1.0, 2.5)),
        ("gains", (), ()),
        ("shape", [512, 256], (512, 256)),
        ("types", "PSF3", ("PSF3",)),
        ("types", ["PSF2", "PSF3"], ("PSF2", "PSF3")),
        ("filters", [8], (8,)),
        ("anything", [1, "a"], (1, "a")),
        ("sky", 21, 21.0),
        ("sky", None, None),
        ("size", "large", "large"),
        ("size", 4, 4),
        ("reach", 2, 2.0),
        ("reach", "2 deg", 2 * u.deg),
        ("way", "down", "down"),
        ("inner", Toy(catalogue="a"), Toy(catalogue="a")),
        ("unknown", [1], (1,)),
        ("more", [1], (1.0,)),
    ],
)
def test_tuples_and_unions_take_the_types_of_the_fields(name, given, expected):
    checked = check_options(Derived, {name: given})[name]
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("gains", 0, r"gains of derived is 0\. It must be of type tuple\[float, \.\.\.\]"),
        ("gains", ["a"], r"gains of derived is \['a'\]"),
        ("gains", [True], r"gains of derived is \[True\]"),
        ("shape", 512, r"It must be of type tuple\[int, int\]"),
        ("shape", [1, 2, 3], r"shape of derived is \[1, 2, 3\]"),
        ("types", 3, "types of derived is 3"),
        ("filters", "a", r"It must be of type Sequence\[int\]"),
        ("sky", "abc", r"It must be of type float \| None"),
        ("sky", {"a": 1}, "sky of derived is"),
        ("sky", False, "sky of derived is False"),
        ("size", 2.5, "size of derived is 2.5"),
        ("reach", "far", "reach of derived is 'far'"),
        ("way", "left", "way of derived is 'left'"),
        ("inner", "disk", r"It must be of type Toy \| None"),
        ("more", ["a"], "more of derived is"),
    ],
)
def test_values_of_another_type_are_named(name, given, message):
    with pytest.raises(OptionError, match=message):
        check_options(Derived, {name: given})


def test_a_match_is_offered_only_when_near():
    assert close_match("radus", ["radius", "step"]) == " (did you mean 'radius'?)"
    assert close_match("colour", ["radius", "step"]) == ""
