"""Maps as images: the sum of the bands, in a projection for display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.nddata import block_reduce
from astropy.units import Quantity
from astropy.wcs import WCS

from gammafind.sky.degrade import added_up
from gammafind.sky.pixels import HealpixPixels, Pixels, PlainPixels, WcsPixels, same_pixels
from gammafind.sky.projection import north_up
from gammafind.sky.skymap import SkyMap
from gammafind.units import degrees

if TYPE_CHECKING:
    from matplotlib.colors import FuncNorm


_HAMMER_WIDTH = np.degrees(4 * np.sqrt(2))
"""Width of the whole sky in the Hammer-Aitoff projection, in degrees at its centre."""
_FEW_COUNTS = 3.0
"""Mean counts per displayed pixel: balances visible structure and resolution."""
_RANGE = 20.0
"""Largest range of the stretch, in widths of the faint level: keeps faint structure visible."""
_EMPTY = 0.65
"""Share of the median below which a map has places that are nearly empty: no high background."""
_MAGNIFIED = 1.5
"""Pixels of an image in one of the map from which edges are seen."""
_SMOOTHING = 0.8
"""Standard deviation in pixels of the map: peaks are 0.2 pixels from their sources (0.3 with 0.5,
which draws the pixels themselves), and sources stay apart."""


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
        ``(width // 2, width)``; the ellipse of the sky touches all sides.
    """
    shape = width // 2, width
    return north_up(("GLON-AIT", "GLAT-AIT"), (0, 0), shape, _HAMMER_WIDTH / width), shape


def tangent_wcs(centre: SkyCoord, field: Quantity, width: int) -> tuple[WCS, tuple[int, int]]:
    """Square in the gnomonic projection, ICRS, north up and east to the left."""
    place, shape = (centre.icrs.ra.deg, centre.icrs.dec.deg), (width, width)
    step = degrees(field, name="field") / width
    return north_up(("RA---TAN", "DEC--TAN"), place, shape, step), shape


def plain_wcs(
    pixels: PlainPixels, centre: SkyCoord, field: Quantity, width: int
) -> tuple[WCS, tuple[int, int]]:
    """Square of an image without celestial coordinates, in its own plane, x to the right."""
    zoom = width * pixels.pixel_size.to_value("deg") / degrees(field, name="field")
    wcs = pixels.wcs.deepcopy()
    wcs.wcs.cdelt = wcs.wcs.cdelt / zoom
    middle = np.array([float(axis) for axis in pixels.xy(centre)])
    wcs.wcs.crpix = (width + 1) / 2 + zoom * (wcs.wcs.crpix - 1 - middle)
    return wcs, (width, width)


def pixel_axes(wcs: WCS, pixels: WcsPixels) -> WCS:
    """Linear axes with the pixel numbers of an image without celestial coordinates.

    Parameters
    ----------
    wcs : WCS
        WCS of the drawn image, from `plain_wcs` or `image_wcs`.
    pixels : WcsPixels
        Pixels of the image.
    """
    x, y = pixels.xy(wcs.pixel_to_world([0, 1], [0, 1]))
    axes = WCS(naxis=2)
    axes.wcs.crpix = 1, 1
    axes.wcs.crval = x[0], y[0]
    axes.wcs.cdelt = np.diff(x)[0], np.diff(y)[0]
    return axes


