"""The sensitivity as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.sky.skymap import SkyMap
from gammafind.views.image import all_sky_wcs
from gammafind.views.sky import graticule
from gammafind.views.style import COLOUR_MAP, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_WIDTH = 1000
"""Width of the image in pixels: finer than the pixels of the map."""
_RANGE = (0.01, 0.99)
"""Quantiles of the flux at the ends of the colours: a few places next to bright sources need much
more flux than all others."""
_TICKS = 4
_NO_DATA = "#D6E4EF"


def sensitivity_figure(sky: SkyMap) -> Figure:
    """Draw the flux at which half of all sources are found, in Galactic Hammer-Aitoff projection.

    Parameters
    ----------
    sky : SkyMap
        From `gammafind.sensitivity`.

    Returns
    -------
    Figure
    """
    from astropy.visualization.wcsaxes.frame import EllipticalFrame
    from matplotlib.colors import LogNorm

    from gammafind.views.shown import ShownFigure

    wcs, shape = all_sky_wcs(_WIDTH)
    image = _sampled(sky, wcs, shape)
    low, high = np.nanquantile(sky.values[0][sky.valid[0]], _RANGE)
    with styled():
        figure = ShownFigure(figsize=(11, 6.6))
        axes = figure.add_axes(
            (0.03, 0.13, 0.94, 0.80), projection=wcs, frame_class=EllipticalFrame
        )
        axes.set_facecolor(_NO_DATA)
        shown = axes.imshow(
            image, cmap=COLOUR_MAP, norm=LogNorm(low, max(high, 1.001 * low)), origin="lower"
        )
        axes.set_xlim(-0.5, shape[1] - 0.5)
        axes.set_ylim(-0.5, shape[0] - 0.5)
        graticule(axes)
        bar = figure.colorbar(
            shown,
            cax=figure.add_axes((0.33, 0.085, 0.34, 0.022)),
            orientation="horizontal",
            extend="both",
        )
        ticks = np.geomspace(low, max(high, 1.001 * low), _TICKS)
        bar.set_ticks(ticks, labels=[f"{tick:.2e}" for tick in ticks])
        bar.ax.minorticks_off()
        bar.set_label(f"Flux at which half are found, {sky.bands[0].name} [cm-2 s-1]")
    return figure


def _sampled(sky: SkyMap, wcs: object, shape: tuple[int, int]) -> np.ndarray:
    """Flux at each pixel of an image, NaN where there is none."""
    y, x = np.indices(shape)
    lon, lat = wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)
    there = np.isfinite(lon) & np.isfinite(lat)
    places = SkyCoord(lon[there], lat[there], unit="deg", frame="galactic")
    pixel = sky.pixels[0].pixel_of(places)
    image = np.full(lon.shape, np.nan)
    image[there] = np.where(sky.valid[0][pixel], sky.values[0][pixel], np.nan)
    return image.reshape(shape)
