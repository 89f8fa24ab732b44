"""Exposure and counts that gammafind writes, as gammapy reads them.

``python benchmarks/gammapy_files.py PYTHON``: an environment with gammapy and healpy, see
`gammapy_comparison.py`. The files are those of the day at the Crab in ../shared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from results import kept

from gammafind.sky.fits import read_layers

CRAB = Path(__file__).resolve().parents[2] / "shared/data/fermi/reference/fermitools_crab_1day"
WORKER = Path(__file__).with_name("gammapy_files_worker.py")
LAT = ("--option", "renderer.irf=P8R2_SOURCE_V6", "--types", "FRONT+BACK")
EDGES = (0.2, 1, 5, 20)
PLACES = SkyCoord([83.6, 98.5, 0.0], [22.0, 17.8, 80.0], unit="deg")


@kept("gammapy_files")
def main() -> None:
    """Print the table of docs/validation/photons.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bands = ("--energies", *map(str, EDGES))
        run("exposure", CRAB / "ft2.fits.gz", *("--good-times", CRAB / "ft1.fits.gz"), *LAT, *bands,
            "-o", folder / "exposure")  # fmt: skip
        run("bin", CRAB / "ft1.fits.gz", *LAT, *bands, "--nside", 64, "-o", folder / "healpix")
        image = ("--image", CRAB / "cntmap.fits.gz")
        run("bin", CRAB / "ft1.fits.gz", *LAT, *bands, *image, "-o", folder / "image")
        files = {"HEALPix": folder / "healpix/counts_nside64.fits"}
        files["image"] = folder / "image/counts.fits"
        task = {"exposure": str(folder / "exposure/exposure.fits")}
        task |= {"ra": PLACES.ra.deg.tolist(), "dec": PLACES.dec.deg.tolist()}
        task["counts"] = {name: str(path) for name, path in files.items()}
        (folder / "task.json").write_text(json.dumps(task))
        subprocess.run([sys.argv[1], "-W", "ignore", str(WORKER), name], check=True)
        theirs = json.loads((folder / "results.json").read_text())
        print(f"gammapy {theirs['version']}\n")
        print("| file | what gammapy reads | in gammafind |\n|---|---|---|")
        compare_exposure(folder / "exposure/exposure.fits", theirs["exposure"])
        for what, path in files.items():
            compare_counts(what, path, theirs["counts"][what])


def compare_exposure(path: Path, theirs: dict) -> None:
    """Energies, unit and values at three places in the pixels that contain them."""
    ours = read_layers(path, want="exposure")
    energies = ours.nodes.to_value("MeV")
    off = np.abs(np.array(theirs["energies"]) / energies - 1).max()
    print(f"| exposure | {len(energies)} energies, in {theirs['unit']} | equal to {off:.0e} |")
    values = np.array([array[ours.pixels.pixel_of(PLACES)] for array in ours.values])
    off = np.abs(np.array(theirs["values"]) / values - 1).max()
    print(f"| exposure | values at {len(PLACES)} places | equal to {off:.0e} |")


def compare_counts(what: str, path: Path, theirs: dict) -> None:
    """Counts of the bands and the number of pixels of a map."""
    sky = read_layers(path)
    pairs = zip(sky.values, sky.valid, strict=True)
    ours = [float(values[valid].sum()) for values, valid in pairs]
    n_pixels = int(sky.valid[0].sum())
    edges = np.array(theirs["edges"]) / 1e3
    same = theirs["counts"] == ours and theirs["pixels"] == n_pixels and np.allclose(edges, EDGES)
    listed = ", ".join(f"{number:.0f}" for number in theirs["counts"])
    found = "equal" if same else f"{ours} in {n_pixels} pixels"
    print(f"| counts, {what} | {listed} photons in {theirs['pixels']} pixels | {found} |")


def run(*arguments: object) -> None:
    """Run the command of gammafind."""
    command = [sys.executable, "-m", "gammafind", *map(str, arguments), "-q"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
