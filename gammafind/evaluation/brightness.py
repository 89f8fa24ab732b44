"""How bright the true sources are: cuts on a column of fluxes, and the axis of flux."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import numbers
from gammafind.errors import OptionError, TableError
from gammafind.units import ENERGY_FLUX

__all__ = ["MinFlux", "default_min_fluxes", "expected_ts_of", "flux_axis"]

_ENERGY_FLUX = "energy_flux"
_DEFAULTS = (3.4e-13, 1e-12)
"""Energy fluxes from 1 to 100 GeV, in erg / (cm2 s): the threshold of the paper, and bright."""
_FLUXES = (_ENERGY_FLUX, "Energy_Flux100", "Flux1000", "flux")
_TEXT = re.compile(r"\s*(\w+)\s*=\s*(.+?)\s*")


@dataclass(frozen=True, kw_only=True)
class MinFlux:
    """True sources whose flux is a given one or more.

    Parameters
    ----------
    column : str
        Column of the table of true sources.
    least : Quantity
        A column without a unit is taken to be in its unit.

    Raises
    ------
    OptionError
        If the flux is no finite number.
    """

    column: str
    least: Quantity

    def __post_init__(self) -> None:
        if not (np.ndim(self.least) == 0 and np.isfinite(self.least)):
            raise OptionError(
                f"the least flux of {self.column} is {self.least}", remedy="Give a finite number."
            )

    @classmethod
    def parse(cls, text: str) -> MinFlux:
        """Read a text such as ``Flux1000=1e-9 cm-2 s-1``.

        Raises
        ------
        OptionError
            If the text is no column with a quantity.
        """
        match = _TEXT.fullmatch(text)
        try:
            return cls(column=match[1], least=Quantity(match[2]))
        except (TypeError, ValueError):
            raise OptionError(
                f"{text!r} is no least flux",
                remedy="Write COLUMN=QUANTITY, such as 'energy_flux=1e-12 erg cm-2 s-1'.",
            ) from None

    def __str__(self) -> str:
        return f"{self.column} >= {self.least}"

    def mask(self, truth: QTable) -> np.ndarray:
        """Which sources are so bright, shape (n,); those without a flux are not.

        Raises
        ------
        TableError
            If there is no such column, or its values are no such flux.
        """
        if self.column not in truth.colnames:
            raise TableError(
                f"the table of true sources has no column {self.column}",
                remedy=f"Its columns are {', '.join(truth.colnames)}.",
            )
        return _column(truth, self.column, self.least.unit) >= self.least.value


def default_min_fluxes(truth: QTable) -> tuple[MinFlux, ...]:
    """Least ``energy_flux`` of the paper, and one of bright sources; none without the column."""
    if _ENERGY_FLUX not in truth.colnames:
        return ()
    return tuple(MinFlux(column=_ENERGY_FLUX, least=flux * ENERGY_FLUX) for flux in _DEFAULTS)


def flux_axis(truth: QTable, cuts: Sequence[MinFlux] = ()) -> tuple[str, str, np.ndarray] | None:
    """Flux against which completeness is shown.

    Parameters
    ----------
    truth : QTable
    cuts : sequence of MinFlux
        The column of the first is taken, if there is one; else the first that is there of
        ``energy_flux, Energy_Flux100, Flux1000, flux``.

    Returns
    -------
    column, unit : str
    values : ndarray, shape (n,)
        These three, or None where the table has no flux.
    """
    named = [cut.column for cut in cuts]
    for name in (*named, *_FLUXES):
        if name in truth.colnames:
            unit = truth[name].unit or next((c.least.unit for c in cuts if c.column == name), "")
            return name, str(u.Unit(unit)), _column(truth, name, unit)
    return None


def expected_ts_of(truth: QTable, column: str = "ts") -> np.ndarray | None:
    """Expected TS of each true source, shape (n,); None where the table does not tell."""
    return _column(truth, column, "", "TS") if column in truth.colnames else None


def _column(truth: QTable, name: str, unit: u.UnitBase | str, what: str = "flux") -> np.ndarray:
    try:
        values = numbers(truth, name, unit)
    except (u.UnitConversionError, TypeError, ValueError) as error:
        wanted = f"in {u.Unit(unit)} or alike" if str(unit) else "without a unit"
        raise TableError(
            f"column {name} of the true sources is no such {what} ({error})",
            remedy=f"It must hold numbers {wanted}.",
        ) from None
    if values.shape != (len(truth),):
        raise TableError(
            f"column {name} of the true sources holds arrays",
            remedy="It must hold one number for each source.",
        )
    return values
