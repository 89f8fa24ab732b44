"""Derive the embedded isotropic spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, write

ISOTROPIC = {
    irf: [
        (event_type, f"iso_{irf}_{event_type}_{version}.txt")
        for event_type in ("FRONT", "BACK", "PSF0", "PSF1", "PSF2", "PSF3")
    ]
    for irf, version in (("P8R2_ULTRACLEANVETO_V6", "v06"), ("P8R3_ULTRACLEANVETO_V3", "v1"))
}


def derive_isotropic(folder: Path) -> None:
    tables, inputs = [], []
    for irf, files in ISOTROPIC.items():
        for event_type, file in files:
            energy, intensity, error = np.loadtxt(folder / file, unpack=True)
            unit = "ph cm-2 s-1 MeV-1 sr-1"
            columns = [
                fits.Column("ENERGY", "D", unit="MeV", array=energy),
                fits.Column("INTENSITY", "D", unit=unit, array=intensity),
                fits.Column("ERROR", "D", unit=unit, array=error),
            ]
            tables.append(fits.BinTableHDU.from_columns(columns, name=f"{irf}_{event_type}"))
            inputs.append(folder / file)
    origin = Origin(
        title="LAT isotropic emission",
        origin="Isotropic templates of the Fermi-LAT Collaboration, distributed with Fermitools.",
        licence="BSD-3-Clause",
        citation="https://fermi.gsfc.nasa.gov/ssc/data/access/lat/BackgroundModels.html",
        inputs=inputs,
        notes=["One extension for each response and event type; numbers as in the inputs."],
    )
    write("isotropic.fits.gz", origin, tables)


def main() -> None:
    folder = arguments(__doc__) / "diffuse"
    derive_isotropic(folder)


if __name__ == "__main__":
    main()
