"""`unet` with weights for any bands next to `likelihood` on two real skies of high energies.

``python benchmarks/high_energy_search.py --weights FOLDER [--sky 2fhl]`` searches the photons of
2FHL above 50 GeV, and the sky above 10 GeV in three bands: choices on its northern half only, the
southern one is the result. FL16Y is not used. Needs ../shared.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table, vstack
from lat_files import (
    DATA,
    RADIUS,
    THREE_BANDS,
    TWO_FHL,
    Run,
    detect,
    nearest,
    points_of,
    positions,
    read,
    unet_with,
)
from results import kept, named

from gammafind.catalogue.matching import match_one_to_one

PURITY = 0.95
LEAST = {"unet": ("--min-score", "0.05"), "likelihood": ("--min-score", "9")}
"""Scores far below those of the purity."""
HALVES = {"b > 0": 1, "b < 0": -1}
REGIONS = {"all": (0, 91), "abs(b) > 10": (10, 91), "abs(b) < 10": (0, 10)}
DR4 = DATA / "catalogue/gll_psc_v35.fit.gz"


def main() -> None:
    """Print the tables of docs/validation/any_bands.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="")
    parser.add_argument("--sky", choices=["2fhl", "10-2000GeV"], default="2fhl")
    parser.add_argument("--keep", type=Path, help="folder of the catalogues; those in it are used")
    arguments = parser.parse_args()
    name = "two_fhl_search" if arguments.sky == "2fhl" else "three_bands_search"
    with kept(named(name, arguments.weights)):
        measure = two_fhl if arguments.sky == "2fhl" else three_bands
        measure(arguments.weights, arguments.keep)


def two_fhl(weights: str, keep: Path | None) -> None:
    """2FHL from its own photons."""
    runs = both(TWO_FHL, weights, keep)
    official = read(DATA / "2fhl/gll_psch_v09.fit.gz")
    high = read(DATA / "highenergy/gll_psch_v13.fit.gz")
    known = [positions(table) for table in (official, high, read(DR4))]
    truth = points_of(official, runs["likelihood"])
    print_seconds(runs)
    print("| localiser | region | score | detections | purity | 2FHL points | completeness |")
    print("|---|---|---|---|---|---|---|")
    for name, run in runs.items():
        for region in REGIONS:
            here, there = inside(run.table, region), inside(truth, region)
            print(row(f"{name} | {region}", here, there, known, purity_cut(here, known)))


def three_bands(weights: str, keep: Path | None) -> None:
    """The sky above 10 GeV: completeness of 4FGL-DR4, purity against 3FHL and 4FGL-DR4."""
    runs = both(THREE_BANDS, weights, keep)
    official, later = read(DATA / "highenergy/gll_psch_v13.fit.gz"), read(DR4)
    known = [positions(official), positions(later)]
    truth = points_of(later, runs["likelihood"])
    print_seconds(runs)
    print(
        "| localiser | half | region | cut | score | detections | purity | 4FGL-DR4 points "
        "| completeness |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name, run in runs.items():
        for region in REGIONS:
            north = purity_cut(inside(run.table, region, 1), known)
            for half, side in HALVES.items():
                here, there = inside(run.table, region, side), inside(truth, region, side)
                own = f"{name} | {half} | {region}"
                print(row(f"{own} | its own", here, there, known, purity_cut(here, known)))
            print(row(f"{own} | of b > 0", here, there, known, north))


def both(sky: tuple, weights: str, keep: Path | None) -> dict[str, Run]:
    """Catalogues of both localisers."""
    chosen = {"unet": unet_with(weights), "likelihood": ["--localiser", "likelihood"]}
    return {
        name: searched(sky, [*options, *LEAST[name]], keep / f"{name}.ecsv" if keep else None)
        for name, options in chosen.items()
    }


def searched(sky: tuple, options: list[str], path: Path | None) -> Run:
    """Catalogue of a search, or the one that is kept."""
    if path is not None and path.exists():
        rows = QTable.read(path)
        given = np.asarray(rows["given"])
        return Run(rows[~given], rows[given], rows.meta["seconds"], 0.0)
    run = detect(*sky, *options)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = vstack([run.table, run.given], metadata_conflicts="silent")
        rows["given"] = np.arange(len(rows)) >= len(run.table)
        rows.meta = {"seconds": run.seconds}
        rows.write(path)
    return run


def score_of(table: QTable) -> np.ndarray:
    """Probability or TS, as the localiser states it."""
    return np.asarray(table["Score"], dtype=float)


def purity_cut(table: QTable, known: list[SkyCoord]) -> float:
    """Lowest score with the purity; infinite if there is none."""
    score = score_of(table)
    order = np.argsort(-score, kind="stable")
    pure = np.cumsum(is_known(table, known)[order]) / np.arange(1, len(table) + 1)
    enough = np.flatnonzero(pure >= PURITY)
    return float(score[order[enough[-1]]]) if len(enough) else np.inf


def is_known(table: QTable, known: list[SkyCoord]) -> np.ndarray:
    """Whether each detection is near a source of any catalogue."""
    return np.any([nearest(positions(table), there) < RADIUS for there in known], axis=0)


def row(label: str, table: QTable, truth: Table, known: list[SkyCoord], cut: float) -> str:
    """Line of a table: purity and completeness of the detections above a score."""
    table = table[score_of(table) >= cut]
    found = len(match_one_to_one(positions(table), positions(truth), RADIUS).a)
    purity = f"{is_known(table, known).mean():.3f}" if len(table) else "-"
    cells = f"{len(table)} | {purity} | {len(truth)} | {found / len(truth):.3f}"
    return f"| {label} | {cut:.4g} | {cells} |"


def inside(table: Table, region: str, side: int = 0) -> Table:
    """Rows of a region, on one side of the Galactic plane if there is a side."""
    latitude = positions(table).galactic.b.deg
    low, high = REGIONS[region]
    chosen = (np.abs(latitude) >= low) & (np.abs(latitude) < high)
    return table[chosen & ((latitude * side > 0) | (side == 0))]


def print_seconds(runs: dict[str, Run]) -> None:
    """Print the cost of the searches."""
    parts = (
        f"{name}: {len(run.table)} detections, {run.seconds:.0f} s of CPU"
        for name, run in runs.items()
    )
    print("; ".join(parts) + ".\n")


if __name__ == "__main__":
    main()
