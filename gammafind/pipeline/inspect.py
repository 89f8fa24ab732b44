"""What files hold, and what would be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind.errors import GammafindError, InputFileError
from gammafind.pipeline.inputs import OnePath, path_list
from gammafind.presets.choose import select_preset
from gammafind.sky.fits import open_fits
from gammafind.sky.fits.counts import file_energy_edges
from gammafind.sky.fits.selections import file_selections
from gammafind.utils.files import check_input


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Inspection:
    """What `gammafind.inspect` found in files.

    Attributes
    ----------
    table : QTable
        One row a file: ``file, kind, hdus, energies, selections``, all text.
    preset : str
        Name of the preset that fits all of them; empty if none does.
    fault : str
        Why no preset fits, and what helps; empty if one does.
    """

    table: QTable
    preset: str
    fault: str

    def __repr__(self) -> str:
        lines = [
            f"{row['file']}: {row['kind']}; {'; '.join(filter(None, list(row.values())[2:]))}"
            for row in self.table
        ]
        return "\n".join([*lines, f"preset: {self.preset}" if self.preset else self.fault])


def inspect(files: OnePath | Sequence[OnePath]) -> Inspection:
    """Look into files of counts or photons, and find the preset that fits them.

    Parameters
    ----------
    files : path-like or sequence of path-like

    Returns
    -------
    Inspection
        Its text says what each file holds and which preset would be used.

    Raises
    ------
    InputFileError
        If a file is missing, or is no FITS file.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> from gammafind.sky.fits import write_counts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_counts(gammafind.demo_sky(), f"{folder}/counts.fits")
    ...     found = gammafind.inspect(path)
    >>> found.preset
    'fermi-lat-psf3-2-20'
    """
    paths = path_list(files)
    rows = [_row(check_input(path)) for path in paths]
    preset, fault = "", ""
    try:
        preset = select_preset(paths).name
    except GammafindError as error:
        fault = str(error)
    return Inspection(table=QTable(rows=rows), preset=preset, fault=fault)


_KINDS = {
    "EVENTS": "photon list",
    "SC_DATA": "spacecraft file",
    "CTHETABOUNDS": "livetime cube",
    "ENERGIES": "exposure or intensity cube",
    "HPXEXPOSURES": "exposure cube",
    "EBOUNDS": "maps in energy bins",
}
"""What a file is that has an HDU of this name; the first that is there counts."""


def _row(path: Path) -> dict[str, str]:
    """What one file holds."""
    with open_fits(path) as file:
        hdus = [hdu.name or "PRIMARY" for hdu in file]
        energies = _energies(file, path) if "EBOUNDS" in hdus else ""
        cuts = file_selections(file)
    kinds = (kind for name, kind in _KINDS.items() if name in hdus)
    return {
        "file": path.name,
        "kind": next(kinds, "maps without energies"),
        "hdus": ", ".join(hdus),
        "energies": energies,
        "selections": ", ".join(cuts),
    }


def _energies(file: fits.HDUList, path: Path) -> str:
    """Energy bins of a file of maps, as text."""
    try:
        edges = np.unique(file_energy_edges(file, path))
    except InputFileError as error:
        return error.fault
    if edges.unit == u.keV:
        edges = edges.to(u.GeV)
    n = len(edges) - 1
    return f"{n} bin{'' if n == 1 else 's'} of {edges[0]:.4g} to {edges[-1]:.4g}"
