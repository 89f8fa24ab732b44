"""Columns of every table that passes between roles: names, units, types, UCDs."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import MaskedColumn, QTable
from astropy.units import Quantity
from astropy.utils.masked import Masked

from gammafind.catalogue.flags import described
from gammafind.errors import NewerSchemaWarning, TableError
from gammafind.units import FLUX, without_photons

SCHEMA = "schema"
"""Entry of the metadata of a catalogue that says by which schema its columns are named."""
SCHEMA_NAME = "gammafind catalogue"
SCHEMA_VERSION = 1
"""Version of the columns of a catalogue: it grows when one changes its name, unit or meaning."""


def schema_record() -> dict[str, Any]:
    """Entry `SCHEMA` of the metadata of a catalogue that is made now."""
    return {"name": SCHEMA_NAME, "version": SCHEMA_VERSION}


def check_schema(meta: Mapping[str, Any], *, what: str) -> None:
    """Warn of a catalogue that a later version of gammafind wrote.

    Parameters
    ----------
    meta : mapping
        Metadata of a table; those of others have no such entry.
    what : str
        Name of the table, for messages.

    Warns
    -----
    NewerSchemaWarning
        If columns may have changed since.
    """
    record = meta.get(SCHEMA)
    if not isinstance(record, Mapping) or record.get("name") != SCHEMA_NAME:
        return
    version = record.get("version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        text = f"{what} has version {version} of the schema, and this gammafind reads version "
        text += f"{SCHEMA_VERSION}: columns may have another meaning; install a later gammafind"
        warnings.warn(text, NewerSchemaWarning, stacklevel=4)


@dataclass(frozen=True)
class Column:
    """One column of a schema.

    Parameters
    ----------
    name : str
    unit : str
        Empty for none.
    ucd : str
        IVOA unified content descriptor.
    description : str
    dtype : str
        Numpy type.
    required : bool
        False where a plugin may leave it out.
    holds : str
        Of a published column, what it holds: a column of the detections, or one of those that
        `gammafind.catalogue.publish.publish` adds; empty where that is its own name.
    axes : tuple of str
        Of the value of one row: ``"band"``, ``"epoch"``, or ``"bound"`` for errors below and above;
        empty for a single number. Axes of one name have one size in all columns of a table.
    """

    name: str
    unit: str
    ucd: str
    description: str
    dtype: str = "f8"
    required: bool = True
    holds: str = ""
    axes: tuple[str, ...] = ()

    @property
    def quantity(self) -> str:
        """What the column holds."""
        return self.holds or self.name


_optional = partial(Column, required=False)


def _named(name: str, column: Column, **changes: Any) -> Column:
    """Column of a catalogue that holds a column of the detections, under a name of its own."""
    return replace(column, name=name, holds=column.name, **changes)


_POSITION = (
    Column("ra", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS)"),
    Column("dec", "deg", "pos.eq.dec;meta.main", "Declination (ICRS)"),
)
_GALACTIC = (
    _optional("glon", "deg", "pos.galactic.lon", "Galactic longitude"),
    _optional("glat", "deg", "pos.galactic.lat", "Galactic latitude"),
)
_SCORE = Column("score", "", "stat.likelihood", "Score of the localiser", required=True)
_POSITION_ERROR = _optional(
    "pos_err", "deg", "stat.error;pos", "Radius that holds the true position at 68 %"
)
_TS = _optional("ts", "", "stat.likelihood", "Test statistic: 2 ln of the likelihood ratio")
_COUNTS = _optional("npred", "", "phot.count", "Fitted counts of the source")
_TRUE_FLUX = Column("flux", "cm-2 s-1", "phot.flux", "Photon flux in all bands together")
_FLUX = replace(_TRUE_FLUX, required=False)
FLUX_ERROR = _optional("flux_err", "cm-2 s-1", "stat.error;phot.flux", "1 sigma error of flux")
"""Error of the measured flux."""
CLASS_LABEL = _optional(
    "class_label", "", "meta.code.class;src.class", "Class or group of classes", "U"
)
"""Class, or group of classes, that a classifier names."""
ASSOCIATION = _optional(
    "association", "", "meta.id.cross", "Matched source of the reference catalogue", "U"
)
"""Name of the matched source."""
_TS_EXTENSION = _optional(
    "ts_ext", "", "stat.likelihood", "2 ln of the likelihood ratio of an extended source to a point"
)
_EXTENSION = _optional(
    "extension", "deg", "phys.angSize", "Radius that contains 68 % of the source; 0 for a point"
)
_EXTENSION_ERROR = _optional(
    "extension_err", "deg", "stat.error;phys.angSize", "1 sigma error of the radius"
)
_EXTENDED_NAME = _optional(
    "extended_name", "", "meta.id", "Extended source whose position and shape are given", "U"
)
_FLAGS = _optional("flags", "", "meta.code.qual", f"Flags, bitwise; {described()}", "i8")
_N_PIXELS = _optional("n_pixels", "", "meta.number", "Pixels of the cluster", "i8")

SOURCES = (
    Column("name", "", "meta.id;meta.main", "Name of the source", "U"),
    *_POSITION,
    Column("class_label", "", "meta.code.class;src.class", "True class", "U"),
    _TRUE_FLUX,
)
"""True sources, as a SourcePopulation returns them."""

CLUSTERS = (
    Column("x", "pix", "pos.cartesian.x;instr.det", "Column of the peak, 0 at a pixel centre"),
    Column("y", "pix", "pos.cartesian.y;instr.det", "Row of the peak, 0 at a pixel centre"),
    Column("score", "", "stat.value", "Score at the peak"),
    Column("n_pixels", "", "meta.number", "Pixels of the cluster", "i8"),
)
"""Clusters of one score map, as a Clusterer returns them."""

PATCH_DETECTIONS = (
    Column("patch", "", "meta.id;obs.field", "Index of the patch", "i8"),
    *CLUSTERS[:2],
    _SCORE,
    _POSITION_ERROR,
    _N_PIXELS,
)
"""Detections in the pixels of patches, as `Localiser.localise` returns them."""

_IN_IMAGE = tuple(
    _optional(
        axis, "pix", f"pos.cartesian.{axis};instr.det",
        f"{name} in the image, 0 at the centre of the first pixel",
    )
    for axis, name in (("x", "Column"), ("y", "Row"))
)  # fmt: skip

DETECTIONS = (
    *_POSITION,
    *_GALACTIC,
    *_IN_IMAGE,
    _SCORE,
    _POSITION_ERROR,
    _TS,
    _COUNTS,
    _FLUX,
    FLUX_ERROR,
    _TS_EXTENSION,
    _EXTENSION,
    _EXTENSION_ERROR,
    _EXTENDED_NAME,
    _FLAGS,
    _N_PIXELS,
)
"""Detections on the sky, each source once, as `Localiser.localise_sky` returns them."""

SHARED = (
    Column(
        "Source_Name", "", "meta.id;meta.main", "Name after the position (J2000)", "U",
        holds="source_name",
    ),
    *map(_named, ("RAJ2000", "DEJ2000"), _POSITION),
    _named("GLON", _GALACTIC[0], required=True),
    _named("GLAT", _GALACTIC[1], required=True),
    *_IN_IMAGE,
    *(
        _optional(
            f"Conf_{share}_SemiMajor", "deg", "stat.error;pos",
            f"{share} % position error, radius", holds=f"r{share}",
        )
        for share in (68, 95)
    ),
    Column("Score", "", "stat.value", "Score of the localiser", holds="score"),
)  # fmt: skip
"""Columns with which the catalogue of every instrument begins."""

FLAGS = _named("Flags", _FLAGS)
"""Flags of a published row, bitwise."""

CATALOGUE = (
    *SHARED,
    _named("TS", _TS),
    _optional("Significance", "", "stat.snr", "Square root of TS", holds="significance"),
    _named("Counts", _COUNTS),
    _named("Flux", _FLUX),
    _named("Unc_Flux", FLUX_ERROR, description="1 sigma error of Flux"),
    _named("TS_ext", _TS_EXTENSION),
    _named("Extension", _EXTENSION),
    _named("Extension_err", _EXTENSION_ERROR),
    _named("Extended_Source_Name", _EXTENDED_NAME),
    FLAGS,
    _named("Class", CLASS_LABEL),
    _named("Association", ASSOCIATION),
)
"""The catalogue of an instrument that names no columns of its own."""

_ON_SKY = ("ra", "dec", "glon", "glat")
_FLUXES = ("flux", "flux_err")


def in_pixels(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Columns of the catalogue of an image that has no celestial coordinates.

    Parameters
    ----------
    columns : iterable of Column
        Of the catalogue of an image that has them.
    """
    changes = {
        "source_name": {"description": "Name after the place in the image"},
        "x": {"required": True},
        "y": {"required": True},
    }
    return tuple(
        replace(column, **changes.get(column.quantity, {}))
        for column in columns
        if column.quantity not in _ON_SKY
    )


