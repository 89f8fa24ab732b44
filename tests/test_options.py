"""Options of plugins."""

from __future__ import annotations

from dataclasses import dataclass, field

import astropy.units as u
import pytest
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.options import check_options, close_match, option_defaults


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


def test_a_match_is_offered_only_when_near():
    assert close_match("radus", ["radius", "step"]) == " (did you mean 'radius'?)"
    assert close_match("colour", ["radius", "step"]) == ""
