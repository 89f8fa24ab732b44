"""The sky with the detections: Galactic Aitoff for whole skies, the image itself for images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from astropy.wcs import WCS

from gammafind.sky.pixels import Pixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.outside import for_figure
from gammafind.views.image import (
    all_sky_wcs,
    asinh_norm,
    image_wcs,
    pixel_axes,
    sample,
)
from gammafind.views.markers import draw_detections, size_handles
from gammafind.views.rows import Rows
from gammafind.views.style import COLOUR_MAP, capitalised, styled

if TYPE_CHECKING:
    from astropy.visualization.wcsaxes import WCSAxes
    from matplotlib.colors import FuncNorm
    from matplotlib.figure import Figure


_WIDTH = 1600
"""Width of the image in pixels: sharp on a page, and keeps files small."""
_SHARE = 0.94
"""Share of the width of the figure that the whole sky takes."""
_TICK_ROOM = 0.115
"""Least distance of ticks of the colour bar, as a share of its length: avoids overlaps."""
_NO_DATA = "#D6E4EF"
_PLANE = ("x [pixels]", "y [pixels]")
"""Axes of an image without celestial coordinates."""
_EQUATORIAL = ("Right ascension", "Declination")
_LINE = 0.18
"""Height of a line of a legend, in inches."""
_LEGEND_LINES = 4
"""Number of legend lines that fit below an image."""
_LABEL_LATITUDE = -8.0
"""Latitude of longitude labels in degrees: below the equator, off the plane."""
_LABELLED = np.arange(-120, 121, 60)
"""Longitudes with a label, in degrees."""


def sky_figure(counts: SkyMap, rows: Rows, *, title: str = "", score_name: str = "score") -> Figure:
    """Draw the map and mark the detections.

    Parameters
    ----------
    counts : SkyMap
        On HEALPix: drawn completely, in Galactic Hammer-Aitoff projection. With a WCS: drawn in its
        projection. All bands are summed.
    rows : Rows
    title : str
    score_name : str
        Meaning of the marker size.

    Returns
    -------
    Figure
    """
    pixels = counts.finest_pixels
    with styled():
        if isinstance(pixels, WcsPixels):
            return _image_figure(counts, pixels, rows, title, score_name)
        return _all_sky_figure(counts, rows, title, score_name)


def show_image(axes: WCSAxes, counts: SkyMap, wcs: WCS, shape: tuple[int, int]) -> None:
    """Draw the map on axes of this WCS, tinted where there are no data."""
    image = sample(counts, wcs, shape) * _unit_area(counts)
    axes.set_facecolor(_NO_DATA)
    axes.imshow(
        image, cmap=COLOUR_MAP, norm=asinh_norm(image), origin="lower",
        interpolation="nearest", aspect="equal",
    )  # fmt: skip
    axes.set_xlim(-0.5, shape[1] - 0.5)
    axes.set_ylim(-0.5, shape[0] - 0.5)


def label_axes(axes: WCSAxes, pixels: Pixels) -> None:
    """Label longitude below and latitude on the left, also near the poles.

    The labels are x and y if the image has no celestial coordinates.
    """
    galactic = axes.wcs.wcs.lngtyp == "GLON"
    names = ("Galactic longitude", "Galactic latitude") if galactic else _EQUATORIAL
    names = names if pixels.celestial else _PLANE
    for coordinate, side, name in zip(axes.coords, "bl", names, strict=True):
        coordinate.set_ticklabel_position(side)
        coordinate.set_axislabel_position(side)
        coordinate.set_axislabel(name)


def add_colour_bar(figure: Figure, axes: WCSAxes, where: tuple, counts: SkyMap) -> None:
    """Add a horizontal colour bar of the image on ``axes`` at ``where``, in figure fractions."""
    shown = axes.images[0]
    bar = figure.colorbar(shown, cax=figure.add_axes(where), orientation="horizontal", extend="max")
    named = counts.unit == u.dimensionless_unscaled or counts.kind == "electrons"
    unit = "" if named else f" [{counts.unit.to_string()}]"
    area = "pixel" if isinstance(counts.finest_pixels, WcsPixels) else "square degree"
    bar.set_label(f"{counts.kind.capitalize()}{unit} per {area}")
    ticks = _ticks(shown.norm)
    bar.set_ticks(ticks, labels=[f"{tick:.6g}" for tick in ticks])
    bar.ax.minorticks_off()
    bar.ax.tick_params(direction="out", top=False)


def make_room(figure: Figure, lines: int) -> None:
    """Increase the height of a figure for lines of a legend; the plot keeps its size.

    Does nothing if ``lines`` is not positive.
    """
    if lines <= 0:
        return
    width, before = figure.get_size_inches()
    after = before + _LINE * lines
    for axes in figure.axes:
        left, bottom, across, up = axes.get_position(original=True).bounds
        moved = bottom * before + _LINE * lines
        axes.set_position((left, moved / after, across, up * before / after))
    figure.set_size_inches(width, after)


def _unit_area(counts: SkyMap) -> float:
    """Reference area of the values in square degrees: a pixel for an image, otherwise 1."""
    pixels = counts.finest_pixels
    return pixels.pixel_area.to_value("deg2") if isinstance(pixels, WcsPixels) else 1.0


def _ticks(norm: FuncNorm) -> np.ndarray:
    """Lower end of the colours, and round numbers with enough distance between labels."""
    span = norm.vmax - norm.vmin
    decades = 10.0 ** np.arange(np.floor(np.log10(span)) - 6, np.log10(span) + 1)
    round_ones = np.outer(decades, [1, 2, 5]).ravel()
    unit = decades[-1] / 100 if norm.vmin > 0 else 0.0
    start = np.ceil(norm.vmin / unit) * unit if unit else 0.0
    ticks = [start]
    for tick in start + round_ones:
        if tick <= norm.vmax and norm(tick) - norm(ticks[-1]) > _TICK_ROOM:
            ticks.append(tick)
    return np.array(ticks)


def _all_sky_figure(counts: SkyMap, rows: Rows, title: str, score_name: str) -> Figure:
    from astropy.visualization.wcsaxes.frame import EllipticalFrame

    from gammafind.views.shown import ShownFigure

    wcs, shape = all_sky_wcs(_WIDTH)
    figure = ShownFigure(figsize=(11, 6.6))
    axes = figure.add_axes((0.03, 0.13, _SHARE, 0.80), projection=wcs, frame_class=EllipticalFrame)
    show_image(axes, counts, wcs, shape)
    graticule(axes)
    x, y = wcs.world_to_pixel(rows.positions)
    point = shape[1] / (72 * _SHARE * figure.get_figwidth())
    handles = draw_detections(axes, np.asarray(x), np.asarray(y), rows, point=point)
    figure.suptitle(for_figure(title), y=0.975, fontsize=12)
    add_colour_bar(figure, axes, (0.33, 0.085, 0.34, 0.022), counts)
    _legends(figure, handles, rows, score_name)
    return figure


def _image_figure(
    counts: SkyMap, pixels: WcsPixels, rows: Rows, title: str, score_name: str
) -> Figure:
    from gammafind.views.shown import ShownFigure

    wcs, shape = image_wcs(pixels, _WIDTH)
    height = float(np.clip(6.5 * shape[0] / shape[1], 3, 9))
    total = height + 1.7
    figure = ShownFigure(figsize=(8, total))
    axes = figure.add_axes(
        (0.13, 1.3 / total, 0.82, height / total - 0.03),
        projection=wcs if pixels.celestial else pixel_axes(wcs, pixels),
    )
    show_image(axes, counts, wcs, shape)
    x, y = wcs.world_to_pixel(rows.positions)
    handles = draw_detections(axes, np.asarray(x), np.asarray(y), rows)
    label_axes(axes, pixels)
    axes.set_title(for_figure(title))
    add_colour_bar(figure, axes, (0.33, 0.085, 0.34, 0.022), counts)
    make_room(figure, len(handles) - _LEGEND_LINES)
    _legends(figure, handles, rows, score_name)
    return figure


def _legends(figure: Figure, handles: list, rows: Rows, score_name: str) -> None:
    """Put the legends of the markers into the lower corners."""
    if handles:
        figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.02, 0.015))
    sizes = size_handles(rows.score)
    if sizes:
        figure.legend(
            handles=sizes, loc="lower right", bbox_to_anchor=(0.98, 0.015), ncols=len(sizes),
            title=for_figure(capitalised(score_name)), columnspacing=1.0, handletextpad=0.2,
        )  # fmt: skip


def graticule(axes: WCSAxes) -> None:
    """Meridians and parallels every 60 and 30 degrees, longitudes labelled along the equator."""
    from matplotlib.patheffects import withStroke

    longitude, latitude = axes.coords
    longitude.set_ticks(spacing=60 * u.deg)
    latitude.set_ticks(spacing=30 * u.deg)
    longitude.set_ticklabel_visible(False)
    longitude.set_ticks_visible(False)
    latitude.set_ticks_visible(False)
    latitude.set_major_formatter("d")
    axes.coords.grid(color="#56B4E9", alpha=0.45, linewidth=0.6)
    for lon in _LABELLED:
        axes.text(
            lon, _LABEL_LATITUDE, f"{lon % 360}°", transform=axes.get_transform("galactic"),
            ha="center", va="center", fontsize=8, color="black", zorder=6,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip
