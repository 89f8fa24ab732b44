"""Derive the embedded reference catalogues: where sources are, and what they are."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from astropy.io import fits
from derive_catalogue import part
from provenance import Origin, arguments, write

from gammafind.plugins.fermi_lat.catalogue_columns import REFERENCE_COLUMNS
from gammafind.plugins.fermi_lat.catalogue_extensions import EXTENDED_COLUMNS, extended_hdu
from gammafind.plugins.fermi_lat.planes import to_planes

_LEFT_OUT = ("GLON", "GLAT")
"""Columns that follow from others."""


class Source(NamedTuple):
    """An official catalogue: its file, what it is, and what to cite."""

    path: str
    title: str
    citation: str


SOURCES = {
    "4fgl_dr1": Source(
        "catalogue/gll_psc_v20.fit.gz", "4FGL-DR1", "Abdollahi et al. 2020, ApJS 247, 33"
    ),
    "4fgl_dr3": Source(
        "catalogue/gll_psc_v29.fit.gz", "4FGL-DR3", "Abdollahi et al. 2022, ApJS 260, 53"
    ),
    "4fgl_dr4": Source(
        "catalogue/gll_psc_v35.fit.gz", "4FGL-DR4", "Ballet et al. 2023, arXiv:2307.12546"
    ),
    "fl16y": Source(
        "catalogue/gll_psc_v41.fit.gz", "FL16Y", "Ballet et al. 2026, arXiv:2602.22148"
    ),
    "2fhl": Source("2fhl/gll_psch_v09.fit.gz", "2FHL", "Ackermann et al. 2016, ApJS 222, 5"),
    "3fhl": Source("highenergy/gll_psch_v13.fit.gz", "3FHL", "Ajello et al. 2017, ApJS 232, 18"),
}
"""Catalogues by the name of their table. 4FGL-DR2 is embedded with its spectra."""


def derive(name: str, folder: Path) -> None:
    """Write the table of a catalogue."""
    path, title, citation = folder / SOURCES[name].path, *SOURCES[name][1:]
    with fits.open(path) as file:
        source = file[1]
        wanted = {column.name for column in REFERENCE_COLUMNS} - set(_LEFT_OUT)
        columns = fits.ColDefs([column for column in source.columns if column.name in wanted])
        table = to_planes(columns, source.data, name="REFERENCE")
        extended = part(extended_hdu(file), set(EXTENDED_COLUMNS))
        for key in ("CDS-NAME", "VERSION", "DATE-OBS", "DATE-END", "RSPFUNC"):
            if key in source.header:
                table.header[key] = source.header[key]
        n_rows, n_extended = len(source.data), len(extended.data)
    origin = Origin(
        title=f"{title}, compact",
        origin=f"The Fermi-LAT catalogue {title}, {path.name.removesuffix('.gz')}, from the Fermi "
        "Science Support Center.",
        licence="CC0-1.0",
        citation=citation,
        inputs=[path],
        notes=[
            f"All {n_rows} rows: names, positions, significances, photon fluxes, classes and "
            "associations; values unchanged (float32).",
            f"The shapes of all {n_extended} extended sources, unchanged.",
        ],
    )
    write(f"{name}.fits.gz", origin, [table, extended])


def main() -> None:
    folder = arguments(__doc__)
    for name in SOURCES:
        derive(name, folder)


if __name__ == "__main__":
    main()
