"""The role of source populations."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable
from astropy.units import UnitBase

from gammafind.catalogue.schema import SOURCES, conform, in_flux_unit
from gammafind.errors import TableError
from gammafind.roles.base import Plugin
from gammafind.units import FLUX


@dataclass(frozen=True, kw_only=True)
class SourcePopulation(Plugin):
    """Draws catalogues of synthetic sources.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from astropy.table import QTable
    >>> from gammafind import SourcePopulation
    >>> @dataclass(frozen=True, kw_only=True)
    ... class OneSource(SourcePopulation):
    ...     name = "one-source"
    ...     flux: u.Quantity = 1e-9 * u.Unit("cm-2 s-1")
    ...
    ...     def _sample(self, rng):
    ...         ra = rng.uniform(0, 360, 1) * u.deg
    ...         dec = np.zeros(1) * u.deg
    ...         flux = u.Quantity([self.flux])
    ...         return QTable(
    ...             {"name": ["A"], "ra": ra, "dec": dec, "class_label": ["BLL"], "flux": flux}
    ...         )
    >>> print(OneSource().sample(rng=np.random.default_rng(1))["name"][0])
    A
    """

    provides: ClassVar[tuple[str, ...]] = ()
    """Columns that `sample` adds to those of the schema."""

    flux_unit: ClassVar[UnitBase] = FLUX
    """Of the fluxes, as for the instrument that is to see the sources."""

    def sample(self, *, rng: np.random.Generator) -> QTable:
        """Draw one catalogue.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        QTable
            ``name, ra, dec, class_label, flux`` and what the population `provides`; the flux is
            in `flux_unit`.

        Raises
        ------
        TableError
            If the plugin returns a table without a promised column.
        """
        schema = in_flux_unit(SOURCES, self.flux_unit)
        sources = conform(self._sample(rng), schema, what=f"the catalogue of {self.name}")
        missing = [name for name in self.provides if name not in sources.colnames]
        if missing:
            raise TableError(f"the catalogue of {self.name} lacks {', '.join(missing)}")
        return sources

    @abc.abstractmethod
    def _sample(self, rng: np.random.Generator) -> QTable: ...
