from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import pytest
from astropy.table import QTable

import gammafind
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.errors import TableError
from gammafind.pipeline.extended import flagged, with_extended
from gammafind.presets.preset import build, load_preset
from tests.cli.toy import PIXELS, SOURCES, Toy, toy_counts


@pytest.fixture
def sky():
    """Observation of an instrument that knows no extended source."""
    return Toy().observe(toy_counts())


@pytest.fixture
def shells() -> QTable:
    """Table of a disc on the first source."""
    place = PIXELS.centres()[next(iter(SOURCES))].icrs
    return QTable(
        {"ra": [place.ra], "dec": [place.dec], "shape": ["disc"], "radius": [0.5] * u.deg}
    )


def test_an_instrument_that_knows_none_has_none(sky):
    assert with_extended(sky, Toy(), None) == (sky, "")


def test_a_table_is_taken_and_none_means_none(sky, shells):
    there, name = with_extended(sky, Toy(), shells)
    assert name == "a table"
    assert there.extended["name"].tolist() == ["extended 1"]
    assert with_extended(there, Toy(), None)[0].extended is there.extended
    assert with_extended(there, Toy(), "none")[0].extended is None


def test_a_catalogue_without_shapes_is_refused(sky, shells):
    shells.remove_column("shape")
    with pytest.raises(TableError, match="no shapes"):
        with_extended(sky, Toy(), shells)


def test_the_lat_knows_those_of_4fgl_dr2():
    renderer = build(load_preset("fermi-lat-psf3-2-20").renderer)
    sky = renderer.observe(gammafind.demo_sky("M 87"))
    there, name = with_extended(sky, renderer, None)
    assert (len(there.extended), name) == (75, "4fgl-dr2")


def test_detections_on_known_sources_are_flagged(sky, shells):
    there, _ = with_extended(sky, Toy(), shells)
    found = QTable({"ra": shells["ra"][[0, 0]], "dec": shells["dec"][0] + [0, 40] * u.deg})
    assert has_flag(flagged(found, there)["flags"], Flag.ON_EXTENDED).tolist() == [True, False]
    assert "flags" not in flagged(found, replace(there, extended=None)).colnames
