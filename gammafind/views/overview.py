"""All of a map in one figure: the whole sky, or the part of it that has data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.sky.degrade import added_up
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import positions_of
from gammafind.sky.skymap import SkyMap
from gammafind.utils.outside import for_figure
from gammafind.views.rows import Rows
from gammafind.views.sky import sky_figure
from gammafind.views.zoom import zoom_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NSIDE = 32
"""Pixels by which the part with data is found."""
_PART = 0.7
"""Length of the mean of unit vectors: above it they are in a cap of less than 66 deg radius."""
_WIDEST = 60.0
"""Width in degrees of a part that a tangent plane shows without much distortion."""


def part_with_data(counts: SkyMap) -> tuple[SkyCoord, Quantity] | None:
    """Centre and width of the part of a sky that has data; None if that is most of it.

    Parameters
    ----------
    counts : SkyMap
        On HEALPix.
    """
    first = counts.pixels[0]
    coarse = HealpixPixels(min(_NSIDE, first.nside), first.frame)
    seen = coarse.vectors[added_up(counts.valid[0].astype(int), coarse.nside) > 0]
    centre = seen.sum(axis=0)
    length = np.linalg.norm(centre)
    if not len(seen) or length < _PART * len(seen):
        return None
    reach = np.degrees(np.arccos(np.clip(seen @ centre / length, -1, 1).min())) * u.deg
    return positions_of(centre[None] / length, coarse.frame)[0], 2 * reach + coarse.pixel_size


def overview_figure(
    counts: SkyMap, rows: Rows, *, title: str = "", score_name: str = "score"
) -> Figure:
    """Draw an image or a sky as `gammafind.views.sky.sky_figure` does, or only its part with data.

    Parameters
    ----------
    counts : SkyMap
    rows : Rows
    title, score_name : str
        As for `gammafind.views.sky.sky_figure`.
    """
    sphere = isinstance(counts.finest_pixels, HealpixPixels)
    part = part_with_data(counts) if sphere else None
    if part is None or part[1].to_value("deg") > _WIDEST:
        return sky_figure(counts, rows, title=title, score_name=score_name)
    figure = zoom_figure(counts, rows, *part)
    figure.axes[0].set_title(for_figure(title))
    return figure
