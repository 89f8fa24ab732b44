"""Derive the embedded diffuse emission: interstellar maps and the bubbles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, quantised_map, write

EDGES_MEV = np.array([300.0, 500.0, 1e3, 2e3, 7e3, 20e3, 500e3])
LOG_STEP = 0.004
"""Quantisation of the logarithm of the intensity: an error of at most 0.2 %."""


def derive_interstellar(path: Path) -> None:
    """Maps that factorise into one shape (that of 2-7 GeV) and one ratio per band."""
    with fits.open(path) as file:
        data = file[1].data
        bands = np.stack([data[name].ravel().astype(float) for name in data.names])
    ratios = bands / bands[3]
    shape = quantised_map(
        "LOG_INTENSITY",
        np.log(bands[3]),
        LOG_STEP,
        extension="SKYMAP",
        nside=128,
        unit=None,
    )
    edges = [
        fits.Column("CHANNEL", "I", array=np.arange(1, 7)),
        fits.Column("E_MIN", "D", unit="keV", array=EDGES_MEV[:-1] * 1e3),
        fits.Column("E_MAX", "D", unit="keV", array=EDGES_MEV[1:] * 1e3),
        fits.Column("RATIO", "D", array=ratios.mean(axis=1)),
    ]
    origin = Origin(
        title="Interstellar emission, low resolution",
        origin="Shape of the LAT model p6v11 (0.46 deg) with the spectrum of gll_iem_v07, "
        "integrated over each band.",
        licence="MIT",
        citation="arXiv:2604.08648 (p6v11 template); Acero et al. 2016, ApJS 223, 26; "
        "gll_iem_v07: Fermi-LAT Collaboration 2019",
        inputs=[path],
        notes=[
            "APPROXIMATE: a stand-in for gll_iem_v07, which a user should configure.",
            "Intensity = exp(LOG_INTENSITY) x RATIO (band), ph/cm2/s/sr. In the input the bands "
            "differ by a factor that is constant over the sky within 1e-6, so nothing is lost.",
            "LOG_INTENSITY is rounded to 0.004: the error is at most 0.2 %.",
        ],
    )
    tables = [shape, fits.BinTableHDU.from_columns(edges, name="EBOUNDS")]
    write("interstellar_lowres.fits.gz", origin, tables)


def derive_bubbles(path: Path) -> None:
    template = np.load(path)
    step = template.max() / 255
    table = quantised_map("TEMPLATE", template, step, extension="SKYMAP", nside=128, unit=None)
    origin = Origin(
        title="Fermi bubbles template 2-20 GeV",
        origin="Counts-like template of the Fermi bubbles, 2-20 GeV, from the repository of "
        "arXiv:2604.08648.",
        licence="MIT",
        citation="arXiv:2604.08648; Su, Slatyer & Finkbeiner 2010, ApJ 724, 1044",
        inputs=[path],
        notes=["Arbitrary norm: to be fitted. Rounded to 1/255 of its maximum."],
    )
    write("bubbles.fits.gz", origin, [table])


def main() -> None:
    folder = arguments(__doc__) / "diffuse"
    derive_interstellar(folder / "iem_lowres_p6v11shape_v07spec_ns128_6bins.fits.gz")
    derive_bubbles(folder / "template_bubbles_2-20GeV_ns128_ring_gal.npy")


if __name__ == "__main__":
    main()
