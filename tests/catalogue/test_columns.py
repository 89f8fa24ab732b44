"""Columns of numbers of whatever kind."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from gammafind.catalogue.columns import numbers

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
    with pytest.raises(u.UnitConversionError):
        numbers(table, "a", u.deg)
    with pytest.raises(ValueError, match="could not convert"):
        numbers(table, "b")
