"""Derive the embedded isotropic spectra: the templates of all embedded responses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from provenance import Origin, arguments, write

RESPONSES = {
    "P8R2_SOURCE_V6": "v06",
    "P8R2_ULTRACLEANVETO_V6": "v06",
    "P8R3_SOURCE_V3": "v1",
    "P8R3_CLEAN_V3": "v1",
    "P8R3_ULTRACLEAN_V3": "v1",
    "P8R3_ULTRACLEANVETO_V3": "v1",
    "P8R3_SOURCEVETO_V3": "v1",
}
"""Responses and the version of their templates."""
TOTAL = "FRONT+BACK"
"""Event types of the template without a type in its name."""


def event_types(release: str) -> list[str]:
    """Event types with a template, after `TOTAL`; P8R2 has none by energy resolution."""
    quartiles = ("PSF", "EDISP") if release == "P8R3" else ("PSF",)
    return ["FRONT", "BACK", *(f"{kind}{i}" for kind in quartiles for i in range(4))]


def input_files(folder: Path, irf: str) -> dict[str, Path]:
    """Template of each event type of a response."""
    version = RESPONSES[irf]
    files = {TOTAL: folder / f"iso_{irf}_{version}.txt"}
    for name in event_types(irf.split("_")[0]):
        files[name] = folder / f"iso_{irf}_{name}_{version}.txt"
    return files


def table(irf: str, files: dict[str, Path]) -> fits.BinTableHDU:
    """Spectra of one response, one event type per row."""
    spectra = np.array([np.loadtxt(path) for path in files.values()])
    each = f"{spectra.shape[1]}D"
    unit = "ph cm-2 s-1 MeV-1 sr-1"
    columns = [
        fits.Column("EVENT_TYPE", "10A", array=list(files)),
        fits.Column("ENERGY", each, unit="MeV", array=spectra[..., 0]),
        fits.Column("INTENSITY", each, unit=unit, array=spectra[..., 1]),
        fits.Column("ERROR", each, unit=unit, array=spectra[..., 2]),
    ]
    return fits.BinTableHDU.from_columns(columns, name=irf)


def derive(folder: Path) -> None:
    """Write the table of all responses."""
    files = {irf: input_files(folder, irf) for irf in RESPONSES}
    origin = Origin(
        title="LAT isotropic emission",
        origin="Isotropic templates of the Fermi-LAT Collaboration, distributed with Fermitools.",
        licence="BSD-3-Clause",
        citation="https://fermi.gsfc.nasa.gov/ssc/data/access/lat/BackgroundModels.html",
        inputs=[path for one in files.values() for path in one.values()],
        notes=["One extension per response, one row per event type; numbers as in the inputs."],
    )
    write("isotropic.fits.gz", origin, [table(irf, one) for irf, one in files.items()])


def main() -> None:
    derive(arguments(__doc__) / "diffuse")


if __name__ == "__main__":
    main()
