"""Rounds of a long measurement in a folder: each appears whole, and is made only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from astropy.table import QTable

from gammafind.catalogue.io import read_table, write_table
from gammafind.errors import OutputError

_SETTINGS = "settings"


def kept(
    folder: Path | None,
    name: str,
    settings: Mapping[str, Any],
    make: Callable[[], QTable],
    *,
    overwrite: bool = False,
) -> QTable:
    """Read a table of a folder, or make it and write it there.

    Parameters
    ----------
    folder : Path or None
        None for nowhere: the table is made.
    name : str
        Of the table, without its suffix.
    settings : mapping
        Everything that determines it; JSON.
    make : callable
    overwrite : bool
        Whether a table of other settings may be replaced.

    Raises
    ------
    OutputError
        If the table that is there was made with other settings.
    """
    if folder is None:
        return make()
    path, wanted = folder / f"{name}.ecsv", json.loads(json.dumps(settings))
    if path.exists():
        there = read_table(path)
        made_with = there.meta.get(_SETTINGS)
        if made_with == wanted:
            return there
        if not overwrite:
            known = made_with if isinstance(made_with, dict) else {}
            different = sorted(
                str(key) for key in {*wanted, *known} if wanted.get(key) != known.get(key)
            )
            raise OutputError(
                f"was made with other settings: {', '.join(different)}",
                path=path,
                remedy="Choose another folder, or replace it with --overwrite (overwrite in "
                "Python).",
            )
    table = make()
    table.meta[_SETTINGS] = wanted
    write_table(table, path, overwrite=True)
    return table
