"""Boosted trees of one stage: grown on degraded sources, calibrated on sources kept apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from gammafind.plugins.features.columns import Columns
from gammafind.plugins.features.measures import matrix_of
from gammafind.plugins.features.model import Model, Stage, scores_of_all, softmax
from gammafind.plugins.features.training.degrade import degraded, factors
from gammafind.plugins.features.training.labels import (
    UNCERTAIN,
    Lesson,
    blazar_lesson,
    kind_lesson,
)
from gammafind.plugins.features.trees import Trees

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

_STEPS = 200
"""Steps of the estimate of the shares of classes; it changes by less than 1e-4 afterwards."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the trees are grown; chosen by cross-validation on 4FGL-DR2 alone.

    Attributes
    ----------
    copies : int
        Degraded copies of each source, next to the source as it was measured.
    members : int
        Ensembles of trees, averaged.
    folds : int
        Of the sources, for the calibration.
    learning_rate, max_iter, max_leaf_nodes, max_features, min_samples_leaf, l2_regularization
        As of ``HistGradientBoostingClassifier``.
    seed : int
    """

    copies: int = 3
    members: int = 3
    folds: int = 3
    learning_rate: float = 0.1
    max_iter: int = 90
    max_leaf_nodes: int = 5
    max_features: float = 0.3
    min_samples_leaf: int = 40
    l2_regularization: float = 5.0
    seed: int = 0


def train(columns: Columns, classes: np.ndarray, before: np.ndarray, recipe: Recipe) -> Model:
    """Train both stages on the labelled sources of a catalogue.

    Parameters
    ----------
    columns : dict of str to ndarray
        From `gammafind.plugins.features.columns.columns_of`, n sources, with errors.
    classes : ndarray of str, shape (n,)
        ``CLASS1``.
    before : ndarray of str, shape (n,)
        That of an earlier catalogue. Sources that had no class then say how many of the blazars
        that get a class are quasars: most of them are BL Lacs, since the lines of quasars are found
        early.
    recipe : Recipe
    """
    known = np.isfinite(columns["Signif_Avg"])
    columns, classes, before = taken(columns, known), classes[known], before[known]
    rng = np.random.default_rng(recipe.seed)
    lessons = (kind_lesson(classes), blazar_lesson(classes))
    kind = train_stage(columns, lessons[0], None, recipe, rng=rng)
    late = np.isin(before[lessons[1].rows], UNCERTAIN)
    blazar = train_stage(columns, lessons[1], late, recipe, rng=rng)
    matrix, _ = samples(columns, lessons[0], lessons[0].rows, recipe, rng=rng)
    return Model(kind, blazar, np.nanmin(matrix, axis=0), np.nanmax(matrix, axis=0))


def train_stage(
    columns: Columns,
    lesson: Lesson,
    late: np.ndarray | None,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
) -> Stage:
    """Grow the trees of a stage and calibrate them; see `train`.

    Parameters
    ----------
    columns : dict of str to ndarray
    lesson : Lesson
        n labelled sources.
    late : ndarray of bool, shape (n,), or None
        Which of them got their class late; without them the shares of the classes are those of all
        sources without a class.
    recipe : Recipe
    rng : numpy.random.Generator
    """
    scores, measured = held_out_scores(columns, lesson, recipe, rng=rng)
    scale, offset = calibration(scores, lesson.truth)
    trees = grown(columns, lesson, lesson.rows, recipe, rng=rng)
    unknown = scores_of_all(trees.scores(matrix_of(taken(columns, lesson.like))))
    prior = shares(scale * unknown + offset)
    later = prior
    if late is not None and len(set(lesson.truth[late].tolist())) == len(prior):
        later = shares_of(scale * measured[late] + offset, lesson.truth[late])
    return Stage(trees=trees, scale=scale, offset=offset, prior=prior, later=later)


def taken(columns: Columns, rows: np.ndarray) -> Columns:
    """Rows of columns."""
    return {name: values[rows] for name, values in columns.items()}


def faded(
    columns: Columns, lesson: Lesson, rows: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Measures of sources, degraded so that they are as faint as those without a class."""
    source = taken(columns, rows)
    like = columns["Signif_Avg"][lesson.like]
    factor = factors(source["Signif_Avg"], like, rng=rng)
    return matrix_of(degraded(source, factor, rng=rng))