def image_wcs(pixels: WcsPixels, width: int) -> tuple[WCS, tuple[int, int]]:
    """Projection of an image, with steps of several pixels if it is larger than ``width``."""
    step = -(-max(pixels.shape) // width)
    if step == 1:
        return pixels.wcs, pixels.shape
    ny, nx = (side // step for side in pixels.shape)
    return pixels.wcs[: ny * step : step, : nx * step : step], (ny, nx)


def sample(counts: SkyMap, wcs: WCS, shape: tuple[int, int]) -> np.ndarray:
    """Sum of the bands per square degree at the pixels of an image.

    Pixels that are smaller than those of the image are added first, so that no photon falls between
    them. Where pixels hold few counts, those of a WCS are added further and HEALPix maps are
    smoothed, so that structure can be seen.

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

    Notes
    -----
    A WCS map comes to another grid by `reproject.reproject_adaptive`, which leaves no steps. Of a
    HEALPix map the nearest pixels are taken, and smoothed by a Gaussian of 0.8 of their size, where
    this is larger than 1.5 pixels of the image, or of half the side of a few counts. Adding up few
    counts would move a source to the middle of a large pixel; bilinear interpolation, which runs
    along the rings of HEALPix, draws sources as slanted streaks
    (``benchmarks/reproject_images.py``).
    """
    image = WcsPixels(wcs, shape)
    own, visible = _pixel_size(image), _visible_step(counts)
    total, covered = np.zeros(shape), np.zeros(shape, dtype=bool)
    for layer in zip(counts.pixels, counts.values, counts.valid, strict=True):
        is_healpix = isinstance(layer[0], HealpixPixels)
        pixels, values, valid = _coarsen(*layer, own if is_healpix else max(own, visible))
        density = np.where(valid, values, np.nan) / _pixel_size(pixels) ** 2
        if is_healpix:
            band = _of_healpix(density, pixels, image, visible)
        else:
            band = density if same_pixels(pixels, image) else _of_image(density, pixels, image)
        covered |= np.isfinite(band)
        total += np.nan_to_num(band)
    return np.where(covered, total, np.nan)


def asinh_norm(image: np.ndarray) -> FuncNorm:
    """Stretch that is linear at the faint level of an image and logarithmic above.

    It starts at 0, or at the median if the image has a high background.
    """
    from matplotlib import colors

    values = image[np.isfinite(image)]
    low, middle, high = np.percentile(values, [1, 50, 99.8]) if len(values) else (0, 0, 1)
    width = middle - low
    low = 0.0 if low < _EMPTY * middle else middle
    high = min(max(high, low + _RANGE * width), values.max(initial=low))
    high = high if high > low else low + 1
    width = max(width, 0.01 * (high - low))
    return colors.FuncNorm(
        (lambda v: np.arcsinh((v - low) / width), lambda v: low + width * np.sinh(v)),
        vmin=low,
        vmax=high,
    )


def _visible_step(counts: SkyMap) -> float:
    """Side in degrees of a square with a few counts on average; 0 for other maps."""
    if counts.kind != "counts":
        return 0.0
    layers = zip(counts.pixels, counts.values, counts.valid, strict=True)
    density = sum(
        values.sum(dtype=float) / max(valid.sum(), 1) / pixels.pixel_area.to_value("deg2")
        for pixels, values, valid in layers
    )
    return float(np.sqrt(_FEW_COUNTS / density)) if density > 0 else 0.0


def _coarsen(
    pixels: Pixels, values: np.ndarray, valid: np.ndarray, step: float
) -> tuple[Pixels, np.ndarray, np.ndarray]:
    """Sum neighbouring pixels until none is smaller than half of ``step`` degrees.

    The values are scaled to completely valid pixels.
    """
    factor = int(step / _pixel_size(pixels) + 1e-6)
    if factor < 2:
        return pixels, values, valid
    if isinstance(pixels, HealpixPixels):
        factor = min(1 << (factor.bit_length() - 1), pixels.nside)
        coarse, add = HealpixPixels(pixels.nside // factor, pixels.frame), _add_healpix
    else:
        ny, nx = (side // factor * factor for side in pixels.shape)
        wcs = pixels.wcs[:ny:factor, :nx:factor]
        coarse, add = WcsPixels(wcs, (ny // factor, nx // factor)), block_reduce
    total = add(values, factor)
    share = np.ones(coarse.shape) if valid.all() else add(valid, factor) / factor**2
    return coarse, total / np.where(share > 0, share, 1), share > 0


def _add_healpix(values: np.ndarray, factor: int) -> np.ndarray:
    import healpy as hp

    return added_up(values, hp.npix2nside(len(values)) // factor)


def _of_healpix(
    density: np.ndarray, pixels: HealpixPixels, image: WcsPixels, visible: float
) -> np.ndarray:
    """Take the nearest pixels of a HEALPix map; smooth their edges, and few counts.

    ``visible`` is the side in degrees of a square with a few counts.
    """
    from reproject import reproject_from_healpix

    band, _ = reproject_from_healpix(
        (density, pixels.frame), image.wcs, image.shape, nested=False, order="nearest-neighbor"
    )
    band = np.where(image.on_sky, band, np.nan)
    width = max(_pixel_size(pixels), visible) / _pixel_size(image)
    return _smooth(band, _SMOOTHING * width) if width > _MAGNIFIED else band


def _of_image(density: np.ndarray, pixels: WcsPixels, image: WcsPixels) -> np.ndarray:
    """Resample a WCS map; NaN where the nearest pixel holds no data."""
    from reproject import reproject_adaptive, reproject_interp

    known = (np.isfinite(density).astype(float), pixels.wcs)
    nearest, _ = reproject_interp(known, image.wcs, image.shape, order="nearest-neighbor")
    band, _ = reproject_adaptive(
        (density, pixels.wcs), image.wcs, image.shape,
        boundary_mode="ignore", bad_value_mode="ignore",
    )  # fmt: skip
    return np.where(nearest == 1, band, np.nan)


def _smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth with a Gaussian, ignoring pixels without data."""
    from scipy.ndimage import gaussian_filter

    known = np.isfinite(image)
    weight = gaussian_filter(known.astype(float), sigma)
    total = gaussian_filter(np.where(known, image, 0.0), sigma)
    return np.where(known, total / np.maximum(weight, np.finfo(float).tiny), np.nan)


def _pixel_size(pixels: Pixels) -> float:
    return float(np.sqrt(pixels.pixel_area.to_value("deg2")))