def in_flux_unit(columns: Iterable[Column], unit: u.UnitBase | str) -> tuple[Column, ...]:
    """Columns of which ``flux`` and ``flux_err`` are in the unit of another instrument.

    Parameters
    ----------
    columns : iterable of Column
        Their fluxes are photon fluxes in cm-2 s-1.
    unit : unit
    """
    unit = u.Unit(unit)
    if unit == FLUX:
        return tuple(columns)
    ucd = "phot.flux.density" if unit.is_equivalent(u.Jy) else "phot.flux"
    return tuple(
        replace(
            column,
            unit=unit.to_string(),
            ucd=column.ucd.replace("phot.flux", ucd),
            description=column.description.replace("Photon flux", "Flux"),
        )
        if column.quantity in _FLUXES
        else column
        for column in columns
    )


def empty_table(schema: Iterable[Column], sizes: Mapping[str, int] | None = None) -> QTable:
    """Table without rows, with every column of ``schema``.

    Parameters
    ----------
    schema : iterable of Column
    sizes : mapping of str to int, optional
        Of each axis of columns that hold several numbers a row, such as ``{"band": 6}``; 2 for
        ``"bound"``, and 0 for those that are not named.
    """
    sizes = {"bound": 2, **(sizes or {})}
    table = QTable()
    for column in schema:
        shape = (0, *(sizes.get(axis, 0) for axis in column.axes))
        values = np.zeros(shape, dtype="U1" if column.dtype == "U" else column.dtype)
        _set(table, column, values * u.Unit(column.unit) if column.unit else values)
    return table


