"""The real skies that come with the package, in memory."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest

import gammafind
from gammafind.errors import EnergyEdgesError, OptionError
from gammafind.pipeline import demo
from gammafind.pipeline.inputs import preset_for, sorted_input
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap

HIGH = "10-2000GeV"


@pytest.fixture
def coarse(monkeypatch):
    """The sky above 10 GeV with pixels of 15 deg, one photon in each."""

    def read(renderer):
        pixels = (HealpixPixels(4),) * len(renderer.bands)
        counts = tuple(np.ones(one.shape, dtype=int) for one in pixels)
        return SkyMap(renderer.bands, pixels, counts)

    monkeypatch.setitem(demo.DEMO_SKIES, HIGH, replace(demo.DEMO_SKIES[HIGH], read=read))


def test_a_sky_in_memory_finds_its_own_preset(coarse):
    names = [
        preset_for(sorted_input(gammafind.demo_sky(sky=sky)), None, None).name
        for sky in demo.DEMO_SKIES
    ]
    assert names == ["fermi-lat-psf3-2-20", "fermi-lat-10-2000"]


def test_another_map_with_the_same_bands_does_not(coarse):
    sky = replace(gammafind.demo_sky(sky=HIGH), meta={})
    with pytest.raises(EnergyEdgesError, match="no preset fits"):
        preset_for(sorted_input(sky), None, None)


def test_the_region_of_a_sky_is_that_of_all_bands(coarse):
    sky = gammafind.demo_sky("Crab", radius=20 * u.deg, sky=HIGH)
    inside = [int(valid.sum()) for valid in sky.valid]
    assert inside[0] > 3
    assert inside == [int(counts.sum()) for counts in sky.values] == inside[:1] * 3


def test_a_sky_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(OptionError, match=r"no sky '2-20'.*2-20GeV, 10-2000GeV"):
        gammafind.demo_sky(sky="2-20")
