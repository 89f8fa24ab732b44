"""Maps as images: the bands together, in a projection made for the eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from astropy.wcs import WCS

from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.units import degrees

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

__all__ = ["all_sky_wcs", "asinh_norm", "finest_pixels", "image_wcs", "sample", "tangent_wcs"]

_HAMMER_WIDTH = np.degrees(4 * np.sqrt(2))
"""Width of the whole sky in the Hammer-Aitoff projection, in degrees at its centre."""
_MAGNIFIED = 1.5
_SMOOTHING = 0.5


def all_sky_wcs(width: int) -> tuple[WCS, tuple[int, int]]:
    """Galactic Hammer-Aitoff projection, centre at 0, longitude to the left.

    Parameters
    ----------
    width : int
        Columns of the image, even.

    Returns
    -------
    wcs : WCS
    shape : tuple of int
        ``(width // 2, width)``, which the ellipse of the sky touches on each side.
    """
    step = _HAMMER_WIDTH / width
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "GLON-AIT", "GLAT-AIT"
    wcs.wcs.crval = 0.0, 0.0
    wcs.wcs.cdelt = -step, step
    wcs.wcs.crpix = (width + 1) / 2, (width // 2 + 1) / 2
    return wcs, (width // 2, width)


def tangent_wcs(centre: SkyCoord, field: Quantity, width: int) -> tuple[WCS, tuple[int, int]]:
    """Square in the gnomonic projection, ICRS, north up and east to the left."""
    step = degrees(field, name="field") / width
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = centre.icrs.ra.deg, centre.icrs.dec.deg
    wcs.wcs.cdelt = -step, step
    wcs.wcs.crpix = (width + 1) / 2, (width + 1) / 2
    return wcs, (width, width)


def image_wcs(pixels: WcsPixels, width: int) -> tuple[WCS, tuple[int, int]]:
    """Projection of an image, with steps of several pixels if it has over ``width`` a side."""
    step = -(-max(pixels.shape) // width)
    if step == 1:
        return pixels.wcs, pixels.shape
    ny, nx = (side // step for side in pixels.shape)
    return pixels.wcs[: ny * step : step, : nx * step : step], (ny, nx)


def finest_pixels(counts: SkyMap) -> Pixels:
    """Pixelisation of the band with the smallest pixels."""
    return min(counts.pixels, key=lambda pixels: pixels.pixel_area)


def sample(counts: SkyMap, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """Sum of the bands per square degree at the pixels of an image.

    Maps that are finer than the image are averaged first, so that no photon falls between
    its pixels. Of maps with pixels larger than 1.5 of the image the edges of the pixels are
    smoothed by a Gaussian of half their size.

    Parameters
    ----------
    counts : SkyMap
        On HEALPix or a WCS.
    wcs : WCS
        Celestial, two-dimensional.
    shape : tuple of int
        ``(ny, nx)`` of the image.

    Returns
    -------
    ndarray, shape (ny, nx)
        NaN outside the sky and where no band holds data.
    """
    row, column = np.indices(shape)
    lon, lat = wcs.pixel_to_world_values(column, row)
    on_sky = np.isfinite(lon) & np.isfinite(lat)
    positions = wcs.pixel_to_world(column[on_sky], row[on_sky])
    step = _pixel_size(WcsPixels(wcs, shape))
    total, covered = np.zeros(shape), np.zeros(shape, dtype=bool)
    for pixels, values, valid in zip(counts.pixels, counts.values, counts.valid, strict=True):
        density = np.where(valid, values / pixels.pixel_area.to_value("deg2"), np.nan)
        coarse, density = _coarsen(pixels, density, step)
        index = coarse.pixel_of(positions)
        band = np.full(shape, np.nan)
        band[on_sky] = np.where(index >= 0, density.ravel()[index], np.nan)
        width = _pixel_size(coarse) / step
        band = _smooth(band, _SMOOTHING * width) if width > _MAGNIFIED else band
        covered |= np.isfinite(band)
        total += np.nan_to_num(band)
    return np.where(covered, total, np.nan)


def asinh_norm(image: np.ndarray) -> Normalize:
    """Stretch that is linear at the faint level of an image and logarithmic above."""
    from matplotlib.colors import AsinhNorm

    values = image[np.isfinite(image)]
    if len(values) == 0 or values.max() <= values.min():
        return AsinhNorm(linear_width=1, vmin=0, vmax=1)
    low, middle, high = np.percentile(values, [1, 50, 99.8])
    low = 0.0 if low < 0.5 * middle else low
    high = high if high > low else values.max()
    width = max(middle - low, 0.01 * (high - low))
    return AsinhNorm(linear_width=width, vmin=low, vmax=high)


def _coarsen(pixels: Pixels, density: np.ndarray, step: float) -> tuple[Pixels, np.ndarray]:
    """Average a map until its pixels are no smaller than ``step`` degrees."""
    factor = int(step / _pixel_size(pixels) + 1e-6)
    if factor < 2:
        return pixels, density
    if isinstance(pixels, HealpixPixels):
        import healpy as hp

        nside = max(1, pixels.nside >> int(np.log2(factor)))
        filled = np.where(np.isnan(density), hp.UNSEEN, density)
        mean = hp.ud_grade(filled, nside)
        mean[mean == hp.UNSEEN] = np.nan
        return HealpixPixels(nside, pixels.frame), mean
    from astropy.nddata import block_reduce

    ny, nx = (side // factor * factor for side in pixels.shape)
    mean = block_reduce(density[:ny, :nx], factor, func=np.mean)
    return WcsPixels(pixels.wcs[:ny:factor, :nx:factor], mean.shape), mean


def _smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth with a Gaussian, as if pixels without data were not there."""
    from scipy.ndimage import gaussian_filter

    known = np.isfinite(image)
    weight = gaussian_filter(known.astype(float), sigma)
    total = gaussian_filter(np.where(known, image, 0.0), sigma)
    return np.where(known, total / np.maximum(weight, np.finfo(float).tiny), np.nan)


def _pixel_size(pixels: Pixels) -> float:
    return float(np.sqrt(pixels.pixel_area.to_value("deg2")))
