"""How often `CLASS1` of the classifier cnn is right, at the level that it names, in one band.

``python benchmarks/class_levels.py FOLDER [--skies 8]`` keeps what it computes in FOLDER, and
prints the tables of docs/validation/classifier.md: for the sky of the demo against 4FGL-DR2, and
4FGL-DR4 for what DR2 lacks, and for simulated skies that no network was trained on. Nothing was
chosen on the sky of the demo.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from class_metrics import bootstrap
from held_out import HeldOut
from results import kept

import gammafind
from gammafind.catalogue.io import read_table, write_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.pipeline.classify import classify
from gammafind.pipeline.demo import DEMO_SKIES, demo_sky
from gammafind.pipeline.inputs import read_catalogue
from gammafind.plugins.cnn.classifier import GROUPS, Cnn
from gammafind.plugins.cnn.networks import CLASSES, FAKE
from gammafind.plugins.unet.localiser import UNet
from gammafind.roles.classifier import CLASS_PROBABILITY, UNKNOWN
from gammafind.training.detections import labels_of

SEED = 5020
"""Seed of the simulated skies: not used for training, validation or development."""
RADIUS = 0.3 * u.deg
"""Match radius of the preset, by which the network learned what is no source."""
PUBLISHED = 0.8
BINS = (0.8, 0.85, 0.9, 0.95, 1.0001)
AGN = ("bcu", "agn", "rdg", "css", "ssrq", "sey", "nlsy1")
GALAXY = ("glc", "bin", "hmb", "lmb", "nov", "sfr")
KNOWN = {
    "bll": "BLL",
    "fsrq": "FSRQ",
    **dict.fromkeys(("psr", "msp"), "PSR"),
    **dict.fromkeys(("pwn", "snr", "spp"), "PWN+SNR"),
    **dict.fromkeys(AGN, "BCU"),
    **dict.fromkeys(GALAXY, "GALACTIC"),
}
"""Finest level at which a class of the catalogue is known; all others are only real."""
UPWARDS = {
    **dict.fromkeys(("BLL", "FSRQ", "BCU"), ("BCU", "REAL")),
    **dict.fromkeys(("PSR", "PWN+SNR", "GALACTIC"), ("GALACTIC", "REAL")),
    "REAL": ("REAL",),
    FAKE: (),
}
"""Coarser levels that are right as well."""
LEVELS = {
    "real or not": ("REAL", FAKE),
    "Galactic or not": ("BCU", "GALACTIC"),
    "class": tuple(name for name in CLASSES if name != FAKE),
}


@dataclass(frozen=True, eq=False)
class Judged:
    """Labels of detections, and what they are.

    Attributes
    ----------
    label : ndarray of str, shape (n,)
    stated : ndarray, shape (n,)
    true : ndarray of str, shape (n,)
        Finest level that is known.
    block : ndarray of int, shape (n,)
        Patch of the sky, or sky, of each detection.
    """

    label: np.ndarray
    stated: np.ndarray
    true: np.ndarray
    block: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Judged:
        return Judged(self.label[rows], self.stated[rows], self.true[rows], self.block[rows])

    @property
    def right(self) -> np.ndarray:
        """Whether each label is right."""
        return np.array(
            [a == b or a in UPWARDS[b] for a, b in zip(self.label, self.true, strict=True)],
            dtype=bool,
        )

    @property
    def decided(self) -> np.ndarray:
        """Whether the catalogue says if a label is right: not where it knows coarser levels."""
        coarse = (self.true == "REAL") & ~np.isin(self.label, LEVELS["real or not"])
        sides = {"BCU": CLASSES[:2], "GALACTIC": CLASSES[2:4]}
        for side, members in sides.items():
            coarse |= (self.true == side) & np.isin(self.label, members)
        return ~coarse & (self.label != UNKNOWN)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=8)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with kept("class_levels"):
        found = _demo(given.folder)
        references = {"4FGL-DR2": ("4fgl-dr2",), "DR2 and DR4": ("4fgl-dr2", "4fgl-dr4")}
        for name, catalogues in references.items():
            judged, south = _on_the_sky(found, catalogues)
            print_sky(f"demo, {name}", judged)
            print_labels(f"demo, b < 0, {name}", judged[south])
        parts = [_simulated(given.folder, index) for index in range(given.skies)]
        joined = (np.concatenate([getattr(p, k) for p in parts]) for k in Judged.__annotations__)
        print_sky("simulated", Judged(*joined))


def print_sky(name: str, judged: Judged) -> None:
    """The tables of one set of detections."""
    print_labels(name, judged)
    print_bins(name, judged)


def print_labels(name: str, judged: Judged) -> None:
    """Stated and true purity of each label."""
    _heading("sky", "CLASS1")
    for label in (*CLASSES[:-1], *GROUPS, FAKE):
        _row(name, label, judged, judged.label == label)
    _row(name, "all", judged, judged.label != UNKNOWN)
    print(f"\n{name}: {np.sum(judged.label == UNKNOWN)} of {len(judged.label)} are UNK.")


def print_bins(name: str, judged: Judged) -> None:
    """Stated and true purity of each level in bins of the stated probability."""
    _heading("sky", "level, stated")
    for level, labels in LEVELS.items():
        for low, high in pairwise(BINS):
            there = (judged.stated >= low) & (judged.stated < high)
            text = f"{level}, {low:.2f}-{min(high, 1):.2f}"
            _row(name, text, judged, np.isin(judged.label, labels) & there)


def _heading(*names: str) -> None:
    columns = (*names, "detections", "decided", "stated", "purity", "difference")
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")


def _row(name: str, text: str, judged: Judged, rows: np.ndarray) -> None:
    """One row of a table; nothing where no label can be judged."""
    some = judged[np.flatnonzero(rows & judged.decided)]
    if not len(some.label):
        return
    right, stated = some.right, some.stated
    low, high = bootstrap(
        lambda drawn: right[drawn].mean(), some.block, rng=np.random.default_rng(0)
    )
    print(
        f"| {name} | {text} | {rows.sum()} | {len(right)} | {stated.mean():.3f} | "
        f"{right.mean():.3f} ({low:.3f}-{high:.3f}) | {right.mean() - stated.mean():+.3f} |"
    )


def _demo(folder: Path) -> QTable:
    """Detections on the sky of the demo with classes, searched once."""
    path = folder / "demo.ecsv"
    if not path.exists():
        result = gammafind.detect(
            demo_sky(),
            preset=DEMO_SKIES["2-20GeV"].preset,
            localiser="unet",
            classifier="cnn",
            measure=False,
        )
        write_table(result.catalogue, path)
    return read_table(path)


def _on_the_sky(found: QTable, catalogues: tuple[str, ...]) -> tuple[Judged, np.ndarray]:
    """Labels of the demo against catalogues, the first first; and which are at b < 0."""
    here = sky_positions(found)
    true = np.full(len(found), FAKE, dtype=object)
    for name in catalogues:
        table = read_catalogue(name)
        left = np.flatnonzero(true == FAKE)
        pairs = match_one_to_one(here[left], sky_positions(table), RADIUS)
        classes = np.char.lower(np.char.strip(np.asarray(table["CLASS1"]).astype(str)))
        true[left[pairs.a]] = [KNOWN.get(one, "REAL") for one in classes[pairs.b]]
    # Regions of 15 deg, as on the other pages.
    places = here.galactic
    block = (places.l.deg // 15).astype(int) * 100 + ((places.b.deg + 90) // 15).astype(int)
    return _judged(found, "CLASS1", true, block), places.b.deg < 0


def _simulated(folder: Path, index: int) -> Judged:
    """Labels on a simulated sky against the truth."""
    held = HeldOut(folder=folder, preset=str(DEMO_SKIES["2-20GeV"].preset), seed=SEED)
    path = folder / f"sky-{index:02d}" / "classes.ecsv"
    if not path.exists():
        found = held.detections(index, "unet", UNet())
        found = found[np.asarray(found["score"]) >= PUBLISHED]
        observation = held.sky(index).observation
        table = classify(found, observation, Cnn().for_sky(observation.counts.bands, 0))
        label, _ = labels_of(table, held.sources(index), classes=CLASSES, fake=FAKE, radius=RADIUS)
        table["true"] = np.asarray(CLASSES)[label]
        write_table(table, path)
    table = read_table(path)
    return _judged(table, "class_label", np.asarray(table["true"]), np.full(len(table), index))


def _judged(table: Mapping, label: str, true: np.ndarray, block: np.ndarray) -> Judged:
    stated = np.asarray(table[CLASS_PROBABILITY], dtype=float)
    return Judged(np.asarray(table[label]), stated, np.asarray(true, dtype=object), block)


if __name__ == "__main__":
    main()
