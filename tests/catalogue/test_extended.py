from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.extended import extended_sources, on_extended
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.errors import TableError


def shapes(**changes) -> QTable:
    """Table of a disc, a point and a Gaussian, as people make it."""
    columns = {
        "name": ["shell", "point", "cloud"],
        "ra": [10.0, 50.0, 90.0] * u.deg,
        "dec": [0.0, 10.0, 20.0] * u.deg,
        "shape": ["Disk", "", "gaussian"],
        "radius": [1.0, np.nan, 2.0] * u.deg,
    }
    return QTable({**columns, **changes})


def test_rows_with_a_shape_are_extended():
    found = extended_sources(shapes())
    assert found["name"].tolist() == ["shell", "cloud"]
    assert found["extension_model"].tolist() == ["disc", "gaussian"]
    assert found["extension_radius"].to_value("deg").tolist() == [1.0, 2.0]


def test_the_name_of_the_extended_source_comes_before_that_of_the_row():
    found = extended_sources(shapes(Extended_Source_Name=["W 44", "", ""]))
    assert found["name"].tolist() == ["W 44", "cloud"]


def test_maps_need_no_shape():
    table = shapes(map=["a.fits", "b.fits", "c.fits"])
    table.remove_columns(["shape", "radius"])
    assert extended_sources(table)["extension_model"].tolist() == ["map"] * 3


def test_a_table_without_shapes_is_refused():
    table = shapes()
    table.remove_column("shape")
    with pytest.raises(TableError, match="no shapes"):
        extended_sources(table)


def test_points_on_a_source_or_next_to_it_are_on_it():
    places = SkyCoord([10.9, 11.2, 12.0, 92.9], [0.0, 0.0, 0.0, 20.0], unit="deg")
    found = on_extended(places, extended_sources(shapes()), 0.3 * u.deg)
    assert found.tolist() == [True, True, False, True]


def test_bits_are_read_one_by_one():
    assert has_flag([0, 1, 2, 3], Flag.ON_EXTENDED).tolist() == [False, True, False, True]
