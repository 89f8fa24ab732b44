from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import neural_network

from gammafind.errors import MissingBackendError, TrainingError
from gammafind.networks.ranking import Ranking
from gammafind.training import fit_ranking as ranking
from gammafind.training.calibration import fit_calibration, fit_error_scale, fit_error_trend
from gammafind.training.fit_ranking import check_ranking_fitter, fit_ranking


def test_calibrated_scores_are_shares_of_true_detections():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 20_000)
    true = 1 / (1 + np.exp(-(0.6 * logits - 1)))
    calibration = fit_calibration(logits, rng.random(20_000) < true)
    at = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        calibration.probability(at), 1 / (1 + np.exp(-(0.6 * at - 1))), atol=0.06
    )


@pytest.mark.parametrize("hits", [0.0, 1.0])
def test_detections_that_are_all_alike_give_a_table(hits):
    logits = np.random.default_rng(2).normal(size=300)
    calibration = fit_calibration(logits, np.full(300, bool(hits)))
    assert abs(calibration.probability(np.array([0.0]))[0] - hits) < 0.1


def test_shares_rise_with_the_score_even_where_they_fall_in_the_data():
    logits = np.sort(np.random.default_rng(3).normal(size=1400))
    calibration = fit_calibration(logits, logits < 0)
    assert np.all(np.diff([0, *calibration.probabilities]) > 0)


def test_without_detections_scores_are_taken_as_they_are():
    assert fit_calibration(np.zeros(0), np.zeros(0, dtype=bool)).logits == ()


def test_shares_rise_where_few_detections_make_them_uncertain():
    rng = np.random.default_rng(8)
    for n in range(1, 60):
        logits = rng.normal(size=n)
        shares = fit_calibration(logits, rng.random(n) < 0.2).probabilities
        assert np.all(np.diff([0, *shares, 1]) > 0)


def known_detections(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, true probabilities and which detections are sources."""
    rng = np.random.default_rng(4)
    known = rng.normal(size=(n, 3)) * [1, 5, 0.1] + [0, 10, 3]
    true = 1 / (1 + np.exp(-(2 * known[:, 0] - (known[:, 1] - 10) / 5)))
    return known, true, rng.random(n) < true


def test_a_ranking_learns_the_probabilities():
    known, true, matched = known_detections(15_000)
    found = fit_ranking(known[:5000], matched[:5000]).probability(known[5000:])
    for low in np.arange(0, 1, 0.2):
        here = (found >= low) & (found < low + 0.2)
        assert abs(found[here].mean() - matched[5000:][here].mean()) < 0.05
    assert np.corrcoef(found, true[5000:])[0, 1] > 0.99


def test_the_arrays_of_a_ranking_are_the_network_that_was_fitted(monkeypatch):
    known, _, matched = known_detections(600)
    fitted = []

    class Remembered(neural_network.MLPClassifier):
        def fit(self, entries, labels):
            fitted.append((self, entries))
            return super().fit(entries, labels)

    monkeypatch.setattr(neural_network, "MLPClassifier", Remembered)
    found = fit_ranking(known, matched)
    ((network, entries),) = fitted
    np.testing.assert_allclose(found.probability(known), network.predict_proba(entries)[:, 1])
    again = Ranking.of_record(json.loads(json.dumps(found.record())))
    np.testing.assert_allclose(again.probability(known), found.probability(known), atol=1e-5)


@pytest.mark.parametrize("matched", [True, False])
def test_a_ranking_needs_true_and_false_detections(matched):
    with pytest.raises(TrainingError, match=r"among 600 detections.*more skies"):
        fit_ranking(known_detections(600)[0], np.full(600, matched))


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(ranking, "find_spec", lambda name: None)
    with pytest.raises(MissingBackendError, match=r"scikit-learn.*gammafind\[train\]"):
        check_ranking_fitter()


def test_the_error_scale_is_that_of_a_gaussian():
    offsets = np.hypot(*np.random.default_rng(5).normal(size=(2, 50_000)))
    told = np.sqrt(-2 * np.log(0.32)) / 1.3
    assert abs(fit_error_scale(offsets / told) / 1.3 - 1) < 0.02


def test_wide_tails_are_shared_out_between_68_and_95_percent():
    rng = np.random.default_rng(6)
    offsets = np.hypot(*rng.normal(size=(2, 50_000))) * np.where(rng.random(50_000) < 0.1, 2.5, 1)
    relative = (
        offsets / np.sqrt(-2 * np.log(0.32)) / fit_error_scale(offsets / np.sqrt(-2 * np.log(0.32)))
    )
    assert 0.68 < np.mean(relative < 1) < 0.72
    assert 0.92 < np.mean(relative < 1.62) < 0.95


def test_without_well_seen_sources_errors_stay_as_they_are():
    assert fit_error_scale(np.zeros(0)) == 1


def test_the_trend_of_errors_with_ts_is_found():
    rng = np.random.default_rng(4)
    ts = 10 ** rng.uniform(1.2, 4, 6000)
    true = 0.8 * (ts / 100) ** -0.15
    relative = true * np.hypot(*rng.normal(size=(2, 6000))) / np.sqrt(-2 * np.log(0.32))
    scale, slope = fit_error_trend(relative, ts)
    assert abs(scale / 0.8 - 1) < 0.03
    assert abs(slope + 0.15) < 0.02


def test_few_sources_have_no_trend():
    assert fit_error_trend(np.ones(3), np.full(3, 100.0)) == (1, 0)
