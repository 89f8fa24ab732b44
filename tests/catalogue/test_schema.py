"""Schemas: valid units and UCDs, and tables that conform to them."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io.votable.ucd import parse_ucd
from astropy.table import QTable
from astropy.utils.masked import Masked

from gammafind.catalogue import schema
from gammafind.catalogue.schema import CLUSTERS, SOURCES, conform, empty_table
from gammafind.errors import TableError

SCHEMAS = ("SOURCES", "CLUSTERS", "PATCH_DETECTIONS", "DETECTIONS", "CATALOGUE")


@pytest.mark.parametrize("name", SCHEMAS)
def test_ucds_are_of_the_vocabulary(name):
    for column in getattr(schema, name):
        parse_ucd(column.ucd, check_controlled_vocabulary=True)


@pytest.mark.parametrize("name", SCHEMAS)
def test_empty_table_conforms(name):
    columns = getattr(schema, name)
    table = empty_table(columns)
    again = conform(table, columns, what="the table")
    assert again.colnames == table.colnames == [column.name for column in columns]
    for column in columns:
        assert str(table[column.name].unit or "") == str(u.Unit(column.unit))
        assert table[column.name].info.meta == {"ucd": column.ucd}


def test_units_are_converted_and_other_columns_kept():
    table = QTable({"own": [1], "y": [2] * u.pix, "x": [1] * u.pix, "n_pixels": [3.0]})
    table["score"] = [50] * u.percent
    table.meta["seed"] = 3
    checked = conform(table, CLUSTERS, what="the clusters")
    assert checked.colnames == ["x", "y", "score", "n_pixels", "own"]
    assert checked["score"][0] == 0.5
    assert checked["n_pixels"].dtype.kind == "i"
    assert checked.meta == {"seed": 3}


def test_missing_column_and_wrong_unit_are_named():
    with pytest.raises(TableError, match="the sources lacks the column name, dec"):
        conform(
            QTable({"ra": [1] * u.deg, "class_label": [""], "flux": [1]}),
            SOURCES,
            what="the sources",
        )
    table = QTable({"x": [1] * u.m, "y": [1] * u.pix, "score": [1], "n_pixels": [1]})
    with pytest.raises(TableError, match="column x does not convert to pix"):
        conform(table, CLUSTERS, what="the clusters")


def test_photons_are_numbers():
    table = QTable({"ra": [1] * u.deg, "dec": [1] * u.deg, "class_label": ["bll"], "name": ["a"]})
    table["flux"] = [3.0] * u.Unit("ph m-2 s-1")
    assert conform(table, SOURCES, what="it")["flux"][0].to_value("cm-2 s-1") == pytest.approx(3e-4)


def test_missing_values():
    table = QTable({"y": [2.0] * u.pix, "score": np.ma.array([1], mask=[True])})
    table["x"] = Masked([1.0] * u.pix, mask=[True])
    table["n_pixels"] = [1]
    checked = conform(table, CLUSTERS, what="the clusters")
    assert np.isnan(checked["x"][0])
    assert checked["x"].unit == u.pix
    assert np.isnan(checked["score"][0])
    table["n_pixels"] = np.ma.array([1], mask=[True])
    with pytest.raises(TableError, match="n_pixels has rows without a value"):
        conform(table, CLUSTERS, what="the clusters")
