"""The embedded interstellar emission against gll_iem_v07: cells, and a part at full resolution."""

from __future__ import annotations

from itertools import pairwise

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.io import fits
from results import ROOT, kept

from gammafind.plugins.fermi_lat.cells import cell_means, fill_cells
from gammafind.plugins.fermi_lat.diffuse import interstellar_intensity
from gammafind.plugins.fermi_lat.embedded import load_interstellar
from gammafind.plugins.fermi_lat.weighted import plane_integral
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels

FOLDER = ROOT.parent / "shared" / "data" / "fermi" / "diffuse"
BLOCKS = "gll_iem_v07_blockmean_1p5x1p375deg.fits.gz"
CUTOUT = "gll_iem_v07_gc_cutout.fits.gz"
EDGES = ((0.05, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 1), (1, 2), (2, 7), (7, 20), (20, 500),
         (0.06, 0.8), (2, 20), (3, 11), (100, 814))  # fmt: skip
"""The six bands of the preset between others, in GeV."""
DECADES = (0.05, 0.1, 1, 10, 100, 1000)


@kept("interstellar")
def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    print_cells()
    print_cutout()


def print_cells() -> None:
    """Print the ratio of the embedded emission to the cells of gll_iem_v07."""
    with fits.open(FOLDER / BLOCKS) as file:
        planes = file[0].data.astype(float)
        energy = file["ENERGIES"].data["energy"].astype(float)
    bands = [energy_bands(edges * u.GeV)[0] for edges in EDGES]
    home, maps = interstellar_intensity("embedded", bands)
    print("| band | mean ratio | scatter | largest difference |\n|---|---|---|---|")
    for band, values in zip(bands, maps, strict=True):
        low, high = band.edges.to_value(u.MeV)
        ratio = cell_means(values, home) / plane_integral(energy, planes.__getitem__, low, high)
        largest = np.abs(ratio - 1).max()
        print(f"| {band.name} | {ratio.mean():.4f} | {ratio.std():.4f} | {largest:.4f} |")


def print_cutout() -> None:
    """Print the ratio in pixels of 0.25 deg, in 10 x 10 deg at the Galactic centre."""
    with fits.open(FOLDER / CUTOUT) as file:
        planes, header = file[0].data.astype(float), file[0].header
    column, row = np.meshgrid(np.arange(1, 81), np.arange(1, 81))
    lon = (column - header["CRPIX1"]) * header["CDELT1"]
    lat = (row - header["CRPIX2"]) * header["CDELT2"]
    energy, cells, structure = load_interstellar()
    home = HealpixPixels(256)
    coarse = HealpixPixels(hp.npix2nside(structure.size))
    fine = coarse.interpolate(structure, home.centres())
    ratios = []
    for cell, plane in zip(cells, planes, strict=True):
        values = hp.get_interp_val(fill_cells(cell, fine, home), lon, lat, lonlat=True)
        ratios.append(_pairs(values) / _pairs(plane))
    print("\n| energies (GeV) | planes | mean ratio | rms | largest rms of a plane |"
          "\n|---|---|---|---|---|")  # fmt: skip
    for low, high in pairwise(DECADES):
        here = [r for e, r in zip(energy, ratios, strict=True) if low * 999.9 < e < high * 999.9]
        rms = [float(np.std(r)) for r in here]
        print(f"| {low:g}-{high:g} | {len(here)} | {np.mean(here):.3f} "
              f"| {np.sqrt(np.mean(np.square(rms))):.3f} | {max(rms):.3f} |")  # fmt: skip


def _pairs(image: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels."""
    return image.reshape(40, 2, 40, 2).mean(axis=(1, 3))


if __name__ == "__main__":
    main()
