"""Expected counts of many point sources: harmonics for the smooth part, pixels for the cores.

The PSF is split as in an Ewald sum. Harmonics compute the smooth part, at exact source positions
and for all pixels together. Within a few pixels of each source the average of the PSF over the
pixel is used instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gammafind.sky.harmonics import analyse_points, kernel_sums, synthesise
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_points import PatchPoints
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import chords
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.source_psfs import SourcePsfs
from gammafind.sky.split_psf import SplitPsf, near_part, split_psfs
from gammafind.utils.workers import in_threads

_NEAR_CHUNK = 300_000
"""Source-pixel pairs per step: limits memory."""
_SKY_MULTIPOLES = 2.2
"""Highest multipole times the pixel size: for higher ones HEALPix sums are not accurate
integrals."""
_PATCH_MULTIPOLES, _ENOUGH_MULTIPOLES = (3.1, 6.2), 1800
"""Range in patches, and a sufficient number: more multipoles mean slower sums but fewer near
pixels, which matters for large pixels."""
_NARROW = 1.0
"""Degrees that hold 99 % of the counts of a source with a narrow PSF."""


def sky_counts(
    vectors: np.ndarray, counts: np.ndarray, pixels: Pixels, psf: RadialPsf | SourcePsfs
) -> np.ndarray:
    """Expected counts of point sources in each pixel, of the whole sky or of an image.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors of the sources in the frame of ``pixels``.
    counts : ndarray, shape (n,)
        Expected counts of each source.
    pixels : Pixels
    psf : RadialPsf or SourcePsfs
        Of all sources, or of each.

    Returns
    -------
    ndarray, shape (n_pixels,)
        Flat; ``.reshape(pixels.shape)`` makes an image of it.
    """
    if not isinstance(pixels, HealpixPixels):
        return _image_counts(vectors, np.asarray(counts), pixels, _each(psf, len(vectors)))
    return next(sky_counts_of_each(vectors, np.asarray(counts)[None], pixels, psf))


def fast_counts(
    vectors: np.ndarray, counts: np.ndarray, pixels: Pixels, psf: RadialPsf
) -> np.ndarray:
    """Expected counts of point sources in each pixel, flat: by harmonics where the PSF is wide.

    Stamps, which hold all but half a count of a source, are faster where it is narrow.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n,)
    pixels : Pixels
    psf : RadialPsf
    """
    return (point_source_map if is_narrow(psf) else sky_counts)(vectors, counts, pixels, psf)


def is_narrow(psf: RadialPsf) -> bool:
    """Whether stamps of all sources together have few pixels."""
    return bool(psf.containment_radius(0.99).to_value("deg") < _NARROW)


def sky_counts_of_each(
    vectors: np.ndarray, counts: np.ndarray, pixels: HealpixPixels, psf: RadialPsf | SourcePsfs
) -> Iterator[np.ndarray]:
    """Yield maps of the same sources with different counts.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n_maps, n)
    pixels : HealpixPixels
    psf : RadialPsf or SourcePsfs

    Yields
    ------
    ndarray, shape (n_pixels,)
        As `sky_counts`.
    """
    if not len(vectors):
        yield from np.zeros((len(counts), *pixels.shape))
        return
    area = float(pixels.pixel_area.value)
    psfs = _each(psf, len(vectors))
    split = split_psfs(psfs, float(np.sqrt(area)), int(_SKY_MULTIPOLES / np.sqrt(area)))
    index, change = _near_pixels(vectors, psfs, pixels, split)
    for each in counts:
        total = synthesise(_harmonics(vectors, each, psfs, split), pixels.nside)
        total *= area
        np.add.at(total, index, change * np.asarray(each)[:, None])
        yield np.maximum(total, 0, out=total)


def patch_counts(
    vectors: np.ndarray, counts: np.ndarray, points: PatchPoints, psf: RadialPsf | SourcePsfs
) -> np.ndarray:
    """Expected counts of point sources in each pixel of all patches.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors of the sources in the frame of the patches.
    counts : ndarray, shape (n,)
        Expected counts of each source.
    points : PatchPoints
    psf : RadialPsf or SourcePsfs

    Returns
    -------
    ndarray, shape (n_patches, width, width), float32
    """
    if not len(vectors):
        return np.zeros((len(points.grid), points.width, points.width), dtype=np.float32)
    size = np.radians(points.grid.pixel_size(points.width))
    lmax = np.clip(_ENOUGH_MULTIPOLES, _PATCH_MULTIPOLES[0] / size, _PATCH_MULTIPOLES[1] / size)
    psfs = _each(psf, len(vectors))
    split = split_psfs(psfs, float(size), int(lmax))
    patches = points.synthesise(_harmonics(vectors, counts, psfs, split)) * points.areas
    _add_near(patches, vectors, counts, psfs, points.grid, split)
    return np.maximum(patches, 0, out=patches)


def _each(psf: RadialPsf | SourcePsfs, number: int) -> SourcePsfs:
    return SourcePsfs.same(psf, number) if isinstance(psf, RadialPsf) else psf


def _harmonics(
    vectors: np.ndarray, counts: np.ndarray, psfs: SourcePsfs, split: SplitPsf
) -> np.ndarray:
    """Harmonic coefficients of the smooth parts of all sources."""
    weights = np.asarray(counts, dtype=float)[:, None] * split.shares[psfs.kind]

    def of_window(i: int) -> np.ndarray:
        return analyse_points(vectors, weights[:, i], split.windows[i])

    first, *others = in_threads(of_window, range(len(split.windows)))
    for other in others:
        first += other
    return first


def _image_counts(
    vectors: np.ndarray, counts: np.ndarray, pixels: Pixels, psfs: SourcePsfs
) -> np.ndarray:
    """Expected counts in the pixels of an image."""
    total = np.zeros(int(np.prod(pixels.shape)))
    for kind in np.unique(psfs.kind):
        alike = psfs.kind == kind
        total += point_source_map(vectors[alike], counts[alike], pixels, psfs.of_kind(kind))
    return total


def _near_pixels(
    vectors: np.ndarray, psfs: SourcePsfs, pixels: HealpixPixels, split: SplitPsf
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels near each source, and the near part in them for one count, both (n, k)."""
    area = float(pixels.pixel_area.value)
    kind = psfs.kind
    # For equal integrals the sums hardly depend on the PSF: by 3e-4 at most, at a pole of the
    # coarsest pixels.
    integrals = split.shares[kind] @ split.windows[:, 0]
    window = split.shares[kind].mean(axis=0) @ split.windows / integrals.mean()
    missing = 1 - integrals * area * kernel_sums(vectors, window, pixels.nside)
    k = min(int(np.pi * (split.reach / np.sqrt(area)) ** 2), pixels.shape[0])
    index, change = [], []
    for part in _parts(len(vectors), k):
        index.append(pixels.nearest(vectors[part], k))
        source = vectors[part], kind[part], missing[part]
        change.append(_near_healpix(*source, index[-1], pixels, split))
    return np.concatenate(index), np.concatenate(change)


