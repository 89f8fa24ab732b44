"""The Crab's spectrum of one day, fitted by gammafind and by gammapy; needs ../shared and gammapy.

``python benchmarks/gammapy_fit.py --gammapy PYTHON``, where PYTHON is that of an environment with
gammapy, as for gammapy_comparison.py. Both fit a power law at the place of the Crab to the map of
gtbin with the exposure of gtexpcube2, with the background of each band free, the same PSFs, and
without energy dispersion.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import QTable
from results import kept

import gammafind
from gammafind.pipeline.measure import measure_on
from gammafind.pipeline.prepare import prepare

DATA = Path(__file__).resolve().parents[2] / "shared/data/fermi/reference/fermitools_crab_1day"
WORKER = Path(__file__).with_name("gammapy_fit_worker.py")
CRAB = "4FGL J0534.5+2201i"


@kept("gammapy_fit")
def main() -> None:
    """Print the table of docs/validation/measure.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gammapy", required=True, help="a Python that has gammapy")
    options = parser.parse_args()
    counts, exposure = DATA / "cntmap.fits.gz", DATA / "binned_expmap.fits.gz"
    given = prepare(counts, exposure=exposure, options={"renderer": {"dispersion": False}})
    sources = gammafind.read_catalogue("4fgl-dr2")
    crab = sources[sources["Source_Name"] == CRAB]
    place = QTable({"name": ["Crab"], "ra": crab["RAJ2000"], "dec": crab["DEJ2000"]})
    start = time.process_time()
    row = measure_on(given.observation, given.renderer, place)[0]
    seconds = time.process_time() - start
    pivot = row["Pivot_Energy"].value
    ours = [row[name] for name in ("PL_Index", "Unc_PL_Index")]
    ours += [row[f"{name}PL_Flux_Density"].value for name in ("", "Unc_")]
    observation = given.observation
    theta = np.degrees(observation.psfs[0].theta)
    task = {
        "counts": np.array(observation.counts.values),
        "background": np.array(observation.total_background().values),
        "edges": [band.edges.to_value("MeV") for band in observation.counts.bands],
        "theta": theta,
        "psf": [np.interp(theta, np.degrees(p.theta), p.density) for p in observation.psfs],
        "place": [place["ra"][0].value, place["dec"][0].value],
        "pivot": pivot,
        "start": [2.1, 3e-10],
        "header": fits.getheader(counts).tostring(sep="\n"),
        "exposure": str(exposure),
        "near": np.zeros((0, 2)),
        "near_index": np.zeros(0),
        "near_flux": np.zeros(0),
    }
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "task-000.npz", **task)
        ((theirs, their_seconds),) = ask(options.gammapy, Path(folder))
    print("| fit | index | flux density at the pivot, 1e-12 cm-2 s-1 MeV-1 | CPU seconds |")
    print("|---|---|---|---|")
    for name, (index, error, flux, of_flux), spent in (
        ("gammafind, with its model of the sky", ours, seconds),
        ("gammapy", theirs, their_seconds),
    ):
        cells = f"{index:.3f} ± {error:.3f} | {flux / 1e-12:.0f} ± {of_flux / 1e-12:.0f}"
        print(f"| {name} | {cells} | {spent:.2f} |")
    miss = (ours[0] - theirs[0]) / ours[1], (ours[2] - theirs[2]) / ours[3]
    print(f"\nDifferences in errors: {miss[0]:.2f} of the index, {miss[1]:.2f} of the flux.")
    print(f"Pivot energy {pivot:.0f} MeV, TS {row['Signif_Avg'] ** 2:.0f}.")


def ask(python: str, folder: Path) -> list[tuple[list[float], float]]:
    """Index, flux density, their errors, and CPU seconds of gammapy's fit of each task."""
    subprocess.run([python, "-W", "ignore", WORKER, folder], check=True)
    found = []
    for path in sorted(folder.glob("result-*.npz")):
        with np.load(path) as result:
            found.append((result["values"].tolist(), float(result["seconds"])))
    return found


if __name__ == "__main__":
    main()
