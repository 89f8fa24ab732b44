"""Where a number is wanted, it is finite and of a sensible size; else there is one short line."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind import evaluate, load_preset
from gammafind.cli.arguments import parse_options
from gammafind.cli.main import main
from gammafind.errors import ConfigError, GammafindError, OptionError
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import PatchLayout, Preset, build
from gammafind.units import parse_quantity

LONG = "9" * 5000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("score_threshold = 25.0", "score_threshold = nan"),
        ("score_threshold = 25.0", "score_threshold = -inf"),
        ("score_threshold = 25.0", f"score_threshold = {LONG}"),
        ('radius = "0.5 deg"', 'radius = "inf deg"'),
        ('radius = "0.5 deg"', 'radius = "nan deg"'),
        ('radius = "0.5 deg"', 'radius = "1e300 deg"'),
        ('radius = "0.5 deg"', 'radius = "-1 deg"'),
        ('size = "10 deg"', 'size = "nan deg"'),
        ("nside = 4", "nside = 16384"),
        ("nside = 4", "nside = 1099511627776"),
        ("nside = 4", f"nside = {LONG}"),
        ("nside = 4", f"nside = 0x{'f' * 5000}"),
        ("nside = 4", "n_pixels = [1000000000]"),
        ("[patches]", f"a = {'[' * 100_000}\n[patches]"),
    ],
)
def test_a_preset_holds_finite_numbers(corpus, tmp_path, old, new):
    path = tmp_path / "mine.toml"
    text = corpus["preset.toml"].read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=r"mine\.toml") as caught:
        load_preset(path)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", LONG, f"0x{'f' * 5000}", "[" * 5000])
def test_options_are_finite_numbers(value):
    options = parse_options([f"localiser.threshold={value}"])
    with pytest.raises(GammafindError) as caught:
        build(with_plugins(load_preset("fermi-lat-psf3-2-20"), {}, options).localiser)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_options_in_python_are_finite_numbers(number):
    preset = load_preset("fermi-lat-psf3-2-20")
    for options in ({"threshold": number}, {"threshold": number * u.one}):
        with pytest.raises(GammafindError):
            build(with_plugins(preset, {}, {"localiser": options}).localiser)


@pytest.mark.parametrize("text", ["nan deg", "inf deg", "-inf rad", "1e400 deg", "0.3", "deg"])
def test_quantities_are_finite(text):
    with pytest.raises(OptionError, match="radius"):
        parse_quantity(text, "deg", name="radius")


@pytest.mark.parametrize("radius", [np.nan, np.inf, -1, 0, 1e300])
def test_match_radii_are_angles_on_the_sphere(corpus, radius):
    preset = load_preset(corpus["preset.toml"])
    with pytest.raises(OptionError, match="match radius"):
        Preset(
            name="a",
            renderer=preset.renderer,
            localiser=preset.localiser,
            match_radius=radius * u.deg,
        )
    with pytest.raises(OptionError, match="match radius"):
        evaluate(corpus["truth.ecsv"], corpus["truth.ecsv"], radius=radius * u.deg)


@pytest.mark.parametrize("size", [np.nan, np.inf, 0, 90])
def test_patches_have_a_size(size):
    with pytest.raises(OptionError, match="patches"):
        PatchLayout(size=size * u.deg)


@pytest.mark.parametrize(
    "arguments",
    [
        ["detect", "a.fits", "-o", "a.ecsv", "--min-score", "nan"],
        ["detect", "a.fits", "-o", "a.ecsv", "--max-fake", "inf"],
        ["detect", "a.fits", "-o", "a.ecsv", "--localiser", ""],
        ["detect", "a.fits", "-o", ""],
        ["evaluate", "a.ecsv", "b.ecsv", "--purity", "nan"],
        ["associate", "a.ecsv", "-o", "b.ecsv", "--threshold", "nan"],
        ["simulate", "-o", "a", "--catalogues", "nan"],
    ],
)
def test_numbers_and_names_of_the_command_line_are_checked(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: argument" in capsys.readouterr().err
