"""Extended sources of a table: their shapes, and the points that stand for those not round."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.units import Quantity
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area

from gammafind.catalogue.columns import checked_numbers, numbers, texts_of
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import CoordinateSystemError, InputDataError, OptionError, TableError
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.projection import unit_vectors
from gammafind.sky.shapes import Shape, shape_points

_MAX_POINTS = 10_000
"""Points of a map: pixels of larger maps are joined."""
_DEFAULTS = {
    "extension_inner": 0.0,
    "extension_ratio": 1.0,
    "extension_angle": 0.0,
}
_REMEDY = (
    "extension_model is empty for a point source, or disc, ring, gaussian or map; "
    "extension_radius and extension_inner are in degrees, extension_map is a FITS image."
)


EDGE_OF_GAUSSIAN = 1.5
"""Radius in which points are on a Gaussian, in units of r68: it holds 92 % of the counts."""
_OWN_NAMES = {"shape": "extension_model", "radius": "extension_radius", "map": "extension_map"}
"""Short names of columns in tables that people make, and those used here."""
_COPIED = ("extension_model", "extension_radius", *_DEFAULTS, "extension_map")


def extended_sources(table: QTable) -> QTable:
    """Sources of a catalogue that are extended.

    Parameters
    ----------
    table : QTable
        With positions and the columns of `layout_of`; ``shape``, ``radius`` and ``map`` may stand
        for ``extension_model``, ``extension_radius`` and ``extension_map``. Where there is a map
        and no shape, the shape is the map.

    Returns
    -------
    QTable
        ``name``, ``ra``, ``dec`` and the columns ``extension_*``; the name is that of the extended
        source, where the table has it.

    Raises
    ------
    TableError
        If the table has no positions or no shapes.
    """
    table = QTable(table, copy=False)
    for short, name in _OWN_NAMES.items():
        if short in table.colnames and name not in table.colnames:
            table.rename_column(short, name)
    if "extension_model" not in table.colnames:
        if "extension_map" not in table.colnames:
            raise TableError("the table of extended sources has no shapes", remedy=_REMEDY)
        table["extension_model"] = "map"
    models = np.char.lower(np.char.strip(np.asarray(table["extension_model"], dtype=str)))
    rows = np.flatnonzero(models != "")
    chosen, places = table[rows], sky_positions(table[rows], what="the table of extended sources")
    found = QTable({"name": _names(chosen), "ra": places.ra, "dec": places.dec})
    for name in _COPIED:
        if name in chosen.colnames:
            found[name] = chosen[name]
    found["extension_model"] = np.where(models[rows] == "disk", "disc", models[rows])
    return found


def on_extended(positions: SkyCoord, sources: QTable, margin: Quantity) -> np.ndarray:
    """Whether positions are on extended sources, or within a margin of them, shape (n,).

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
    sources : QTable
        From `extended_sources`; those that are maps have no radius and are left out.
    margin : Quantity
        An angle.
    """
    found = np.zeros(len(positions), dtype=bool)
    if "extension_radius" not in sources.colnames:
        return found
    for place, model, radius in zip(
        SkyCoord(sources["ra"], sources["dec"]),
        sources["extension_model"],
        numbers(sources, "extension_radius", u.deg),
        strict=True,
    ):
        edge = radius * (EDGE_OF_GAUSSIAN if model == "gaussian" else 1) * u.deg
        found |= positions.separation(place) < edge + margin
    return found


def _names(table: QTable) -> np.ndarray:
    """Name of the extended source of each row, or that of the row, or its number."""
    names = np.array([f"extended {i + 1}" for i in range(len(table))], dtype=object)
    for found in (texts_of(table, "source_name"), texts_of(table, "Extended_Source_Name")):
        names[found != ""] = found[found != ""]
    return names.astype(str)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the counts of the sources of a table come from.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Source of each point.
    vectors : ndarray, shape (m, 3)
        Galactic unit vectors of the points.
    shares : ndarray, shape (m,)
        Share of the counts of its source in each point.
    centres : ndarray, shape (n, 3)
        Galactic unit vectors of the sources.
    round : dict of int to Shape
        Sources that are no points, but round.
    """

    rows: np.ndarray
    vectors: np.ndarray
    shares: np.ndarray
    centres: np.ndarray
    round: dict[int, Shape]


