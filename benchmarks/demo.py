"""``gammafind demo`` as a user runs it for the first time: what it finds, and how long it takes.

``python benchmarks/demo.py [FOLDER] [--sky SKY]`` leaves the products of the demo in FOLDER, and
prints the tables of README.md, of docs/validation/localiser.md and, for the sky above 10 GeV, of
docs/validation/lat_files.md. The cache is empty at the start.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from lat_files import beforehand, unet_with
from results import kept, named

import gammafind
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions

KEPT = {"2-20GeV": "demo", "10-2000GeV": "demo_10_2000"}
"""Names of the results by sky."""
HIGH = "10-2000GeV"
RADIUS = 0.3 * u.deg
"""Match radius of the preset of this sky."""
LATER = "4fgl-dr4"
"""A catalogue of more photons than 3FHL, which says what is real."""


def main() -> None:
    """Run the demo, and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--sky", choices=KEPT, default="2-20GeV")
    parser.add_argument("--weights", default="", help="of unet, next to likelihood")
    given = parser.parse_args()
    with kept(named(KEPT[given.sky], given.weights)), tempfile.TemporaryDirectory() as place:
        folder = given.folder or Path(place) / "demo"
        text, seconds = run(folder, given.sky, given.weights, cache=Path(place) / "cache")
        sentences, *tables = text.split("\n\n")
        print(sentences)
        for table in tables:
            if lines := list(table_lines(table)):
                print(f"\n{markdown(lines)}")
        if given.sky == HIGH:
            catalogue = QTable.read(folder / "catalogue.ecsv")
            print(f"\n{above_10_gev(catalogue)}\n\n{ratios(catalogue)}")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(f"\nThe demo took {seconds:.0f} s on {len(os.sched_getaffinity(0))} cores", end="")
        print(f", and {memory:.1f} GB.")


def run(folder: Path, sky: str, weights: str, *, cache: Path) -> tuple[str, float]:
    """Return what the demo prints, and its wall-clock time in seconds."""
    command = [sys.executable, "-m", "gammafind", "demo", "-o", str(folder), "--overwrite"]
    chosen = unet_with(weights, "--beside", "likelihood") if weights else []
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--sky", sky, *chosen],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GAMMAFIND_CACHE": str(cache)},
    )
    return done.stdout, time.perf_counter() - start


def table_lines(text: str) -> Iterator[str]:
    """Lines of a table, without those that say where the products are."""
    for line in text.splitlines():
        if not line.startswith(("searched in", "written:")):
            yield line


def above_10_gev(catalogue: QTable) -> str:
    """Return completeness of point sources of 3FHL, and purity, by region and TS, as Markdown."""
    official = gammafind.read_catalogue("3fhl")
    points = found_freely(point_sources(official), catalogue)
    catalogue = catalogue[~beforehand(catalogue)]
    known = [sky_positions(official), sky_positions(gammafind.read_catalogue(LATER))]
    heads = "half | region | TS at least | detections | completeness | purity, 3FHL"
    lines = [f"| {heads} | purity, 3FHL or DR4 |", "|---|---|---|---|---|---|---|"]
    for half, side in (("b > 0", 1), ("b < 0", -1)):
        for region, low, high in (("abs(b) > 10", 10, 91), ("abs(b) < 10", 0, 10)):
            truth = inside(sky_positions(points), side, low, high)
            for cut in (16, 18, 20, 25):
                found = sky_positions(catalogue[catalogue["TS"] >= cut])
                found = inside(found, side, low, high)
                share = len(match_one_to_one(found, truth, RADIUS).a) / len(truth)
                real = [found.match_to_catalog_sky(there)[1] < RADIUS for there in known]
                numbers = (share, real[0].mean(), np.any(real, axis=0).mean())
                cells = [half, region, cut, len(found), *(f"{100 * n:.1f} %" for n in numbers)]
                lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def ratios(catalogue: QTable) -> str:
    """Return how flux and significance compare with those of the point sources of 3FHL."""
    points = point_sources(gammafind.read_catalogue("3fhl"))
    points = points[sky_positions(points).galactic.b.deg < -10]
    pairs = match_one_to_one(sky_positions(catalogue), sky_positions(points), RADIUS)
    ours, theirs = catalogue[pairs.a], points[pairs.b]
    flux = np.median((ours["Flux"] / theirs["Flux"]).to_value(""))
    significance = np.median(np.sqrt(ours["TS"]) / theirs["Signif_Avg"])
    return f"b < -10: median ratio of significance {significance:.3f}, of flux {flux:.3f}"


def point_sources(catalogue: QTable) -> QTable:
    """Sources without an extension."""
    return catalogue[np.asarray(catalogue["Extended_Source_Name"]) == ""]


def found_freely(points: QTable, catalogue: QTable) -> QTable:
    """Sources without those whose positions the search was given, as extended sources."""
    given = sky_positions(catalogue[beforehand(catalogue)])
    taken = match_one_to_one(given, sky_positions(points), RADIUS).b
    return points[np.setdiff1d(np.arange(len(points)), taken)]


def inside(positions: SkyCoord, side: int, low: float, high: float) -> SkyCoord:
    """Positions on one side of the Galactic plane, between two latitudes in degrees."""
    latitude = positions.galactic.b.deg * side
    return positions[(latitude >= low) & (latitude < high)]


def markdown(table: list[str]) -> str:
    """Return the lines of an aligned table as Markdown; cells are two spaces or more apart."""
    lines = [re.sub(r"\|b\|", "abs(b)", line) for line in table]
    heads, *rows = [re.split(r" {2,}", line.strip()) for line in lines]
    width = max(map(len, rows))
    heads = [""] * (width - len(heads)) + heads
    rows = [row + [""] * (width - len(row)) for row in rows]
    lines = [heads, ["---"] * width, *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
