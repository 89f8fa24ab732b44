"""Tables as FITS: UCDs in TUCD cards, descriptions in TCOMM cards, metadata in an extension."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.units import UnitsWarning

from gammafind.catalogue.columns import column_of
from gammafind.catalogue.formats.lat_layout import (
    FILLER,
    FORM,
    FORM_WIDTH,
    MAIN,
    PHOTONS,
    fillers,
    further_hdus,
    has_lat_layout,
    label_as_lat,
)
from gammafind.catalogue.formats.repeated import check_repeated
from gammafind.catalogue.position_columns import position_columns
from gammafind.errors import FileFormatError, TableError
from gammafind.sky.fits.opening import open_fits
from gammafind.units import without_photons

_METADATA = "METADATA"
_COLUMN_CARD = re.compile(r"T[A-Z]+[0-9]+")


def write_fits(table: QTable, path: Path) -> None:
    """Write a table as FITS, gzipped if the path ends in ``.gz``.

    The first extension is the table. The extension METADATA has one row of KEY and VALUE for each
    entry of the metadata, in JSON. A catalogue with the names of the LAT has the layout of the
    catalogues of the LAT, with the extensions that stand next to them.
    """
    more = []
    if has_lat_layout(table):
        hdu, more = _lat_hdu(table), further_hdus(table)
    else:
        hdu = _table_hdu(table)
    fits.HDUList([fits.PrimaryHDU(), hdu, *more, _metadata_hdu(table.meta)]).writeto(path)


def read_fits(path: Path) -> Table:
    """Read a table of a FITS file: the first that looks most like a catalogue.

    Tables with positions, names and fluxes go before others: a file may begin with good times or
    with regions.

    Raises
    ------
    TruncatedFileError
        If the file ends early.
    FileFormatError
        If it is not FITS or contains no table.
    """
    with open_fits(path, what="a FITS file with a table") as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        catalogues = [hdu for hdu in tables if hdu.name != _METADATA]
        if not catalogues:
            raise FileFormatError("the FITS file contains no table", path=path)
        hdu = max(catalogues, key=_likeness)
        check_repeated(hdu.columns.names, path)
        table = Table.read(
            hdu, character_as_bytes=False, mask_invalid=False, unit_parse_strict="silent"
        )
        _label(table, hdu.header)
        metadata = [other for other in tables if other.name == _METADATA]
        if metadata:
            table.meta = _metadata(metadata[0])
            return _as_before(table, hdu.header) if hdu.name.upper() == MAIN.upper() else table
        table.meta = _keywords(table.meta)
        return table


def _as_before(table: Table, header: fits.Header) -> Table:
    """Catalogue of our own as it was before it got the layout of those of the LAT."""
    for number, name in enumerate(table.colnames, start=1):
        key = f"TUNIT{number}"
        if key in header and header.comments[key] == PHOTONS:
            table[name].unit = without_photons(table[name].unit)
    table.remove_columns(
        [name for name in table.colnames if table[name].info.description == FILLER]
    )
    return table


def _likeness(hdu: fits.BinTableHDU | fits.TableHDU) -> tuple[bool, bool, bool]:
    """Whether a table has positions, names of sources, and fluxes."""
    names = QTable({name: [0.0] for name in dict.fromkeys(hdu.columns.names)})
    quantities = ("source_name", "flux")
    return position_columns(names) is not None, *(
        column_of(names, quantity) is not None for quantity in quantities
    )


def _table_hdu(table: QTable) -> fits.BinTableHDU:
    plain = QTable(table, copy=True)
    plain.meta = {}
    for name in plain.colnames:
        plain[name].info.description = None
        plain[name].info.meta = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnitsWarning)
            hdu = fits.table_to_hdu(plain)
    except (UnitsWarning, UnicodeEncodeError, ValueError) as error:
        raise TableError(
            f"the table cannot be written as FITS ({error})", remedy="Write .ecsv or .vot."
        ) from None
    hdu.name = "CATALOGUE"
    for number, name in enumerate(table.colnames, start=1):
        info = table[name].info
        _card(hdu.header, f"TUCD{number}", (info.meta or {}).get("ucd"), f"TTYPE{number}")
        _card(hdu.header, f"TCOMM{number}", info.description, f"TTYPE{number}")
    return hdu


def _lat_hdu(table: QTable) -> fits.BinTableHDU:
    """HDU of a catalogue with all columns that readers of those of the LAT need."""
    whole, added = QTable(table, copy=False), fillers(table)
    for name in added.colnames:
        whole[name] = added[name]
        whole[name].info.description = FILLER
    if FORM in whole.colnames:
        labels = whole[FORM].info.description, whole[FORM].info.meta
        whole[FORM] = np.asarray(whole[FORM]).astype(f"U{FORM_WIDTH}")
        whole[FORM].info.description, whole[FORM].info.meta = labels
    hdu = _table_hdu(whole)
    label_as_lat(hdu, whole)
    return hdu


def _card(header: fits.Header, keyword: str, value: str | None, after: str) -> None:
    """Insert a card after another, if there is a value."""
    if value:
        try:
            header.set(keyword, value, after=after)
        except ValueError as error:
            raise TableError(f"{keyword} cannot be written as FITS ({error})") from None


def _label(table: QTable, header: fits.Header) -> None:
    """Set the UCD and the description of each column."""
    for number, name in enumerate(table.colnames, start=1):
        info = table[name].info
        if header.get(f"TUCD{number}"):
            info.meta = {"ucd": header[f"TUCD{number}"]}
        info.description = header.get(f"TCOMM{number}", info.description)


def _metadata_hdu(meta: dict[str, Any]) -> fits.BinTableHDU:
    keys = [json.dumps(key)[1:-1] for key in meta]
    values = [json.dumps(value) for value in meta.values()]
    rows = Table({"KEY": keys, "VALUE": values}, dtype=("U", "U"))
    hdu = fits.table_to_hdu(rows)
    hdu.name = _METADATA
    return hdu


def _metadata(hdu: fits.BinTableHDU) -> dict[str, Any]:
    if not {"KEY", "VALUE"} <= set(hdu.columns.names):
        raise FileFormatError(f"the extension {_METADATA} lacks the columns KEY and VALUE")
    rows = zip(hdu.data["KEY"], hdu.data["VALUE"], strict=True)
    return {json.loads(f'"{key}"'): json.loads(value) for key, value in rows}


def _keywords(meta: dict[str, Any]) -> dict[str, Any]:
    """Metadata from the header of a foreign table, without the keywords of the FITS format."""
    return {
        key: value
        for key, value in meta.items()
        if isinstance(value, str | bool | int | float) and not _COLUMN_CARD.fullmatch(key)
    }
