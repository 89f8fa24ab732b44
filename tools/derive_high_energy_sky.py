"""Derive the embedded LAT sky above 10 GeV: the pixels with photons, in three bands."""

from __future__ import annotations

from pathlib import Path

import healpy as hp
import numpy as np
from astropy.io import fits
from derive_sky import bin_edges
from provenance import Origin, arguments, write

from gammafind.plugins.fermi_lat.planes import counts_to_planes
from gammafind.plugins.fermi_lat.selection import header_cuts
from gammafind.sky.fits.selections import selection_cards

NSIDE = 1024
"""Of the maps, and of the table: the core of the PSF is narrower than pixels of 0.11 deg."""
FILES = ("energy_10_30", "energy_30_100", "energy_100_2000")
EDGES_MEV = np.array([10e3, 30e3, 100e3, 2000e3])
CUTS = (
    *header_cuts("P8R2_SOURCE_V6", "FRONT+BACK"),
    "ZENITH_ANGLE = 0:105 deg",
    "ENERGY = 10000:2000000 MeV",
)


def photons(path: Path) -> np.ndarray:
    """Counts of a NESTED map, in RING order."""
    with fits.open(path) as file:
        nested = np.ravel(file[1].data.field(0))
    counts = np.zeros(hp.nside2npix(NSIDE), dtype=int)
    counts[hp.nest2ring(NSIDE, np.arange(len(counts)))] = nested
    return counts


def packed(counts: np.ndarray, channel: int) -> fits.BinTableHDU:
    """Pixels with photons: the step from the one before, and the counts."""
    pixel = np.flatnonzero(counts)
    columns = {"STEP": np.diff(pixel, prepend=-1), "COUNTS": counts[pixel]}
    table = counts_to_planes(columns, name=f"CHANNEL{channel}")
    table.header.update(
        PIXTYPE="HEALPIX", ORDERING="RING", NSIDE=NSIDE, COORDSYS="GAL", PHOTONS=int(counts.sum())
    )
    return table


def main() -> None:
    folder = arguments(__doc__) / "highenergy"
    paths = [folder / f"{name}.fits.gz" for name in FILES]
    tables = [packed(photons(path), i) for i, path in enumerate(paths, start=1)]
    edges = bin_edges("EBOUNDS", EDGES_MEV[:-1], EDGES_MEV[1:])
    edges.header.update(selection_cards(CUTS))
    origin = Origin(
        title="LAT counts 10-2000 GeV in three bands",
        origin="Count maps of the Fermi-LAT sky above 10 GeV (2008-08-04 to 2016-10-20; P8R2, "
        "Source, FRONT+BACK, zenith angle below 105 deg) from the repository gammapy/gamma-sky.",
        licence="MIT",
        citation="gammapy/gamma-sky; Atwood et al. 2009, ApJ 697, 1071 (the LAT)",
        inputs=paths,
        notes=[
            "Counts as in the input, nside 1024. Each table has the pixels with photons: STEP is "
            "the distance from the pixel before (from -1 for the first), in bytes of one place "
            "after those of the other.",
            "Binned before the cut on good time: 0.12 % of the photons are outside it.",
        ],
    )
    write("counts_10-2000GeV.fits.gz", origin, [*tables, edges])


if __name__ == "__main__":
    main()