def samples(
    columns: Columns,
    lesson: Lesson,
    rows: np.ndarray,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Measures of sources and of their degraded copies, and the number of times each occurs."""
    copies = [faded(columns, lesson, rows, rng=rng) for _ in range(recipe.copies)]
    return np.concatenate([matrix_of(taken(columns, rows)), *copies]), 1 + recipe.copies


def grown(
    columns: Columns,
    lesson: Lesson,
    rows: np.ndarray,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
) -> Trees:
    """Trees that are grown on sources of a lesson, in which all classes weigh the same."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    matrix, times = samples(columns, lesson, rows, recipe, rng=rng)
    truth = np.tile(lesson.truth[np.searchsorted(lesson.rows, rows)], times)
    weight = 1 / np.bincount(truth)[truth] * len(truth) / (truth.max() + 1)
    return trees_of(
        [
            HistGradientBoostingClassifier(
                learning_rate=recipe.learning_rate,
                max_iter=recipe.max_iter,
                max_leaf_nodes=recipe.max_leaf_nodes,
                max_features=recipe.max_features,
                min_samples_leaf=recipe.min_samples_leaf,
                l2_regularization=recipe.l2_regularization,
                early_stopping=False,
                random_state=recipe.seed + member,
            ).fit(matrix, truth, sample_weight=weight)
            for member in range(recipe.members)
        ]
    )


def held_out_scores(
    columns: Columns, lesson: Lesson, recipe: Recipe, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of degraded sources, and as measured, by trees that have not seen them, (n, k)."""
    fold = folds_of(lesson.truth, recipe.folds, rng=rng)
    found = np.zeros((2, len(lesson.rows), lesson.truth.max() + 1))
    for one in range(recipe.folds):
        trees = grown(columns, lesson, lesson.rows[fold != one], recipe, rng=rng)
        rows = lesson.rows[fold == one]
        views = (faded(columns, lesson, rows, rng=rng), matrix_of(taken(columns, rows)))
        for out, matrix in zip(found, views, strict=True):
            out[fold == one] = scores_of_all(trees.scores(matrix))
    return found[0], found[1]


def folds_of(truth: np.ndarray, folds: int, *, rng: np.random.Generator) -> np.ndarray:
    """Fold of each source at random, so that each fold has its share of each class."""
    order = np.lexsort([rng.random(len(truth)), truth])
    fold = np.empty(len(truth), dtype=int)
    fold[order] = np.arange(len(truth)) % folds
    return fold


def calibration(scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
    """Scale and offsets of scores that make them logarithms of likelihoods.

    They maximise the likelihood of the true classes, in which all classes weigh the same.
    """
    n_classes = scores.shape[1]
    weight = 1 / np.bincount(truth)[truth]

    def loss(values: np.ndarray) -> float:
        chance = softmax(values[0] * scores + np.append(0, values[1:]))
        chosen = np.maximum(chance[np.arange(len(truth)), truth], 1e-300)
        return -float(weight @ np.log(chosen))

    best = minimize(loss, np.append(1.0, np.zeros(n_classes - 1))).x
    return float(best[0]), np.append(0, best[1:])


def shares(evidence: np.ndarray) -> np.ndarray:
    """Shares of the classes in a sample without labels, the most likely ones.

    References
    ----------
    Saerens, Latinne & Decaestecker 2002, Neural Computation 14, 21, eq. 2.9.
    """
    prior = np.full(evidence.shape[1], 1 / evidence.shape[1])
    for _ in range(_STEPS):
        prior = softmax(evidence + np.log(np.maximum(prior, 1e-12))).mean(axis=0)
    return prior


def shares_of(evidence: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Shares of the classes in a sample with labels, the most likely ones given the evidence."""
    number = np.bincount(truth, minlength=evidence.shape[1])
    prior = number / number.sum()
    for _ in range(_STEPS):
        expected = softmax(evidence + np.log(prior)).sum(axis=0)
        prior = prior * number / np.maximum(expected, 1e-12)
        prior /= prior.sum()
    return prior


def trees_of(members: list[HistGradientBoostingClassifier]) -> Trees:
    """Mean of several boosted classifiers as plain arrays."""
    parts, roots, scores, start = [], [], [], 0
    for member in members:
        for step in member._predictors:
            for score, predictor in enumerate(step):
                parts.append((predictor.nodes, start))
                roots.append(start)
                scores.append(score)
                start += len(predictor.nodes)

    def joined(part: Callable[[np.ndarray, int], np.ndarray]) -> np.ndarray:
        return np.concatenate([part(nodes, first) for nodes, first in parts])

    def leaf(nodes: np.ndarray) -> np.ndarray:
        return nodes["is_leaf"].astype(bool)

    return Trees(
        feature=joined(lambda n, _: np.where(leaf(n), -1, n["feature_idx"])).astype(np.int16),
        threshold=joined(lambda n, _: n["num_threshold"]).astype(float),
        missing_left=joined(lambda n, _: n["missing_go_to_left"]).astype(bool),
        left=joined(lambda n, first: n["left"] + first).astype(np.int32),
        right=joined(lambda n, first: n["right"] + first).astype(np.int32),
        value=joined(lambda n, _: np.where(leaf(n), n["value"], 0)) / len(members),
        root=np.array(roots, dtype=np.int32),
        score=np.array(scores, dtype=np.int16),
        baseline=np.mean([m._baseline_prediction.ravel() for m in members], axis=0),
    )
