"""The role of clusterers."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import CLUSTERS, conform, empty_table
from gammafind.errors import OptionError, ShapeError
from gammafind.roles.base import Plugin


@dataclass(frozen=True, kw_only=True)
class Clusterer(Plugin):
    """Turns a score map into clusters, one for each source.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from astropy.table import QTable
    >>> from gammafind import Clusterer
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Highest(Clusterer):
    ...     name = "highest"
    ...
    ...     def _cluster(self, score_map):
    ...         y, x = np.unravel_index(score_map.argmax(), score_map.shape)
    ...         place = {"x": [x] * u.pix, "y": [y] * u.pix}
    ...         return QTable({**place, "score": [score_map.max()], "n_pixels": [1]})
    >>> clusters = Highest().cluster(np.eye(3))
    >>> float(clusters["score"][0])
    1.0
    """

    def cluster(self, score_map: np.ndarray) -> QTable:
        """Find the clusters of a score map.

        Parameters
        ----------
        score_map : ndarray, shape (ny, nx)
            NaN where there is no score.

        Returns
        -------
        QTable
            ``x, y`` (0 at the centre of the first pixel), ``score, n_pixels``, highest first.

        Raises
        ------
        ShapeError
            If the map is not two-dimensional.
        OptionError
            If a value is infinite.
        """
        score_map = np.asarray(score_map, dtype=float)
        if score_map.ndim != 2:
            raise ShapeError(f"the score map has shape {score_map.shape}", remedy="It must be 2-D.")
        if np.any(np.isinf(score_map)):
            raise OptionError(
                "the score map holds infinite values", remedy="Use NaN where there is no score."
            )
        if score_map.size == 0:
            return empty_table(CLUSTERS)
        clusters = self._cluster(np.nan_to_num(score_map, nan=0.0))
        table = conform(clusters, CLUSTERS, what=f"the clusters of {self.name}")
        table.sort("score", reverse=True)
        return table

    @abc.abstractmethod
    def _cluster(self, score_map: np.ndarray) -> QTable: ...
