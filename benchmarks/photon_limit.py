"""Information of the photons of a source about its class, if everything else is known.

Compared with the true parameters of a source (`truth_classifier.py`), a classifier of real maps has
the noise of the photons. Here a network gets the counts of each band and the flux of each year with
the noise of a likelihood with known position, background and neighbours (the Cramer-Rao bound). No
analysis can measure more of a source in six bands and ten years. In each band, N counts with an
information I are equivalent to N counts on a known background of N^2 / I - N.

``python benchmarks/photon_limit.py FOLDER`` prints its accuracy on the detections of the skies in
FOLDER, which ``classifier.py`` has written.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from classifier import BLL, FAKE, FSRQ, Known, interval, known_detections
from held_out import HeldOut
from results import kept
from sklearn.metrics import accuracy_score, roc_auc_score

from gammafind.fitting.photons.expected import rendered_by_band
from gammafind.networks.backend import load_keras
from gammafind.plugins.cnn.networks import CLASSES
from gammafind.presets.preset import build
from gammafind.roles.renderer import SkyRenderer
from gammafind.utils.streams import stream, streams

SEED = 5006
CATALOGUES, EPOCHS, BATCH = 10, 40, 512
LEAST_TS = 10.0
TS_BINS = (25, 100, 300, 1000, 3000, np.inf)
FLOOR = 1e-9


@kept("photon_limit")
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=10)
    arguments = parser.parse_args()
    held = HeldOut(folder=arguments.folder)
    renderer, population = build(held.settings.renderer), build(held.settings.population)
    drawn = [population.sample(rng=streams(SEED, i).sources) for i in range(CATALOGUES)]
    predict = trained([seen_best(table, renderer) for table in drawn])
    known = known_detections(held, arguments.skies)
    best = [seen_best(table, renderer) for table in known.sources]
    rows_of = zip(best, known.rows, strict=True)
    truth = vstack([table[rows] for table, rows in rows_of], metadata_conflicts="silent")
    print_limit(known, truth, predict(seen(truth, stream(SEED, 0, 1))))


def seen_best(sources: QTable, renderer: SkyRenderer) -> QTable:
    """Counts, TS and information of each source in each band, everything else known."""
    table = sources["class_label", "flux_history"]
    table["b"] = SkyCoord(sources["ra"], sources["dec"], frame="icrs").galactic.b.deg
    table["counts"] = renderer.source_counts(sources)
    table["band_ts"], table["information"] = rendered_by_band(renderer, sources)
    return table


def seen(sources: QTable, rng: np.random.Generator) -> np.ndarray:
    """Spectra and light curves of sources with the noise of their photons, shape (n, k)."""
    counts = np.maximum(np.asarray(sources["counts"]), FLOOR)
    information = np.maximum(np.asarray(sources["information"]), FLOOR**2)
    behind = np.maximum(counts**2 / information - counts, 0)
    measured = rng.poisson(counts + behind) - behind
    error = np.sqrt(np.maximum(measured + behind, 1))
    total = np.maximum(measured.sum(axis=1, keepdims=True), 1)
    history = np.asarray(sources["flux_history"])
    years = history.shape[1]
    weighed = information.sum(axis=1, keepdims=True)
    of_year = np.sqrt(years / weighed)
    curve = history + of_year * rng.normal(size=history.shape)
    deviation = (curve - curve.mean(axis=1, keepdims=True)) / of_year
    square = (deviation**2).sum(axis=1, keepdims=True)
    excess = (square / (years - 1) - 1) * of_year**2
    columns = [
        np.arcsinh(measured / error),
        np.arcsinh(np.clip(measured / total, -1, 2) * 10),
        np.log(error / total),
        np.log(total),
        np.log(np.abs(np.asarray(sources["b"]))[:, None] + 0.3),
        np.log1p(square),
        np.sign(excess) * np.sqrt(np.abs(excess)),
        np.log(of_year),
        np.arcsinh(np.sort(deviation, axis=1)),
    ]
    return np.concatenate(columns, axis=1)


def trained(catalogues: list[QTable]):
    """Train a network on sources of a TS above 10; their noise is drawn again in each epoch."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    sources = vstack(catalogues, metadata_conflicts="silent")
    sources = sources[np.asarray(sources["band_ts"]).sum(axis=1) > LEAST_TS]
    label = np.array([CLASSES.index(name) for name in sources["class_label"].tolist()])
    first = seen(sources, stream(SEED, 1, 0))
    mean, scale = first.mean(axis=0), first.std(axis=0)
    layers = keras.layers
    hidden = [layers.Dense(128, activation="gelu") for _ in range(3)]
    output = layers.Dense(FAKE, activation="softmax")
    network = keras.Sequential([keras.Input((first.shape[1],)), *hidden, output])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * (len(label) // BATCH))
    network.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    for epoch in range(EPOCHS):
        inputs = ((seen(sources, stream(SEED, 1, epoch)) - mean) / scale).astype(np.float32)
        network.fit(inputs, label, batch_size=BATCH, epochs=1, verbose=0)

    def predict(inputs: np.ndarray) -> np.ndarray:
        scaled = ((inputs - mean) / scale).astype(np.float32)
        return np.asarray(network.predict(scaled, batch_size=8192, verbose=0), dtype=float)

    return predict


def print_limit(known: Known, truth: QTable, predicted: np.ndarray) -> None:
    """Accuracy of four classes by TS, and of BLL against FSRQ, of published detections."""
    ts = np.asarray(truth["band_ts"]).sum(axis=1)
    named = predicted.argmax(axis=1)

    def four(rows: np.ndarray) -> float:
        return accuracy_score(known.label[rows], named[rows])

    real = known.published & (known.label != FAKE)
    print("\n| TS | detections | four classes |\n|---|---|---|")
    for low, high in [*pairwise(TS_BINS), (100, np.inf)]:
        rows = np.flatnonzero(real & (ts >= low) & (ts < high))
        print(f"| {low}-{high} | {len(rows)} | {interval(four, known, rows)} |")
    share = predicted[:, FSRQ] / np.maximum(predicted[:, BLL] + predicted[:, FSRQ], FLOOR)
    fsrq = known.label == FSRQ
    print("\n| BLL, FSRQ | accuracy | AUC |\n|---|---|---|")
    for name, least in {"all": 0, "TS > 100": 100}.items():
        rows = np.flatnonzero(known.published & (known.label <= FSRQ) & (ts > least))
        right = interval(lambda r: accuracy_score(fsrq[r], share[r] > 0.5), known, rows)
        area = interval(lambda r: roc_auc_score(fsrq[r], share[r]), known, rows)
        print(f"| {name} | {right} | {area} |")


if __name__ == "__main__":
    main()