def conform(table: QTable, schema: Iterable[Column], *, what: str) -> QTable:
    """Check a table against a schema; return it in the schema's order, units and labels.

    Columns that the schema does not name are kept, behind the others. Missing numbers become
    NaN and missing text becomes empty.

    Parameters
    ----------
    table : QTable
    schema : iterable of Column
    what : str
        What the table is and who made it, for messages.

    Raises
    ------
    TableError
        If a required column is missing, a unit or type does not convert, an integer has no
        value, or a column has other axes than the schema names.
    """
    schema = tuple(schema)
    missing = [c.name for c in schema if c.required and c.name not in table.colnames]
    if missing:
        raise TableError(
            f"{what} lacks the column {', '.join(missing)}",
            remedy=f"It has {', '.join(table.colnames) or 'none'}.",
        )
    checked = QTable(meta=dict(table.meta))
    for column in schema:
        if column.name in table.colnames:
            _set(checked, column, _convert(table[column.name], column, what))
    _check_axes(checked, schema, what)
    for name in table.colnames:
        if name not in checked.colnames:
            checked[name] = table[name]
    return checked


def _check_axes(table: QTable, schema: Iterable[Column], what: str) -> None:
    """Check the number of axes of all columns, and that axes of one name have one size."""
    sizes: dict[str, tuple[str, int]] = {}
    for column in [one for one in schema if one.axes and one.name in table.colnames]:
        shape = np.shape(table[column.name])[1:]
        if len(shape) != len(column.axes):
            raise TableError(
                f"{what}: column {column.name} has rows of shape {shape}, and its axes are "
                f"{' and '.join(column.axes)}"
            )
        for axis, size in zip(column.axes, shape, strict=True):
            first, known = sizes.setdefault(axis, (column.name, size))
            if size != known:
                raise TableError(
                    f"{what}: {first} has {known} values along the axis {axis}, "
                    f"{column.name} has {size}"
                )


def _convert(values: object, column: Column, what: str) -> object:
    values, missing = _unmasked(values)
    if column.dtype == "U":
        text = np.array(values, dtype=str)
        text[missing] = ""
        return text
    try:
        quantity = Quantity(values, dtype=column.dtype)
        # Fermi catalogues count photons in a unit of their own; here a photon is a number.
        plain = Quantity(quantity.value, without_photons(quantity.unit))
        converted = plain.to_value(u.Unit(column.unit))
    except (u.UnitConversionError, TypeError, ValueError) as error:
        raise TableError(
            f"{what}: column {column.name} does not convert to "
            f"{column.unit or 'a plain number'} ({error})"
        ) from None
    converted = np.array(converted, dtype=column.dtype)
    if np.any(missing):
        if column.dtype != "f8":
            raise TableError(f"{what}: column {column.name} has rows without a value")
        converted[missing] = np.nan
    return converted * u.Unit(column.unit) if column.unit else converted


def _unmasked(values: object) -> tuple[object, np.ndarray]:
    """Values, including those under the mask, and the mask."""
    if isinstance(values, Masked | MaskedColumn):
        unit, mask = getattr(values, "unit", None), np.array(values.mask)
        values = values.unmasked if isinstance(values, Masked) else values.data.data
        return (values if unit is None else Quantity(values, unit)), mask
    return values, np.zeros(np.shape(values), dtype=bool)


def _set(table: QTable, column: Column, values: object) -> None:
    table[column.name] = values
    table[column.name].info.description = column.description
    table[column.name].info.meta = {"ucd": column.ucd}
