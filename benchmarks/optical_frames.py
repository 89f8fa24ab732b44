"""Finders of optical images on held-out MeerLICHT frames of known sources.

``python benchmarks/optical_frames.py [--frames FOLDER] [--only NAME] [--kind KIND]`` simulates ten
frames of 2048 x 2048 pixels once into FOLDER, five sparse and five crowded, at several values of
the seeing. It prints for each finder and setting, at the score where 95 % of the detections off
artefacts are sources: the magnitude at which half of the sources are found, the artefacts found as
sources, the median centroid error of stars of S/N 10-100 over the Cramer-Rao bound, the
completeness against signal-to-noise ratio. For scores that are probabilities it prints how many
detections of each are sources.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from point_limits import position_bound
from results import kept
from scipy.ndimage import maximum_filter

from gammafind.catalogue.io import read_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.fitting.image.point_limits import signal_to_noise
from gammafind.pipeline.simulate import simulate
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.localiser import Localiser
from gammafind.roles.registry import create
from gammafind.sky.fits import read_frame
from gammafind.sky.observation import Observation

SEED = 77001
SEEINGS = (1.7, 2.7, 3.8, 2.7, 2.2)
DENSITIES = {"sparse": 2000.0, "crowded": 36700.0}
PURITY = 0.95
LEAST_SNR = 2.0
"""Fainter sources do not count as found or missed, nor make a detection a true one."""
SNR_BINS = (3, 4, 5, 6, 8, 12, 20, 50, 200)
PROBABILITIES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0)
STEP = 0.25
WIDE = {"sharpness": (-2.0, 3.0), "roundness": (-2.0, 2.0)}
FINDERS: dict[str, list[tuple[str, dict[str, object]]]] = {
    "sep": [
        ("sep", {"threshold": 2.5}),
        ("sep", {"threshold": 2.5, "deblend_contrast": 1e-4, "deblend_levels": 64}),
        ("sep", {"threshold": 2.5, "deblend_contrast": 0.0, "deblend_levels": 64}),
        ("sep", {"threshold": 2.5, "deblend_contrast": 1e-4, "clean": False}),
    ],
    "daofind": [
        ("daofind", {"threshold": 3.0, "reach": 1.5}),
        ("daofind", {"threshold": 3.0, "reach": 2.5}),
        ("daofind", {"threshold": 3.0, "reach": 2.0, **WIDE}),
        ("daofind", {"threshold": 3.0, "reach": 3.0, **WIDE}),
    ],
    "image-unet": [("image-unet", {})],
}
"""Settings of each finder; the one of the deepest limit is its best."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A simulated image, what is seen of it, and what is true of it."""

    observation: Observation
    places: np.ndarray
    magnitude: np.ndarray
    snr: np.ndarray
    bound: np.ndarray
    star: np.ndarray
    mask: np.ndarray
    radius: float


@dataclass(frozen=True, eq=False)
class Found:
    """Detections of one finder in all frames of a kind, and the sources of these."""

    score: np.ndarray
    matched: np.ndarray
    artefact: np.ndarray
    magnitude: np.ndarray
    snr: np.ndarray
    best: np.ndarray
    error: np.ndarray


@kept("optical_frames")
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, default=Path("optical-frames"))
    parser.add_argument("--only", choices=FINDERS)
    parser.add_argument("--kind", choices=DENSITIES)
    arguments = parser.parse_args()
    finders = [f for name, f in FINDERS.items() if arguments.only in (None, name)]
    settings = [setting for group in finders for setting in group]
    for kind in DENSITIES if arguments.kind is None else (arguments.kind,):
        frames = list(held_out(kind, arguments.frames))
        n = sum(int(np.sum(frame.snr >= LEAST_SNR)) for frame in frames)
        print(f"\n{kind}: {len(frames)} frames, {n} sources of S/N {LEAST_SNR:g} or more\n")
        heads = ["finder", "options", "cut", "purity", "m50", "artefacts", "centroid / bound"]
        heads += [f"S/N {a}-{b}" for a, b in pairwise(SNR_BINS)]
        print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        listed = []
        for name, options in settings:
            localiser = create("localiser", name, **options)
            found = search(localiser, frames)
            named = ", ".join(f"{k} = {v}" for k, v in options.items())
            print(f"| {' | '.join([name, named, *row(found)])} |", flush=True)
            if localiser.scores_are_probabilities:
                listed.append((name, found))
        for name, found in listed:
            print_calibration(name, found)


def print_calibration(name: str, found: Found) -> None:
    """Print how many detections of each probability are sources."""
    print(f"\n| {name}: probability | detections | mean | share that are sources |")
    print("|---|---|---|---|")
    for low, high in pairwise(PROBABILITIES):
        chosen = (found.score >= low) & (found.score < high)
        mean, share = (share_of(of, chosen) for of in (found.score, found.matched))
        print(f"| {low}-{high} | {int(chosen.sum())} | {mean:.3f} | {share:.3f} |")


def held_out(kind: str, folder: Path) -> Iterator[Frame]:
    """Frames of a kind, simulated where they are not there yet."""
    folder.mkdir(exist_ok=True)
    for index, seeing in enumerate(SEEINGS):
        preset = preset_of(kind, seeing)
        place = folder / f"{kind}-{index}"
        made = simulate(output=place, preset=preset, seed=SEED, first=index).folders[0]
        yield read(made, preset)


