"""Derive the embedded fit of the synthetic population to 4FGL-DR2."""

from __future__ import annotations

import hashlib
from pathlib import Path

from provenance import DATA, arguments

from gammafind.plugins.fermi_lat.catalogues import read_fermi_catalogue
from gammafind.plugins.fermi_lat.population.fit import fit_population
from gammafind.plugins.fermi_lat.population.storage import fit_to_table


def derive(path: Path) -> None:
    table = fit_to_table(fit_population(read_fermi_catalogue(path)))
    table.meta = {
        "title": "Fit of the synthetic population to 4FGL-DR2",
        "origin": "Distributions of the sources of gll_psc_v27.fit, the Fermi-LAT catalogue of "
        "ten years, from the Fermi Science Support Center.",
        "licence": "CC0-1.0",
        "citation": "Abdollahi et al. 2020, ApJS 247, 33; Ballet et al. 2020, arXiv:2005.11208",
        "input": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    output = DATA / "population_4fgl_dr2.ecsv"
    table.write(output, format="ascii.ecsv", overwrite=True)
    print(f"{output.name}: {output.stat().st_size / 1024:.0f} KiB")


def main() -> None:
    derive(arguments(__doc__) / "catalogue" / "gll_psc_v27.fit.gz")


if __name__ == "__main__":
    main()
