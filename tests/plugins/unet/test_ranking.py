from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.networks.ranking import Ranking

ONE = {"mean": np.zeros(1), "scale": np.ones(1), "layers": [(np.ones((1, 1)), np.zeros(1))]}


def test_one_layer_is_the_logistic_function():
    layer = (np.array([[1.0]]), np.array([0.5]))
    ranking = Ranking(mean=np.array([1.0]), scale=np.array([2.0]), layers=[layer])
    told = ranking.probability(np.array([[1.0], [5.0], [-1e9]]))
    np.testing.assert_allclose(told, [1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-2.5)), 0], atol=1e-9)


def test_between_layers_stands_the_hyperbolic_tangent():
    layers = [
        (np.array([[2.0, 0.0]]), np.array([0.0, 3.0])),
        (np.array([[1.0], [0.5]]), np.ones(1)),
    ]
    ranking = Ranking(**{**ONE, "layers": layers})
    logit = np.tanh(2 * 0.7) + 0.5 * np.tanh(3) + 1
    assert ranking.probability(np.array([[0.7]]))[0] == pytest.approx(1 / (1 + np.exp(-logit)))


def test_errors_follow_a_power_of_ts():
    ranking = Ranking(**ONE, error_scale=1.2, error_slope=-0.5)
    told = ranking.error_factor(np.array([100.0, 400.0, 0.0]))
    np.testing.assert_allclose(told, [1.2, 0.6, 1.2 * 0.1**-0.5])


@pytest.mark.parametrize(
    "change",
    [
        {"layers": []},
        {"layers": [(np.ones((2, 1)), np.zeros(1))]},
        {"layers": [(np.ones((1, 2)), np.zeros(2))]},
        {"layers": [(np.ones((1, 1)), np.zeros(2))]},
        {"layers": [(np.ones((1, 1)), np.array([np.inf]))]},
        {"scale": np.zeros(1)},
        {"mean": np.array([np.nan])},
        {"scale": np.ones(2)},
    ],
)
def test_numbers_that_do_not_belong_together_are_refused(change):
    with pytest.raises(OptionError, match="ranking"):
        Ranking(**{**ONE, **change})


def test_other_evidence_than_it_was_learned_from_is_named():
    with pytest.raises(OptionError, match="from 1 numbers per detection, but there are 3"):
        Ranking(**ONE).probability(np.zeros((2, 3)))