def preset_of(kind: str, seeing: float) -> Preset:
    """Preset of the frames of a kind, with more artefacts than a frame of the survey has."""
    camera = {
        "shape": (2048, 2048),
        "seeing": f"{seeing} arcsec",
        "trails": 12.0,
        "cosmic_rays": 1500.0,
        "hot_pixels": 1000.0,
    }
    field = {"size": "0.34 deg", "density": DENSITIES[kind]}
    return with_plugins(load_preset("meerlicht"), {}, {"renderer": camera, "population": field})


def read(folder: Path, preset: Preset) -> Frame:
    """Look at a simulated frame, and bring its truth into its pixels."""
    renderer = build(preset.renderer)
    counts = renderer.read_counts([folder / "image.fits"])
    observation = renderer.observe(counts)
    sources = read_table(folder / "sources.fits")
    pixels = counts.pixels[0]
    x, y = pixels.xy(SkyCoord(sources["ra"], sources["dec"]))
    ny, nx = pixels.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    sources, places = sources[inside], np.column_stack([x, y])[inside]
    electrons = renderer.source_counts(sources)[:, 0]
    noise = np.hypot(np.sqrt(renderer.sky_electrons), np.mean(renderer.read_noises))
    given = renderer.psfs()[0], pixels.pixel_size.to_value("rad"), electrons, noise
    parts = [slice(i, i + 500) for i in range(0, len(electrons), 500)]
    snr, bound = (
        np.concatenate([limit(*given[:2], electrons[part], noise) for part in parts])
        for limit in (signal_to_noise, position_bound)
    )
    mask = read_frame(folder / "mask.fits", pixel_size=renderer.pixel_scale).values
    return Frame(
        observation=observation,
        places=places,
        magnitude=np.asarray(getattr(sources["mag_q"], "value", sources["mag_q"]), dtype=float),
        snr=snr,
        bound=bound,
        star=np.asarray(sources["class_label"]) == "star",
        mask=maximum_filter(mask.astype(np.uint8), 5),
        radius=max(renderer.fwhm / 2, 1.5),
    )


def search(localiser: Localiser, frames: Sequence[Frame]) -> Found:
    """Search all frames and match what is found with what is there."""
    parts = []
    for frame in frames:
        detections = localiser.localise_sky(frame.observation)
        places = np.column_stack([detections[axis].to_value(u.pix) for axis in ("x", "y")])
        score = np.asarray(detections["score"], dtype=float)
        real = np.flatnonzero(frame.snr >= LEAST_SNR)
        pairs = match_one_to_one(flat(places), flat(frame.places[real]), frame.radius * u.arcsec)
        matched = np.zeros(len(score), dtype=bool)
        matched[pairs.a] = True
        best = np.full(len(real), -np.inf)
        best[pairs.b] = score[pairs.a]
        error = np.full(len(real), np.nan)
        shift = places[pairs.a] - frame.places[real][pairs.b]
        error[pairs.b] = np.hypot(*shift.T) / frame.bound[real][pairs.b]
        error[~frame.star[real]] = np.nan
        column, row_ = np.rint(places).astype(int).T
        artefact = ~matched & (frame.mask[row_, column] > 0)
        parts.append(
            (score, matched, artefact, frame.magnitude[real], frame.snr[real], best, error)
        )
    return Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def flat(places: np.ndarray) -> SkyCoord:
    """Pixels as arcseconds about the origin, so that distances are pixels."""
    return SkyCoord(*(places.T / 3600), unit="deg")


def row(found: Found) -> list[str]:
    """Numbers of one finder."""
    cut, purity = pure_cut(found)
    kept = found.score >= cut
    seen = found.best >= cut
    middling = seen & (found.snr >= 10) & (found.snr < 100) & np.isfinite(found.error)
    # The median distance of a two-dimensional Gaussian is 1.18 of its width along an axis.
    centroid = np.median(found.error[middling]) / np.sqrt(2 * np.log(2))
    shares = [
        share_of(seen, (found.snr >= low) & (found.snr < high)) for low, high in pairwise(SNR_BINS)
    ]
    return [
        f"{cut:.2f}",
        f"{purity:.3f}",
        f"{half_found(found.magnitude, seen):.2f}",
        str(int(np.sum(found.artefact & kept))),
        f"{centroid:.2f}",
        *(f"{share:.2f}" for share in shares),
    ]


def pure_cut(found: Found) -> tuple[float, float]:
    """Lowest score above which the purity is reached, and the purity there.

    Detections on artefacts are left out here, and counted apart.
    """
    score, matched = found.score[~found.artefact], found.matched[~found.artefact]
    order = np.argsort(-score, kind="stable")
    purity = np.cumsum(matched[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(purity >= PURITY)
    last = reached[-1] if len(reached) else 0
    return float(score[order][last]), float(purity[last])


def share_of(seen: np.ndarray, chosen: np.ndarray) -> float:
    """Share of the chosen sources that were seen, or mean of them; NaN where there are none."""
    return float(np.mean(seen[chosen])) if chosen.any() else float("nan")


def half_found(magnitude: np.ndarray, seen: np.ndarray) -> float:
    """Magnitude at which half of the sources are found, between bins of a quarter magnitude."""
    edges = np.arange(16, 23, STEP)
    share = np.array([share_of(seen, (magnitude >= m) & (magnitude < m + STEP)) for m in edges])
    below = np.flatnonzero(share < 0.5)
    first = next((i for i in below if np.all(share[i : i + 2] < 0.5)), len(edges) - 1)
    if first == 0:
        return float(edges[0])
    high, low = share[first - 1], share[first]
    return float(edges[first] - STEP / 2 + STEP * (high - 0.5) / max(high - low, 1e-9))


if __name__ == "__main__":
    main()
