"""PSF, exposure and spectra against the outputs of the official tools; needs ../shared."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from embedded_responses import print_isotropic, print_tables
from results import kept

from gammafind.plugins.fermi_lat.catalogues import read_fermi_catalogue, spectra_of
from gammafind.plugins.fermi_lat.irf import (
    livetime_exposure,
    read_livetime_cube,
    read_response,
    survey_profile,
)
from gammafind.sky.psf import RadialPsf

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
GTPSF = {
    "gtpsf_P8R2_SOURCE_V6_FB_gc.fits.gz": ("P8R2_SOURCE_V6_FB", "P8R2_SOURCE_V6_FB", "FRONT+BACK"),
    "gtpsf_P8R3_CLEAN_V3_PSF3_gc.fits": ("P8R3_CLEAN_V3_PSF", "P8R3_CLEAN_V3_PSF", "PSF3"),
}


@kept("responses")
def main() -> None:
    """Print the tables of docs/validation/responses.md."""
    print("| what | figure | limit |\n|---|---|---|")
    for file, (psf, aeff, event_type) in GTPSF.items():
        print(
            f"| r68 against {file}, largest deviation | {compare_psf(file, psf, aeff, event_type)} "
            "| 2.5 % |"
        )
    ratio = flux_ratios()
    print(
        f"| Flux1000 of {len(ratio)} sources from their spectra, median ratio - 1 "
        f"| {100 * (np.median(ratio) - 1):+.3f} % | 0.2 % |"
    )
    print(f"| the same, within 2 % | {100 * np.mean(np.abs(ratio - 1) < 0.02):.2f} % | 95 % |")
    off = exposure_deviation()
    print(
        f"| exposure against gtexpcube2, median deviation | {100 * np.median(off):.3f} % | 0.3 % |"
    )
    print(f"| the same, largest | {100 * off.max():.3f} % | 1 % |")
    print_tables(DATA / "irf")
    print_isotropic(DATA / "irf", DATA / "diffuse")


def compare_psf(file: str, psf: str, aeff: str, event_type: str) -> str:
    """Largest deviation of r68 over the energies of a gtpsf file."""
    irf = DATA / "irf"
    response = read_response(irf / f"psf_{psf}.fits", irf / f"aeff_{aeff}.fits", event_type)
    profile = survey_profile(declination=-29 * u.deg).within(70 * u.deg)
    response = response.with_livetime(profile)
    with fits.open(DATA / "reference" / file) as hdus:
        theta = np.radians(np.array(hdus["THETA"].data["Theta"], dtype=float))
        rows = hdus["PSF"].data
        deviation = [
            float(
                response.psf(energy * u.MeV).containment_radius(0.68)
                / RadialPsf(theta, np.array(density, dtype=float)).containment_radius(0.68)
            )
            - 1
            for energy, density in zip(rows["Energy"], rows["Psf"], strict=True)
        ]
    return f"{100 * np.abs(deviation).max():.2f} %"


def flux_ratios() -> np.ndarray:
    """Ratio of the flux between 1 and 100 GeV from the spectrum of each source to its Flux1000."""
    table = read_fermi_catalogue(DATA / "catalogue" / "gll_psc_v27.fit.gz")
    flux = spectra_of(table).flux(1 * u.GeV, 100 * u.GeV)
    return (flux / table["Flux1000"]).to_value("")


def exposure_deviation() -> np.ndarray:
    """Relative deviations of our exposure from gtexpcube2, at every energy and position."""
    irf, day = DATA / "irf", DATA / "reference" / "fermitools_crab_1day"
    response = read_response(
        irf / "psf_P8R2_SOURCE_V6_FB.fits", irf / "aeff_P8R2_SOURCE_V6_FB.fits", "FRONT+BACK"
    )
    cube = read_livetime_cube(day / "ltcube.fits.gz")
    with fits.open(day / "binned_expmap.fits.gz") as hdus:
        energy = np.array(hdus["ENERGIES"].data["Energy"], dtype=float) * u.MeV
        official, header = hdus[0].data, hdus[0].header
        y, x = np.indices(official.shape[1:])
        lon, lat = WCS(header).celestial.all_pix2world(x, y, 0)
    positions = SkyCoord(lon.ravel(), lat.ravel(), unit="deg", frame="galactic")
    ours = livetime_exposure(response, cube, energy, positions).to_value("cm2 s")
    official = official.reshape(len(energy), -1)
    ours = ours if ours.shape == official.shape else ours.T
    return np.abs(ours / official - 1).ravel()


if __name__ == "__main__":
    main()
