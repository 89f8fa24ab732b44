from __future__ import annotations

import astropy.units as u
import pytest
from astropy.table import MaskedColumn, QTable

from gammafind.catalogue.associate import associate
from gammafind.catalogue.publish import publish
from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.errors import TableError


def sources(*lon, name="name"):
    """Sources on the equator."""
    names = [f"S{value}" for value in lon]
    return QTable({name: names, "ra": lon * u.deg, "dec": [0.0] * len(lon) * u.deg})


def catalogue(*lon):
    """Catalogue of detections on the equator."""
    table = sources(*lon)
    table["score"] = 20.0
    return publish(table["ra", "dec", "score"])


def test_each_counterpart_is_used_once_and_the_rest_is_empty():
    found = associate(catalogue(10.0, 10.2, 50.0), sources(10.1, 80.0), 0.3 * u.deg)
    assert sorted(found["Association"]) == ["", "", "S10.1"]
    assert found["Association"][2] == ""
    assert found["Association"].info.meta["ucd"] == "meta.id.cross"


def test_the_given_catalogue_is_left_as_it_was():
    given = catalogue(10.0)
    associate(given, sources(10.0), 0.3 * u.deg)
    assert "Association" not in given.colnames


def test_names_are_found_in_any_case():
    found = associate(catalogue(10.0), sources(10.0, name="SOURCE_NAME"), 0.3 * u.deg)
    assert list(found["Association"]) == ["S10.0"]


def test_nothing_found_stays_nothing_with_all_columns():
    found = associate(empty_table(CATALOGUE), sources(10.0), 0.3 * u.deg)
    assert len(found) == 0
    assert found.colnames == [column.name for column in CATALOGUE]


def test_sources_without_names_are_named_after_their_positions():
    found = associate(catalogue(10.0), sources(10.0)["ra", "dec"], 0.3 * u.deg)
    assert list(found["Association"]) == ["J0040.0+0000"]
    named = sources(10.0, 50.0)
    named["name"] = MaskedColumn(["A", "B"], mask=[False, True])
    found = associate(catalogue(10.0, 50.0), named, 0.3 * u.deg)
    assert list(found["Association"]) == ["A", "J0320.0+0000"]


@pytest.mark.parametrize("name", ["Source name", "MAIN_ID", "Candidate Name", "_Name", "ID"])
def test_usual_columns_of_names_are_found(name):
    found = associate(catalogue(10.0), sources(10.0, name=name), 0.3 * u.deg)
    assert list(found["Association"]) == ["S10.0"]


def test_sources_of_the_same_name_are_used_once_each():
    twins = sources(10.0, 50.0)
    twins["name"] = "twin"
    found = associate(catalogue(10.0, 50.0, 80.0), twins, 0.3 * u.deg)
    assert list(found["Association"]) == ["twin", "twin", ""]


def test_a_reference_without_positions_is_refused():
    with pytest.raises(TableError, match="the reference catalogue has no positions"):
        associate(catalogue(10.0), QTable({"name": ["A"]}), 0.3 * u.deg)
