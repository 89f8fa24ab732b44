from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.association.counterparts import counterpart_list
from gammafind.errors import OptionError, TableError


def table(n=80, **columns):
    """Objects on the equator."""
    names = [f"A{i}" for i in range(n)]
    lon = np.linspace(0, 300, n)
    return QTable({"name": names, "ra": lon * u.deg, "dec": np.zeros(n) * u.deg, **columns})


def test_large_classes_stand_alone_and_small_ones_together():
    classes = np.array(["BLL"] * 40 + ["fsrq"] * 35 + ["rdg"] * 3 + ["sbg"] * 2)
    one = counterpart_list(table(CLASS=classes), "AGN")
    assert one.groups == ("bll", "fsrq", "others")
    np.testing.assert_array_equal(np.bincount(one.group), [40, 35, 5])
    assert one.classes[0] == "BLL"


def test_small_catalogues_are_one_group():
    one = counterpart_list(table(4, CLASS=["a", "a", "b", "c"]), "few")
    assert one.groups == ("",)
    assert counterpart_list(table(4), "few", class_label="psr").groups == ("psr",)


def test_what_was_taken_as_what_is_said():
    one = counterpart_list(table(pos_err=np.full(80, 0.1) * u.deg), "AGN", class_label="agn")
    for text in ("ra, dec (icrs)", "pos_err (68 % radius)", "names name", "agn for all"):
        assert text in one.columns
    assert "positions are exact" in counterpart_list(table(), "AGN").columns


def test_rows_without_an_error_have_a_usual_one():
    error = np.full(80, 0.1)
    error[0] = np.nan
    one = counterpart_list(table(r95=error * u.deg), "AGN")
    np.testing.assert_allclose(one.covariance[0], one.covariance[1])
    given = counterpart_list(table(r95=error * u.deg), "AGN", r95=0.2)
    np.testing.assert_allclose(given.covariance[0], 4 * given.covariance[1])
    assert np.all(counterpart_list(table(), "AGN").covariance == 0)


def test_bad_catalogues_and_options_are_refused():
    with pytest.raises(TableError, match="the catalogue AGN has no rows"):
        counterpart_list(table()[:0], "AGN")
    with pytest.raises(TableError, match="no column kind"):
        counterpart_list(table(), "AGN", class_column="kind")
    with pytest.raises(TableError, match="no column title"):
        counterpart_list(table(), "AGN", name_column="title")
    with pytest.raises(OptionError, match="prior of AGN is 1"):
        counterpart_list(table(), "AGN", prior=1.0)
    with pytest.raises(OptionError, match="a class and a column of classes"):
        counterpart_list(table(CLASS=["x"] * 80), "AGN", class_label="a", class_column="CLASS")
