"""Small skies with known sources, on HEALPix maps and on images."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.wcs import WCS

from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap

EXPOSURE = 1e11


def gaussian_psf(sigma: float) -> RadialPsf:
    """Gaussian of ``sigma`` degrees."""
    theta = np.linspace(0, np.radians(8 * sigma), 1200)
    return RadialPsf(theta, np.exp(-((theta / np.radians(sigma)) ** 2) / 2))


def king_psf(sigma: float, gamma: float = 2.0) -> RadialPsf:
    """King profile of scale ``sigma`` degrees, with wings."""
    theta = np.radians(np.concatenate([[0], np.geomspace(1e-3 * sigma, 25 * sigma, 500)]))
    return RadialPsf(theta, (1 + (np.degrees(theta) / sigma) ** 2 / (2 * gamma)) ** -gamma)


def image(
    width: int = 48, step: float = 0.5, lon: float = 120.0, lat: float = 45.0, *, projection="TAN"
) -> WcsPixels:
    """Square galactic image with ``step`` degrees a pixel."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"GLON-{projection}", f"GLAT-{projection}"]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(width + 1) / 2] * 2
    wcs.wcs.cdelt = [-step, step]
    return WcsPixels(wcs, (width, width))


def directions(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors spread evenly over the sphere."""
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def spread_out(n, apart, *, rng) -> np.ndarray:
    """Directions, each at least ``apart`` degrees from all others."""
    kept: list[np.ndarray] = []
    for vector in directions(60 * n, rng=rng):
        if len(kept) < n and all(vector @ v < np.cos(np.radians(apart)) for v in kept):
            kept.append(vector)
    return np.array(kept)


def aside(vector: np.ndarray, degrees: float, angle: float = 0.0) -> np.ndarray:
    """Unit vector ``degrees`` away from a unit vector, at the position angle ``angle``."""
    pole = np.array([0.0, 0, 1]) if abs(vector[2]) < 0.9 else np.array([1.0, 0, 0])
    east = np.cross(pole, vector)
    east /= np.linalg.norm(east)
    north = np.cross(vector, east)
    distance = np.radians(degrees)
    plane = np.sin(angle) * east + np.cos(angle) * north
    return np.cos(distance) * vector + np.sin(distance) * plane


def observe(
    expected: Sequence[np.ndarray],
    background: Sequence[np.ndarray],
    pixels: Sequence[Pixels],
    psfs: Sequence[RadialPsf],
    *,
    rng: np.random.Generator | None = None,
    valid: Sequence[np.ndarray] | None = None,
) -> Observation:
    """Observation with counts drawn from ``expected``; exactly ``expected`` without ``rng``."""
    bands = energy_bands(np.geomspace(1, 100, len(pixels) + 1) * u.GeV)

    def sky(arrays, kind, mask=None):
        shaped = tuple(np.reshape(a, p.shape) for a, p in zip(arrays, pixels, strict=True))
        return SkyMap(bands, tuple(pixels), shaped, kind, mask)

    counts = expected if rng is None else [rng.poisson(array) for array in expected]
    return Observation(
        counts=sky(counts, "counts", valid),
        background={"isotropic": sky(background, "expected counts")},
        exposure=sky([np.full(p.shape, EXPOSURE) for p in pixels], "exposure"),
        psfs=tuple(psfs),
    )


def source_sky(
    vectors: np.ndarray,
    counts: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
    *,
    level: float,
    rng: np.random.Generator | None = None,
    valid: np.ndarray | None = None,
) -> Observation:
    """One band with sources on a flat background of ``level`` counts a pixel."""
    background = np.full(int(np.prod(pixels.shape)), level)
    expected = background + point_source_map(vectors, np.asarray(counts, float), pixels, psf)
    masks = None if valid is None else [valid.reshape(pixels.shape)]
    return observe([expected], [background], [pixels], [psf], rng=rng, valid=masks)


def random_sky(seed: int, *, nside: int = 32, sigma: float = 1.5, n: int = 20) -> tuple:
    """Positions, counts and observation of a random sky on HEALPix."""
    rng = np.random.default_rng(seed)
    vectors = directions(n, rng=rng)
    counts = rng.uniform(60, 400, n)
    sky = source_sky(vectors, counts, HealpixPixels(nside), gaussian_psf(sigma), level=2.0, rng=rng)
    return vectors, counts, sky
