"""The classifier ``features``: how its training was chosen on 4FGL-DR2, and one test on FL16Y.

``python benchmarks/features_classifier.py choose DR2 DR1`` compares trainings on sources of
4FGL-DR2 that they have not seen. ``... test DR2 FL16Y`` applies the shipped model and plain
boosting to sources without a class in DR2 that have one in FL16Y. Nothing is chosen on FL16Y: the
test runs once, when all choices are made, and refuses to run again. ``... importance DR2`` measures
how much each quantity matters.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.table import QTable
from class_metrics import expected_calibration_error
from results import FOLDER, kept
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from gammafind.pipeline.inputs import read_catalogue
from gammafind.plugins.features.classifier import Features
from gammafind.plugins.features.columns import Columns, columns_of
from gammafind.plugins.features.measures import NAMES, matrix_of
from gammafind.plugins.features.training.degrade import degraded, factors
from gammafind.plugins.features.training.fit import Recipe, faded, folds_of, grown, taken
from gammafind.plugins.features.training.labels import (
    AGN,
    PULSARS,
    UNASSOCIATED,
    UNCERTAIN,
    Lesson,
    blazar_lesson,
    classes_of,
    counterparts,
    kind_lesson,
)
from gammafind.plugins.features.trees import Trees

DRAWS = 2000
FOLDS = 3
SHUFFLES = 3
FAINT = 9.0
"""Signif_Avg below which a labelled source is about as faint as those without a class."""


@dataclass(frozen=True)
class Pair:
    """Two classes that are to be separated."""

    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    unknown: tuple[str, ...]
    ours: tuple[tuple[int, ...], tuple[int, ...]]
    """Classes of `Features` that make up each of the two."""


PAIRS = (
    Pair("BLL/FSRQ", ("bll",), ("fsrq",), UNCERTAIN, ((0,), (1,))),
    Pair("AGN/PSR", AGN, PULSARS, UNASSOCIATED, ((0, 1), (2,))),
)
RECIPES = {
    "as measured only": Recipe(copies=0),
    "degraded copies": Recipe(),
}


def main() -> None:
    """Run one of the two parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("choose", "test", "importance"))
    parser.add_argument("catalogue", type=Path, help="4FGL-DR2")
    parser.add_argument("other", type=Path, nargs="?", help="4FGL-DR1 or FL16Y")
    given = parser.parse_args()
    table = read_catalogue(given.catalogue)
    other = None if given.other is None else read_catalogue(given.other)
    if given.part == "choose":
        with kept("features_choice"):
            choose(table, other)
        return
    if given.part == "importance":
        with kept("features_importance"):
            importance(table)
        return
    if (FOLDER / "features_classifier.json").exists():
        raise SystemExit("the test was run: see results/features_classifier.json")
    with kept("features_classifier"):
        test(table, other)


def plain(matrix: np.ndarray, truth: np.ndarray) -> HistGradientBoostingClassifier:
    """Boosting with default settings."""
    return HistGradientBoostingClassifier(early_stopping=False, random_state=0).fit(matrix, truth)


def raw(columns: Columns) -> np.ndarray:
    """Columns as they are, as a matrix, without the class that the catalogue gives."""
    return np.column_stack([values for name, values in columns.items() if name != "is_blazar"])


def choose(table: QTable, earlier: QTable | None) -> None:
    """Compare trainings on sources of DR2 that they have not seen."""
    columns, classes = columns_of(table), classes_of(table)
    known = np.isfinite(columns["Signif_Avg"])
    columns, classes = taken(columns, known), classes[known]
    before = np.full(len(classes), "")
    if earlier is not None:
        before = counterparts(table[known], earlier)
    print("| pair | training | degraded | fainter than 9 sigma | no class in DR1 | balanced |")
    print("|---|---|---|---|---|---|")
    lines = []
    for pair, lesson in zip(PAIRS, lessons_of(classes), strict=True):
        rows, truth = lesson.rows, lesson.truth
        new = np.isin(before[rows], (*pair.unknown, "none"))
        faint = columns["Signif_Avg"][rows] < FAINT
        for name, (fades, own) in held_out(columns, lesson).items():
            numbers = [
                roc_auc_score(truth, fades),
                roc_auc_score(truth[faint], own[faint]),
                roc_auc_score(truth[new], own[new]),
                balanced_accuracy_score(truth, fades > 0),
            ]
            print(f"| {pair.name} | {name} | {' | '.join(f'{n:.4f}' for n in numbers)} |")
        counts = ", ".join(
            f"{what} {np.sum(truth[which] == 0)} and {np.sum(truth[which] == 1)}"
            for what, which in (("all", truth >= 0), ("faint", faint), ("new", new))
        )
        lines.append(f"{pair.name}: {counts}")
    print("\n" + "\n".join(lines))


