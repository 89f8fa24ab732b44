from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.measure.flux_fit import FluxFit
from gammafind.plugins.unet.ranking import Ranking, evidence, terms


def fit(ts):
    ts = np.asarray(ts, dtype=float)
    ones = np.ones_like(ts)
    return FluxFit(ts, ones, ones, ones, np.ones((len(ts), 2)))


def test_evidence_is_finite_at_the_ends_of_its_range():
    known = evidence(
        np.array([0.0, 0.5, 1.0]),
        np.array([0.1, 1.0, 9.0]),
        fit([[0], [9], [1e7]]),
        np.array([0.0, 0.99, 2.0]),
    )
    assert known.shape == (3, 5)
    assert np.all(np.isfinite(known))
    np.testing.assert_allclose(known[1], [0, 0, 0, 0, np.log(10)])


def test_terms_are_all_products():
    made = terms(np.array([[2.0, 3.0]]))
    np.testing.assert_allclose(made, [[1, 2, 3, 4, 6, 9]])


def test_probability_is_the_logistic_function_of_the_terms():
    ranking = Ranking(mean=(1.0,), scale=(2.0,), weights=(0.5, 1.0, 0.0))
    told = ranking.probability(np.array([[1.0], [5.0], [-1e9]]))
    np.testing.assert_allclose(told, [1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-2.5)), 0], atol=1e-9)


@pytest.mark.parametrize(
    "change",
    [{"weights": (1.0, 2.0)}, {"scale": (0.0,)}, {"mean": (np.nan,)}, {"scale": (1.0, 1.0)}],
)
def test_numbers_that_do_not_belong_together_are_refused(change):
    with pytest.raises(OptionError, match="ranking"):
        Ranking(**{"mean": (0.0,), "scale": (1.0,), "weights": (0.0, 1.0, 0.0), **change})
