"""Derive the embedded responses: PSF and effective-area tables of the presets."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits
from provenance import Origin, arguments, write

from gammafind.plugins.fermi_lat.irf import EMBEDDED_RESPONSES

KINDS = {
    "psf": ("RPSF", "PSF_SCALING_PARAMS"),
    "aeff": ("EFFECTIVE AREA", "EFFICIENCY_PARAMS"),
    "edisp": ("ENERGY DISPERSION", "EDISP_SCALING_PARAMS"),
}
SEALS = ("CHECKSUM", "DATASUM", "ORIGFILE", "EXTVER")


def input_file(folder: Path, kind: str, irf: str, event_type: str) -> Path:
    """CALDB file of one kind: each partition of the events is in one file."""
    partition = "FB" if event_type in ("FRONT", "BACK") else event_type[:-1]
    return folder / f"{kind}_{irf}_{partition}.fits"


def tables(path: Path, names: tuple[str, ...], event_type: str) -> list[fits.BinTableHDU]:
    """The extensions ``names`` of one event type, numbers and headers as in the file."""
    copies = []
    with fits.open(path) as file:
        for name in names:
            table = file[f"{name}_{event_type}"].copy()
            for keyword in SEALS:
                table.header.remove(keyword, ignore_missing=True)
            copies.append(table)
    return copies


def derive(folder: Path, irf: str, event_types: tuple[str, ...]) -> None:
    copies, inputs = [], {}
    for event_type in event_types:
        for kind, names in KINDS.items():
            path = input_file(folder, kind, irf, event_type)
            inputs[path] = None
            copies += tables(path, names, event_type)
    origin = Origin(
        title=f"LAT response {irf}",
        origin="Instrument response functions of the Fermi-LAT Collaboration, distributed "
        "with Fermitools.",
        licence="BSD-3-Clause",
        citation="Ackermann et al. 2012, ApJS 203, 4; Atwood et al. 2013, arXiv:1303.3514; "
        "Bruel et al. 2018, arXiv:1810.11394",
        inputs=list(inputs),
        notes=[
            "Extensions as in the CALDB files; fisheye correction and azimuth dependence "
            "are left out.",
        ],
    )
    write(f"response_{irf}.fits.gz", origin, copies)


def main() -> None:
    folder = arguments(__doc__) / "irf"
    for irf, event_types in EMBEDDED_RESPONSES.items():
        derive(folder, irf, event_types)


if __name__ == "__main__":
    main()
