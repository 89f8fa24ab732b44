"""What injection and recovery gives: the sources with what was found, and the completeness."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from astropy.units import Quantity

from gammafind.catalogue.io import write_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.utils.files import atomic_output

SOURCES, COMPLETENESS = "injected.ecsv", "completeness.ecsv"
"""Names of the files of a folder."""
_MEASURED = {"ts": "found_ts", "flux": "found_flux", "flux_err": "found_flux_err"}
"""Columns of the detection that found a source, by those of detections."""
_TEXTS = {
    "round": "Search in which the source was injected",
    "index": "Photon index",
    "found": "Whether a detection at or above the cut is matched to it",
    "score": "Score of that detection",
    "separation": "Distance of that detection",
    "to_real": "Distance of the nearest source of the sky without injections",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Injected:
    """What `gammafind.inject` measured.

    Attributes
    ----------
    sources : QTable
        One row an injected source: ``name, ra, dec, glon, glat, flux, index, round``, whether it
        was ``found``, and ``score``, position, flux and ``separation`` of the detection.
        ``to_real`` is the distance of the nearest source that is found without injections.
    completeness : QTable
        One row a bin of flux, ``|b|`` and index: numbers, completeness and its 68 % interval. See
        `gammafind.evaluation.completeness.completeness_table`.
    """

    sources: QTable
    completeness: QTable

    def __len__(self) -> int:
        return len(self.sources)

    def __repr__(self) -> str:
        return f"<Injected: {self.text()}>"

    def text(self) -> str:
        """One sentence: how many sources, of how many rounds, how many of them found."""
        n, rounds = len(self.sources), self.sources.meta["rounds"]
        found = int(np.sum(self.sources["found"]))
        per = self.sources.meta["per_round"]
        return (
            f"{found} of {n} injected sources found in {rounds} round{'' if rounds == 1 else 's'} "
            f"of up to {per}, at {self.sources.meta['score_name']} >= "
            f"{self.sources.meta['min_score']:g}"
        )

    def write(self, folder: str | PathLike, *, overwrite: bool = False) -> tuple[Path, ...]:
        """Write both tables to a folder that exists.

        Parameters
        ----------
        folder : path-like
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        tuple of Path

        Raises
        ------
        OutputError
            If a file exists and may not be replaced, or cannot be written.
        """
        paths = Path(folder) / SOURCES, Path(folder) / COMPLETENESS
        with atomic_output(paths[0], overwrite) as one, atomic_output(paths[1], overwrite) as two:
            write_table(self.sources, one)
            write_table(self.completeness, two)
        return paths


def recovered(
    sources: QTable, detections: QTable, known: QTable, *, radius: Quantity, index: int
) -> QTable:
    """Add to injected sources what was found of them.

    Parameters
    ----------
    sources : QTable
        Injected in one round, n rows.
    detections : QTable
        At or above the cut, on the sky with these sources.
    known : QTable
        Detections on the sky without them.
    radius : Quantity
        Largest separation of a pair.
    index : int
        Number of the round.

    Returns
    -------
    QTable
        The sources, n rows.

    Notes
    -----
    The detections are matched one to one with injected sources and ``known`` ones together, so that
    a source of the sky is not taken for an injected one. A source that merges with a brighter one
    is not found.
    """
    table = sources["name", "ra", "dec", "glon", "glat", "flux", "index"]
    table["name"] = [f"R{index:04d}-{name}" for name in table["name"]]
    table["round"] = np.full(len(table), index)
    places = sky_positions(table)
    found_at, there = (_positions(one) for one in (detections, known))
    everything = SkyCoord([places.icrs, there.icrs]) if len(there) else places.icrs
    pairs = match_one_to_one(found_at, everything, radius)
    ours = pairs.b < len(table)
    row, detection = pairs.b[ours], pairs.a[ours]
    table["found"] = np.isin(np.arange(len(table)), row)
    empty = np.full(len(table), np.nan)
    table["score"] = _placed(empty, row, np.asarray(detections["score"], float)[detection])
    for axis, values in (("ra", found_at.icrs.ra.deg), ("dec", found_at.icrs.dec.deg)):
        table[f"found_{axis}"] = _placed(empty, row, values[detection]) * u.deg
    table["separation"] = _placed(empty, row, pairs.separation[ours].to_value(u.deg)) * u.deg
    for name, ours_name in _MEASURED.items():
        if name in detections.colnames:
            column = detections[name]
            unit = getattr(column, "unit", None) or u.dimensionless_unscaled
            values = _placed(empty, row, np.asarray(getattr(column, "value", column))[detection])
            table[ours_name] = values if unit == u.dimensionless_unscaled else values * unit
    nearest = empty * u.deg
    if len(there):
        nearest = places.icrs.match_to_catalog_sky(there.icrs)[1].to(u.deg)
    table["to_real"] = nearest
    for name, text in _TEXTS.items():
        table[name].info.description = text
    return table


def joined(tables: list[QTable]) -> QTable:
    """Tables of all rounds in one; a column that a round lacks is NaN there."""
    bare = [QTable(table, copy=True) for table in tables]
    for table in bare:
        table.meta = {}
    joint = vstack(bare, join_type="outer")
    return QTable(joint.filled(np.nan)) if joint.has_masked_columns else joint


def _positions(table: QTable) -> SkyCoord:
    if not len(table):
        return SkyCoord([], [], unit="deg", frame="icrs")
    return sky_positions(table, what="the table of detections")


def _placed(empty: np.ndarray, row: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values in some rows, NaN in all others."""
    column = empty.copy()
    column[row] = values
    return column
