"""Maps of residuals and of PS: where a model does not describe the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gammafind.fitting.photons.goodness import Goodness
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from gammafind.sky.projection import from_frame, to_frame
from gammafind.sky.skymap import SkyMap
from gammafind.views.image import all_sky_wcs, image_wcs
from gammafind.views.sky import graticule
from gammafind.views.style import styled

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from matplotlib.figure import Figure

_WIDTH = 1200
"""Width of an image in pixels: sharp on a page, and keeps files small."""
_RANGE = 5.0
"""Largest residual and PS that are distinguished: beyond it a source is obvious."""
_COLOURS = "RdBu_r"
"""Blue for too few counts, red for too many; colour-blind readers can distinguish them."""
_NO_DATA = "#BBBBBB"
LARGE = 3.0
"""PS from which a deviation is counted: one place in 1000 by chance."""


def residual_figure(goodness: Goodness) -> Figure:
    """Draw the residual in standard deviations and the PS, next to each other or stacked.

    Parameters
    ----------
    goodness : Goodness

    Returns
    -------
    Figure
    """
    from astropy.visualization.wcsaxes.frame import EllipticalFrame, RectangularFrame

    from gammafind.views.shown import ShownFigure

    pixels = goodness.ps.pixels[0]
    whole = isinstance(pixels, HealpixPixels)
    wcs, shape = all_sky_wcs(_WIDTH) if whole else image_wcs(pixels, _WIDTH)
    layers = (("Residual in standard deviations", goodness.residual), ("PS", goodness.ps))
    with styled():
        figure = ShownFigure(figsize=(8, 8.6) if whole else (10, 4.6), layout="constrained")
        for place, (name, sky) in enumerate(layers, start=1):
            grid = (2, 1, place) if whole else (1, 2, place)
            frame = EllipticalFrame if whole else RectangularFrame
            axes = figure.add_subplot(*grid, projection=wcs, frame_class=frame)
            axes.set_facecolor(_NO_DATA)
            shown = axes.imshow(
                sampled(sky, wcs, shape), cmap=_COLOURS, vmin=-_RANGE, vmax=_RANGE,
                origin="lower", interpolation="nearest",
            )  # fmt: skip
            if whole:
                graticule(axes)
            figure.colorbar(shown, ax=axes, label=name, extend="both", shrink=0.8)
    return figure


def sampled(sky: SkyMap, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """Values of the nearest pixels of a map at those of an image; NaN where there are no data.

    Parameters
    ----------
    sky : SkyMap
        Of one band.
    wcs : WCS
    shape : tuple of int
        ``(ny, nx)``.

    Returns
    -------
    ndarray, shape (ny, nx)
    """
    image, pixels = WcsPixels(wcs, shape), sky.pixels[0]
    on_sky = image.on_sky.ravel()
    vectors = np.where(on_sky[:, None], image.vectors, (0, 0, 1))
    index = pixels.containing(to_frame(from_frame(vectors, image.frame), pixels.frame))
    values = np.where(sky.valid[0], sky.values[0], np.nan).ravel()[index]
    return np.where(on_sky, values, np.nan).reshape(shape)


def share_of_large(goodness: Goodness) -> tuple[float, int]:
    """Share of the places whose absolute PS is at least `LARGE`, and the number of places."""
    values = goodness.ps.values[0][goodness.ps.valid[0]]
    return float(np.mean(np.abs(values) >= LARGE)) if len(values) else 0.0, len(values)
