"""The rows of a catalogue as plain arrays, for figures and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.class_colours import class_colours
from gammafind.catalogue.columns import column_of, numbers_of, texts_of
from gammafind.catalogue.positions import map_positions, sky_positions
from gammafind.evaluation.numbers import Summary
from gammafind.sky.pixels import Pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The detections, and their comparison with the reference.

    Parameters
    ----------
    name, association, class_label : ndarray of str, shape (n,)
        Empty if not known.
    positions : SkyCoord, shape (n,)
        ICRS.
    score : ndarray, shape (n,)
        Scores of the localiser.
    matched : ndarray of bool, shape (n,), optional
        None without information about a reference.
    missed : SkyCoord
        Reference sources on the map that were not found.
    blended : ndarray of bool
        Which of them are within the match radius of a detection, which may hold both.
    class_colours : mapping of str to str
        Colours of the classes of the whole catalogue; empty if it has only one class.
    """

    name: np.ndarray
    association: np.ndarray
    class_label: np.ndarray
    positions: SkyCoord
    score: np.ndarray
    matched: np.ndarray | None
    missed: SkyCoord
    blended: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    class_colours: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.name)

    def select(self, chosen: np.ndarray) -> Rows:
        """Return the rows where ``chosen`` is true, with the same missed sources and colours."""
        names = ["name", "association", "class_label", "positions", "score"]
        names += [] if self.matched is None else ["matched"]
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def rows_of(
    catalogue: QTable,
    reference: QTable | None,
    summary: Summary,
    *,
    pixels: Pixels | None = None,
) -> Rows:
    """Combine a catalogue, its reference and their comparison.

    Without a reference the column of associations, where it is there, says what is matched.

    Parameters
    ----------
    catalogue : QTable
        Schema CATALOGUE, n rows.
    reference : QTable, optional
        The reference of ``summary``.
    summary : Summary
    pixels : Pixels, optional
        Pixels of the map; required if it has no celestial coordinates.

    Returns
    -------
    Rows
    """
    association = texts_of(catalogue, "association")
    matched = association != "" if column_of(catalogue, "association") else None
    missed = SkyCoord([], [], unit="deg")
    if reference is not None and summary.matches is not None:
        pairs = summary.matches
        matched = np.zeros(len(catalogue), dtype=bool)
        matched[pairs.a] = True
        association = np.full(len(catalogue), "", dtype=object)
        association[pairs.a] = texts_of(reference, "source_name")[pairs.b]
        lost = np.array(summary.footprint, dtype=bool)
        lost[pairs.b] = False
        missed = sky_positions(reference, what="the reference")[lost]
    positions = map_positions(catalogue, pixels, what="the catalogue")
    blended = np.zeros(len(missed), dtype=bool)
    if len(missed) and len(positions):
        blended = missed.match_to_catalog_sky(positions)[1] < summary.radius
    classes = texts_of(catalogue, "class_label")
    several = len(set(classes.tolist()) - {""}) > 1
    return Rows(
        name=texts_of(catalogue, "source_name"),
        association=association.astype(str),
        class_label=classes,
        positions=positions,
        score=numbers_of(catalogue, "score"),
        matched=matched,
        missed=missed,
        blended=blended,
        class_colours=class_colours(classes.tolist()) if several else {},
    )
