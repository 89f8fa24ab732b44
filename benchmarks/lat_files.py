"""Catalogues of real LAT files by default, against official ones made of the same photons.

``python benchmarks/lat_files.py`` runs `gammafind detect` as a user does, without a preset, on the
photons of 2FHL and on the three-band sky above 10 GeV. Needs ../shared.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from results import kept

from gammafind.catalogue.matching import match_one_to_one

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
RADIUS = 0.3 * u.deg
GOALS = {"abs(b) > 10": 0.95, "abs(b) < 10": 0.90}
"""Purity at which completeness is stated."""
TWO_FHL = (
    DATA / "2fhl/fermi_2fhl_events_selected.fits.gz",
    "--exposure",
    DATA / "2fhl/fermi_2fhl_exposure_cube_hpx.fits.gz",
)
THREE_BANDS = (
    *(DATA / f"highenergy/energy_{name}.fits.gz" for name in ("10_30", "30_100", "100_2000")),
    *("--band", "10-30GeV", "--band", "30-100GeV", "--band", "100-2000GeV"),
    "--exposure",
    DATA / "highenergy/fermi_hgps_exposure_hpx.fits.gz",
)


@dataclass(frozen=True)
class Run:
    """A catalogue, CPU time in s, and the peak memory in GB of this and all commands before.

    ``given`` are its rows of extended sources of 4FGL-DR2, which are part of the model beforehand.
    They and their counterparts do not count.
    """

    table: QTable
    given: QTable
    seconds: float
    memory: float


@kept("lat_files")
def main() -> None:
    """Print the tables of docs/validation/lat_files.md."""
    two_fhl()
    print()
    three_bands()


def two_fhl() -> None:
    """2FHL from its own photons."""
    run = detect(*TWO_FHL)
    official = read(DATA / "2fhl/gll_psch_v09.fit.gz")
    points = points_of(official, run)
    known = [positions(official), positions(read(DATA / "catalogue/gll_psc_v41.fit.gz"))]
    print(f"2FHL: {len(run.table)} sources, {run.seconds:.0f} s of CPU, {run.memory:.2f} GB\n")
    print("| TS at least | sources | completeness, 2FHL points | purity, 2FHL or FL16Y |")
    print("|---|---|---|---|")
    for cut in (16, 20, 25):
        table = run.table[run.table["TS"] >= cut]
        here = positions(table)
        share = len(match_one_to_one(here, positions(points), RADIUS).a) / len(points)
        pure = np.any([nearest(here, there) < RADIUS for there in known], axis=0).mean()
        print(f"| {cut} | {len(table)} | {share:.3f} | {pure:.3f} |")
    pairs = match_one_to_one(positions(run.table), positions(points), RADIUS)
    ours, theirs = run.table[pairs.a], points[pairs.b]
    ts = np.asarray(ours["TS"]) / np.asarray(theirs["TS"])
    flux = ours["Flux"].to_value("cm-2 s-1") / np.asarray(theirs["Flux50"])
    print(f"\nmedian ratio of TS {np.median(ts):.3f}, of flux {np.median(flux):.3f}\n")
    later = read(DATA / "catalogue/gll_psc_v35.fit.gz")
    print("| 2FHL's photons | TS at least | counterparts | inside r95 |\n|---|---|---|---|")
    for region, low, high in (("abs(b) > 10", 10, 91), ("abs(b) < 10", 0, 10)):
        for cut in (16, 25, 100):
            table = run.table[run.table["TS"] >= cut]
            halves = [r95_share(inside(table, side, low, high), later) for side in (1, -1)]
            number = sum(n for n, _ in halves)
            share = sum(n * held for n, held in halves) / number
            print(f"| {region} | {cut} | {number} | {share:.3f} |")


def three_bands() -> None:
    """The sky above 10 GeV against 3FHL, and positions against counterparts of DR4."""
    run = detect(*THREE_BANDS)
    official = read(DATA / "highenergy/gll_psch_v13.fit.gz")
    points = points_of(official, run)
    later = read(DATA / "catalogue/gll_psc_v35.fit.gz")
    print(f"three bands: {len(run.table)} sources, {run.seconds:.0f} s, {run.memory:.2f} GB\n")
    print("| half | region | TS at least | completeness, 3FHL points | purity, 3FHL or DR4 |")
    print("|---|---|---|---|---|")
    known = (positions(official), positions(later))
    for half, side in (("b > 0", 1), ("b < 0", -1)):
        for region, low, high in (("abs(b) > 10", 10, 91), ("abs(b) < 10", 0, 10)):
            truth = inside(points, side, low, high)
            for cut in (16, 18, 20, 25):
                table = inside(run.table[run.table["TS"] >= cut], side, low, high)
                here = positions(table)
                share = len(match_one_to_one(here, positions(truth), RADIUS).a) / len(truth)
                pure = np.any([nearest(here, there) < RADIUS for there in known], axis=0).mean()
                print(f"| {half} | {region} | {cut} | {share:.3f} | {pure:.3f} |")
            best = at_purity(inside(run.table, side, low, high), truth, known, GOALS[region])
            print(f"| {half} | {region} | {best} |")
    south = inside(run.table, -1, 10, 91)
    pairs = match_one_to_one(positions(south), positions(points), RADIUS)
    ours, theirs = south[pairs.a], points[pairs.b]
    significance = np.sqrt(np.asarray(ours["TS"])) / np.asarray(theirs["Signif_Avg"])
    flux = ours["Flux"].to_value("cm-2 s-1") / np.asarray(theirs["Flux"])
    bright = np.asarray(theirs["Signif_Avg"]) > 10
    print(f"\nb < -10: median ratio of significance {np.median(significance):.3f}, ", end="")
    print(f"of flux {np.median(flux):.3f}, above 10 sigma {np.median(flux[bright]):.3f}\n")
    print("| b < 0 | TS at least | counterparts | inside r95 | 3FHL: counterparts | inside |")
    print("|---|---|---|---|---|---|")
    their_ts = np.asarray(official["Signif_Avg"]) ** 2
    for region, low, high in (("abs(b) > 10", 10, 91), ("abs(b) < 10", 0, 10)):
        for cut in (16, 25, 100):
            numbers = []
            for table, ts in ((run.table, run.table["TS"]), (official, their_ts)):
                numbers += r95_share(inside(table[ts >= cut], -1, low, high), later)
            print(f"| {region} | {cut} | {numbers[0]} | {numbers[1]:.3f} | ", end="")
            print(f"{numbers[2]} | {numbers[3]:.3f} |")


def at_purity(table: QTable, truth: Table, known: tuple[SkyCoord, ...], purity: float) -> str:
    """Cells of the lowest TS from which on a table is pure enough, completeness and purity."""
    ts, here = np.asarray(table["TS"]), positions(table)
    order = np.argsort(-ts)
    real = np.any([nearest(here, there) < RADIUS for there in known], axis=0)[order]
    pure = np.cumsum(real) / np.arange(1, len(ts) + 1)
    last = int(np.flatnonzero(pure >= purity)[-1])
    kept = here[order[: last + 1]]
    share = len(match_one_to_one(kept, positions(truth), RADIUS).a) / len(truth)
    return f"{ts[order[last]]:.1f} (purity {purity:.2f}) | {share:.3f} | {pure[last]:.3f}"


def r95_share(table: QTable | Table, later: Table) -> tuple[int, float]:
    """Number of counterparts of 4FGL-DR4, and share inside the 95 % radius of their source.

    Extended sources of DR4 have no position to find.
    """
    counterpart = SkyCoord(later["RA_Counterpart"], later["DEC_Counterpart"], unit="deg")
    known = np.isfinite(counterpart.ra) & np.isfinite(counterpart.dec) & ~ends_in_e(later)
    radius = u.Quantity(table["Conf_95_SemiMajor"], "deg")
    table = table[np.isfinite(radius)]
    pairs = match_one_to_one(positions(table), positions(later)[known], RADIUS)
    apart = positions(table)[pairs.a].separation(counterpart[known][pairs.b])
    return len(pairs.a), float(np.mean(apart < radius[np.isfinite(radius)][pairs.a]))


def detect(*arguments: object) -> Run:
    """Run the command on one core; time and memory are those of its process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.ecsv"
        command = [sys.executable, "-m", "gammafind", "detect", *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, "-o", str(path)], check=True, env=environment)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        table = QTable.read(path)
        given = beforehand(table)
        seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        return Run(table[~given], table[given], seconds, used.ru_maxrss / 1e6)


