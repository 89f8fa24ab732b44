"""The share of the counts of a point source that falls in each pixel near it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gammafind.sky.areas import pixel_areas
from gammafind.sky.corner_shares import corner_shares
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.projection import chords
from gammafind.sky.psf import RadialPsf

_CHUNK = 2_000_000
"""Sub-pixels per step: limits memory."""
_BINS_IN_CORE = 300
"""Bins of the chord per core: so narrow that their centres can be used for lookup."""
_ZONES = ((1.5, 2), (3, 4), (4, 6))
"""Radii, in pixels plus cores of the PSF, within which sub-pixels are finest, half and a quarter as
fine. Changing the sub-pixels where the PSF is steep would leave errors of shape that do not
cancel."""
_MANY = 8
"""Sub-pixels per side from which the corners of the pixel are used instead: exact, and faster."""
_POLAR, _POLAR_PIXELS, _POLAR_CORES = 4, 8, 6
"""Factor by which sub-pixels are finer near the HEALPix poles, and the distance, in pixels plus
cores."""
LEVELS = (0.95, 0.99, 0.998, 0.9998)
"""Shares of the counts in stamps of faint to bright sources."""
FINE, COARSE = 2.0, 0.6
"""Sub-pixels per core of the PSF: shares are accurate to 0.006 and to 0.03 of the counts."""
_NODES = 400
"""Distances in the inner part of an averaged profile: close enough for linear interpolation."""
_ANGLES = 12
"""Orientations of the square over which the PSF is averaged: enough for a smooth mean."""


@dataclass(frozen=True, eq=False)
class Stamps:
    """Pixels near each of n positions, and the share of the counts of a source in them.

    Attributes
    ----------
    pixel : ndarray of int, shape (n, k)
        Flat pixel indices.
    fraction : ndarray, shape (n, k)
        Share of the counts of a source at the position that falls into the pixel.
    """

    pixel: np.ndarray
    fraction: np.ndarray

    def take(self, chosen: np.ndarray) -> Stamps:
        """Stamps of some of the positions."""
        return Stamps(self.pixel[chosen], self.fraction[chosen])

    def join(self, other: Stamps) -> Stamps:
        """These stamps, followed by others of the same size."""
        return Stamps(
            np.concatenate([self.pixel, other.pixel]),
            np.concatenate([self.fraction, other.fraction]),
        )

    def spread(self, counts: np.ndarray, n_pixels: int) -> np.ndarray:
        """Map of ``n_pixels`` with the ``counts`` of the sources, shape (n,)."""
        total = np.zeros(n_pixels)
        self.add_to(total, counts)
        return total

    def add_to(self, total: np.ndarray, counts: np.ndarray) -> None:
        """Add the ``counts`` of the sources, shape (n,), to a flat map."""
        counts = np.asarray(counts)
        some = np.flatnonzero(counts)
        shown = self if len(some) == len(counts) else self.take(some)
        weights = shown.fraction * counts[some, None]
        add_at(total, shown.pixel.ravel(), weights.ravel())


def add_at(total: np.ndarray, index: np.ndarray, values: np.ndarray) -> None:
    """Add values to some elements of a flat map, which may repeat; the others are not touched.

    With equal types this is forty times faster.
    """
    np.add.at(total, index.astype(np.intp, copy=False), values.astype(total.dtype, copy=False))


def stamps(
    vectors: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
    *,
    containment: float,
    sampling: float = FINE,
) -> Stamps:
    """Integrate the PSF over the pixels near each position.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``.
    pixels : Pixels
    psf : RadialPsf
    containment : float
        Minimum share of the counts in the stamp.
    sampling : float
        As for `fractions_at`.

    Returns
    -------
    Stamps
    """
    index = pixels_near(vectors, pixels, psf, containment=containment)
    return Stamps(index, fractions_at(vectors, index, pixels, psf, sampling=sampling))


def pixels_near(
    vectors: np.ndarray, pixels: Pixels, psf: RadialPsf, *, containment: float, reach: float = 0
) -> np.ndarray:
    """Flat indices of the pixels that contain a given share of the counts of a source.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``.
    pixels : Pixels
    psf : RadialPsf
    containment : float
        Minimum share of the counts in the pixels.
    reach : float
        Largest distance in radians of the source from the vector.

    Returns
    -------
    ndarray of int, shape (n, k)
    """
    size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    radius = psf.containment_radius(containment).to_value("rad") + size + reach
    k = int(np.ceil(2 * np.pi * (1 - np.cos(min(radius, np.pi))) / size**2))
    return pixels.nearest(vectors, min(max(k, 4), int(np.prod(pixels.shape))))


def point_source_map(
    vectors: np.ndarray, counts: np.ndarray, pixels: Pixels, psf: RadialPsf
) -> np.ndarray:
    """Expected counts of point sources in each pixel, flat.

    The stamps grow with the counts: at most half a count of each source, or 0.02 % of it, is
    omitted.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n,)
        Expected counts of each source.
    pixels : Pixels
    psf : RadialPsf
    """
    n_pixels = int(np.prod(pixels.shape))
    total = np.zeros(n_pixels)
    level = stamp_levels(counts)
    for i, containment in enumerate(LEVELS):
        group = np.flatnonzero(level == i)
        for part in np.array_split(group, max(1, len(group) // 500)):
            if len(part):
                stamp = stamps(vectors[part], pixels, psf, containment=containment)
                stamp.add_to(total, counts[part])
    return total


def stamp_levels(counts: np.ndarray) -> np.ndarray:
    """Index in `LEVELS` of the share of each source that leaves out half a count at most."""
    missing = 0.5 / np.maximum(counts, 1e-9)
    return np.minimum(np.searchsorted(LEVELS, 1 - missing), len(LEVELS) - 1)


def fractions_at(
    vectors: np.ndarray,
    index: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
    *,
    sampling: float = FINE,
    centres: np.ndarray | None = None,
) -> np.ndarray:
    """Share of the counts of each source that falls into given pixels.

    Parameters
    ----------
    vectors : ndarray, shape (..., 3)
        Unit vectors of the sources in the frame of ``pixels``.
    index : ndarray of int, shape (..., k)
        Flat pixel indices; the leading axes broadcast against those of ``vectors``.
    pixels : Pixels
    psf : RadialPsf
    sampling : float
        Sub-pixels in the core of the PSF: `FINE`, or `COARSE`, which is four times faster.
    centres : ndarray, shape (..., k, 3), optional
        Unit vectors of the centres of the pixels, if they are known.

    Returns
    -------
    ndarray, shape (..., k)
        PSF averaged over each pixel, times its area.

    Notes
    -----
    Pixels are split into sub-pixels as fine as the PSF requires. Over each sub-pixel the PSF is
    averaged over a square in all orientations. If many sub-pixels were needed, the share is instead
    computed exactly from the corners of the pixel. The sum of the shares is accurate to 0.1 % with
    the finer ``sampling``. At the HEALPix poles the centre of a pixel is not its centre of mass;
    there the sub-pixels are finer.
    """
    each = fractions_of_each(vectors, index, pixels, (psf,), sampling=sampling, centres=centres)
    return next(each)


def fractions_of_each(
    vectors: np.ndarray,
    index: np.ndarray,
    pixels: Pixels,
    psfs: Iterable[RadialPsf],
    *,
    sampling: float = FINE,
    centres: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Yield `fractions_at` for each PSF."""
    centres = centre_vectors(pixels, index) if centres is None else centres
    chord = chords(vectors[..., None, :], centres)
    index = np.broadcast_to(index, chord.shape)
    areas = pixel_areas(pixels)[index]
    for psf in psfs:
        yield areas * _densities(vectors, index, pixels, psf, chord, sampling)