def importance(table: QTable) -> None:
    """How much the AUC falls if a quantity is shuffled, on degraded sources of DR2 kept apart."""
    columns, classes = columns_of(table), classes_of(table)
    known = np.isfinite(columns["Signif_Avg"])
    columns, classes = taken(columns, known), classes[known]
    rng = np.random.default_rng(0)
    print("| pair | quantity | fall of the AUC | scatter |\n|---|---|---|---|")
    for pair, lesson in zip(PAIRS, lessons_of(classes), strict=True):
        learn = folds_of(lesson.truth, FOLDS, rng=rng) > 0
        trees = grown(columns, lesson, lesson.rows[learn], replace(Recipe(), members=1), rng=rng)
        matrix = faded(columns, lesson, lesson.rows[~learn], rng=rng)
        truth = lesson.truth[~learn]
        best = roc_auc_score(truth, trees.scores(matrix)[:, 0])
        for column, name in enumerate(NAMES):
            falls = [
                best - shuffled(trees, matrix, truth, column, rng=rng) for _ in range(SHUFFLES)
            ]
            print(f"| {pair.name} | {name} | {np.mean(falls):.4f} | {np.std(falls):.4f} |")


def shuffled(
    trees: Trees, matrix: np.ndarray, truth: np.ndarray, column: int, *, rng: np.random.Generator
) -> float:
    """AUC where one quantity is that of another source."""
    mixed = matrix.copy()
    mixed[:, column] = rng.permutation(mixed[:, column])
    return roc_auc_score(truth, trees.scores(mixed)[:, 0])


def lessons_of(classes: np.ndarray) -> tuple[Lesson, Lesson]:
    """Lessons of the two pairs, without other Galactic sources."""
    kind = kind_lesson(classes)
    two = kind.truth < 2
    return blazar_lesson(classes), Lesson(kind.rows[two], kind.truth[two], kind.like)


