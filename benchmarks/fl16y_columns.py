"""Which columns of FL16Y a catalogue has, and how many of its rows are filled.

``python benchmarks/fl16y_columns.py CATALOGUE`` reads a catalogue of ``gammafind measure`` or
``detect``. FL16Y is the catalogue of 16 years, in ../shared; it holds sources of a TS above 25, and
only these are looked at. Rows are those of the nearest source of FL16Y within the 99 % errors of
both. A column is as full as FL16Y's if at least 0.9 of the rows are filled that FL16Y fills.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from astropy.table import Table
from lat_files import DATA
from results import kept

from gammafind.catalogue.association.counterparts import counterpart_list
from gammafind.catalogue.association.gamma_rays import same_sources
from gammafind.catalogue.association.places import Places
from gammafind.catalogue.association.position_errors import position_errors
from gammafind.catalogue.io import read_table
from gammafind.catalogue.positions import sky_positions

LATER = DATA / "catalogue/gll_psc_v41.fit.gz"
FULL, LEAST_TS = 0.9, 25.0


@kept("fl16y_columns")
def main() -> None:
    """Print the table of docs/validation/measure.md."""
    theirs, ours = Table.read(LATER, hdu=1), read_table(Path(sys.argv[1]))
    ours = ours[np.asarray(ours["Signif_Avg"]) ** 2 >= LEAST_TS]
    errors = position_errors(ours)
    places = Places(sky_positions(ours), errors.with_size, errors.known)
    here, there = same_sources(places, counterpart_list(read_table(LATER), "FL16Y"))
    print("| column | filled in FL16Y | filled here, where it is there |")
    print("|---|---|---|")
    common, full = 0, 0
    for name in theirs.colnames:
        known = filled(theirs[name])[there]
        if name not in ours.colnames:
            print(f"| {name} | {known.mean():.3f} | - |")
            continue
        share = filled(ours[name])[here][known].mean() if known.any() else 1.0
        common, full = common + 1, full + (share >= FULL)
        print(f"| {name} | {known.mean():.3f} | {share:.3f} |")
    print(f"\nRows: {len(here)}. {common} of {len(theirs.colnames)} columns are there, ", end="")
    print(f"{full} of them as full.")


def filled(column: object) -> np.ndarray:
    """Which rows of a column have a value: a number, or a text that is not empty."""
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind in "fc":
        good = np.isfinite(np.ma.filled(values, np.nan))
        return good.reshape(len(good), -1).any(axis=1)
    if values.dtype.kind in "SU":
        return np.char.strip(np.ma.filled(values, "").astype(str)) != ""
    return np.ones(len(values), dtype=bool)


if __name__ == "__main__":
    main()
