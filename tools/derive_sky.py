"""Derive the embedded LAT sky: the 2-20 GeV counts, their exposure, and the exposure by year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, healpix_table, quantised_map, write

REPOSITORY = (
    "Count and exposure maps of 573 weeks of Fermi-LAT data (from 2008-08-04; P8R3, "
    "UltracleanVeto, zenith angle below 90 deg) from the repository of arXiv:2604.08648."
)
CITATION = "arXiv:2604.08648; Atwood et al. 2009, ApJ 697, 1071 (the LAT)"
LICENCE = "MIT"
EDGES_MEV = np.array([300.0, 500.0, 1e3, 2e3, 7e3, 20e3, 500e3])
GOOD_TIME_MS = np.array([25.81, 26.46, 26.28, 26.02, 25.84, 26.14, 26.37, 26.48, 26.44, 24.77])
"""Good time of the ten years of 4FGL-DR2, the sum of its GTI extension in each year."""
TEN_YEARS_OF_573_WEEKS = 3652.5 / 4011.0
EXPOSURE_STEP = 1e8
"""Quantisation of exposures in cm2 s: at most 0.07 % of the smallest value."""


def bin_edges(name: str, low_mev: np.ndarray, high_mev: np.ndarray) -> fits.BinTableHDU:
    """EBOUNDS in the format of gtbin, in keV."""
    columns = [
        fits.Column("CHANNEL", "I", array=np.arange(1, len(low_mev) + 1)),
        fits.Column("E_MIN", "D", unit="keV", array=low_mev * 1e3),
        fits.Column("E_MAX", "D", unit="keV", array=high_mev * 1e3),
    ]
    return fits.BinTableHDU.from_columns(columns, name=name)


def derive_counts(path: Path) -> None:
    counts = np.load(path)
    column = fits.Column("CHANNEL1", "J", unit="count", array=counts.astype(np.int32))
    table = healpix_table([column], name="SKYMAP", nside=128)
    table.header.update({"TELESCOP": "GLAST", "INSTRUME": "LAT", "HPX_CONV": "FGST-CCUBE"})
    origin = Origin(
        title="LAT counts 2-20 GeV, UltracleanVeto PSF3",
        origin=REPOSITORY,
        licence=LICENCE,
        citation=CITATION,
        inputs=[path],
        notes=["Counts as in the input, as integers. Event type PSF3 (the best quartile)."],
    )
    edges = bin_edges("EBOUNDS", np.array([2e3]), np.array([20e3]))
    write("counts_2-20GeV_psf3.fits.gz", origin, [table, edges])


def derive_exposure(path: Path) -> None:
    table = quantised_map(
        "ENERGY1",
        np.load(path),
        EXPOSURE_STEP,
        extension="HPXEXPOSURES",
        nside=128,
        unit="cm2 s",
    )
    energies = fits.Column("Energy", "D", unit="MeV", array=[np.sqrt(2e3 * 20e3)])
    origin = Origin(
        title="LAT exposure 2-20 GeV, UltracleanVeto PSF3",
        origin=REPOSITORY,
        licence=LICENCE,
        citation=CITATION,
        inputs=[path],
        notes=[
            "One exposure for the whole band; the energy given is the geometric mean of its edges.",
            "Rounded to 1e8 cm2 s: the error is below 0.07 %.",
        ],
    )
    tables = [table, fits.BinTableHDU.from_columns([energies], name="ENERGIES")]
    write("exposure_2-20GeV_psf3.fits.gz", origin, tables)


def derive_exposure_by_year(path: Path) -> None:
    """Ten years in six bands as shape (2-7 GeV) x ratio of each band x share of each year."""
    with fits.open(path) as file:
        data = file[1].data
        bands = np.stack([data[name].ravel().astype(float) for name in data.names])
    ratio = (bands / bands[3]).mean(axis=1)
    table = quantised_map(
        "TEN_YEARS",
        bands[3] * TEN_YEARS_OF_573_WEEKS,
        EXPOSURE_STEP,
        extension="HPXEXPOSURES",
        nside=32,
        unit="cm2 s",
    )
    edges = bin_edges("EBOUNDS", EDGES_MEV[:-1], EDGES_MEV[1:])
    columns = edges.columns + fits.Column("RATIO", "D", array=ratio)
    edges = fits.BinTableHDU.from_columns(columns, name="EBOUNDS")
    share = fits.Column("SHARE", "D", array=GOOD_TIME_MS / GOOD_TIME_MS.sum())
    years = fits.BinTableHDU.from_columns([share], name="YEARS")
    origin = Origin(
        title="LAT FRONT exposure by band and year",
        origin=REPOSITORY,
        licence=LICENCE,
        citation=CITATION,
        inputs=[path],
        notes=[
            "FRONT exposure in six bands: the PSF3 exposure of 573 weeks times the ratios of the "
            "effective areas.",
            "Ten years from 2008-08-04: times 3652.5 d / 4011 d (573 weeks).",
            "A year is that times its share of the good time of the ten years of 4FGL-DR2; its "
            "pattern on the sky is taken to be that of the ten years.",
            "Exposure = TEN_YEARS x RATIO (band) x SHARE (year). Rounding error below 0.05 %.",
        ],
    )
    write("exposure_by_year.fits.gz", origin, [table, edges, years])


def main() -> None:
    sky = arguments(__doc__) / "sky"
    derive_counts(sky / "counts_573w_2-20GeV_UCV_PSF3_ns128_ring_gal.npy")
    derive_exposure(sky / "exposure_573w_2-20GeV_UCV_PSF3_ns128_ring_gal.npy")
    derive_exposure_by_year(sky / "exposure_573w_UCVFRONT_scaled_ns32_6bins.fits.gz")


if __name__ == "__main__":
    main()
