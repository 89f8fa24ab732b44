"""Rows and sums of the photon flux of the reference catalogues: embedded, and official files.

``python benchmarks/references.py [DATA]``, where DATA is the folder of the official files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from results import ROOT, kept

import gammafind
from gammafind.catalogue.columns import column_of, fluxes

FILES = {
    "4fgl-dr1": "catalogue/gll_psc_v20.fit.gz",
    "4fgl-dr2": "catalogue/gll_psc_v27.fit.gz",
    "4fgl-dr3": "catalogue/gll_psc_v29.fit.gz",
    "4fgl-dr4": "catalogue/gll_psc_v35.fit.gz",
    "fl16y": "catalogue/gll_psc_v41.fit.gz",
    "2fhl": "2fhl/gll_psch_v09.fit.gz",
    "3fhl": "highenergy/gll_psch_v13.fit.gz",
}
"""Official files by the name of the catalogue."""
HEADS = (
    "name",
    "sources",
    "extended",
    "flux column",
    "energies",
    "sum (cm-2 s-1)",
    "official file",
)


@kept("references")
def main() -> None:
    """Print one row a catalogue; fail where the official file has other numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=ROOT.parent / "shared/data/fermi")
    folder = parser.parse_args().data
    print(f"| {' | '.join(HEADS)} |")
    print("|---" * len(HEADS) + "|")
    for name, file in FILES.items():
        embedded, official = row(name), row(folder / file)
        if embedded != official:
            raise SystemExit(f"{name}: {embedded} is embedded, the file has {official}")
        print(f"| {' | '.join([name, *embedded, Path(file).name.removesuffix('.gz')])} |")


def row(source: str | Path) -> list[str]:
    """Numbers of one catalogue as text."""
    table = gammafind.read_catalogue(source)
    n_extended = int(np.sum(table["Extended_Source_Name"] != ""))
    total = fluxes(table).sum().to_value("cm-2 s-1")
    return [
        str(len(table)),
        str(n_extended),
        str(column_of(table, "flux")),
        table.meta["flux_band"],
        f"{total:.5e}",
    ]


if __name__ == "__main__":
    main()
