"""The catalogue of the demo against the later sky: FL16Y, sixteen years of photons.

``python benchmarks/later_sky.py [FOLDER|CATALOGUE]`` scores ``catalogue.ecsv`` of a demo, or
searches the sky of the demo first, prints a table, and appends the commit and the figures as one
line to ``results/later_sky.jsonl``. Nothing is chosen or tuned on FL16Y: it is scored once, when a
piece of work is done, and the same commit is not scored twice.

A detection is *extra* if 4FGL-DR2 has no counterpart, and *confirmed* if FL16Y has one then. By
chance: the share of extra detections with a counterpart when they are shifted along Galactic
longitude by 6 and 10 match radii in both directions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity
from results import FOLDER, commit

import gammafind
from gammafind.catalogue.columns import numbers_of, texts_of
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.pipeline.evaluate import match_radius
from gammafind.plugins.fermi_lat.catalogues import class_group

KEPT = FOLDER / "later_sky.jsonl"
"""One line a run."""
SHIFTS = (-10, -6, 6, 10)
"""In match radii, as on the page of a search."""
REGIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all": lambda b: np.ones(len(b), dtype=bool),
    "|b| > 20 deg": lambda b: np.abs(b) > 20,
    "|b| <= 20 deg": lambda b: np.abs(b) <= 20,
}
"""Parts of the sky, by Galactic latitude in degrees."""


def main() -> None:
    """Score a catalogue, print the figures and keep them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("catalogue", type=Path, nargs="?")
    given = parser.parse_args().catalogue
    here = commit()
    if here in {line["commit"] for line in kept(KEPT)}:
        raise SystemExit(f"{here} was scored already: see {KEPT.name}")
    catalogue = demo_catalogue(given)
    earlier, later = (gammafind.read_catalogue(name) for name in ("4fgl-dr2", "fl16y"))
    figures = score(catalogue, earlier, later, radius=match_radius(None, catalogue))
    append(KEPT, figures, here)
    print(table(figures["regions"]))
    print(f"\nclasses: {figures['classes']}")


def demo_catalogue(given: Path | None) -> QTable:
    """Catalogue of a file, of the folder of a demo, or of a search of the sky of the demo."""
    if given is not None:
        return gammafind.read_catalogue(given / "catalogue.ecsv" if given.is_dir() else given)
    return gammafind.detect(gammafind.demo_sky(), reference="4fgl-dr2").catalogue


def score(catalogue: QTable, earlier: QTable, later: QTable, *, radius: Quantity) -> dict[str, Any]:
    """Figures of a catalogue against two references.

    Parameters
    ----------
    catalogue : QTable
        Detections, n rows.
    earlier, later : QTable
        What was known, and what is known since.
    radius : Quantity
        Match radius of the one-to-one matching.

    Returns
    -------
    dict
        ``radius``; ``regions``: numbers and shares in each of `REGIONS`; ``classes``: how many
        classes were right, where the catalogue has classes.
    """
    here = sky_positions(catalogue)
    before = match_one_to_one(here, sky_positions(earlier), radius)
    after = match_one_to_one(here, sky_positions(later), radius)
    known, real = np.zeros((2, len(here)), dtype=bool)
    known[before.a], real[after.a] = True, True
    chance = by_chance(here, sky_positions(later), radius)
    within = inside_error(catalogue, later, after)
    regions = {}
    for name, inside in REGIONS.items():
        chosen = inside(here.galactic.b.deg)
        extra = chosen & ~known
        regions[name] = {
            "detections": int(chosen.sum()),
            "in_earlier": int((chosen & known).sum()),
            "extra": int(extra.sum()),
            "extra_confirmed": int((extra & real).sum()),
            "by_chance": share(chance, extra),
            "purity_earlier": share(known, chosen),
            "purity_later": share(real, chosen),
            "purity_together": share(known | real, chosen),
            "within_r95": share(within, chosen & real & np.isfinite(within)),
        }
    return {
        "radius": str(radius),
        "regions": regions,
        "classes": classes(catalogue, later, after.a, after.b, ~known),
    }


def by_chance(here: SkyCoord, there: SkyCoord, radius: Quantity) -> np.ndarray:
    """Share of the shifts at which each detection has a counterpart, shape (n,)."""
    found = np.zeros(len(here))
    for shift in SHIFTS if len(here) else ():
        moved = here.galactic.directional_offset_by(90 * u.deg, shift * radius)
        found[match_one_to_one(moved, there, radius).a] += 1 / len(SHIFTS)
    return found


def inside_error(catalogue: QTable, later: QTable, matches: Any) -> np.ndarray:
    """Which detections are within both 95 % errors of their counterpart; NaN where unknown."""
    own, theirs = (numbers_of(table, "r95", u.deg) for table in (catalogue, later))
    within = np.full(len(catalogue), np.nan)
    limit = np.hypot(own[matches.a], theirs[matches.b])
    separation = matches.separation.to_value(u.deg)
    within[matches.a] = np.where(np.isfinite(limit), separation <= limit, np.nan)
    return within


def classes(
    catalogue: QTable, later: QTable, here: np.ndarray, there: np.ndarray, extra: np.ndarray
) -> dict[str, Any]:
    """How many predicted classes agree with those that are known later."""
    predicted = texts_of(catalogue, "class_label")[here]
    true = class_group(texts_of(later, "class_label")[there].tolist())
    known = (predicted != "") & ~np.isin(true, ("UNASSOCIATED", "BCU", "OTHER"))
    right = known & (predicted == true)
    return {
        "compared": int(known.sum()),
        "right": int(right.sum()),
        "extra_compared": int((known & extra[here]).sum()),
        "extra_right": int((right & extra[here]).sum()),
    }


def share(values: np.ndarray, chosen: np.ndarray) -> float | None:
    """Mean of the chosen values; None if there are none."""
    return round(float(np.mean(values[chosen])), 4) if chosen.any() else None


def kept(path: Path) -> list[dict[str, Any]]:
    """Runs that were kept."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, figures: dict[str, Any], here: str) -> None:
    """Append one run."""
    line = {"measured": datetime.now(UTC).date().isoformat(), "commit": here, **figures}
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")


def table(regions: dict[str, dict[str, Any]]) -> str:
    """Figures of all regions as Markdown."""
    heads = ["", *(name.replace("|b|", "abs(b)") for name in regions)]
    first = next(iter(regions.values()))
    rows = [[name, *("-" if r[name] is None else str(r[name]) for r in regions.values())]
            for name in first]  # fmt: skip
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
