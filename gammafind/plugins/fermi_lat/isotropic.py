"""Isotropic emission: the spectra of the ``iso_*.txt`` files."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    MissingFileError,
    OptionError,
    TruncatedFileError,
)
from gammafind.plugins.fermi_lat.tabulated import interpolate, table_integral
from gammafind.units import as_value

DIFFERENTIAL_INTENSITY = u.Unit("cm-2 s-1 MeV-1 sr-1")
"""Photon intensity per energy."""
INTENSITY = u.Unit("cm-2 s-1 sr-1")
"""Photon intensity of a band."""

_REMEDY = (
    "Accepted is the text format of the LAT isotropic templates: energy (MeV), intensity "
    "(ph/cm2/s/MeV/sr) and, if known, its error, one line for each energy."
)


@dataclass(frozen=True, eq=False)
class IsotropicSpectrum:
    """Intensity of the isotropic emission, a power law between neighbouring energies.

    Parameters
    ----------
    energy : Quantity, shape (n,)
        Increasing.
    intensity : Quantity, shape (n,)
        Photon intensity per energy.
    error : Quantity, shape (n,)
        Its error, zero if the file has none.
    """

    energy: Quantity
    intensity: Quantity
    error: Quantity

    def differential(self, energy: Quantity) -> Quantity:
        """Photon intensity per energy at ``energy``, of the shape of ``energy``.

        Raises
        ------
        OptionError
            If an energy is outside the table.
        """
        at = np.asarray(as_value(energy, u.MeV, name="energy"), dtype=float)
        self._check_range(at)
        return interpolate(at, *self._table()) * DIFFERENTIAL_INTENSITY

    def band_intensity(self, low: Quantity, high: Quantity) -> Quantity:
        """Photon intensity between two energies, a scalar in cm-2 s-1 sr-1.

        Raises
        ------
        OptionError
            If ``low`` is not below ``high``, or one is outside the table.
        """
        edges = [float(as_value(edge, u.MeV, name="band edge")) for edge in (low, high)]
        if not edges[0] < edges[1]:
            raise OptionError(f"the band runs from {low} to {high}")
        self._check_range(np.array(edges))
        return table_integral(*edges, *self._table()) * INTENSITY

    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        return self.energy.to_value(u.MeV), self.intensity.to_value(DIFFERENTIAL_INTENSITY)

    def _check_range(self, at: np.ndarray) -> None:
        low, high = self.energy.to_value(u.MeV)[[0, -1]]
        if np.any(at < low) or np.any(at > high):
            raise OptionError(
                f"energies from {at.min():g} to {at.max():g} MeV are outside the isotropic table",
                remedy=f"It runs from {low:g} to {high:g} MeV.",
            )


def read_isotropic(path: str | PathLike) -> IsotropicSpectrum:
    """Read an isotropic template of the LAT (``iso_*.txt``).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    IsotropicSpectrum

    Raises
    ------
    MissingFileError, TruncatedFileError
        If there is no such file, or it is empty.
    FileFormatError
        If it does not have two or three columns of numbers.
    InputDataError
        If energies do not increase, or an intensity is not positive.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError("there is no such file", path=path, remedy=_REMEDY)
    table = _parse(path)
    energy, intensity = table[:, 0], table[:, 1]
    error = table[:, 2] if table.shape[1] == 3 else np.zeros_like(energy)
    if not (np.all(np.isfinite(table)) and energy[0] > 0 and np.all(np.diff(energy) > 0)):
        raise InputDataError("energies are not positive and increasing", path=path)
    if not np.all(intensity > 0):
        raise InputDataError("an intensity is not positive", path=path)
    return IsotropicSpectrum(
        energy * u.MeV, intensity * DIFFERENTIAL_INTENSITY, error * DIFFERENTIAL_INTENSITY
    )


def _parse(path: Path) -> np.ndarray:
    """Numbers of the file, shape (n, 2) or (n, 3)."""
    try:
        lines = [line.split("#")[0].split() for line in path.read_text("ascii").splitlines()]
        rows = [[float(word) for word in words] for words in lines if words]
    except (UnicodeDecodeError, ValueError) as fault:
        raise FileFormatError(
            f"not a table of numbers ({fault})", path=path, remedy=_REMEDY
        ) from None
    if not rows:
        raise TruncatedFileError("the file contains no numbers", path=path, remedy=_REMEDY)
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths - {2, 3} or len(rows) < 2:
        raise FileFormatError(
            f"{len(rows)} lines with {', '.join(map(str, sorted(widths)))} columns",
            path=path,
            remedy=_REMEDY,
        )
    return np.array(rows)
