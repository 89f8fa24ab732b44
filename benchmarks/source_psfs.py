"""r68 of the PSF that each source of 4FGL-DR2 is rendered with, against that of its spectrum."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from results import kept

from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.irf import BandResponse, load_response, psfs_of_photons
from gammafind.plugins.fermi_lat.spectra import SourceSpectra
from gammafind.sky.bands import energy_bands

IRF = "P8R3_ULTRACLEANVETO_V3"
SELECTIONS = (
    ("FRONT", (0.3, 0.5, 1, 2, 7, 20, 500)),
    ("PSF0", (0.3, 0.5, 1, 2, 7, 20, 500)),
    ("PSF3", (2, 20)),
)
SECONDS = 0.75 * 10 * 365.25 * 86400
SAMPLE = 600
SEED = 2


@kept("source_psfs")
def main() -> None:
    """Print the table of docs/validation/rendering.md."""
    spectra = spectra_of(load_4fgl_dr2())
    rng = np.random.default_rng(SEED)
    chosen = np.sort(rng.choice(len(spectra), SAMPLE, replace=False))
    print(f"{SAMPLE} of {len(spectra)} sources, those with a photon in ten years.\n")
    print(
        "| selection | r68, 1 to 99 % of the sources (deg) | one PSF of index 2.3, within 1 % "
        "| mixture, within 1 % | 99 % are within |\n|---|---|---|---|---|"
    )
    for event_type, edges in SELECTIONS:
        response = load_response(IRF, event_type)
        livetime = response.profile.livetime.sum() * SECONDS
        for band in energy_bands(edges * u.GeV):
            print_band(f"{event_type}, {band.name}", response.band(band), spectra[chosen], livetime)


def print_band(name: str, band: BandResponse, spectra: SourceSpectra, livetime: float) -> None:
    """Print the line of one band."""
    photons = band.photons_of(spectra.differential)
    photons = photons[photons @ band.area * livetime > 1]
    mixed = psfs_of_photons(band, photons)
    exact = np.array([r68(band.psf(each)) for each in photons])
    found = np.array([r68(mixed.of_kind(kind)) for kind in mixed.kind])
    off, one = np.abs(found / exact - 1), np.abs(r68(band.psf(band.photons(2.3))) / exact - 1)
    low, high = np.percentile(exact, [1, 99])
    print(
        f"| {name} | {low:.3f} to {high:.3f} | {100 * np.mean(one < 0.01):.0f} % "
        f"| {100 * np.mean(off < 0.01):.1f} % | {100 * np.percentile(off, 99):.2f} % |"
    )


def r68(psf) -> float:
    """Radius in degrees that contains 68 % of the counts."""
    return psf.containment_radius(0.68).value


if __name__ == "__main__":
    main()
