"""Brightness of the true sources: cuts on a column of fluxes, and the flux axis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import checked_numbers
from gammafind.errors import OptionError, TableError
from gammafind.units import ENERGY_FLUX

_ENERGY_FLUX = "energy_flux"
_DEFAULTS = (3.4e-13, 1e-12)
"""Energy fluxes from 1 to 100 GeV, in erg / (cm2 s): the threshold of the paper, and bright."""
_FLUXES = (_ENERGY_FLUX, "Energy_Flux100", "Flux1000", "flux")
_TEXT = re.compile(r"\s*(\w+)\s*=\s*(.+?)\s*")


@dataclass(frozen=True, kw_only=True)
class MinFlux:
    """Selection of true sources with at least a given flux.

    Parameters
    ----------
    column : str
        Column of the table of true sources.
    least : Quantity
        Smallest flux. A column without a unit is assumed to have its unit.

    Raises
    ------
    OptionError
        If the flux is not a finite number.
    """

    column: str
    least: Quantity

    def __post_init__(self) -> None:
        if not (np.ndim(self.least) == 0 and np.isfinite(self.least)):
            raise OptionError(
                f"the minimum flux of {self.column} is {self.least}", remedy="Give a finite number."
            )

    @classmethod
    def parse(cls, text: str) -> MinFlux:
        """Read a text such as ``Flux1000=1e-9 cm-2 s-1``.

        Raises
        ------
        OptionError
            If the text is not a column with a quantity.
        """
        match = _TEXT.fullmatch(text)
        try:
            return cls(column=match[1], least=Quantity(match[2]))
        except (TypeError, ValueError):
            raise OptionError(
                f"{text!r} is not a minimum flux",
                remedy="Write COLUMN=QUANTITY, such as 'energy_flux=1e-12 erg cm-2 s-1'.",
            ) from None

    def __str__(self) -> str:
        return f"{self.column} >= {self.least}"

    def mask(self, truth: QTable) -> np.ndarray:
        """Which sources are bright enough, shape (n,); False for sources without a flux.

        Raises
        ------
        TableError
            If there is no such column, or its values are not such a flux.
        """
        if self.column not in truth.colnames:
            raise TableError(
                f"the table of true sources has no column {self.column}",
                remedy=f"Its columns are {', '.join(truth.colnames)}.",
            )
        return _column(truth, self.column, self.least.unit) >= self.least.value


def default_min_fluxes(truth: QTable) -> tuple[MinFlux, ...]:
    """Minimum ``energy_flux`` of the paper and of bright sources; empty without the column."""
    if _ENERGY_FLUX not in truth.colnames:
        return ()
    return tuple(MinFlux(column=_ENERGY_FLUX, least=flux * ENERGY_FLUX) for flux in _DEFAULTS)


def flux_axis(truth: QTable, cuts: Sequence[MinFlux] = ()) -> tuple[str, str, np.ndarray] | None:
    """Flux for plots of completeness.

    Parameters
    ----------
    truth : QTable
    cuts : sequence of MinFlux
        The column of the first one is used; otherwise the first existing column of ``energy_flux,
        Energy_Flux100, Flux1000, flux``.

    Returns
    -------
    column, unit : str
    values : ndarray, shape (n,)
        All three, or None if the table has no flux.
    """
    named = [cut.column for cut in cuts]
    for name in (*named, *_FLUXES):
        if name in truth.colnames:
            unit = truth[name].unit or next((c.least.unit for c in cuts if c.column == name), "")
            return name, str(u.Unit(unit)), _column(truth, name, unit)
    return None


def expected_ts_of(truth: QTable, column: str = "ts") -> np.ndarray | None:
    """Expected TS of each true source, shape (n,); None if the table does not have it."""
    return _column(truth, column, "", "TS") if column in truth.colnames else None


def _column(truth: QTable, name: str, unit: u.UnitBase | str, what: str = "flux") -> np.ndarray:
    wanted = f"in {u.Unit(unit)} or a similar unit" if str(unit) else "without a unit"
    fault = f"column {name} of the true sources is not such a {what}"
    remedy = f"It must contain numbers {wanted}."
    values = checked_numbers(truth, name, unit, fault=fault, remedy=remedy)
    if values.shape != (len(truth),):
        raise TableError(
            f"column {name} of the true sources contains arrays",
            remedy="It must contain one number for each source.",
        )
    return values
