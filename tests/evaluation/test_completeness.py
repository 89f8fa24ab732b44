from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.evaluation.completeness import completeness_table
from gammafind.evaluation.intervals import binomial_interval

FLUX = u.Unit("cm-2 s-1")
EDGES, LATITUDES = [1, 2, 4] * FLUX, [0, 20, 90] * u.deg


def sources(flux, glat, index, found):
    return QTable({"flux": flux * FLUX, "glat": glat * u.deg, "index": index, "found": found})


def test_each_source_is_in_one_bin():
    flux, glat = [1.0, 1.5, 2.0, 4.0, 9.0], [5.0, -5.0, -50.0, 90.0, 0.0]
    table = completeness_table(
        sources(flux, glat, [2.0] * 5, [True, False, True, True, True]), EDGES, LATITUDES
    )
    assert table["n"].tolist() == [2, 2]
    assert table["n_found"].tolist() == [1, 2]
    assert table["flux_low"].value.tolist() == [1, 2]
    assert table["b_low"].value.tolist() == [0, 20]


def test_a_few_indices_are_a_bin_each_and_many_share_bins():
    rng = np.random.default_rng(0)
    few = sources(np.ones(90), np.zeros(90), rng.choice([1.8, 2.3, 2.8], 90), np.ones(90, bool))
    table = completeness_table(few, EDGES, LATITUDES)
    assert table["index_low"].tolist() == table["index_high"].tolist() == [1.8, 2.3, 2.8]
    many = sources(np.ones(90), np.zeros(90), rng.uniform(1, 3, 90), np.ones(90, bool))
    table = completeness_table(many, EDGES, LATITUDES)
    assert len(table) == 6
    assert table["n"].sum() == 90


def test_the_interval_holds_the_true_share_in_two_of_three_cases():
    rng = np.random.default_rng(1)
    found = rng.binomial(30, 0.7, 20_000)
    low, high = binomial_interval(found, np.full(20_000, 30))
    assert 0.62 < np.mean((low <= 0.7) & (high >= 0.7)) < 0.76


def test_the_interval_touches_none_and_all():
    low, high = binomial_interval(np.array([0, 5]), np.array([5, 5]))
    assert low[0] == 0
    assert high[1] == 1
    assert 0 < high[0] < 0.4
    assert 0.6 < low[1] < 1
