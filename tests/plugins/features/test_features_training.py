"""How the classifier of catalogues learns; the trees agree with those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.plugins.features.columns import columns_of
from gammafind.plugins.features.measures import measures_of
from gammafind.plugins.features.model import Model, scores_of_all, softmax
from gammafind.plugins.features.training.degrade import degraded, factors
from gammafind.plugins.features.training.fit import (
    Recipe,
    calibration,
    folds_of,
    shares,
    shares_of,
    train,
    trees_of,
)
from gammafind.plugins.features.training.labels import blazar_lesson, kind_lesson
from tests.plugins.features.helpers import toy_catalogue

ensemble = pytest.importorskip("sklearn.ensemble")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_plain_trees_predict_as_scikit_learn(n_classes):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(600, 5))
    truth = np.digitize(matrix[:, 0] + rng.normal(size=600), [-0.5, 0.5][: n_classes - 1])
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    members = [
        ensemble.HistGradientBoostingClassifier(
            max_iter=8, early_stopping=False, max_features=0.5, random_state=seed
        ).fit(matrix, truth)
        for seed in range(2)
    ]
    new = rng.normal(size=(300, 5)) * 2
    new[::7, 0] = np.nan
    for group in (members[:1], members):
        theirs = np.mean([one.decision_function(new) for one in group], axis=0)
        ours = trees_of(group).scores(new)
        assert_allclose(ours, theirs.reshape(ours.shape), atol=1e-6)
    ours = softmax(scores_of_all(trees_of(members[:1]).scores(new)))
    assert_allclose(ours, members[0].predict_proba(new), atol=1e-6)


def test_a_factor_of_one_changes_nothing_and_others_keep_the_mean():
    columns = columns_of(toy_catalogue(3000))
    rng = np.random.default_rng(2)
    same = degraded(columns, np.ones(3000), rng=rng)
    for name, values in columns.items():
        assert_array_equal(same[name], values, err_msg=name)
    faint = degraded(columns, np.full(3000, 3.0), rng=rng)
    assert_allclose(faint["Signif_Avg"], columns["Signif_Avg"] / 3)
    moved = faint["PL_Index"] - columns["PL_Index"]
    assert abs(moved.mean()) < 0.01
    assert_allclose(moved.std(), 0.05 * 8**0.5, rtol=0.05)
    before, after = (measures_of(one)["log_variability"] for one in (columns, faint))
    assert abs(np.mean(10**after) - np.mean(10**before)) < 0.1


def test_bright_sources_become_as_significant_as_others():
    drawn = factors(np.array([5.0, 100.0]), np.array([10.0]), rng=np.random.default_rng(0))
    assert_allclose(drawn, [1, 10])


def test_lessons_hold_labelled_sources_and_those_that_are_like_the_test():
    classes = np.array(["bll", "FSRQ", "bcu", "MSP", "spp", "", "unk", "gal"])
    kind, blazar = kind_lesson(classes), blazar_lesson(classes)
    assert kind.rows.tolist() == [0, 1, 2, 3, 4]
    assert kind.truth.tolist() == [0, 0, 0, 1, 2]
    assert kind.like.tolist() == [5, 6]
    assert blazar.rows.tolist() == [0, 1]
    assert blazar.like.tolist() == [2, 5, 6]


def test_shares_of_classes_are_found_without_labels():
    rng = np.random.default_rng(3)
    truth = rng.random(4000) < 0.2
    value = rng.normal(size=4000) + 2 * truth
    evidence = np.column_stack([-(value**2) / 2, -((value - 2) ** 2) / 2])
    assert_allclose(shares(evidence), [0.8, 0.2], atol=0.02)


def test_shares_of_those_with_labels_are_found_from_what_is_expected():
    evidence = np.zeros((10, 2))
    assert_allclose(shares_of(evidence, np.repeat([0, 1], [7, 3])), [0.7, 0.3])


def test_scores_that_are_too_bold_are_scaled_down():
    rng = np.random.default_rng(4)
    truth = (rng.random(4000) < 0.3).astype(int)
    value = rng.normal(size=4000) + 2 * truth
    scores = np.column_stack([np.zeros(4000), 3 * (2 * value - 2) + 1])
    scale, offset = calibration(scores, truth)
    assert_allclose(scale, 1 / 3, rtol=0.1)
    assert_allclose(offset[1], -1 / 3, atol=0.15)


def test_each_fold_has_its_share_of_each_class():
    truth = np.repeat([0, 1], [90, 30])
    fold = folds_of(truth, 3, rng=np.random.default_rng(0))
    for one in range(3):
        assert np.bincount(truth[fold == one]).tolist() == [30, 10]


def test_a_training_is_written_and_read_with_the_same_probabilities(tmp_path):
    table = toy_catalogue()
    columns = columns_of(table)
    recipe = Recipe(copies=1, members=1, folds=2, max_iter=3, min_samples_leaf=5)
    classes = np.asarray(table["CLASS1"])
    before = np.where(np.arange(60) % 8 < 2, "bcu", classes)
    model, again = (train(columns, classes, before, recipe) for _ in range(2))
    model.write(tmp_path / "model.npz")
    matrix = np.column_stack(list(measures_of(columns).values()))
    nothing = np.zeros(60)
    probability = model.probability(matrix, nothing)
    for other in (Model.read(tmp_path / "model.npz"), again):
        assert_array_equal(other.probability(matrix, nothing), probability)
    assert not model.outside(matrix).any()
    assert np.mean(probability.argmax(axis=1)[:54] == np.arange(54) % 4) > 0.7
