"""Groups of measured sources in a folder: each appears whole, and is measured only once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.table import QTable

from gammafind.pipeline.rounds import kept


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of sources that are finished, in a folder or nowhere.

    Parameters
    ----------
    folder : Path or None
    settings : mapping
        Everything that determines the numbers; JSON.
    overwrite : bool
        Whether groups of other settings may be replaced.
    """

    folder: Path | None
    settings: Mapping[str, Any]
    overwrite: bool

    def found(self, i: int) -> QTable | None:
        """Table of a group that is finished."""

        def unfinished() -> QTable:
            raise LookupError

        try:
            return kept(self.folder, _name(i), self.settings, unfinished, overwrite=self.overwrite)
        except LookupError:
            return None

    def kept(self, i: int, table: QTable) -> QTable:
        """Keep a table of a group, and return it."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        return kept(self.folder, _name(i), self.settings, lambda: table, overwrite=self.overwrite)


def _name(i: int) -> str:
    return f"sources-{i:04d}"


def clear(folder: Path) -> None:
    """Remove the groups of a measurement that is complete."""
    shutil.rmtree(folder, ignore_errors=True)
