"""Tables as VOTable: metadata in INFO elements."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

from astropy.io import votable
from astropy.io.votable.exceptions import W03
from astropy.io.votable.tree import CooSys, Info, VOTableFile
from astropy.table import QTable, Table
from astropy.units import UnitsWarning

from gammafind.catalogue.formats.repeated import check_repeated
from gammafind.catalogue.formats.text import read_bytes
from gammafind.catalogue.formats.votable_claims import check_votable
from gammafind.catalogue.position_columns import position_columns
from gammafind.errors import FileFormatError, TableError

_UTYPES = {
    "pos.eq.ra;meta.main": "stc:AstroCoords.Position2D.Value2.C1",
    "pos.eq.dec;meta.main": "stc:AstroCoords.Position2D.Value2.C2",
}
"""Utypes of the positions by UCD (IVOA note Referencing STC in VOTable, version 2.0)."""


def write_votable(table: QTable, path: Path) -> None:
    """Write a table as VOTable 1.4; each entry of the metadata is an INFO with JSON as value.

    Raises
    ------
    TableError
        If VOTable does not know a unit.
    """
    plain = QTable(table, copy=True)
    plain.meta = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", W03)  # a name such as prob_PWN+SNR gets an ID
            warnings.filterwarnings("ignore", ".*deprecated", UnitsWarning)  # erg
            file = votable.from_table(plain)
            _order_axes(file, plain)
            _state_frame(file)
            file.resources[0].infos.extend(
                Info(name=key, value=json.dumps(value)) for key, value in table.meta.items()
            )
            file.to_xml(str(path))
            votable.parse(path, verify="exception")
    except (Warning, ValueError, TypeError) as error:
        raise TableError(
            f"the table cannot be written as VOTable ({error})", remedy="Write .ecsv or .fits."
        ) from None


def _order_axes(file: VOTableFile, table: QTable) -> None:
    """State the sizes of several axes per row with the fastest first, as VOTable wants them."""
    for field in file.get_first_table().fields:
        if table[field.name].ndim > 2:
            field.arraysize = "x".join(map(str, reversed(table[field.name].shape[1:])))


def _state_frame(file: VOTableFile) -> None:
    """State that positions are ICRS, and which fields are the positions, by their utypes."""
    fields = file.get_first_table().fields
    found = [(one, _UTYPES[one.ucd]) for one in fields if one.ucd in _UTYPES]
    if found:
        frame = CooSys(ID="icrs", system="ICRS")
        file.resources[0].coordinate_systems.append(frame)
        for field, utype in found:
            field.utype, field.ref = utype, frame.ID


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
