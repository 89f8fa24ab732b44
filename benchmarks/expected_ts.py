"""Expected TS of all sources of a synthetic catalogue in six bands: time, memory and error."""

from __future__ import annotations

import resource
from time import perf_counter

import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept

from gammafind.fitting.photons.expected import AGREEMENT, expected_by_band
from gammafind.presets.preset import build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.projection import unit_vectors
from gammafind.sky.skymap import SkyMap

PRESET = "fermi-lat"
N_CHECKED = 100
CONTAINMENT = 0.999
SUBPIXELS = 8


@kept("expected_ts")
def main() -> None:
    """Print a table, and the differences from a sum over all pixels around some sources."""
    preset = load_preset(PRESET)
    renderer = build(preset.renderer)
    sources = build(preset.population).sample(rng=np.random.default_rng(1))
    counts = renderer.source_counts(sources)
    expected, background = skies(renderer, sources)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    start = perf_counter()
    ts = sum(expected_by_band(positions, counts, expected, background, renderer.psfs()).ts.T)
    seconds = perf_counter() - start
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e6
    print("| sources | bands | seconds | memory beyond the maps (GB) | TS > 9 | TS > 25 |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {len(ts)} | {expected.n_bands} | {seconds:.1f} | {more:.2f} "
        f"| {np.sum(ts > 9)} | {np.sum(ts > 25)} |"
    )
    chosen = np.random.default_rng(2).choice(len(ts), N_CHECKED, replace=False)
    exact = [brute_force(renderer, positions[i], counts[i], expected, background) for i in chosen]
    off = np.abs(ts[chosen] / exact - 1)
    print(
        f"\nDifference from a sum over all pixels, {N_CHECKED} sources: median "
        f"{np.median(off):.4f}, 90 % below {np.quantile(off, 0.9):.4f}, largest {off.max():.4f} "
        f"(at TS {ts[chosen][off.argmax()]:.3g})"
    )


def skies(renderer: SkyRenderer, sources: QTable) -> tuple[SkyMap, SkyMap]:
    """Expected counts of everything, and of the background."""
    seen = renderer.render(sources)
    parts = zip(*(sky.values for sky in renderer.background().values()), strict=True)
    background = [sum(arrays) for arrays in parts]
    total = [a + b for a, b in zip(seen.values, background, strict=True)]
    return tuple(
        SkyMap(seen.bands, seen.pixels, values, "expected counts") for values in (total, background)
    )


def brute_force(
    renderer: SkyRenderer,
    position: SkyCoord,
    counts: np.ndarray,
    expected: SkyMap,
    background: SkyMap,
) -> float:
    """Sum over all pixels within a wide circle, each integrated over many sub-pixels."""
    total = 0.0
    for i, (pixels, psf) in enumerate(zip(expected.pixels, renderer.psfs(), strict=True)):
        here = position.transform_to(pixels.frame).spherical
        vector = unit_vectors(here.lon.deg, here.lat.deg)
        index = hp.query_disc(
            pixels.nside, vector, psf.containment_radius(CONTAINMENT).to_value("rad")
        )
        apart = np.linalg.norm(pixels.subpixel_vectors(index, SUBPIXELS) - vector, axis=-1)
        area = pixels.pixel_area.to_value("sr")
        source = counts[i] * area * psf(2 * np.arcsin(apart / 2)).mean(axis=1)
        others = expected.values[i][index] - (1 + AGREEMENT) * source
        rest = np.maximum(others, background.values[i][index])
        total += 2 * np.sum((rest + source) * np.log1p(source / rest) - source)
    return total


if __name__ == "__main__":
    main()
