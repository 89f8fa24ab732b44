"""The role of source populations."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import SOURCES, conform
from gammafind.errors import TableError
from gammafind.roles.base import Plugin

__all__ = ["SourcePopulation"]


@dataclass(frozen=True, kw_only=True)
class SourcePopulation(Plugin):
    """Draws catalogues of synthetic sources."""

    provides: ClassVar[tuple[str, ...]] = ()
    """Columns that `sample` adds to those of the schema."""

    def sample(self, *, rng: np.random.Generator) -> QTable:
        """Draw one catalogue.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        QTable
            ``name, ra, dec, class_label, flux`` and what the population `provides`.

        Raises
        ------
        TableError
            If the plugin returns a table without a promised column.
        """
        sources = conform(self._sample(rng), SOURCES, what=f"the catalogue of {self.name}")
        missing = [name for name in self.provides if name not in sources.colnames]
        if missing:
            raise TableError(f"the catalogue of {self.name} lacks {', '.join(missing)}")
        return sources

    @abc.abstractmethod
    def _sample(self, rng: np.random.Generator) -> QTable: ...
