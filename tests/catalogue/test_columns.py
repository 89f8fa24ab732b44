"""Columns of numbers of whatever kind."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from gammafind.catalogue.columns import column_of, fluxes, numbers, numbers_of, texts_of
from gammafind.errors import TableError

MASK = [False, True]


@pytest.mark.parametrize(
    "column",
    [
        MaskedColumn([60, 7], mask=MASK),
        MaskedColumn([60.0, 7.0], mask=MASK),
        MaskedColumn([1, 7], mask=MASK, unit="deg"),
        Masked([1.0, 7.0] * u.deg, mask=MASK),
        [60.0, np.nan] * u.arcmin,
        Column([1.0, np.nan], unit="deg"),
        np.array([60.0, np.nan]),
        [60.0, np.nan] * u.dimensionless_unscaled,
    ],
    ids=lambda column: f"{type(column).__name__} {getattr(column, 'unit', None)}",
)
@pytest.mark.parametrize("kind", [Table, QTable])
def test_what_is_masked_is_missing_and_units_convert(column, kind):
    found = numbers(kind({"error": column}), "error", u.arcmin)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, [60, np.nan])


def test_a_column_that_is_not_there_is_missing():
    assert np.isnan(numbers(QTable({"a": [1, 2, 3]}), "b")).tolist() == [True] * 3


def test_the_column_is_not_changed():
    table = QTable({"a": [1.0, 2.0]})
    numbers(table, "a")[:] = 5
    assert table["a"].tolist() == [1, 2]


def test_other_units_and_text_are_refused():
    table = QTable({"a": [1.0] * u.s, "b": ["x"]})
    with pytest.raises(TableError, match="not convertible"):
        numbers(table, "a", u.deg)
    with pytest.raises(TableError, match="could not convert"):
        numbers(table, "b")


def labelled(**columns):
    """Table of columns given as (values, UCD)."""
    table = QTable({name: values for name, (values, _) in columns.items()})
    for name, (_, ucd) in columns.items():
        table[name].info.meta = {"ucd": ucd}
    return table


def test_columns_are_found_by_what_they_hold():
    fermi = QTable({"Source_Name": ["a"], "CLASS1": ["psr"], "ASSOC1": ["Crab"], "Score": [1.0]})
    optical = QTable({"name": ["a"], "class_label": ["star"], "association": ["B"], "score": [1]})
    for table in (fermi, optical):
        assert texts_of(table, "source_name").tolist() == ["a"]
        assert numbers_of(table, "score").tolist() == [1.0]
    assert column_of(fermi, "class_label") == "CLASS1"
    assert column_of(optical, "association") == "association"
    assert column_of(optical, "flux") is None
    assert texts_of(QTable({"a": [1, 2]}), "class_label").tolist() == ["", ""]
    assert np.isnan(numbers_of(QTable({"a": [1, 2]}), "ts")).all()


def test_a_column_of_another_name_is_found_by_its_ucd():
    table = labelled(
        bands=(np.ones((1, 3)), "phot.flux.density;em.radio"),
        S1400=([2.0] * u.mJy, "phot.flux.density;em.radio"),
        e_S1400=([0.1] * u.mJy, "stat.error;phot.flux.density"),
        kind=(["quasar"], "src.class"),
        counterpart=(["3C 48"], "meta.id.cross"),
    )
    assert column_of(table, "flux") == "S1400"
    assert column_of(table, "flux_err") == "e_S1400"
    assert column_of(table, "class_label") == "kind"
    assert texts_of(table, "association").tolist() == ["3C 48"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (QTable({"Flux1000": [2e-9]}), 2e-9 * u.Unit("cm-2 s-1")),
        (QTable({"Flux": [2e-5] / u.m**2 / u.s}), 2e-9 * u.Unit("cm-2 s-1")),
        (QTable({"flux": [2e-9] * u.Unit("ph cm-2 s-1")}), 2e-9 * u.Unit("cm-2 s-1")),
        (QTable({"Flux": [3.0] * u.mJy}), 3 * u.mJy),
        (QTable({"a": [1]}), np.nan * u.Unit("cm-2 s-1")),
    ],
)
def test_fluxes_keep_their_kind(table, expected):
    found = fluxes(table)
    assert found.unit == expected.unit
    np.testing.assert_allclose(found.value, [expected.value])
