"""Ways to bring maps to the pixels of a figure or of an exposure map: time, flux and shape.

``python benchmarks/reproject_images.py`` prints a table of ratios. Round sources without noise are
put on a HEALPix map and on an image, and both are brought to other pixels by hand and by reproject:
how long it takes over how long the first way takes, how much of the flux is kept, how far the
result is from the truth at most (of the highest value), and how long the images of the sources are
over how wide. All ways run in turn, several times; the shortest time of each counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from reproject import reproject_adaptive, reproject_from_healpix, reproject_interp
from scipy.ndimage import gaussian_filter

from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.views.image import tangent_wcs

CENTRE = SkyCoord(280, 30, unit="deg", frame="galactic")
FIELD = 30 * u.deg
WIDTH = 600
NSIDE = 128
SIGMA = 0.8
"""Of a source, in pixels of the map."""
TIMES = 5
HEADS = ("map", "way", "time", "flux", "largest error", "length over width")

Way = Callable[[np.ndarray, Pixels, WcsPixels], np.ndarray]


def main() -> None:
    """Print the table."""
    figure = WcsPixels(*tangent_wcs(CENTRE, FIELD, WIDTH))
    coarse = WcsPixels(*tangent_wcs(CENTRE, FIELD, 80))
    healpix = HealpixPixels(NSIDE)
    print(
        "| map | way | time | flux | largest error | length over width |\n|---|---|---|---|---|---|"
    )
    print_ways("HEALPix, pixels of nine", FROM_HEALPIX, healpix, figure)
    print_ways("HEALPix, to pixels as large", EXPOSURE, healpix, coarse)
    print_ways("image, pixels of nine", FROM_IMAGE, turned(67), figure)
    print_ways("image, pixels of 0.6", FROM_IMAGE, turned(1000), figure)


def print_ways(name: str, ways: dict[str, Way], pixels: Pixels, image: WcsPixels) -> None:
    """Print a row for each way."""
    places = np.array([[-6, -4], [5, -6], [-5, 6], [6, 5], [0, 0]])
    sources = CENTRE.spherical_offsets_by(*places.T * u.deg)
    width = SIGMA * max(size_of(pixels), size_of(image))
    values, truth = (gaussians(one, sources, width) for one in (pixels, image))
    times = {way: [] for way in ways}
    for _ in range(TIMES):
        for way, run in ways.items():
            start = perf_counter()
            run(values, pixels, image)
            times[way].append(perf_counter() - start)
    first = min(next(iter(times.values())))
    for way, run in ways.items():
        found = np.nan_to_num(run(values, pixels, image))
        cells = [f"{min(times[way]) / first:.1f}", f"{found.sum() / truth.sum():.4f}"]
        cells += [f"{np.abs(found - truth).max() / truth.max():.3f}"]
        shapes = [elongation(one) for one in stamps(found, image, sources, 4 * width)]
        cells += [f"{np.max(shapes):.2f}"]
        print(f"| {name} | {way} | {' | '.join(cells)} |")


def turned(width: int) -> WcsPixels:
    """Pixels of an image of the field and some more, turned by 20 degrees."""
    wcs, shape = tangent_wcs(CENTRE, 1.5 * FIELD, round(1.5 * width))
    angle = np.radians(20)
    wcs.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return WcsPixels(WCS(wcs.to_header()), shape)


def size_of(pixels: Pixels) -> float:
    """Side of a pixel in degrees."""
    return float(pixels.pixel_size.to_value("deg"))


def gaussians(pixels: Pixels, sources: SkyCoord, width: float) -> np.ndarray:
    """Density at the centres of pixels of round sources of a standard deviation in degrees."""
    apart = pixels.centres()[None].reshape(1, -1).separation(sources[:, None]).deg
    return np.exp(-0.5 * (apart / width) ** 2).sum(axis=0).reshape(pixels.shape)


def stamps(
    image: np.ndarray, pixels: WcsPixels, sources: SkyCoord, reach: float
) -> Iterator[np.ndarray]:
    """Yield the part of an image about each source."""
    half = round(reach / size_of(pixels))
    for x, y in zip(*(np.rint(axis).astype(int) for axis in pixels.xy(sources)), strict=True):
        yield image[y - half : y + half + 1, x - half : x + half + 1]


def elongation(stamp: np.ndarray) -> float:
    """Length over width of the second moments of a source."""
    y, x = np.indices(stamp.shape)
    weights = stamp / stamp.sum()
    dx, dy = x - (weights * x).sum(), y - (weights * y).sum()
    moments = [[(weights * a * b).sum() for a in (dx, dy)] for b in (dx, dy)]
    return float(np.sqrt(np.divide(*np.linalg.eigvalsh(moments)[::-1])))


def nearest_and_smooth(values: np.ndarray, pixels: Pixels, image: WcsPixels) -> np.ndarray:
    """Nearest pixels, and a Gaussian of half their size where they are larger."""
    index = pixels.pixel_of(image.centres())
    found = np.where(index >= 0, values.ravel()[index], 0.0)
    return smooth(found, pixels, image)


def smooth(found: np.ndarray, pixels: Pixels, image: WcsPixels) -> np.ndarray:
    """Smooth the edges of pixels larger than 1.5 of the image."""
    width = size_of(pixels) / size_of(image)
    return gaussian_filter(found, 0.5 * width) if width > 1.5 else found


def by_healpix(order: str) -> Way:
    """From HEALPix by reproject, one of its orders."""

    def way(values: np.ndarray, pixels: HealpixPixels, image: WcsPixels) -> np.ndarray:
        source = (values, pixels.frame)
        return reproject_from_healpix(source, image.wcs, image.shape, nested=False, order=order)[0]

    return way


def nearest_healpix_and_smooth(
    values: np.ndarray, pixels: HealpixPixels, image: WcsPixels
) -> np.ndarray:
    """Nearest pixels by reproject, smoothed as by hand."""
    return smooth(by_healpix("nearest-neighbor")(values, pixels, image), pixels, image)


def by_interp(values: np.ndarray, pixels: WcsPixels, image: WcsPixels) -> np.ndarray:
    """Bilinear by reproject."""
    return reproject_interp((values, pixels.wcs), image.wcs, image.shape)[0]


def by_adaptive(values: np.ndarray, pixels: WcsPixels, image: WcsPixels) -> np.ndarray:
    """Adaptive resampling by reproject."""
    return reproject_adaptive((values, pixels.wcs), image.wcs, image.shape, boundary_mode="ignore")[
        0
    ]


def interpolated(values: np.ndarray, pixels: Pixels, image: WcsPixels) -> np.ndarray:
    """Bilinear interpolation by healpy, as exposures are brought to other pixels."""
    return pixels.interpolate(values, image.centres())


FROM_HEALPIX: dict[str, Way] = {
    "nearest by hand, smoothed": nearest_and_smooth,
    "reproject nearest, smoothed": nearest_healpix_and_smooth,
    "reproject bilinear": by_healpix("bilinear"),
}
FROM_IMAGE: dict[str, Way] = {
    "nearest by hand, smoothed": nearest_and_smooth,
    "reproject bilinear": by_interp,
    "reproject adaptive": by_adaptive,
}
EXPOSURE: dict[str, Way] = {
    "healpy bilinear": interpolated,
    "reproject bilinear": by_healpix("bilinear"),
}


if __name__ == "__main__":
    main()