def unet_with(weights: str, *others: str) -> list[str]:
    """Arguments of the command that choose `unet` with weights, or those in the package."""
    option = ["--option", f"localiser.weights={weights}"] if weights else []
    return ["--localiser", "unet", *option, *others]


def beforehand(table: QTable) -> np.ndarray:
    """Which rows are extended sources that were part of the model beforehand."""
    if "Extended_Source_Name" not in table.colnames:
        return np.zeros(len(table), dtype=bool)
    names = np.ma.filled(np.ma.asarray(table["Extended_Source_Name"]), "")
    return np.char.strip(names.astype(str)) != ""


def points_of(official: Table, run: Run) -> Table:
    """Point sources of an official catalogue without the counterparts of what was given."""
    points = official[~ends_in_e(official)]
    taken = match_one_to_one(positions(run.given), positions(points), RADIUS).b
    return points[np.setdiff1d(np.arange(len(points)), taken)]


def read(path: Path) -> Table:
    """First table of an official catalogue."""
    return Table.read(path, hdu=1)


def ends_in_e(table: Table) -> np.ndarray:
    """Extended sources have a name that ends in e."""
    return np.array([str(name).strip().endswith("e") for name in table["Source_Name"]])


def positions(table: Table) -> SkyCoord:
    """Positions of any of these tables."""
    names = ("RAJ2000", "DEJ2000") if "RAJ2000" in table.colnames else ("ra", "dec")
    return SkyCoord(*(u.Quantity(table[name], "deg") for name in names), frame="icrs")


def nearest(here: SkyCoord, there: SkyCoord) -> u.Quantity:
    """Distance of each position to the nearest of others."""
    return here.match_to_catalog_sky(there)[1]


def inside(table: Table, side: int, low: float, high: float) -> Table:
    """Rows on one side of the Galactic plane, between two latitudes in degrees."""
    latitude = positions(table).galactic.b.deg * side
    return table[(latitude >= low) & (latitude < high)]


if __name__ == "__main__":
    main()
