"""The classifier on ten held-out skies: accuracy, time, calibration, purity, speed.

``python benchmarks/classifier.py FOLDER --weights yes=DIR no=DIR shuffled=DIR`` keeps what it
computes in FOLDER, which may be that of ``localiser.py``, and prints the tables of
docs/validation/classifier.md. The first weights are those of the main tables.
``tools/make_docs_figures.py`` draws the reliability diagram from what is kept.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from class_metrics import bootstrap, expected_calibration_error, merge_classes, reliability
from held_out import SEED, HeldOut, joined
from results import kept
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score, roc_auc_score
from truth_classifier import TruthClassifier

from gammafind.catalogue.matching import match_one_to_one
from gammafind.evaluation.metrics import evaluate_detections, score_curve
from gammafind.fitting.photons.cutouts import make_cutouts
from gammafind.plugins.cnn.classifier import Cnn
from gammafind.plugins.cnn.features import without_times
from gammafind.plugins.cnn.networks import CLASSES
from gammafind.plugins.unet.localiser import UNet
from gammafind.presets.preset import build
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import SimulatedSky, total_counts
from gammafind.simulation.sources import read_sources
from gammafind.sky.patch_grid import PatchGrid
from gammafind.training.detections import labels_of

RADIUS = 0.3 * u.deg
LEAST_SCORE, PUBLISHED = 0.2, 0.8
BRIGHT = 100.0
TS_BINS = (25, 100, 300, 1000, 3000, np.inf)
BALANCED = (0.0, 0.85, 0.9, 1.0)
"""Powers of the shares of classes; 0.9 was chosen on twelve other skies."""
BLL, FSRQ, PSR, PWN, FAKE = range(5)
THREE = {"AGN": [BLL, FSRQ], "PSR": [PSR], "FAKE": [FAKE]}
TEN_THOUSAND = 10_000


@dataclass(frozen=True, eq=False)
class Known:
    """Detections of all skies, and what is known of them.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Cut-outs.
    label, sky : ndarray of int, shape (n,)
    truth : QTable
        Source of each detection, of any for FAKE.
    detections, sources : list of QTable
        Of each sky.
    rows : list of ndarray of int
        Of each sky, the row of the source of each detection, -1 for FAKE.
    """

    arrays: dict[str, np.ndarray]
    label: np.ndarray
    sky: np.ndarray
    truth: QTable
    detections: list[QTable]
    sources: list[QTable]
    rows: list[np.ndarray]

    @cached_property
    def published(self) -> np.ndarray:
        """Which detections are above the default threshold of the localiser."""
        return self.arrays["score"] >= PUBLISHED


@kept("classifier")
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", nargs="+", required=True, metavar="NAME=DIR")
    parser.add_argument("--skies", type=int, default=10)
    arguments = parser.parse_args()
    weights = dict(text.split("=", 1) for text in arguments.weights)
    held = HeldOut(folder=arguments.folder)
    known = known_detections(held, arguments.skies)
    found = {name: probabilities(known, path, name) for name, path in weights.items()}
    first = next(iter(found))
    print_three_classes(known, found[first], weights[first])
    print_five_classes(known, found[first])
    print_time(known, found)
    print_truth(known, found[first], held)
    print_calibration(known, found[first])
    print_purity(known, found[first])
    print_catalogue(held, weights[first])
    print_speed(held, weights[first])


def known_detections(held: HeldOut, n: int) -> Known:
    """Cut-outs of the detections of all skies, made once."""
    parts = [_of_sky(held, index) for index in range(n)]
    arrays = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    label = np.concatenate([part[1] for part in parts])
    sources = [held.sources(index) for index in range(n)]
    sky = np.repeat(np.arange(n), [len(part[1]) for part in parts])
    rows = [part[2] for part in parts]
    truth = vstack(
        [table[some] for table, some in zip(sources, rows, strict=True)],
        metadata_conflicts="silent",
    )
    return Known(arrays, label, sky, truth, [part[3] for part in parts], sources, rows)


def _of_sky(held: HeldOut, index: int) -> tuple:
    found = held.detections(index, "unet", UNet())
    found = found[np.asarray(found["score"]) >= LEAST_SCORE]
    label, source = labels_of(
        found, held.sources(index), classes=CLASSES, fake=Cnn.fakes[0], radius=RADIUS
    )
    path = held.folder / f"sky-{index:02d}" / "cutouts.npz"
    if not path.exists():
        sky, renderer = held.sky(index), build(held.settings.renderer)
        epochs = draw_epochs(sky, renderer, rng=np.random.default_rng([SEED, index, 2]))
        np.savez_compressed(path, **make_cutouts(sky.observation, found, epochs=epochs).arrays)
        print(f"sky {index}: {len(found)} cut-outs", flush=True)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}, label, source, found


def probabilities(known: Known, weights: str, name: str) -> np.ndarray:
    """Class probabilities of all detections; ``shuffled`` weights see shuffled photons."""
    arrays = known.arrays
    if name == "shuffled":
        arrays = without_times(arrays, rng=np.random.default_rng([SEED, 3]))
    table = Cnn(weights=weights).classify(arrays)
    return np.stack([np.asarray(table[f"prob_{c}"]) for c in CLASSES], axis=1)


def interval(statistic, known: Known, rows: np.ndarray) -> str:
    """A statistic over rows, with its 95 % interval over skies."""
    low, high = bootstrap(
        lambda drawn: statistic(rows[drawn]), known.sky[rows], rng=np.random.default_rng(0)
    )
    return f"{statistic(rows):.3f} ({low:.3f}-{high:.3f})"


def print_three_classes(known: Known, probability: np.ndarray, weights: str) -> None:
    """AGN, PSR and FAKE, above the default threshold; PWN and SNR left out."""
    rows = np.flatnonzero(known.published & (known.label != PWN))
    three = merge_classes(probability, list(THREE.values()))
    place = np.array([0, 0, 1, -1, 2])[known.label]
    shares = 1 / replace(Cnn(weights=weights), balanced=1.0).label_weights
    of_three = np.array([shares[group].sum() for group in THREE.values()])
    print("\n| balanced | accuracy | " + " | ".join(THREE) + " |\n|---|---|---|---|---|")
    for power in BALANCED:
        named = (three * of_three**-power).argmax(axis=1)
        each = recall_score(place[rows], named[rows], labels=range(3), average=None)
        total = interval(lambda r, named=named: accuracy_score(place[r], named[r]), known, rows)
        print(f"| {power} | {total} | " + " | ".join(f"{one:.3f}" for one in each) + " |")


def print_five_classes(known: Known, probability: np.ndarray) -> None:
    """Confusion, balanced accuracy and area of all classes, above the default threshold."""
    named = probability.argmax(axis=1)
    rows = np.flatnonzero(known.published)
    print("\n| true, named | " + " | ".join(CLASSES) + " |\n|---" + "|---" * 5 + "|")
    counts = confusion_matrix(known.label[rows], named[rows], labels=range(5))
    for name, row in zip(CLASSES, counts, strict=True):
        print(f"| {name} | " + " | ".join(map(str, row)) + " |")
    for name, statistic in {
        "accuracy": lambda r: accuracy_score(known.label[r], named[r]),
        "balanced accuracy": lambda r: recall_score(known.label[r], named[r], average="macro"),
        "macro AUC": lambda r: roc_auc_score(known.label[r], probability[r], multi_class="ovr"),
    }.items():
        print(f"{name}: {interval(statistic, known, rows)}")


def print_time(known: Known, found: dict[str, np.ndarray]) -> None:
    """BLL against FSRQ by each of the weights, all and bright."""
    print("\n| weights | detections | accuracy | AUC |\n|---|---|---|---|")
    blazar = known.published & (known.label <= FSRQ)
    ts = np.asarray(known.truth["ts"])
    for name, probability in found.items():
        share = merge_classes(probability, [[BLL], [FSRQ]])[:, 1]
        for selection, chosen in {"all": blazar, "TS > 100": blazar & (ts > BRIGHT)}.items():
            rows = np.flatnonzero(chosen)
            print(f"| {name} | {selection} | {_pair(known, share, rows)} |")


def _pair(known: Known, share: np.ndarray, rows: np.ndarray) -> str:
    fsrq = known.label == FSRQ
    right = interval(lambda r: accuracy_score(fsrq[r], share[r] > 0.5), known, rows)
    return f"{right} | {interval(lambda r: roc_auc_score(fsrq[r], share[r]), known, rows)}"


def print_truth(known: Known, probability: np.ndarray, held: HeldOut) -> None:
    """The same by a classifier that knows the true parameters."""
    renderer, population = (
        build(part) for part in (held.settings.renderer, held.settings.population)
    )
    real = known.published & (known.label != FAKE)
    ts = np.asarray(known.truth["ts"])
    rows = np.flatnonzero(real & (ts > BRIGHT))
    ours = probability[:, :FAKE].argmax(axis=1)
    of_us = interval(lambda r: accuracy_score(known.label[r], ours[r]), known, rows)
    print(f"\nfour classes, TS > 100: {of_us}")
    print("\n| truth | BLL, FSRQ: accuracy | AUC | four classes, TS > 100 |\n|---|---|---|---|")
    by_truth = {}
    for name, variability in {"with variability": True, "without": False}.items():
        limit = TruthClassifier(population, renderer, CLASSES[:FAKE], variability=variability)
        predicted = limit.probability(known.truth)
        share = merge_classes(predicted, [[BLL], [FSRQ]])[:, 1]
        blazar = np.flatnonzero(known.published & (known.label <= FSRQ))
        named = predicted.argmax(axis=1)
        four = interval(
            lambda r, named=named: accuracy_score(known.label[r], named[r]), known, rows
        )
        print(f"| {name} | {_pair(known, share, blazar)} | {four} |")
        by_truth[name] = named
    print_by_ts(known, ours, by_truth["with variability"], real)


def print_by_ts(known: Known, ours: np.ndarray, limit: np.ndarray, real: np.ndarray) -> None:
    """Accuracy of four classes in bins of the expected TS, next to that of the true parameters."""
    ts = np.asarray(known.truth["ts"])
    print("\n| TS | detections | cnn | truth | ratio |\n|---|---|---|---|---|")
    for low, high in pairwise(TS_BINS):
        rows = np.flatnonzero(real & (ts >= low) & (ts < high))
        right = [accuracy_score(known.label[rows], named[rows]) for named in (ours, limit)]
        cells = [f"{right[0]:.3f}", f"{right[1]:.3f}", f"{right[0] / right[1]:.3f}"]
        print(f"| {low}-{high} | {len(rows)} | {' | '.join(cells)} |")


def print_calibration(known: Known, probability: np.ndarray) -> None:
    """Predicted against true probabilities, above the default threshold."""
    rows = np.flatnonzero(known.published)
    truth, answers = known.label[rows], probability[rows]
    error = interval(
        lambda r: expected_calibration_error(known.label[r], probability[r]), known, rows
    )
    print(f"\nexpected calibration error: {error}")
    predicted, right, numbers = reliability(truth, answers)
    print("\n| predicted | true | number |\n|---|---|---|")
    for one, true, number in zip(predicted, right, numbers, strict=True):
        print(f"| {one:.3f} | {true:.3f} | {number} |")


def print_purity(known: Known, probability: np.ndarray) -> None:
    """Purity at equal completeness, by the score and by the probability of being real."""
    ends = np.cumsum([0, *(len(table) for table in known.detections)])
    real = 1 - probability[:, FAKE]
    curves = {}
    for name, score in {"localiser": known.arrays["score"], "classifier": real}.items():
        parts = []
        for i, (table, sources) in enumerate(zip(known.detections, known.sources, strict=True)):
            table = QTable(table, copy=True)
            table["score"] = score[ends[i] : ends[i + 1]]
            parts.append(evaluate_detections(table, sources, radius=RADIUS))
        curves[name] = score_curve(joined(parts))
    print("\n| completeness | " + " | ".join(f"purity, {n}" for n in curves) + " |\n|---|---|---|")
    for completeness in (0.30, 0.35, 0.40, 0.42, 0.44, 0.46):
        cells = []
        for curve in curves.values():
            reached = np.asarray(curve["completeness"]) >= completeness
            purity = np.asarray(curve["purity"])[reached]
            best = purity.max() if len(purity) else np.nan
            cells.append(f"{best:.4f}")
        print(f"| {completeness:.2f} | {' | '.join(cells)} |")


def print_catalogue(held: HeldOut, weights: str) -> None:
    """Sources of 4FGL-DR2 with their own spectra and histories, drawn, searched and classified."""
    found, named = _of_catalogue(held, weights)
    sources = read_sources("4fgl-dr2", build(held.settings.renderer))
    here, there = (SkyCoord(t["ra"], t["dec"], frame="icrs") for t in (found, sources))
    pairs = match_one_to_one(here, there, RADIUS)
    true = np.asarray(sources["class_label"])[pairs.b]
    print("\n| class in 4FGL-DR2 | found | " + " | ".join(f"named {c}" for c in CLASSES) + " |")
    print("|---|---|---" + "|---" * 5 + "|")
    for name in (*CLASSES[:FAKE], "BCU", "UNASSOCIATED", "OTHER"):
        chosen = named[pairs.a][true == name]
        shares = [f"{np.mean(chosen == c):.3f}" for c in range(5)] if len(chosen) else ["-"] * 5
        print(f"| {name} | {len(chosen)} | {' | '.join(shares)} |")
    fake = np.setdiff1d(np.arange(len(found)), pairs.a)
    shares = " | ".join(f"{np.mean(named[fake] == c):.3f}" for c in range(5))
    print(f"| none | {len(fake)} | {shares} |")


def _of_catalogue(held: HeldOut, weights: str) -> tuple[QTable, np.ndarray]:
    """Published detections on one sky of the sources of 4FGL-DR2, and the classes named."""
    renderer = build(held.settings.renderer)
    sources = read_sources("4fgl-dr2", renderer)
    expected = renderer.render(sources)
    rng = np.random.default_rng([SEED, 4])
    counts = total_counts({"sources": expected, **renderer.background()}).poisson(rng=rng)
    sky = SimulatedSky(sources, expected, renderer.observe(counts))
    layout = held.settings.patches
    found = UNet().localise_sky(
        sky.observation,
        grid=PatchGrid.healpix(layout.nside, size=layout.size),
        n_pixels=layout.widths(counts.n_bands),
        rng=rng,
    )
    found = found[np.asarray(found["score"]) >= PUBLISHED]
    cutouts = make_cutouts(sky.observation, found, epochs=draw_epochs(sky, renderer, rng=rng))
    table = Cnn(weights=weights, abstain=0).classify(cutouts.arrays)
    return found, np.array([CLASSES.index(name) for name in table["class_label"]])


def print_speed(held: HeldOut, weights: str) -> None:
    """Seconds to cut, measure and classify ten thousand detections."""
    found = held.detections(0, "unet", UNet())
    found.sort("score", reverse=True)
    found = found[:TEN_THOUSAND]
    sky, renderer = held.sky(0), build(held.settings.renderer)
    epochs = draw_epochs(sky, renderer, rng=np.random.default_rng([SEED, 0, 2]))
    classifier = Cnn(weights=weights)
    for _ in range(2):
        start = perf_counter()
        cutouts = make_cutouts(sky.observation, found, epochs=epochs)
        middle = perf_counter()
        classifier.classify(cutouts.arrays)
        end = perf_counter()
    print(
        f"\n{len(found)} detections: {middle - start:.1f} s to cut and measure, "
        f"{end - middle:.1f} s to classify"
    )


if __name__ == "__main__":
    main()