def layout_of(sources: QTable) -> Layout:
    """Divide sources into points and round shapes.

    Parameters
    ----------
    sources : QTable
        Without the column ``extension_model``, or with an empty one, sources are points. The
        columns ``extension_radius``, ``extension_inner`` (of a ring), ``extension_ratio`` and
        ``extension_angle`` are those of `~gammafind.sky.shapes.Shape`, in degrees;
        ``extension_map`` is the path of a FITS image, at whose place the source is.

    Raises
    ------
    TableError
        If a column is missing or a shape is impossible.
    InputFileError
        If a map cannot be used.
    """
    places = sky_positions(sources, what="the table of sources")
    centres = unit_vectors(places.galactic.l.deg, places.galactic.b.deg).reshape(-1, 3)
    if "extension_model" not in sources.colnames:
        return Layout(np.arange(len(sources)), centres, np.ones(len(sources)), centres, {})
    models = np.char.strip(np.asarray(sources["extension_model"], dtype=str))
    is_point = models == ""
    rows, vectors = [np.flatnonzero(is_point)], [centres[is_point]]
    shares, shapes = [np.ones(is_point.sum())], {}
    for row in np.flatnonzero(~is_point).tolist():
        if models[row] == "map":
            at, share = map_points(_map_path(sources, row))
        else:
            shape = _shape(sources, row, str(models[row]))
            if shape.is_round:
                shapes[row] = shape
                continue
            at, share = _at_offsets(places[row], shape)
        rows.append(np.full(len(at), row))
        vectors.append(at)
        shares.append(share)
    points = (np.concatenate(parts) for parts in (rows, vectors, shares))
    return Layout(*points, centres, shapes)


@lru_cache(maxsize=128)
def map_points(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of an image as points: Galactic unit vectors, and shares, which add up to one.

    Raises
    ------
    CoordinateSystemError
        If the image has no celestial coordinates.
    InputDataError
        If a value is negative or not finite, or all are zero.
    InputFileError
        If the file cannot be read.
    """
    with open_fits(path, what="a FITS image of an extended source") as file:
        images = [hdu for hdu in file if hdu.is_image and hdu.header.get("NAXIS", 0) >= 2]
        if not images:
            raise InputDataError("the file has no image", path=path)
        image, wcs = _plane(images[0]), WCS(images[0].header).celestial
    if not wcs.has_celestial:
        raise CoordinateSystemError("the image has no celestial coordinates", path=path)
    if not np.all(np.isfinite(image) & (image >= 0)) or not image.any():
        raise InputDataError("the image has negative values, NaN, or only zeros", path=path)
    block = int(np.ceil(np.sqrt(max(1, np.count_nonzero(image) / _MAX_POINTS))))
    y, x = np.nonzero(image)
    values = image[y, x] * proj_plane_pixel_area(wcs)
    columns = -(-image.shape[1] // block)
    _, inverse = np.unique(y // block * columns + x // block, return_inverse=True)
    total = np.bincount(inverse, values)
    at = (np.bincount(inverse, values * part) / total for part in (x, y))
    here = wcs.pixel_to_world(*at).galactic
    return unit_vectors(here.l.deg, here.b.deg).reshape(-1, 3), total / total.sum()


def _plane(hdu: fits.PrimaryHDU) -> np.ndarray:
    data = np.asarray(hdu.data, dtype=float)
    return data.reshape(-1, *data.shape[-2:])[0]


def _at_offsets(centre: SkyCoord, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    east, north = shape_points(shape)
    here = centre.directional_offset_by(
        np.arctan2(east, north) * u.rad, np.hypot(east, north) * u.rad
    ).galactic
    return unit_vectors(here.l.deg, here.b.deg).reshape(-1, 3), np.full(len(east), 1 / len(east))


def _shape(sources: QTable, row: int, model: str) -> Shape:
    values = {
        name.removeprefix("extension_"): _number(sources, name, row)
        for name in ("extension_radius", *_DEFAULTS)
    }
    for name in ("radius", "inner", "angle"):
        values[name] = float(np.radians(values[name]))
    if model != "ring":
        values["inner"] = 0.0
    try:
        return Shape(model, **values)  # type: ignore[arg-type]
    except OptionError as error:
        name = sources["name"][row]
        raise TableError(f"source {name}: {error.fault}", remedy=_REMEDY) from None


def _number(sources: QTable, name: str, row: int) -> float:
    """Value of a column in degrees, or its default where the column or the value is missing."""
    if name not in sources.colnames:
        if name in _DEFAULTS:
            return _DEFAULTS[name]
        raise TableError(f"the table of sources lacks the column {name}", remedy=_REMEDY)
    fault = f"the column {name} has no angles"
    number = float(checked_numbers(sources[[row]], name, u.deg, fault=fault, remedy=_REMEDY)[0])
    return _DEFAULTS.get(name, number) if np.isnan(number) else number


def _map_path(sources: QTable, row: int) -> str:
    path = str(sources["extension_map"][row]) if "extension_map" in sources.colnames else ""
    if not path.strip():
        raise TableError(f"source {sources['name'][row]} has no extension_map", remedy=_REMEDY)
    return path.strip()
