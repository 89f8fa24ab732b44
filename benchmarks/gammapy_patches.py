"""The U-Net and gammapy's TS maps on the same patches of a held-out sky; needs gammapy.

``python benchmarks/gammapy_patches.py FOLDER [--every 8] [--sky 0]`` uses every 8th of the 768
patches, and the sources and detections that are nearest to the centre of one of these. Both methods
get the true background. FOLDER is that of ``benchmarks/localiser.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from held_out import HeldOut
from localiser import FLUXES, PURITY, RADIUS, REGIONS
from results import kept

from gammafind.evaluation.curves import half_found
from gammafind.evaluation.metrics import evaluate_detections, purity_cut, rates
from gammafind.plugins.gammapy_ts.localiser import GammapyTs
from gammafind.plugins.unet.localiser import UNet
from gammafind.sky.patch_grid import PatchGrid

THRESHOLD = 6.0
"""Smallest TS of the peaks of gammapy; well below the cut at the purity."""


@kept("gammapy_patches")
def main() -> None:
    """Print completeness and TS50 of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--sky", type=int, default=0)
    arguments = parser.parse_args()
    skies = HeldOut(folder=arguments.folder)
    layout = skies.settings.patches
    grid = PatchGrid.healpix(layout.nside, size=layout.size)
    chosen = np.arange(0, len(grid), arguments.every)
    found = {
        "unet": skies.detections(arguments.sky, "unet", UNet()),
        "gammapy-ts": skies.detections(
            arguments.sky,
            f"gammapy-ts-{arguments.every}",
            GammapyTs(threshold=THRESHOLD),
            grid=grid[chosen],
        ),
    }
    seconds = skies.seconds(arguments.sky, f"gammapy-ts-{arguments.every}") / len(chosen)
    sources = _nearest_to(skies.sources(arguments.sky), grid, chosen)
    print(f"{len(sources)} sources in {len(chosen)} patches; gammapy {seconds:.1f} s a patch")
    names = " | ".join(found)
    print(f"\n| region | flux | sources | {names} |\n|---|---|---|---|---|")
    for region in REGIONS:
        at = _inside(sources, region)
        ts, flux = np.asarray(at["ts"]), at["energy_flux"].to_value("erg cm-2 s-1")
        tables = [_inside(_nearest_to(t, grid, chosen), region) for t in found.values()]
        rows = [evaluate_detections(table, at, radius=RADIUS) for table in tables]
        cuts = [purity_cut(row, purity=PURITY) for row in rows]
        for label, least in FLUXES.items():
            bright = flux >= least
            share = [
                rates(row.select(selected=bright), cut=cut).completeness
                for row, cut in zip(rows, cuts, strict=True)
            ]
            print(f"| {region} | {label} | {bright.sum()} | {_cells(share, '.3f')} |")
        half = [half_found(ts, row.found(cut)) for row, cut in zip(rows, cuts, strict=True)]
        print(f"| {region} | TS50 | {len(at)} | {_cells(half, '.1f')} |")
        print(f"| {region} | cut | | {_cells(cuts, '.3g')} |")


def _nearest_to(table: QTable, grid: PatchGrid, chosen: np.ndarray) -> QTable:
    """Rows for which the nearest patch centre is that of a chosen patch."""
    return table[np.isin(grid.nearest(SkyCoord(table["ra"], table["dec"], frame="icrs")), chosen)]


def _inside(table: QTable, region: str) -> QTable:
    low, high = REGIONS[region]
    b = np.abs(SkyCoord(table["ra"], table["dec"], frame="icrs").galactic.b)
    return table[(b >= low * u.deg) & (b < high * u.deg)]


def _cells(values: list[float], form: str) -> str:
    return " | ".join(f"{value:{form}}" for value in values)


if __name__ == "__main__":
    main()
