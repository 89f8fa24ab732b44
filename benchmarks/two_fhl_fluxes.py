"""Sources of 2FHL measured in its own photons, against its own fluxes and indices.

``python benchmarks/two_fhl_fluxes.py`` measures the point-like sources of 2FHL in its three bands,
50-171, 171-585 and 585-2000 GeV. Needs ../shared.
"""

from __future__ import annotations

from itertools import pairwise

import astropy.units as u
import numpy as np
from lat_files import DATA, TWO_FHL, ends_in_e, read
from results import kept

import gammafind
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.sky.bands import energy_bands

CATALOGUE = DATA / "2fhl/gll_psch_v09.fit.gz"
EDGES = (50, 171, 585, 2000)
"""Bands of 2FHL in GeV."""
STEEPEST = 5.99
"""Index of sources without photons above the first band."""
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


def row(label: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Line of a table of fluxes."""
    cells = f"{np.median(ours / theirs):.3f} | {ours.sum() / theirs.sum():.3f}"
    return f"| {label} | {len(ours)} | {cells} |"


if __name__ == "__main__":
    main()
