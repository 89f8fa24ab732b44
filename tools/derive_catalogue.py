"""Derive the embedded 4FGL-DR2: the columns that gammafind uses, unchanged."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits
from provenance import Origin, arguments, write

from gammafind.plugins.fermi_lat.catalogue_columns import FERMI_CATALOGUE


def derive(path: Path) -> None:
    with fits.open(path) as file:
        source = file["LAT_Point_Source_Catalog"]
        known = {column.name for column in FERMI_CATALOGUE}
        columns = [column for column in source.columns if column.name in known]
        table = fits.BinTableHDU.from_columns(columns, name="LAT_Point_Source_Catalog")
        for key in ("CDS-NAME", "VERSION", "DATE-OBS", "DATE-END", "RSPFUNC"):
            table.header[key] = source.header[key]
    origin = Origin(
        title="4FGL-DR2, compact",
        origin="The Fermi-LAT catalogue of ten years, gll_psc_v27.fit, from the Fermi Science "
        "Support Center.",
        licence="CC0-1.0",
        citation="Abdollahi et al. 2020, ApJS 247, 33; Ballet et al. 2020, arXiv:2005.11208",
        inputs=[path],
        notes=["All 5788 rows, the columns that gammafind uses; values unchanged (float32)."],
    )
    write("4fgl_dr2.fits.gz", origin, [table])


def main() -> None:
    derive(arguments(__doc__) / "catalogue" / "gll_psc_v27.fit.gz")


if __name__ == "__main__":
    main()
