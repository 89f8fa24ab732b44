"""Which localiser searches a sky where nobody names one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS

import gammafind
from gammafind.pipeline.localise import able_preset
from gammafind.presets.preset import build, load_preset
from gammafind.presets.preset import presets as all_presets
from gammafind.sky.pixels import WcsPixels


@pytest.fixture(scope="module")
def preset():
    return load_preset("fermi-lat-psf3-2-20")


def observation_of(preset, counts):
    return build(preset.renderer).observe(counts)


def square(preset):
    wcs = WCS({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CDELT1": -0.4, "CDELT2": 0.4})
    pixels = (WcsPixels(wcs, (8, 8)),)
    return gammafind.SkyMap(preset.bands, pixels, (np.ones((8, 8), dtype=int),))


def test_every_lat_preset_with_trained_weights_searches_by_the_network():
    found = {name: one for name, one in all_presets().items() if name.startswith("fermi-lat")}
    shipped = {"fermi-lat", "fermi-lat-p8r3", "fermi-lat-psf3-2-20"}
    assert {name for name, one in found.items() if one.localiser.name == "unet"} == shipped
    assert {one.fallback.name for name, one in found.items() if name in shipped} == {"likelihood"}


def test_a_whole_sky_is_searched_by_the_network(preset):
    sky = observation_of(preset, gammafind.demo_sky("M 87"))
    assert able_preset(preset, sky) is preset


def test_a_map_with_a_wcs_is_searched_by_the_fallback(preset, caplog):
    caplog.set_level("INFO", logger="gammafind")
    able = able_preset(preset, observation_of(preset, square(preset)))
    assert (able.localiser.name, able.fallback) == ("likelihood", None)
    assert "these have a WCS: likelihood searches instead" in caplog.text


def test_bands_without_weights_are_searched_by_the_fallback(preset):
    network = gammafind.create("localiser", "unet", network="paper")
    sky = observation_of(preset, gammafind.demo_sky("M 87"))
    assert "the network paper has no weights for the bands 2-20 GeV" in network.cannot_search(sky)
    component = replace(preset.localiser, options={"network": "paper"})
    able = able_preset(replace(preset, localiser=component), sky)
    assert able.localiser.name == "likelihood"


@pytest.mark.parametrize(
    "choice", [{"localiser": "unet"}, {"options": {"localiser": {"views": 1}}}]
)
def test_who_chooses_the_network_gets_it_or_an_error(preset, choice):
    with pytest.raises(gammafind.GammafindError, match="these have a WCS"):
        gammafind.detect(square(preset), preset=preset, **choice)
