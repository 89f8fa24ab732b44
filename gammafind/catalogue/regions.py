"""Conversion of catalogues to DS9 regions."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.class_colours import MATCHED, OTHER_COLOUR, UNMATCHED, class_colours
from gammafind.catalogue.columns import column_of, texts_of
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.schema import SHARED, conform, in_pixels
from gammafind.utils.files import atomic_output
from gammafind.utils.outside import for_ds9

if TYPE_CHECKING:
    from regions import PixelRegion, Regions, SkyRegion


_HEADER = "# Region file format: DS9 astropy/regions\nicrs\n"
_NUMBERS = ("score", "ts", "r95")
_TEXTS = ("class_label", "association")
_PIXELS = 5.0
"""Radius of circles without a position error: visible, and small against separations."""
_UNKNOWN = 0.1
"""Radius in degrees where the position error is not known: visible on the whole sky."""
_LEAST = 2 / 3600
"""Smallest radius in degrees: smaller circles are not visible."""


def to_regions(catalogue: QTable) -> Regions:
    """Draw a circle at each source of a catalogue.

    Parameters
    ----------
    catalogue : QTable
        From `gammafind.catalogue.publish.publish`.

    Returns
    -------
    regions.Regions
        One `~regions.CircleSkyRegion` a source, with the 95 % position error as its radius, at
        least 2 arcsec, or 0.1 deg where it is not known; a `~regions.CirclePixelRegion` of five
        pixels where the catalogue has no sky positions. ``meta["text"]`` is its name,
        ``meta["tag"]`` lists score, TS, 95 % position error, class and association, each as
        ``<column>=<value>``, as far as they are known. The colours are those of the page: of the
        class where there is one; else a source with an association is blue and one without is red;
        else all are cyan.
    """
    from regions import RegionMeta, Regions, RegionVisual

    without_sky = "RAJ2000" not in catalogue.colnames and "x" in catalogue.colnames
    schema = in_pixels(SHARED) if without_sky else SHARED
    catalogue = conform(catalogue, schema, what="the catalogue")
    shapes = _pixel_circles(catalogue) if without_sky else _sky_circles(catalogue)
    circles = []
    for row, shape, colour in zip(_plain_rows(catalogue), shapes, _colours(catalogue), strict=True):
        meta = RegionMeta({"text": row.pop("Source_Name")})
        if row:
            meta["tag"] = [f"{name}={value}" for name, value in row.items()]
        visual = RegionVisual({"color": colour})
        circles.append(shape.copy(meta=meta, visual=visual))
    return Regions(circles)


def _sky_circles(catalogue: QTable) -> list[SkyRegion]:
    from regions import CircleSkyRegion

    positions = sky_positions(catalogue, what="the catalogue")
    sizes = _radii(catalogue) * u.deg
    return [CircleSkyRegion(p, size) for p, size in zip(positions, sizes, strict=True)]


def _pixel_circles(catalogue: QTable) -> list[PixelRegion]:
    from regions import CirclePixelRegion, PixCoord

    places = zip(*(catalogue[axis].to_value(u.pix) for axis in ("x", "y")), strict=True)
    return [CirclePixelRegion(PixCoord(float(x), float(y)), _PIXELS) for x, y in places]


def write_regions(catalogue: QTable, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a catalogue as a DS9 region file; a catalogue without sources gives only a header.

    Parameters
    ----------
    catalogue : QTable
        From `gammafind.catalogue.publish.publish`.
    path : path-like
    overwrite : bool

    Raises
    ------
    OutputError
        If the file exists and ``overwrite`` is false, or its directory does not.
    """
    text = to_regions(catalogue).serialize(format="ds9", precision=9)
    with atomic_output(path, overwrite) as temporary:
        temporary.write_text(text or _HEADER, encoding="utf-8")


def _plain_rows(catalogue: QTable) -> list[dict[str, str]]:
    """Name and properties of each source, as text that DS9 can read."""
    columns = {quantity: column_of(catalogue, quantity) for quantity in (*_NUMBERS, *_TEXTS)}
    rows = []
    for index in range(len(catalogue)):
        row = {"Source_Name": for_ds9(catalogue["Source_Name"][index])}
        for quantity, name in columns.items():
            if name is None:
                continue
            value = catalogue[name][index]
            number = float(getattr(value, "value", value)) if quantity in _NUMBERS else None
            text = repr(number) if number is not None else for_ds9(value)
            if text not in ("nan", ""):
                row[name] = text
        rows.append(row)
    return rows


def _radii(catalogue: QTable) -> np.ndarray:
    """Radius of each circle in degrees."""
    if "Conf_95_SemiMajor" not in catalogue.colnames:
        return np.full(len(catalogue), _UNKNOWN)
    error = catalogue["Conf_95_SemiMajor"].to_value(u.deg)
    return np.where(np.isfinite(error) & (error > 0), np.maximum(error, _LEAST), _UNKNOWN)


def _colours(catalogue: QTable) -> list[str]:
    if column_of(catalogue, "class_label"):
        labels = texts_of(catalogue, "class_label").tolist()
        colours = class_colours(labels)
        return [colours.get(label, OTHER_COLOUR) for label in labels]
    if column_of(catalogue, "association"):
        return [MATCHED if name else UNMATCHED for name in texts_of(catalogue, "association")]
    return ["cyan"] * len(catalogue)
