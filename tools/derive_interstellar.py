"""Derive the embedded interstellar emission: cells of gll_iem_v07 and the structure inside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, quantised_map, write

LOG_STEP = 0.002
"""Quantisation of the logarithm of the cells: an error of at most 0.1 %."""
STRUCTURE_STEP = 0.004
"""Quantisation of the logarithm of the structure: 0.2 %, which the cells then correct."""


def cells(path: Path) -> list[fits.ImageHDU | fits.BinTableHDU]:
    """Cells in steps of their logarithm, as second differences between energies."""
    with fits.open(path) as file:
        intensity = file[0].data.astype(float)
        energy = file["ENERGIES"].data["energy"].astype(float)
        header = file[0].header
    steps = np.round(np.log(intensity) / LOG_STEP).astype(np.int32)
    for _ in range(2):
        steps = np.diff(steps, axis=0, prepend=np.zeros_like(steps[:1]))
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise ValueError("the differences of the cells do not fit into 16 bits")
    image = fits.ImageHDU(steps.astype(np.int16), name="CELLS")
    for key in ("CTYPE1", "CRVAL1", "CRPIX1", "CDELT1", "CTYPE2", "CRVAL2", "CDELT2"):
        image.header[key] = header[key]
    # The header of the input has 65.5, half a row too little.
    image.header["CRPIX2"] = (intensity.shape[1] + 1) / 2
    image.header["LOGSTEP"] = (LOG_STEP, "step of ln(intensity)")
    column = fits.Column("Energy", "D", unit="MeV", array=energy)
    return [image, fits.BinTableHDU.from_columns([column], name="ENERGIES")]


def main() -> None:
    """Write the embedded table."""
    folder = arguments(__doc__) / "diffuse"
    blocks = folder / "gll_iem_v07_blockmean_1p5x1p375deg.fits.gz"
    shape = folder / "template_p6v11_2-20GeV_ns128_ring_gal.npy"
    logarithm = np.log(np.load(shape).astype(float))
    structure = quantised_map(
        "LOG_STRUCTURE",
        logarithm - np.median(logarithm),
        STRUCTURE_STEP,
        extension="STRUCTURE",
        nside=128,
        unit=None,
    )
    origin = Origin(
        title="LAT interstellar emission gll_iem_v07 in cells of 1.5 x 1.375 deg",
        origin="Cells: means of 12 x 11 pixels of gll_iem_v07 at its 28 energies, from "
        "fermiPy/fermipy-extra. Structure inside the cells: the older LAT model p6v11 at 0.46 deg, "
        "2-20 GeV, from the repository of arXiv:2604.08648.",
        licence="BSD-3-Clause (cells), MIT (structure)",
        citation="Acero et al. 2016, ApJS 223, 26; gll_iem_v07: Fermi-LAT Collaboration 2019; "
        "arXiv:2604.08648 (p6v11 template)",
        inputs=[blocks, shape],
        notes=[
            "CELLS: second differences along energy of ln(ph/cm2/s/MeV/sr) / LOGSTEP; the "
            "cumulative sum, twice, gives it back. Rounded by at most 0.1 %.",
            "LOG_STRUCTURE: any norm, only its variation inside a cell counts.",
        ],
    )
    write("interstellar.fits.gz", origin, [*cells(blocks), structure])


if __name__ == "__main__":
    main()
