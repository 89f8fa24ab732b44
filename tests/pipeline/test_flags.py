"""Flags that follow from where sources are."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.flags import MEANINGS, Flag, described, has_flag, with_flag
from gammafind.pipeline.flags import (
    at_edge,
    given_flags,
    near_brighter,
    psf_widths,
    with_geometry,
)
from gammafind.sky.skymap import SkyMap
from tests.cli.toy import Toy, toy_counts


@pytest.fixture
def sky():
    return Toy().observe(toy_counts())


@pytest.fixture
def half(sky):
    """The same sky with one half of its pixels only."""
    counts = sky.counts
    north = counts.pixels[0].centres().galactic.b > 0 * u.deg
    valid = tuple(mask & north for mask in counts.valid)
    part = SkyMap(counts.bands, counts.pixels, counts.values, counts.kind, valid)
    return replace(sky, counts=part)


def detections(places: SkyCoord, flux) -> QTable:
    here = places.icrs
    return QTable({"ra": here.ra, "dec": here.dec, "flux": np.array(flux) * u.Unit("cm-2 s-1")})


def test_every_bit_has_a_value_of_its_own_and_a_meaning():
    values = [int(flag) for flag in Flag]
    assert all(value & (value - 1) == 0 for value in values)
    assert set(MEANINGS) == set(Flag)
    assert "1 ON_EXTENDED" in described()
    assert with_flag(np.array([1, 0]), Flag.CONFUSED, np.array([True, False])).tolist() == [
        1 + int(Flag.CONFUSED),
        0,
    ]


def test_sources_whose_psf_leaves_the_map_are_at_its_edge(half):
    reach = half.psfs[0].containment_radius(0.95)
    places = SkyCoord([10, 10, 10] * u.deg, [-20 * u.deg, reach / 2, 60 * u.deg], frame="galactic")
    assert at_edge(places, half).tolist() == [True, True, False]


def test_a_whole_sky_has_no_edge(sky):
    places = SkyCoord([0, 120, 240] * u.deg, [-90, 0, 45] * u.deg, frame="galactic")
    assert not at_edge(places, sky).any()


def test_the_fainter_of_two_is_near_a_bright_one_and_both_are_confused(sky):
    width = float(psf_widths(sky).min())
    apart = np.array([0, 0.5, 1.5, 20]) * width * u.deg
    places = SkyCoord(np.full(4, 30.0) * u.deg, apart, frame="galactic")
    found = with_geometry(detections(places, [4, 3, 2, 1]), sky)["flags"]
    assert has_flag(found, Flag.NEAR_BRIGHT).tolist() == [False, True, True, False]
    assert has_flag(found, Flag.CONFUSED).tolist() == [True, True, False, False]
    assert not has_flag(found, Flag.AT_EDGE).any()


def test_flags_that_are_there_stay(sky):
    table = detections(SkyCoord([30, 60] * u.deg, [0, 0] * u.deg, frame="galactic"), [1, 1])
    table["flags"] = [int(Flag.ON_EXTENDED), 0]
    found = with_geometry(table, sky, exposure_estimated=True)["flags"]
    assert found.tolist() == [1 + int(Flag.EXPOSURE_ESTIMATED), int(Flag.EXPOSURE_ESTIMATED)]
    assert table["flags"].tolist() == [1, 0]


def test_without_detections_nothing_is_flagged(sky):
    assert len(with_geometry(detections(SkyCoord([], [], unit="deg"), []), sky)) == 0


def test_a_source_is_not_near_itself():
    places = SkyCoord([0, 0] * u.deg, [0, 10] * u.deg)
    assert not near_brighter(places, np.array([1.0, 1.0])).any()


def test_flags_of_the_lat_are_those_of_this_catalogue():
    theirs = QTable({"Flags": [0, 1, 7]}, meta={"release": "4FGL-DR2"})
    moved = int(Flag.TS_CHANGES_WITH_DIFFUSE)
    assert given_flags(theirs).tolist() == [0, moved, 6 + moved]


def test_flags_of_a_search_stay():
    assert given_flags(QTable({"Flags": [0, 1, 7]})).tolist() == [0, 1, 7]
