"""Conversion of catalogues to DS9 regions."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.class_colours import MATCHED, OTHER_COLOUR, UNMATCHED, class_colours
from gammafind.catalogue.columns import column_of, numbers, numbers_of, texts_of
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
    """Draw the 95 % position error of each source of a catalogue.

    Parameters
    ----------
    catalogue : QTable
        From `gammafind.catalogue.publish.publish`, or of others.

    Returns
    -------
    regions.Regions
        One `~regions.EllipseSkyRegion` a source where both semi-axes of its 95 % ellipse and their
        angle are known, else a `~regions.CircleSkyRegion` with the 95 % position error as its
        radius, at least 2 arcsec, or 0.1 deg where it is not known; a `~regions.CirclePixelRegion`
        of five pixels where the catalogue has no sky positions. ``meta["text"]`` is its name,
        ``meta["tag"]`` lists score, TS, 95 % position error, class and association, each as
        ``<column>=<value>``, as far as they are known. The colours are those of the page: of the
        class where there is one; else a source with an association is blue and one without is red;
        else all are cyan.
    """
    from regions import RegionMeta, Regions, RegionVisual

    without_sky = "RAJ2000" not in catalogue.colnames and "x" in catalogue.colnames
    shapes = _pixel_circles(catalogue) if without_sky else _sky_shapes(catalogue)
    circles = []
    for row, shape, colour in zip(_plain_rows(catalogue), shapes, _colours(catalogue), strict=True):
        meta = RegionMeta({"text": row.pop("Source_Name")})
        if row:
            meta["tag"] = [f"{name}={value}" for name, value in row.items()]
        visual = RegionVisual({"color": colour})
        circles.append(shape.copy(meta=meta, visual=visual))
    return Regions(circles)


def _sky_shapes(catalogue: QTable) -> list[SkyRegion]:
    from regions import CircleSkyRegion, EllipseSkyRegion

    positions = sky_positions(catalogue, what="the catalogue")
    longer = _radii(catalogue)
    shorter = numbers(catalogue, "Conf_95_SemiMinor", u.deg)
    # To regions, an angle of 0 is along the longitude: a position angle is a right angle less.
    angle = numbers(catalogue, "Conf_95_PosAng", u.deg) + 90
    is_ellipse = (shorter > 0) & (shorter <= longer) & np.isfinite(angle)
    shapes = []
    for row, place in enumerate(positions):
        if is_ellipse[row]:
            axes = 2 * np.array([longer[row], max(shorter[row], _LEAST)]) * u.deg
            shapes.append(EllipseSkyRegion(place, *axes, angle=angle[row] * u.deg))
        else:
            shapes.append(CircleSkyRegion(place, longer[row] * u.deg))
    return shapes


def _pixel_circles(catalogue: QTable) -> list[PixelRegion]:
    from regions import CirclePixelRegion, PixCoord

    catalogue = conform(catalogue, in_pixels(SHARED), what="the catalogue")
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
    names = texts_of(catalogue, "source_name")
    known: dict[str, list[str]] = {}
    for quantity in (*_NUMBERS, *_TEXTS):
        column = column_of(catalogue, quantity)
        if column is None:
            continue
        if quantity in _TEXTS:
            known[column] = [for_ds9(text) for text in texts_of(catalogue, quantity)]
        else:
            unit = catalogue[column].unit or ""
            known[column] = [repr(float(v)) for v in numbers(catalogue, column, unit)]
    return [
        {"Source_Name": for_ds9(name)}
        | {column: v[row] for column, v in known.items() if v[row] not in ("nan", "", "--")}
        for row, name in enumerate(names)
    ]


def _radii(catalogue: QTable) -> np.ndarray:
    """Radius of each circle in degrees."""
    error = numbers_of(catalogue, "r95", u.deg)
    return np.where(np.isfinite(error) & (error > 0), np.maximum(error, _LEAST), _UNKNOWN)


def _colours(catalogue: QTable) -> list[str]:
    if column_of(catalogue, "class_label"):
        labels = texts_of(catalogue, "class_label").tolist()
        colours = class_colours(labels)
        return [colours.get(label, OTHER_COLOUR) for label in labels]
    if column_of(catalogue, "association"):
        return [MATCHED if name else UNMATCHED for name in texts_of(catalogue, "association")]
    return ["cyan"] * len(catalogue)