def _densities(
    vectors: np.ndarray,
    index: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
    chord: np.ndarray,
    sampling: float,
) -> np.ndarray:
    """PSF averaged over pixels at chords from the sources, shape (..., k)."""
    size, core = float(np.sqrt(pixels.pixel_area.to_value("sr"))), psf_core(psf)
    density = averaged_density(psf, size, chord)
    fineness = 2 ** max(0, int(np.ceil(np.log2(sampling * size / core))))
    polar = _polar(vectors, pixels, _POLAR_PIXELS * size + _POLAR_CORES * core)[..., None]
    kinds = [kind for kind in (False, True) if np.any(polar == kind)]
    inside = 0.0
    for level, (pixel_sizes, cores) in enumerate(_ZONES):
        coarser, outside = max(1, fineness // 2**level), pixel_sizes * size + cores * core
        for near_pole in kinds:
            n = _POLAR * coarser if near_pole else coarser
            if n > 1:
                zone = (chord >= inside) & (chord < outside)
                at = np.nonzero(zone & (polar == near_pole) if len(kinds) > 1 else zone)
                near = vectors[at[:-1]], index[at]
                if n >= _MANY:
                    density[at] = _exact(*near, pixels, psf, near_pole)
                else:
                    density[at] = _averaged(*near, n, pixels, psf)
        inside = outside
    return density


def _polar(vectors: np.ndarray, pixels: Pixels, reach: float) -> np.ndarray:
    """Which positions are within a chord of a HEALPix pole."""
    if not isinstance(pixels, HealpixPixels):
        return np.zeros(vectors.shape[:-1], dtype=bool)
    return np.hypot(vectors[..., 0], vectors[..., 1]) < reach


def _exact(
    vectors: np.ndarray, index: np.ndarray, pixels: Pixels, psf: RadialPsf, polar: bool
) -> np.ndarray:
    """Mean of the PSF of each source over one pixel each, for pixels wider than the PSF."""
    areas = pixel_areas(pixels)[index]
    shares = corner_shares(vectors, index, pixels, psf, psf_core(psf), polar=polar)
    return np.divide(shares, areas, out=np.zeros_like(shares), where=areas > 0)


def _averaged(
    vectors: np.ndarray, index: np.ndarray, n: int, pixels: Pixels, psf: RadialPsf
) -> np.ndarray:
    """Mean of the PSF of each source over ``n`` x ``n`` sub-pixels of one pixel each."""
    size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    mean = np.empty(len(index))
    for part in np.array_split(np.arange(len(index)), len(index) * n * n // _CHUNK + 1):
        unique, inverse = np.unique(index[part], return_inverse=True)
        sub = pixels.subpixel_vectors(unique, n)[inverse]
        mean[part] = averaged_density(psf, size / n, chords(sub, vectors[part, None])).mean(axis=1)
    return mean


def averaged_density(psf: RadialPsf, width: float, chord: np.ndarray) -> np.ndarray:
    """PSF averaged over squares of side ``width`` at chords from the source."""
    table, scale = _lookup(psf, width)
    return table[np.minimum(chord * scale, len(table) - 1).astype(np.int32)]


@lru_cache(maxsize=1024)
def psf_core(psf: RadialPsf) -> float:
    """Radius in radians that contains 30 % of the counts: the scale on which the PSF is steep."""
    return psf.containment_radius(0.3).to_value("rad")


@lru_cache(maxsize=128)
def _lookup(psf: RadialPsf, width: float) -> tuple[np.ndarray, float]:
    """Averaged profile in narrow bins of the chord, and the bins per unit of chord.

    The bins are so narrow compared to the core that the value at the centre is used for the whole
    bin. The last value is zero.
    """
    scale = _BINS_IN_CORE / psf_core(psf)
    reach = 2 * np.sin(min(psf.theta[-1] + width, np.pi) / 2)
    chord = (np.arange(int(reach * scale) + 1) + 0.5) / scale
    profile = np.interp(chord, *averaged_profile(psf, width))
    return np.append(profile, 0.0), scale


@lru_cache(maxsize=2048)
def averaged_profile(psf: RadialPsf, width: float) -> tuple[np.ndarray, np.ndarray]:
    """PSF averaged over squares of side ``width`` (radians) in all orientations.

    Parameters
    ----------
    psf : RadialPsf
    width : float

    Returns
    -------
    chord, density : ndarray, shape (n,)
        Distances between unit vectors, increasing, and averages per steradian.

    Notes
    -----
    The mean over a pixel is not the value at its centre: if the PSF is as wide as the pixel, the
    mean is lower by several percent in the core and higher in the wings.
    """
    nodes = [psf.theta, psf.theta[-1] + width * np.linspace(0, 1, 9)]
    nodes.append(np.linspace(0, 4 * (width + psf_core(psf)), _NODES))
    theta = np.unique(np.concatenate(nodes))
    theta = theta[theta <= np.pi]
    points, weights = np.polynomial.legendre.leggauss(4)
    x, y = np.meshgrid(width * (points + 1) / 4, width * (points + 1) / 4)
    weight = np.repeat(np.outer(weights, weights).ravel() / 4, _ANGLES) / _ANGLES
    angle = np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    apart = np.hypot(x, y).ravel()[:, None]
    along, across = (apart * np.cos(angle)).ravel(), (apart * np.sin(angle)).ravel()
    density = psf(np.hypot(theta[:, None] + along, across)) @ weight
    return 2 * np.sin(theta / 2), density
