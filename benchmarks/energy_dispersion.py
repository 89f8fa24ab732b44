"""Energy dispersion against fermipy's matrix and gammapy's fold, and its effect by band.

Needs ../shared and an environment with gammapy; see gammapy_comparison.py.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import tempfile
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from results import kept

from gammafind.plugins.fermi_lat.irf import Response, load_response, survey_profile
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeProfile
from gammafind.sky.bands import energy_bands

CRAB = Path(__file__).resolve().parents[2] / "shared/data/fermi/reference/fermipy_crab_400GeV"
WORKER = Path(__file__).with_name("gammapy_fold_worker.py")
IRF = "P8R3_ULTRACLEANVETO_V3"
EDGES = (0.3, 0.5, 1, 2, 7, 20, 500)
TYPES = ("FRONT", "BACK", "PSF0", "PSF3", "EDISP0", "EDISP3")
INDICES = (1.5, 2.3, 3.0)
SPECTRA = ((2.3, np.inf), (3.0, np.inf), (1.3, 2.0))
TRUE = np.geomspace(30, 2.5e6, 481)
MIGRA = np.linspace(0, 8, 4001)


@kept("energy_dispersion")
def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gammapy", required=True, help="a Python that has gammapy")
    options = parser.parse_args()
    print("| energy dispersion | figure | limit |\n|---|---|---|")
    for number, name in enumerate(("PSF0", "PSF1")):
        print_matrix(number, name)
    print_fold(options.gammapy)
    print_effect()


def print_matrix(number: int, name: str) -> None:
    """Compare with fermipy's matrix: elements, and the counts of a folded spectrum."""
    with fits.open(CRAB / f"drm_{number:02}.fits.gz") as file:
        rows = file["DRM"].data
        edges = np.append(rows["ENERG_LO"], rows["ENERG_HI"][-1]).astype(float)
        theirs = np.array([np.array(row, dtype=float) for row in rows["MATRIX"]])
    ours = matrix(load_response("P8R3_SOURCEVETO_V3", name), edges)
    diagonal = np.abs(np.diag(ours) / np.diag(theirs) - 1).max()
    centre = np.sqrt(edges[1:] * edges[:-1])
    true = exposure(number, centre) * centre**-1.6
    folded = np.abs((true @ ours) / (true @ theirs) - 1).max()
    what = f"matrix of fermipy, 0.4-2.5 TeV, {name}"
    print(f"| {what}, largest of the diagonal | {100 * diagonal:.2f} % | 1 % |")
    print(
        f"| the same, largest of all elements | {100 * np.abs(ours - theirs).max():.2f} % | 1 % |"
    )
    print(f"| the same, counts of the Crab in each bin | {100 * folded:.2f} % | 1 % |")


def matrix(response: Response, edges: np.ndarray) -> np.ndarray:
    """Response at the centre of each bin of true energy, as the LAT tools compute it.

    They weight the inclinations by livetime times effective area times the width of the bin in the
    cosine, although the livetime is that of the whole bin.
    """
    profile = survey_profile(declination=22.01 * u.deg, max_zenith=105 * u.deg)
    energy = np.sqrt(edges[1:] * edges[:-1])
    width = np.gradient(profile.cos_theta)
    (area,), (dispersion,) = response.areas, response.dispersions
    weight = area.value(energy, profile.cos_theta) * profile.livetime * width
    parts = [
        dispersion.probability(low, high, energy, profile.cos_theta)
        for low, high in itertools.pairwise(edges)
    ]
    return np.stack([(part * weight).sum(axis=1) / weight.sum(axis=1) for part in parts], axis=1)


def exposure(number: int, energy: np.ndarray) -> np.ndarray:
    """Exposure of fermipy at the Crab."""
    with fits.open(CRAB / f"psf_{number:02}.fits.gz") as file:
        known = file["PSF"].data
        return np.interp(np.log(energy), np.log(known["Energy"]), known["Exposure"])


def print_fold(python: str) -> None:
    """Compare the counts of spectra with those that gammapy folds."""
    response = one_inclination(load_response(IRF, "FRONT"))
    centre = np.sqrt(TRUE[1:] * TRUE[:-1])
    middle = (MIGRA[1:] + MIGRA[:-1]) / 2
    (dispersion,) = response.dispersions
    density = [
        dispersion.density(middle * energy * u.MeV, energy * u.MeV, 0.8).value * energy
        for energy in centre
    ]
    area = response.mean_effective_area(centre * u.MeV).to_value("cm2")
    task = {
        "true": TRUE, "migra": MIGRA, "edges": np.array(EDGES, dtype=float),
        "density": np.array(density)[..., None, None], "exposure": area[:, None, None],
        "spectra": np.array(SPECTRA),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "task.npz", **task)
        subprocess.run([python, "-W", "ignore", str(WORKER), folder], check=True)
        with np.load(Path(folder) / "results.npz") as results:
            theirs = results["counts"]
    for (index, cutoff), counts in zip(SPECTRA, theirs, strict=True):
        ours = np.array([counts_in(response, band, index, cutoff) for band in bands()])
        name = f"index {index:g}" + (f", cut-off at {cutoff:g} GeV" if np.isfinite(cutoff) else "")
        seen = counts > 1e-6 * counts.max()
        off = np.abs(ours / counts - 1)[seen].max()
        print(f"| gammapy's fold in six bands, {name}, largest | {100 * off:.2f} % | 1 % |")


def counts_in(response: Response, band, index: float, cutoff: float) -> float:
    """Counts of a spectrum with amplitude one at 1 GeV."""
    here = response.band(band)

    def spectrum(energy: u.Quantity) -> u.Quantity:
        gev = energy.to_value("GeV")
        return gev**-index * np.exp(-gev / cutoff) / u.MeV

    return float(here.photons_of(spectrum) @ here.area)


def one_inclination(response: Response) -> Response:
    """The response with all livetime at one inclination."""
    profile = LivetimeProfile(np.array([0.8]), np.ones(1))
    return response.with_livetime(profile)


def bands():
    """The six bands of the preset."""
    return energy_bands(EDGES * u.GeV)


def print_effect() -> None:
    """Print the counts with dispersion over those without, minus one, by band."""
    names = [band.name for band in (*bands(), *energy_bands([2, 20] * u.GeV))]
    print(
        f"\n| counts with dispersion, index | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}"
    )
    for event_type in TYPES:
        response = load_response(IRF, event_type)
        for index in INDICES if event_type == "FRONT" else (2.3,):
            ratios = [
                response.band(band).effective_area(index)
                / response.undispersed.band(band).effective_area(index)
                for band in (*bands(), *energy_bands([2, 20] * u.GeV))
            ]
            cells = " | ".join(f"{100 * (ratio - 1):+.1f} %" for ratio in ratios)
            print(f"| {event_type}, {index:g} | {cells} |")


if __name__ == "__main__":
    main()
