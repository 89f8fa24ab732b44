"""Isolated sources in pixels narrower and wider than the PSF: found or lost, positions, counts.

Sources lie at random places within their pixels, far from each other, on a flat background.
"""

from __future__ import annotations

from itertools import product

import astropy.units as u
import numpy as np
from results import kept
from scipy.spatial import cKDTree

from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap

NSIDES = (32, 64, 128, 512)
WIDTHS = (0.2, 1.0, 4.0)
"""r68 of the PSF in pixels."""
APART = 5.0
"""Least distance of two sources, in sizes of a source: PSF and pixel in quadrature."""
MOST = 300
"""Most sources on a sky."""
SKIES = 3
LEVEL = 3.0
"""Background counts in the area of a source."""
COUNTS = (30.0, 600.0)
"""Range of the counts of the sources, evenly in the logarithm."""
CUT, LOST = 25.0, 50.0
EXPOSURE = 1e11


@kept("coarse_pixels")
def main() -> None:
    """Print the table of docs/validation/simulated_sky.md."""
    print(
        "| nside | r68 of the PSF (pixels) | sources | TS > 50 and lost | within r68 | within r95 "
        "| median ratio of counts | median pull |\n|---|---|---|---|---|---|---|---|"
    )
    for nside, width in product(NSIDES, WIDTHS):
        pixels = HealpixPixels(nside)
        psf = king(width * pixels.pixel_size.to_value("deg"))
        skies = [measured(pixels, psf, seed) for seed in range(SKIES)]
        number, lost = (sum(sky[i] for sky in skies) for i in (0, 1))
        apart, r68, r95, counts, found = np.concatenate([sky[2] for sky in skies], axis=1)
        print(
            f"| {nside} | {width:g} | {number} | {lost} | {np.mean(apart <= r68):.3f} "
            f"| {np.mean(apart <= r95):.3f} | {np.median(found / counts):.3f} "
            f"| {np.median((found - counts) / np.sqrt(counts)):.2f} |"
        )


def measured(pixels: HealpixPixels, psf: RadialPsf, seed: int) -> tuple[int, int, np.ndarray]:
    """Number of sources and of lost ones; offset, r68, r95, true and found counts of the others."""
    rng = np.random.default_rng((pixels.nside, seed))
    r68, pixel = psf.containment_radius(0.68).value, pixels.pixel_size.value
    size = np.hypot(r68, pixel)
    vectors = isolated(APART * size, rng)
    counts = np.exp(rng.uniform(*np.log(COUNTS), len(vectors)))
    level = LEVEL * pixel**2 / (np.pi * size**2)
    sky = drawn(pixels, psf, vectors, counts, level, rng)
    found = Likelihood(smoothing=0, threshold=16.0).localise_sky(sky)
    places = unit_vectors(found["glon"].to_value("deg"), found["glat"].to_value("deg"))
    apart, row = cKDTree(places).query(vectors)
    apart = np.degrees(2 * np.arcsin(apart / 2))
    lost = apart > 2 * size
    bright = counts > LOST
    chosen = ~lost & (found["ts"][row] >= CUT)
    radii = [found[name].to_value("deg")[row] for name in ("pos_err", "r95")]
    columns = np.stack([apart, *radii, counts, found["npred"][row]])
    return len(vectors), int(np.sum(lost & bright)), columns[:, chosen]


def king(r68: float) -> RadialPsf:
    """King profile with wings, r68 in degrees."""
    theta = np.radians(np.concatenate([[0], np.geomspace(1e-3 * r68, 12 * r68, 500)]))

    def of(scale: float) -> RadialPsf:
        return RadialPsf(theta, (1 + (np.degrees(theta) / scale) ** 2 / 5) ** -2.5)

    return of(r68 * r68 / of(r68).containment_radius(0.68).value)


def isolated(apart: float, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors of random places at least ``apart`` degrees from each other."""
    kept_ones: list[np.ndarray] = []
    nearest = np.cos(np.radians(apart))
    for vector in rng.normal(size=(4000, 3)):
        place = vector / np.linalg.norm(vector)
        if len(kept_ones) < MOST and all(place @ other < nearest for other in kept_ones):
            kept_ones.append(place)
    return np.array(kept_ones)


def drawn(
    pixels: HealpixPixels,
    psf: RadialPsf,
    vectors: np.ndarray,
    counts: np.ndarray,
    level: float,
    rng: np.random.Generator,
) -> Observation:
    """Poisson counts of the sources on a flat background."""
    bands = energy_bands([1, 10] * u.GeV)
    background = np.full(pixels.shape, level)
    expected = background + point_source_map(vectors, counts, pixels, psf)

    def sky(values: np.ndarray, kind: str) -> SkyMap:
        return SkyMap(bands, (pixels,), (values,), kind)

    return Observation(
        counts=sky(rng.poisson(expected), "counts"),
        background={"flat": sky(background, "expected counts")},
        exposure=sky(np.full(pixels.shape, EXPOSURE), "exposure"),
        psfs=(psf,),
    )


if __name__ == "__main__":
    main()
