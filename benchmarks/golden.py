"""Whether the catalogues of the demo's sky and of a simulated six-band sky are those of before.

``python benchmarks/golden.py freeze FOLDER`` searches both skies and keeps the catalogues;
``python benchmarks/golden.py compare FOLDER`` searches them again and compares row by row.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from astropy.table import QTable

import gammafind
from gammafind.catalogue.io import read_table, write_table

SEED = 777
LEAST_SCORE = 0.05
SEARCHES = {
    "demo-unet": {"localiser": "unet"},
    "demo-likelihood": {
        "localiser": "likelihood",
        "clusterer": "peaks",
        "options": {"clusterer": {"threshold": 9.0}, "localiser": {"threshold": 9.0}},
    },
    "six-bands-unet": {"localiser": "unet", "min_score": LEAST_SCORE},
}


def search(name: str) -> QTable:
    """Catalogue of one of the `SEARCHES`."""
    if name.startswith("demo"):
        counts, preset = gammafind.demo_sky(), "fermi-lat-psf3-2-20"
    else:
        counts, preset = gammafind.simulate("fermi-lat", seed=SEED).counts, "fermi-lat"
    reference = "4fgl-dr2" if name.startswith("demo") else None
    return gammafind.detect(counts, preset=preset, reference=reference, **SEARCHES[name]).catalogue


def differences(before: QTable, now: QTable) -> list[str]:
    """Columns that differ, with the largest relative difference of numbers."""
    if len(before) != len(now) or before.colnames != now.colnames:
        sizes = f"{len(before)} rows of {before.colnames}, {len(now)} rows of {now.colnames}"
        return [f"other rows or columns: {sizes}"]
    faults = []
    for name in before.colnames:
        old, new = (np.asarray(getattr(t[name], "value", t[name])) for t in (before, now))
        if old.dtype.kind == "f":
            same = (old == new) | (np.isnan(old) & np.isnan(new))
            if not same.all():
                off = np.abs(new - old)[~same] / np.maximum(np.abs(old[~same]), 1e-300)
                faults.append(f"{name}: {np.sum(~same)} rows, at most {off.max():.1g} of the value")
        elif not np.array_equal(old, new):
            faults.append(f"{name}: {np.sum(old != new)} rows")
    return faults


def main() -> None:
    """Freeze or compare."""
    mode, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    print("| search | rows | differences |\n|---|---|---|")
    for name in sys.argv[3:] or SEARCHES:
        table = search(name)
        path = folder / f"{name}.ecsv"
        if mode == "freeze":
            write_table(table, path, overwrite=True)
            print(f"| {name} | {len(table)} | frozen |")
        else:
            before = read_table(path)
            print(f"| {name} | {len(table)} | {'; '.join(differences(before, table)) or 'none'} |")


if __name__ == "__main__":
    main()
