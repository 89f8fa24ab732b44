"""One region of the sky in detail, with the names of the detections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.sky.pixels import Pixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.views.image import pixel_axes, plain_wcs, tangent_wcs
from gammafind.views.labels import place_labels
from gammafind.views.markers import draw_detections, draw_missed, marker_areas
from gammafind.views.rows import Rows
from gammafind.views.sky import add_colour_bar, label_axes, make_room, show_image
from gammafind.views.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_WIDTH = 600
"""Width of the image in pixels: sharp on a page, and keeps files small."""
_SCALE = 2.0
"""Factor for the areas of markers compared with the whole sky."""
_OFF_PLANE = 20.0
"""Galactic latitude in degrees: fields in the plane are too crowded."""
_WANTED = 25
"""Mean number of detections in the chosen field: balances context and crowding."""
_WIDEST = 40.0
"""Largest field in degrees: limits distortion."""
_LEAST_PIXELS = 24
"""Smallest field in map pixels: keeps structure visible."""
_LEGEND_COLUMNS = 2
"""Columns of the legend that fit the width of the figure."""
_LEGEND_LINES = 1
"""Number of legend lines that fit below the colour bar."""


def choose_centre(rows: Rows, counts: SkyMap) -> SkyCoord:
    """Position of the strongest detection on the map, away from the Galactic plane.

    If there is none above ``|b| = 20 deg``, the strongest of all; without detections the brightest
    pixel of the first band.
    """
    on_map = counts.finest_pixels.pixel_of(rows.positions) >= 0
    if not on_map.any():
        brightest = int(np.argmax(counts.values[0]))
        return counts.pixels[0].centres().ravel()[brightest].icrs
    off_plane = on_map & (np.abs(rows.positions.galactic.b.deg) > _OFF_PLANE)
    wanted = np.flatnonzero(off_plane if off_plane.any() else on_map)
    score = np.nan_to_num(rows.score[wanted], nan=-np.inf)
    return rows.positions[wanted[np.argmax(score)]]


def choose_field(rows: Rows, counts: SkyMap) -> Quantity:
    """Side of a square with about 25 detections at their mean density.

    At least 24 pixels, at most 40 degrees or the width of an image.
    """
    pixels = counts.finest_pixels
    area = pixels.pixel_area.to_value("deg2")
    widest = _WIDEST
    if isinstance(pixels, WcsPixels):
        widest = min(widest, np.sqrt(area) * min(pixels.shape))
    per_detection = area * np.prod(pixels.shape) / max(len(rows), 1)
    least = min(_LEAST_PIXELS * np.sqrt(area), widest)
    return float(np.clip(np.sqrt(_WANTED * per_detection), least, widest)) * u.deg


def zoom_figure(
    counts: SkyMap, rows: Rows, centre: SkyCoord | None = None, field: Quantity | None = None
) -> Figure:
    """Draw a square of the sky with labels, north up.

    For an image without celestial coordinates it is a square of pixels, x to the right.

    Parameters
    ----------
    counts : SkyMap
    rows : Rows
    centre : SkyCoord, optional
        By default `choose_centre`.
    field : Quantity, optional
        Side of the square; by default `choose_field`.

    Returns
    -------
    Figure

    Raises
    ------
    OptionError
        If ``centre`` is not on the image.
    """
    from gammafind.views.shown import ShownFigure

    centre = choose_centre(rows, counts) if centre is None else centre
    field = choose_field(rows, counts) if field is None else field
    centre = _moved_inside(centre, field, counts)
    pixels = counts.finest_pixels
    if pixels.celestial:
        wcs, shape = tangent_wcs(centre, field, _WIDTH)
        projection = wcs
    else:
        wcs, shape = plain_wcs(pixels, centre, field, _WIDTH)
        projection = pixel_axes(wcs, pixels)
    with styled():
        figure = ShownFigure(figsize=(7.6, 8.6))
        axes = figure.add_axes((0.12, 0.205, 0.84, 0.742), projection=projection)
        show_image(axes, counts, wcs, shape)
        x, y, inside = _inside(wcs, rows.positions, shape)
        here = rows.select(inside)
        handles = draw_detections(axes, x, y, here, scale=_SCALE)
        lost_x, lost_y, lost = _inside(wcs, rows.missed, shape)
        handles += draw_missed(axes, lost_x, lost_y, rows.blended[lost])
        label_axes(axes, pixels)
        # Lines of equal declination are bent: without them a reader takes the wrong one.
        axes.coords.grid(color="#56B4E9", alpha=0.35, linewidth=0.6)
        axes.set_title(_title(centre, field, pixels))
        add_colour_bar(figure, axes, (0.30, 0.098, 0.48, 0.018), counts)
        make_room(figure, -(-len(handles) // _LEGEND_COLUMNS) - _LEGEND_LINES)
        order = np.argsort(-np.nan_to_num(here.score, nan=-np.inf), kind="stable")
        areas = _SCALE * marker_areas(here.score)
        place_labels(axes, x[order], y[order], _short(here.name[order]), areas[order])
        if handles:
            figure.legend(
                handles=handles, loc="lower center", ncols=_LEGEND_COLUMNS,
                bbox_to_anchor=(0.54, 0.005),
            )  # fmt: skip
    return figure


def _moved_inside(centre: SkyCoord, field: Quantity, counts: SkyMap) -> SkyCoord:
    """Move the centre so that as much of the square as possible is inside an image."""
    pixels = counts.finest_pixels
    if not isinstance(pixels, WcsPixels):
        return centre
    if pixels.pixel_of(centre) < 0:
        raise OptionError(
            f"the centre of the detailed figure, {centre.to_string()}, is not on the image"
        )
    half = field.to_value("deg") / 2 / np.sqrt(pixels.pixel_area.to_value("deg2"))
    x, y = (
        np.clip(value, min(half, side / 2), max(side - half, side / 2))
        for value, side in zip(pixels.xy(centre), pixels.shape[::-1], strict=True)
    )
    return pixels.wcs.pixel_to_world(x, y)


def _inside(wcs, positions: SkyCoord, shape: tuple[int, int]) -> tuple:
    """Pixel coordinates of the positions in an image, and their indices."""
    x, y = (np.asarray(values, dtype=float) for values in wcs.world_to_pixel(positions))
    inside = np.isfinite(x) & np.isfinite(y)
    inside &= positions.separation(_centre(wcs)) < 90 * u.deg
    inside &= np.abs(x - (shape[1] - 1) / 2) < shape[1] / 2
    inside &= np.abs(y - (shape[0] - 1) / 2) < shape[0] / 2
    return x[inside], y[inside], inside


def _centre(wcs) -> SkyCoord:
    return SkyCoord(*wcs.wcs.crval, unit="deg")


def _short(names: np.ndarray) -> np.ndarray:
    """Names without the acronym in front of the coordinates."""
    return np.array([name.partition(" ")[2] or name for name in names])


def _title(centre: SkyCoord, field: Quantity, pixels: Pixels) -> str:
    """Position and width of the square."""
    if not pixels.celestial:
        x, y = pixels.xy(centre)
        width = (field / pixels.pixel_size).to_value(u.dimensionless_unscaled)
        return f"Around x = {x:.0f}, y = {y:.0f}, {width:.0f} pixels wide"
    galactic = centre.galactic
    if field < 1 * u.deg:
        place = f"Around l = {galactic.l.deg:.4f}, b = {galactic.b.deg:+.4f} deg"
        return f"{place}, {field.to_value(u.arcmin):.3g} arcmin wide"
    place = f"Around l = {galactic.l.deg:.2f}, b = {galactic.b.deg:+.2f} deg"
    return f"{place}, {field.value:.3g} deg wide"
