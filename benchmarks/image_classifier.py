"""The classifier of images on held-out MeerLICHT frames of known sources and artefacts.

``python benchmarks/image_classifier.py [--frames FOLDER] [--weights FOLDER] [--localiser NAME]``
simulates the ten frames of ``optical_frames.py`` once into FOLDER, searches them, and classifies
what was found. It prints how well real and bogus detections are separated, each kind of artefact,
and stars and galaxies by magnitude next to a classical size; how true the probabilities are; which
artefacts are left when bogus ones are dropped, at equal completeness; and the time of ten thousand
cut-outs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.table import QTable
from optical_frames import DENSITIES, LEAST_SNR, SEEINGS, Frame, flat, preset_of, read
from results import kept
from sklearn.metrics import roc_auc_score

from gammafind.catalogue.io import read_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.fitting.image.stamps import make_stamps
from gammafind.pipeline.simulate import simulate
from gammafind.plugins.image_cnn.classifier import ImageCnn
from gammafind.plugins.image_cnn.training.frame_detections import frame_labels
from gammafind.presets.preset import Preset, build
from gammafind.roles.registry import create
from gammafind.simulation.sky import SimulatedSky

SEED = 77001
FINDERS = {
    "sep": {"threshold": 2.5, "deblend_contrast": 1e-4, "deblend_levels": 64},
    "daofind": {"threshold": 3.0, "reach": 2.0},
    "image-unet": {},
}
"""Finders, deeper than what they publish."""
LEVELS = {"sep": (4.0, 5.0, 6.0), "daofind": (4.0, 5.0, 6.0), "image-unet": (0.8, 0.9, 0.95)}
"""Least scores, signal-to-noise ratios or probabilities; the first is that which is published."""
LEAST_PROBABILITY = 0.3
"""Least probability of the detections that are classified, where the finder gives one."""
PURITY = 0.95
CLASSES, REAL = ImageCnn.classes, len(ImageCnn.classes) - len(ImageCnn.fakes)
MAGNITUDES = (15, 17, 18, 19, 19.5, 20, 20.5, 21, 21.5)
WHICH = "the same, source or artefact"
"""Where that it is noise is no answer."""
BINS = 15
RESAMPLED = 500
MAX_FAKE = 0.5


@dataclass(frozen=True, eq=False)
class Judged:
    """Detections of one frame, what is true of them, and what the classifier says.

    ``label`` and ``source`` are those of `frame_labels`; ``matched`` and ``artefact`` those of
    ``optical_frames.py``, which looks at places alone.
    """

    score: np.ndarray
    probability: np.ndarray
    label: np.ndarray
    magnitude: np.ndarray
    size: np.ndarray
    spread: np.ndarray
    matched: np.ndarray
    artefact: np.ndarray
    n_visible: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, default=Path("optical-frames"))
    parser.add_argument("--weights", default="")
    parser.add_argument("--localiser", choices=FINDERS, default="sep")
    arguments = parser.parse_args()
    with kept(f"image_classifier_{arguments.localiser}"):
        report(ImageCnn(weights=arguments.weights), arguments.frames, arguments.localiser)


def report(classifier: ImageCnn, folder: Path, localiser: str) -> None:
    """Print the tables of what one localiser finds."""
    found = {
        kind: [look(*frame, classifier, localiser) for frame in held_out(kind, folder)]
        for kind in DENSITIES
    }
    levels = LEVELS[localiser]
    for kind, frames in found.items():
        judged = joined(frames)
        print(f"\n## {kind}, {localiser}\n")
        print_real(judged, levels)
        print_kinds(judged, levels[0])
        print_calibration(judged, levels[0])
        print_left(judged)
    print("\n## stars and galaxies, all frames\n")
    everything = joined([frame for frames in found.values() for frame in frames])
    print_stars(everything, levels[0])
    print_speed(classifier, folder)


def held_out(kind: str, folder: Path) -> list[tuple[Path, Frame, Preset]]:
    """Folders, frames and presets of a kind, simulated where they are not there yet."""
    folder.mkdir(exist_ok=True)
    frames = []
    for index, seeing in enumerate(SEEINGS):
        preset = preset_of(kind, seeing)
        made = simulate(output=folder / f"{kind}-{index}", preset=preset, seed=SEED, first=index)
        frames.append((made.folders[0], read(made.folders[0], preset), preset))
    return frames


def look(folder: Path, frame: Frame, preset: Preset, classifier: ImageCnn, name: str) -> Judged:
    """Search a frame, classify what is found, and say what is true."""
    observation, renderer = frame.observation, build(preset.renderer)
    localiser = create("localiser", name, **FINDERS[name])
    found = localiser.localise_sky(observation)
    likely = localiser.scores_are_probabilities
    found = found[found["score"] >= LEAST_PROBABILITY] if likely else found
    stamps = make_stamps(observation, found, layout=classifier.layout, probabilities=likely)
    judged = classifier.classify(stamps.arrays)
    sources = read_table(folder / "sources.fits")
    sources["electrons"] = renderer.source_counts(sources)[:, 0]
    artefacts = QTable(read_table(folder / "artefacts.fits"))
    label, source = frame_labels(
        found,
        SimulatedSky(sources, None, observation, artefacts),
        stamps.arrays,
        classes=CLASSES,
        fake=ImageCnn.fakes[-1],
        radius=frame.radius * renderer.pixel_scale,
    )
    magnitude = np.asarray(getattr(sources["mag_q"], "value", sources["mag_q"]), dtype=float)
    matched, artefact = by_place(frame, found)
    size, spread = classical(frame, found, stamps.arrays["fwhm"])
    return Judged(
        score=np.asarray(found["score"], dtype=float),
        probability=columns(judged),
        label=label,
        magnitude=np.where(source >= 0, magnitude[source], np.nan),
        size=size,
        spread=spread,
        matched=matched,
        artefact=artefact,
        n_visible=int(np.sum(frame.snr >= LEAST_SNR)),
    )


def by_place(frame: Frame, found: QTable) -> tuple[np.ndarray, np.ndarray]:
    """Which detections are sources, and which lie on artefacts, as in ``optical_frames.py``."""
    places = np.column_stack([found[axis].to_value(u.pix) for axis in ("x", "y")])
    real = frame.places[frame.snr >= LEAST_SNR]
    pairs = match_one_to_one(flat(places), flat(real), frame.radius * u.arcsec)
    matched = np.zeros(len(found), dtype=bool)
    matched[pairs.a] = True
    column, row = np.rint(places).astype(int).T
    return matched, ~matched & (frame.mask[row, column] > 0)


def classical(frame: Frame, found: QTable, fwhm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half-light radius within three FWHM over the FWHM; light within the FWHM over its core's."""
    import sep

    observation = frame.observation
    excess = observation.counts.values[0] - observation.total_background().values[0]
    excess = np.ascontiguousarray(excess, dtype=np.float32)
    x, y = (found[axis].to_value(u.pix) for axis in ("x", "y"))
    radius = sep.flux_radius(excess, x, y, 3 * fwhm, 0.5, subpix=5)[0]
    wide, core = (sep.sum_circle(excess, x, y, share * fwhm, subpix=5)[0] for share in (1, 0.5))
    return radius / fwhm, wide / np.maximum(core, 1)


