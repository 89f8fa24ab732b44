"""Tables as VOTable: metadata in INFO elements."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

from astropy.io import votable
from astropy.io.votable.exceptions import W03
from astropy.io.votable.tree import Info
from astropy.table import QTable, Table
from astropy.units import UnitsWarning

from gammafind.catalogue.formats.repeated import check_repeated
from gammafind.catalogue.formats.text import read_bytes
from gammafind.catalogue.formats.votable_claims import check_votable
from gammafind.catalogue.position_columns import position_columns
from gammafind.errors import FileFormatError, TableError


def write_votable(table: QTable, path: Path) -> None:
    """Write a table as VOTable 1.4; each entry of the metadata is an INFO with JSON as value.

    Raises
    ------
    TableError
        If VOTable does not know a unit, or a column has several axes per row, which astropy cannot
        read back in the same order.
    """
    deep = [name for name in table.colnames if table[name].ndim > 2]
    if deep:
        raise TableError(
            f"columns have several axes per row: {', '.join(deep)}", remedy="Write .ecsv or .fits."
        )
    plain = QTable(table, copy=True)
    plain.meta = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", W03)  # a name such as prob_PWN+SNR gets an ID
            warnings.filterwarnings("ignore", ".*deprecated", UnitsWarning)  # erg
            file = votable.from_table(plain)
            file.resources[0].infos.extend(
                Info(name=key, value=json.dumps(value)) for key, value in table.meta.items()
            )
            file.to_xml(str(path))
            votable.parse(path, verify="exception")
    except (Warning, ValueError, TypeError) as error:
        raise TableError(
            f"the table cannot be written as VOTable ({error})", remedy="Write .ecsv or .fits."
        ) from None


def read_votable(path: Path) -> Table:
    """Read a table of a VOTable: the first with positions or, where none has them, the first.

    Raises
    ------
    FileFormatError
        If the file contains no table, or only the address of one.
    """
    content = read_bytes(path)
    check_votable(content, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = votable.parse(io.BytesIO(content), verify="ignore")
        found = list(file.iter_tables())
        tables = [one.to_table(use_names_over_ids=True) for one in found]
        if not tables:
            raise FileFormatError("the VOTable contains no table", path=path)
        at = next((i for i, one in enumerate(tables) if position_columns(one)), 0)
        table = tables[at]
        check_repeated([str(field.name or field.ID) for field in found[at].fields], path)
    infos = [info for resource in file.resources for info in resource.infos]
    table.meta = {info.name: _value(info.value) for info in infos}
    return table


def _value(text: str) -> Any:
    """Value of a JSON text, or the text itself if it is not JSON."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
