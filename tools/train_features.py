"""Train the classifier ``features`` on the labelled sources of 4FGL-DR2; needs scikit-learn.

``python tools/train_features.py gll_psc_v27.fit.gz gll_psc_v20.fit.gz FOLDER`` writes the model and
its card. 4FGL-DR1 says which sources got their class late.
"""

from __future__ import annotations

import argparse
import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gammafind.pipeline.inputs import read_catalogue
from gammafind.plugins.features.classifier import MODEL
from gammafind.plugins.features.columns import columns_of
from gammafind.plugins.features.model import CLASSES, Model
from gammafind.plugins.features.training.fit import Recipe, train
from gammafind.plugins.features.training.labels import (
    blazar_lesson,
    classes_of,
    counterparts,
    kind_lesson,
)
from gammafind.utils.files import file_checksum


def main() -> None:
    """Train, and write the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalogue", type=Path, help="4FGL-DR2")
    parser.add_argument("earlier", type=Path, help="4FGL-DR1")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    table = read_catalogue(given.catalogue)
    classes = classes_of(table)
    before = counterparts(table, read_catalogue(given.earlier))
    model = train(columns_of(table), classes, before, Recipe())
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in (MODEL, "card.md"):
        (given.folder / name).unlink(missing_ok=True)
    model.write(given.folder / MODEL)
    (given.folder / "card.md").write_text(card(given.catalogue, classes, model), encoding="utf-8")


def card(catalogue: Path, classes: np.ndarray, model: Model) -> str:
    """Model card, Markdown."""
    kind, blazar = kind_lesson(classes), blazar_lesson(classes)
    agn, pulsars, others = np.bincount(kind.truth)
    bll, fsrq = np.bincount(blazar.truth)
    recipe = ", ".join(f"{k} {v}" for k, v in dataclasses.asdict(Recipe()).items())
    shares, later = (listed(model.shares(later=late)) for late in (False, True))
    rows = {
        "training": f"4FGL-DR2, `{catalogue.name}` (CC0), SHA-256 {file_checksum(catalogue)}",
        "first stage": f"{agn} active galaxies, {pulsars} pulsars, {others} other Galactic sources",
        "second stage": f"{bll} BLL, {fsrq} FSRQ",
        "recipe": recipe,
        "scale of the scores": f"{model.kind.scale:.3f}, {model.blazar.scale:.3f}",
        "shares of sources without a class": shares,
        "of those that get one later": later,
        "trees": f"{len(model.kind.trees.root)} and {len(model.blazar.trees.root)}",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "licence": "that of gammafind",
    }
    lines = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
    return (
        f"# features, trained on 4FGL-DR2\n\n| | |\n|---|---|\n{lines}\n\n"
        "Each source is learned as it was measured and in copies that are degraded to the\n"
        "significance of sources without a class. How well it classifies sources that were\n"
        "identified later stands in docs/validation/features.md.\n\n"
        "`python tools/train_features.py gll_psc_v27.fit.gz gll_psc_v20.fit.gz FOLDER` trains it\n"
        "again.\n"
    )


def listed(shares: np.ndarray) -> str:
    """Classes with their shares."""
    return ", ".join(f"{name} {share:.3f}" for name, share in zip(CLASSES, shares, strict=True))


if __name__ == "__main__":
    main()