def _near_healpix(
    vectors: np.ndarray,
    kind: np.ndarray,
    missing: np.ndarray,
    index: np.ndarray,
    pixels: HealpixPixels,
    split: SplitPsf,
) -> np.ndarray:
    def fine_chord(row: np.ndarray, column: np.ndarray, n: int) -> np.ndarray:
        sub_pixels = pixels.subpixel_vectors(index[row, column], n)
        return chords(sub_pixels, vectors[row, None])

    chord = chords(pixels.at(index), vectors[:, None])
    return near_part(kind, chord, float(pixels.pixel_area.value), split, fine_chord, missing)


def _add_near(
    patches: np.ndarray,
    vectors: np.ndarray,
    counts: np.ndarray,
    psfs: SourcePsfs,
    grid: PatchGrid,
    split: SplitPsf,
) -> None:
    """Add the near part of all sources."""
    width = patches.shape[-1]
    reach = int(np.ceil(split.reach / np.radians(grid.pixel_size(width))))
    patch, source, x, y = grid.members(vectors, width, margin=reach)
    dy, dx = np.indices((2 * reach + 1, 2 * reach + 1)).reshape(2, -1) - reach
    dx, dy = np.stack([dx, dy])[:, dx**2 + dy**2 <= reach**2]
    for part in _parts(len(source), len(dx)):
        row = np.rint(y[part]).astype(int)[:, None] + dy
        column = np.rint(x[part]).astype(int)[:, None] + dx
        kind = psfs.kind[source[part]]
        change = _near_patch(x[part], y[part], kind, column, row, grid, width, split)
        inside = (row >= 0) & (row < width) & (column >= 0) & (column < width)
        flat = (patch[part, None] * width + row) * width + column
        np.add.at(patches.reshape(-1), flat[inside], (change * counts[source[part], None])[inside])


def _near_patch(
    x: np.ndarray,
    y: np.ndarray,
    kind: np.ndarray,
    column: np.ndarray,
    row: np.ndarray,
    grid: PatchGrid,
    width: int,
    split: SplitPsf,
) -> np.ndarray:
    """Near part of sources at ``x, y`` in the basis of their patch, equal for all patches."""
    step, middle = np.radians(grid.pixel_size(width)), (width - 1) / 2
    source = _plane((x - middle) * step, (y - middle) * step)

    def chord(i: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        at = _plane((x - middle) * step, (y - middle) * step)
        east, north, out = (axis[i, None] for axis in source)
        return np.sqrt(np.maximum(2 - 2 * (at[0] * east + at[1] * north + at[2] * out), 0))

    def fine_chord(i: np.ndarray, j: np.ndarray, n: int) -> np.ndarray:
        part = (np.arange(n) - (n - 1) / 2) / n
        here = column[i, j, None] + np.tile(part, n), row[i, j, None] + np.repeat(part, n)
        return chord(i, *here)

    areas = grid.pixel_areas(column, row, width)
    return near_part(kind, chord(np.arange(len(x)), column, row), areas, split, fine_chord)


def _plane(east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components of the unit vectors of points of the tangent plane."""
    out = 1 / np.sqrt(1 + east**2 + north**2)
    return east * out, north * out, out


def _parts(number: int, pixels: int) -> list[np.ndarray]:
    """Indices in portions whose near pixels fit into memory."""
    return np.array_split(np.arange(number), number * pixels // _NEAR_CHUNK + 1)
