"""Which columns of FL16Y a catalogue has, and how many of its rows are filled.

``python benchmarks/fl16y_columns.py CATALOGUE`` reads a catalogue of ``gammafind measure`` or
``detect``. FL16Y is the catalogue of 16 years, in ../shared; it holds sources of a TS above 25, and
only these are looked at. A column is as full as FL16Y's if the
share of rows with a value is at least 0.9 of the share there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from astropy.table import Table
from lat_files import DATA
from results import kept

from gammafind.catalogue.io import read_table

LATER = DATA / "catalogue/gll_psc_v41.fit.gz"
FULL, LEAST_TS = 0.9, 25.0


@kept("fl16y_columns")
def main() -> None:
    """Print the table of docs/validation/measure.md."""
    theirs, ours = Table.read(LATER, hdu=1), read_table(Path(sys.argv[1]))
    ours = ours[np.asarray(ours["Signif_Avg"]) ** 2 >= LEAST_TS]
    print("| column | filled in FL16Y | filled here |")
    print("|---|---|---|")
    common, full = 0, 0
    for name in theirs.colnames:
        share = filled(theirs[name])
        if name not in ours.colnames:
            print(f"| {name} | {share:.3f} | - |")
            continue
        here = filled(ours[name])
        common, full = common + 1, full + (here >= FULL * share)
        print(f"| {name} | {share:.3f} | {here:.3f} |")
    print(f"\nRows: {len(ours)}. {common} of {len(theirs.colnames)} columns are there, ", end="")
    print(f"{full} of them as full.")


def filled(column: object) -> float:
    """Share of rows in which a column has a value: a number, or a text that is not empty."""
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind in "fc":
        good = np.isfinite(np.ma.filled(values, np.nan))
        return float(np.mean(good.reshape(len(good), -1).any(axis=1)))
    if values.dtype.kind in "SU":
        return float(np.mean(np.char.strip(np.ma.filled(values, "").astype(str)) != ""))
    return 1.0


if __name__ == "__main__":
    main()
