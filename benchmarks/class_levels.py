"""How often `CLASS1` of the classifier cnn is right, at the level that it names, in one band.

``python benchmarks/class_levels.py FOLDER [--skies 8]`` keeps what it computes in FOLDER, and
prints the tables of docs/validation/classifier.md: for the sky of the demo against 4FGL-DR2, and
4FGL-DR4 for what DR2 lacks, and for simulated skies that no network was trained on. The least
probability of a label, ``abstain``, was chosen at b > 0 of the demo's sky; b < 0 is the test.
"""

from __future__ import annotations

import argparse
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
from gammafind.roles.classifier import UNKNOWN
from gammafind.roles.levels import stated_labels
from gammafind.training.detections import labels_of

SEED = 5020
"""Seed of the simulated skies: not used for training, validation or development."""
RADII = (0.5 * u.deg, 0.3 * u.deg)
"""Match radius of the page about the real sky, and that of the preset."""
LEAST = (0.8, 0.85, 0.9, 0.95)
"""Candidates of ``abstain``."""
PUBLISHED = 0.8
REFERENCES = ("4fgl-dr2", "4fgl-dr4")
BINS = (0.95, 0.97, 0.98, 0.99, 1.0001)
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
        true, block = _on_the_sky(found, ("4fgl-dr2",), RADII[0])
        south = np.asarray(found["GLAT"]) < 0
        for least in LEAST:
            tried = _judged(found, true, block, least)
            print_labels(f"b > 0, least {least}", tried[~south])
        judged = _judged(found, true, block)
        print_labels("b < 0", judged[south])
        print_labels("all", judged)
        print_bins("all", judged)
        for radius in RADII:
            for name, catalogues in (("DR2", REFERENCES[:1]), ("DR2 and DR4", REFERENCES)):
                judged = _judged(found, *_on_the_sky(found, catalogues, radius))
                print_labels(f"b < 0, {name}, {radius}", judged[south])
        parts = [_simulated(given.folder, index) for index in range(given.skies)]
        joined = (np.concatenate([getattr(p, k) for p in parts]) for k in Judged.__annotations__)
        print_labels("simulated", Judged(*joined))


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


def _on_the_sky(
    found: QTable, catalogues: tuple[str, ...], radius: u.Quantity
) -> tuple[np.ndarray, np.ndarray]:
    """What detections of the demo are by catalogues, the first first; and their regions."""
    here = sky_positions(found)
    true = np.full(len(found), FAKE, dtype=object)
    for name in catalogues:
        table = read_catalogue(name)
        left = np.flatnonzero(true == FAKE)
        pairs = match_one_to_one(here[left], sky_positions(table), radius)
        classes = np.char.lower(np.char.strip(np.asarray(table["CLASS1"]).astype(str)))
        true[left[pairs.a]] = [KNOWN.get(one, "REAL") for one in classes[pairs.b]]
    # Regions of 15 deg, as on the other pages.
    places = here.galactic
    block = (places.l.deg // 15).astype(int) * 100 + ((places.b.deg + 90) // 15).astype(int)
    return true, block


def _simulated(folder: Path, index: int) -> Judged:
    """Labels on a simulated sky against the truth."""
    held = HeldOut(folder=folder, preset=str(DEMO_SKIES["2-20GeV"].preset), seed=SEED)
    path = folder / f"sky-{index:02d}" / "classes.ecsv"
    if not path.exists():
        found = held.detections(index, "unet", UNet())
        found = found[np.asarray(found["score"]) >= PUBLISHED]
        observation = held.sky(index).observation
        write_table(classify(found, observation, Cnn().for_sky(observation.counts.bands, 0)), path)
    table = read_table(path)
    label, _ = labels_of(table, held.sources(index), classes=CLASSES, fake=FAKE, radius=RADII[0])
    return _judged(table, np.asarray(CLASSES)[label], np.full(len(table), index))


def _judged(
    table: QTable, true: np.ndarray, block: np.ndarray, least: float = Cnn.abstain
) -> Judged:
    """Labels of a table with probabilities."""
    probability = np.stack([np.asarray(table[f"prob_{name}"]) for name in CLASSES], axis=1)
    levels = {"least": least, "unknown": UNKNOWN}
    label, stated = stated_labels(probability, CLASSES, GROUPS, **levels)
    return Judged(label, stated, np.asarray(true, dtype=object), block)


if __name__ == "__main__":
    main()