def held_out(columns: Columns, lesson: Lesson) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Log-odds of degraded sources and of sources as measured, by training."""
    rng = np.random.default_rng(0)
    rows, truth = lesson.rows, lesson.truth
    source = taken(columns, rows)
    like = columns["Signif_Avg"][lesson.like]
    faded = degraded(source, factors(source["Signif_Avg"], like, rng=rng), rng=rng)
    views = {
        "columns": (raw(faded), raw(source)),
        "measures": tuple(map(matrix_of, (faded, source))),
    }
    fold = folds_of(truth, FOLDS, rng=rng)
    names = [f"plain boosting, {view}" for view in views]
    found = {name: np.zeros((2, len(rows))) for name in [*names, *RECIPES]}
    for one in range(FOLDS):
        learn, rest = fold != one, fold == one
        for view, matrices in views.items():
            model = plain(matrices[1][learn], truth[learn])
            for out, matrix in zip(found[f"plain boosting, {view}"], matrices, strict=True):
                out[rest] = model.decision_function(matrix[rest])
        for name, recipe in RECIPES.items():
            trees = grown(columns, lesson, rows[learn], recipe, rng=rng)
            for out, matrix in zip(found[name], views["measures"], strict=True):
                out[rest] = trees.scores(matrix[rest])[:, 0]
    return {name: tuple(values) for name, values in found.items()}


def test(earlier: QTable, later: QTable) -> None:
    """Score the shipped model and plain boosting on what was identified later."""
    columns, classes, then = columns_of(earlier), classes_of(earlier), counterparts(earlier, later)
    model = Features()
    probability = model.classify(columns)
    ours = np.column_stack([probability[f"prob_{name}"] for name in model.classes])
    print("| pair | model | AUC | 95 % | balanced accuracy | 95 % | ECE | p of the ECE |")
    print("|---|---|---|---|---|---|---|---|")
    lines = []
    for pair in PAIRS:
        rows = np.flatnonzero(
            np.isin(classes, pair.unknown) & np.isin(then, pair.first + pair.second)
        )
        truth = np.isin(then[rows], pair.second).astype(int)
        chances = {"features": share_of(ours[rows], pair)}
        levels = {"features": share_of(1 / model.label_weights[None], pair)[0]}
        labelled = np.isin(classes, pair.first + pair.second)
        for view, matrix in (("columns", raw(columns)), ("measures", matrix_of(columns))):
            fitted = plain(matrix[labelled], np.isin(classes[labelled], pair.second).astype(int))
            chances[f"plain boosting, {view}"] = fitted.predict_proba(matrix[rows])[:, 1]
            levels[f"plain boosting, {view}"] = 0.5
        draws = np.random.default_rng(1).integers(len(rows), size=(DRAWS, len(rows)))
        scores = {name: figures(truth, p, levels[name], draws) for name, p in chances.items()}
        for name, chance in chances.items():
            auc, balanced = scores[name]
            error, p_value = calibration(truth, chance)
            cells = [interval(auc), interval(balanced), f"{error:.3f}", f"{p_value:.3f}"]
            print(f"| {pair.name} | {name} | {' | '.join(cells)} |")
        for name in list(chances)[1:]:
            wins = [
                np.mean(a[1:] > b[1:])
                for a, b in zip(scores["features"], scores[name], strict=True)
            ]
            lines.append(
                f"{pair.name}: above {name} in {wins[0]:.3f} (AUC) and {wins[1]:.3f} (balanced "
                f"accuracy) of {DRAWS} paired bootstraps"
            )
        lines.append(f"{pair.name}: {np.sum(truth == 0)} and {np.sum(truth == 1)} sources")
    print("\n" + "\n".join(lines))
    levels_table(probability, classes, then)


def share_of(probability: np.ndarray, pair: Pair) -> np.ndarray:
    """Probability of the second class of a pair if it is one of the two."""
    first, second = (probability[:, list(group)].sum(axis=1) for group in pair.ours)
    return second / np.maximum(first + second, 1e-300)


def figures(
    truth: np.ndarray, chance: np.ndarray, level: float, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AUC and balanced accuracy: of the sources, then of each bootstrap, shape (1 + n_draws,)."""
    rows = [np.arange(len(truth)), *draws]
    named = chance > level
    return (
        np.array([roc_auc_score(truth[one], chance[one]) for one in rows]),
        np.array([balanced(truth[one], named[one]) for one in rows]),
    )


def balanced(truth: np.ndarray, named: np.ndarray) -> float:
    """Mean of the shares of right names of both classes."""
    right = named == truth
    return float((right[truth == 1].mean() + right[truth == 0].mean()) / 2)


def interval(values: np.ndarray) -> str:
    """A value and its 95 % interval, as two cells."""
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return f"{values[0]:.3f} | {low:.3f}-{high:.3f}"


def calibration(truth: np.ndarray, chance: np.ndarray) -> tuple[float, float]:
    """Calibration error, and the share of draws of perfectly calibrated labels that exceed it."""
    rng = np.random.default_rng(2)
    both = np.column_stack([1 - chance, chance])
    error = expected_calibration_error(truth, both)
    drawn = (rng.random((DRAWS, len(truth))) < chance).astype(int)
    return error, float(np.mean([expected_calibration_error(one, both) >= error for one in drawn]))


def levels_table(found: QTable, classes: np.ndarray, then: np.ndarray) -> None:
    """How pure each label is among sources without a class that have one later."""
    holds: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "BLL": lambda c: c == "bll",
        "FSRQ": lambda c: c == "fsrq",
        "PSR": lambda c: np.isin(c, PULSARS),
        "BCU": lambda c: np.isin(c, AGN),
        "GALACTIC": lambda c: ~np.isin(c, AGN),
    }
    label, stated = np.asarray(found["class_label"]), np.asarray(found["class_probability"])
    print("\n| label | sources | identified later | right | stated |\n|---|---|---|---|---|")
    for name, right in holds.items():
        given = np.isin(classes, UNCERTAIN) & (label == name)
        judged = given & ~np.isin(then, ("none", *UNASSOCIATED))
        if name in ("BLL", "FSRQ"):
            judged &= then != "bcu"
        if judged.any():
            cells = f"{right(then[judged]).mean():.3f} | {stated[judged].mean():.3f}"
            print(f"| {name} | {given.sum()} | {judged.sum()} | {cells} |")


if __name__ == "__main__":
    main()