def columns(table: QTable) -> np.ndarray:
    """Probabilities, shape (n, n_classes)."""
    return np.stack([np.asarray(table[f"prob_{name}"]) for name in CLASSES], axis=1)


def joined(frames: Sequence[Judged]) -> Judged:
    """All detections of several frames."""
    parts = {name: [getattr(one, name) for one in frames] for name in vars(frames[0])}
    n_visible = sum(parts.pop("n_visible"))
    return Judged(n_visible=n_visible, **{n: np.concatenate(some) for n, some in parts.items()})


def chosen(judged: Judged, rows: np.ndarray) -> Judged:
    """Return some of the detections."""
    values = {n: v[rows] for n, v in vars(judged).items() if n != "n_visible"}
    return Judged(n_visible=judged.n_visible, **values)


def print_real(judged: Judged, levels: Sequence[float]) -> None:
    """Real or bogus: accuracy, next to that of calling all alike, and of the S/N alone."""
    heads = ["S/N from", "of", "number", "accuracy", "95 %", "balanced", "all called alike"]
    heads += ["artefacts known, cut in S/N"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    known = judged.label < len(CLASSES) - 1
    for low in (*levels, pure_cut(judged)):
        for name, rows in {"all": True, "sources and artefacts": known, WHICH: known}.items():
            some = chosen(judged, rows & (judged.score >= low))
            true = some.label < REAL
            real, noise = some.probability[:, :REAL].sum(axis=1), some.probability[:, -1]
            right = (real >= (1 - noise if name == WHICH else 1) / 2) == true
            cells = [f"{low:.2f}", name, str(len(true)), f"{np.mean(right):.4f}"]
            cells += ["{:.4f}-{:.4f}".format(*interval(right, np.mean))]
            cells += [f"{np.mean([np.mean(right[true]), np.mean(right[~true])]):.4f}"]
            cells += [f"{max(true.mean(), 1 - true.mean()):.4f}", f"{best_cut(some):.4f}"]
            print(f"| {' | '.join(cells)} |")


def best_cut(judged: Judged) -> float:
    """Accuracy of one who knows all artefacts, and calls real what is above the best S/N."""
    other = (judged.label < REAL) | (judged.label == len(CLASSES) - 1)
    order = np.argsort(judged.score[other])
    true = (judged.label[other] < REAL)[order]
    right = np.append(0, np.cumsum(~true)) + np.append(0, np.cumsum(true[::-1]))[::-1]
    return float((right.max() + np.sum(~other)) / len(other))


def print_kinds(judged: Judged, published: float) -> None:
    """What each kind is called."""
    some = chosen(judged, judged.score >= published)
    said = best_class(some.probability)
    print(f"\n| is | number | called real | {' | '.join(CLASSES)} |\n|---|---{'|---' * 8}|")
    for place, name in enumerate(CLASSES):
        rows = some.label == place
        if not rows.any():
            continue
        shares = [np.mean(said[rows] < REAL)]
        shares += [np.mean(said[rows] == one) for one in range(len(CLASSES))]
        print(f"| {name} | {rows.sum()} | {' | '.join(f'{one:.3f}' for one in shares)} |")


def best_class(probability: np.ndarray) -> np.ndarray:
    """Real or bogus first, then the most probable of either side."""
    real = probability[:, :REAL].sum(axis=1) >= 0.5
    side = real[:, None] == (np.arange(len(CLASSES)) < REAL)
    return np.where(side, probability, 0).argmax(axis=1)


def print_calibration(judged: Judged, published: float) -> None:
    """Expected calibration error of the probability of being real, and of the named class."""
    some = chosen(judged, judged.score >= published)
    named = best_class(some.probability)
    sure = some.probability[np.arange(len(named)), named]
    errors = (
        calibration_error(some.probability[:, :REAL].sum(axis=1), some.label < REAL),
        calibration_error(sure, some.label == named),
    )
    print("\nExpected calibration error: real {:.4f}, class named {:.4f}".format(*errors))


def calibration_error(probability: np.ndarray, true: np.ndarray) -> float:
    """Mean difference of probability and share, in bins of equal numbers."""
    order = np.argsort(probability)
    parts = np.array_split(order, BINS)
    return float(
        sum(len(p) * abs(probability[p].mean() - true[p].mean()) for p in parts) / len(order)
    )


def print_left(judged: Judged) -> None:
    """Artefacts that are left at the completeness of the finder alone."""
    cut = pure_cut(judged)
    alone = judged.score >= cut
    complete = np.sum(judged.matched & alone)
    real = judged.probability[:, :REAL].sum(axis=1) >= 1 - MAX_FAKE
    order = np.argsort(-judged.probability[:, :REAL].sum(axis=1), kind="stable")
    number = np.searchsorted(np.cumsum(judged.matched[order]), complete) + 1
    print("\n| kept | S/N from | completeness | artefacts | other false | purity of all |")
    print("|---" * 6 + "|")
    rows = {"all": np.flatnonzero(alone), "real": np.flatnonzero(alone & real)}
    rows["most probably real, as complete"] = order[:number]
    for name, left in rows.items():
        matched, artefacts = judged.matched[left].sum(), judged.artefact[left].sum()
        cells = [f"{judged.score[left].min():.2f}", f"{matched / judged.n_visible:.4f}", artefacts]
        cells += [len(left) - matched - artefacts, f"{matched / len(left):.4f}"]
        print(f"| {name} | {' | '.join(map(str, cells))} |")


def pure_cut(judged: Judged) -> float:
    """Lowest score at which 95 % of the detections off artefacts are sources."""
    score, matched = judged.score[~judged.artefact], judged.matched[~judged.artefact]
    order = np.argsort(-score, kind="stable")
    purity = np.cumsum(matched[order]) / np.arange(1, len(order) + 1)
    return float(score[order][np.flatnonzero(purity >= PURITY)[-1]])


def print_stars(judged: Judged, published: float) -> None:
    """How well stars and galaxies are separated, against magnitude."""
    heads = ["magnitude", "stars", "galaxies", "AUC", "95 %", "AUC, half-light radius", "95 %"]
    heads += ["AUC, two apertures", "95 %"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    some = chosen(judged, (judged.label < REAL) & (judged.score >= published))
    p = some.probability[:, :REAL]
    extended = p[:, 1] / np.maximum(p.sum(axis=1), 1e-300)
    for low, high in [*pairwise(MAGNITUDES), (15, 21.5)]:
        rows = np.flatnonzero((some.magnitude >= low) & (some.magnitude < high))
        true = some.label[rows] == 1
        if true.sum() < 5:
            continue
        cells = []
        for statistic in (extended[rows], some.size[rows], some.spread[rows]):
            limits = interval(np.column_stack([statistic, true]), lambda a: area(a[:, 0], a[:, 1]))
            cells += [f"{area(statistic, true):.3f}", "{:.3f}-{:.3f}".format(*limits)]
        print(f"| {low:g}-{high:g} | {(~true).sum()} | {true.sum()} | {' | '.join(cells)} |")


def area(statistic: np.ndarray, true: np.ndarray) -> float:
    """Area under the curve of true against false positives."""
    return float(roc_auc_score(true.astype(bool), np.nan_to_num(statistic, nan=-1.0)))


def interval(values: np.ndarray, statistic: Callable[[np.ndarray], float]) -> tuple[float, float]:
    """Interval that holds 95 % of a statistic of resampled values."""
    rng = np.random.default_rng(0)
    drawn = [
        statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(RESAMPLED)
    ]
    return tuple(np.percentile(drawn, [2.5, 97.5]))


def print_speed(classifier: ImageCnn, folder: Path) -> None:
    """Seconds to cut and classify ten thousand detections."""
    kind, index = "crowded", 1
    made = simulate(
        output=folder / f"{kind}-{index}",
        preset=preset_of(kind, SEEINGS[index]),
        seed=SEED,
        first=index,
    )
    observation = read(made.folders[0], preset_of(kind, SEEINGS[index])).observation
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 2047, (2, 10_000)) * u.pix
    places = QTable({"x": x, "y": y, "score": np.ones(10_000)})
    for _ in range(2):
        start = perf_counter()
        stamps = make_stamps(observation, places, layout=classifier.layout, probabilities=False)
        middle = perf_counter()
        classifier.classify(stamps.arrays)
        end = perf_counter()
    print(f"\n10000 cut-outs: {middle - start:.1f} s to cut, {end - middle:.1f} s to classify")


if __name__ == "__main__":
    main()
