"""The table that compares localisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.evaluation.regions import REGIONS

_REGION_SUFFIXES = dict(zip(REGIONS, ("", "_b20", "_b10"), strict=True))


def completeness_columns(selections: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """Columns of completeness by region and selection.

    Parameters
    ----------
    selections : sequence of str
        Names of selections of bright sources.

    Returns
    -------
    dict of str to tuple of str
        Name of the region, and of the selection (empty for all sources), by column: those of all
        sources, then those of each selection.
    """
    return {
        f"completeness{region_suffix}{f'_flux{number}' if number else ''}": (region, selection)
        for number, selection in enumerate(["", *selections])
        for region, region_suffix in _REGION_SUFFIXES.items()
    }


def comparison_row(
    name: str, seconds: float, n_detections: int, metrics: Mapping[str, Any]
) -> dict:
    """Row of the table; what is not known is NaN."""
    regions, whole = metrics["at_purity"], metrics["at_purity"]["all"]
    row = {
        "localiser": name,
        "seconds": seconds,
        "n_detections": n_detections,
        "cut": whole["cut"],
        "purity": whole["purity"],
    }
    for column, (region, selection) in completeness_columns(list(whole["brighter"])).items():
        entry = regions[region]["brighter"][selection] if selection else regions[region]
        row[column] = entry["completeness"]
    row["completeness_lower"], row["completeness_upper"] = whole["completeness_68"]
    if "ts50" in whole:
        row["ts50"] = whole["ts50"]
    row["median_offset"] = metrics["offsets"]["all"]["median_deg"]
    return {key: np.nan if value is None else value for key, value in row.items()}


def comparison_table(rows: Sequence[Mapping], selections: Sequence[str], purity: float) -> QTable:
    """Table of the rows, with units and descriptions."""
    table = QTable({name: [row[name] for row in rows] for name in rows[0]})
    table["seconds"] = table["seconds"] * u.s
    table["median_offset"] = table["median_offset"] * u.deg
    descriptions = {
        "seconds": "Wall-clock time of the search",
        "n_detections": "Detections above the threshold of the localiser",
        "cut": f"Lowest score cut, whole sky, of a purity of {purity:g}",
        "purity": "Purity at the cut",
        "completeness_lower": "Low end of the 68 % interval of completeness",
        "completeness_upper": "High end of the 68 % interval of completeness",
        "ts50": "Expected TS at which half of the sources are found",
        "median_offset": "Median distance to the true source, of detections above the cut",
    }
    columns = completeness_columns(selections)
    for column, (region, selection) in columns.items():
        where = "" if region == "all" else f", {region}"
        which = selection or "all sources"
        descriptions[column] = f"Completeness at purity {purity:g}: {which}{where}"
    for name, text in descriptions.items():
        if name in table.colnames:
            table[name].info.description = text
    table.meta["completeness"] = {column: list(what) for column, what in columns.items()}
    return table
