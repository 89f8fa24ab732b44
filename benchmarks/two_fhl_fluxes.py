"""Sources of 2FHL measured in its own photons, against its own fluxes and indices.

``python benchmarks/two_fhl_fluxes.py`` measures the point-like sources of 2FHL in its three bands,
50-171, 171-585 and 585-2000 GeV. Photons within half a degree are counted too, without a fit. Needs
../shared.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import Table
from lat_files import DATA, TWO_FHL, ends_in_e, positions, read
from results import kept
from scipy.spatial import cKDTree

import gammafind
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.pipeline.prepare import Prepared, prepare
from gammafind.sky.bands import energy_bands
from gammafind.sky.projection import unit_vectors, vectors_in

CATALOGUE = DATA / "2fhl/gll_psch_v09.fit.gz"
EDGES = (50, 171, 585, 2000)
"""Bands of 2FHL in GeV."""
STEEPEST = 5.99
"""Index of sources without photons above the first band."""
WITHIN, AROUND = 0.5, (1.0, 3.0)
"""Radius in degrees in which photons are counted, and ring in which those of the background are."""
FAR, BRIGHT = 10.0, (25.0, 50.0, 100.0)
"""Least abs(b) in degrees, and least TS in 2FHL, of sources around which they are counted."""
SEEN = 3.0
"""Significance in a band, in 2FHL, from which its flux is compared."""


@kept("two_fhl_fluxes")
def main() -> None:
    """Print the tables of docs/validation/measure.md."""
    photons, _, exposure = TWO_FHL
    bands = energy_bands(EDGES * u.GeV)
    table = gammafind.measure(photons, CATALOGUE, exposure=exposure, bands=bands)
    official = read(CATALOGUE)
    point = ~ends_in_e(official) & ~has_flag(table["Flags"], Flag.NOT_MEASURED)
    print(f"Sources: {np.count_nonzero(point)} that are point-like.\n")
    print("| band (GeV) | sources above 3 sigma | median flux / 2FHL | ratio of sums |")
    print("|---|---|---|---|")
    for i, (low, high) in enumerate(pairwise(EDGES)):
        name = f"{low}_{high}GeV"
        theirs = np.asarray(official[f"Flux{name}"])
        here = point & (np.asarray(official[f"Sqrt_TS{name}"]) > SEEN)
        print(row(f"{low}-{high}", table["Flux_Band"][:, i].value[here], theirs[here]))
    flux = np.asarray(official["Flux50"])
    print(row("all, from the spectra", table["Flux"].value[point], flux[point]))
    parts = [np.asarray(official[f"Flux{a}_{b}GeV"]) for a, b in pairwise(EDGES)]
    share = np.median(np.sum(np.nan_to_num(parts), axis=0)[point] / flux[point])
    print(f"\nFluxes of the bands of 2FHL are together {share:.3f} of its own flux above 50 GeV.")
    report_counted(official, prepare(photons, exposure=exposure, bands=bands), photons)
    ours, theirs = (np.asarray(one, dtype=float) for one in (table["PL_Index"], official[
        "Spectral_Index"]))  # fmt: skip
    limited = np.mean(ours[point] >= STEEPEST)
    print(f"\nAt the limit of the index: {limited:.3f} of the sources.")
    errors = [np.asarray(table["Unc_PL_Index"]), np.asarray(official["Unc_Spectral_Index"])]
    print("\n| TS in 2FHL | sources | mean pull of the index | width | median difference |")
    print("|---|---|---|---|---|")
    for low, high in ((25, 50), (50, 1e9), (25, 1e9)):
        ts = np.asarray(official["TS"])
        here = point & (ts >= low) & (ts < high) & np.isfinite(errors[0]) & (errors[1] > 0)
        miss = (ours - theirs)[here]
        pull = miss / errors[1][here]
        label = f"{low}-{high}" if high < 1e9 else f"above {low}"
        print(f"| {label} | {here.sum()} | {pull.mean():.3f} | {pull.std():.3f} "
              f"| {np.median(miss):.3f} |")  # fmt: skip


def report_counted(official: Table, given: Prepared, photons: Path) -> None:
    """Print fluxes that are photons over exposure, without a fit, against those of 2FHL."""
    seen = read(photons)
    energy, places = np.asarray(seen["ENERGY"]) / 1e3, vectors(seen["L"], seen["B"])
    centres = vectors(official["GLON"], official["GLAT"])
    observation, tree = given.observation, cKDTree(places)
    inner, *ring = (cap(tree, centres, radius) for radius in (WITHIN, *AROUND))
    share = area(WITHIN) / (area(AROUND[1]) - area(AROUND[0]))
    found = np.zeros((len(official), len(EDGES) - 1))
    for i, (low, high) in enumerate(pairwise(EDGES)):
        here = (energy >= low) & (energy < high)
        number = [np.array([here[one].sum() for one in some]) for some in (inner, *ring)]
        pixels = observation.exposure.pixels[i]
        at = pixels.containing(vectors_in(pixels.frame, positions(official)))
        exposure = observation.exposure.values[i].ravel()[at]
        contained = observation.psfs[i].containment(WITHIN * u.deg)
        found[:, i] = (number[0] - share * (number[2] - number[1])) / (exposure * contained)
    far = ~ends_in_e(official) & (np.abs(np.asarray(official["GLAT"])) > FAR)
    print("\n| TS in 2FHL, abs(b) > 10 | sources | " + " | ".join(
        f"counted / 2FHL, {low}-{high} GeV" for low, high in pairwise(EDGES)
    ) + " | counted / 2FHL above 50 GeV | bands of 2FHL / 2FHL above 50 GeV |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for least in BRIGHT:
        some = far & (np.asarray(official["TS"]) > least)
        theirs = np.nan_to_num([official[f"Flux{a}_{b}GeV"][some] for a, b in pairwise(EDGES)])
        whole = np.sum(official["Flux50"][some])
        ratios = [*found[some].sum(axis=0) / theirs.sum(axis=1)]
        ratios += [found[some].sum() / whole, theirs.sum() / whole]
        print(f"| above {least:.0f} | {some.sum()} | " + " | ".join(f"{r:.3f}" for r in ratios)
              + " |")  # fmt: skip


def vectors(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Unit vectors of Galactic coordinates in degrees."""
    return unit_vectors(np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float))


def cap(tree: cKDTree, centres: np.ndarray, radius: float) -> list[list[int]]:
    """Photons within some degrees of each place."""
    return tree.query_ball_point(centres, 2 * np.sin(np.radians(radius) / 2)).tolist()


def area(radius: float) -> float:
    """Solid angle within some degrees, over 2 pi."""
    return float(1 - np.cos(np.radians(radius)))


def row(label: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Line of a table of fluxes."""
    cells = f"{np.median(ours / theirs):.3f} | {ours.sum() / theirs.sum():.3f}"
    return f"| {label} | {len(ours)} | {cells} |"


if __name__ == "__main__":
    main()
