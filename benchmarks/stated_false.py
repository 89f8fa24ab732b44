"""False detections of `likelihood` on empty skies: stated by the catalogue, and found.

``python benchmarks/stated_false.py FOLDER [--seconds 500]``

100 skies of the background alone in three settings. Each sky is kept in FOLDER, so that the script
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import healpy as hp
import numpy as np
from results import kept

from gammafind.evaluation.metrics import FALSE_BY_SCORE, expected_false_above
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.presets.preset import build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

CUTS = (9, 12, 16, 20)
SEED = 20261130
"""Of skies that were not used to develop the statement."""


@dataclass(frozen=True)
class Setting:
    """Skies of one preset.

    Parameters
    ----------
    name : str
    preset : str
    radius : float
        Of regions around random places, in degrees; 180 for whole skies.
    number : int
        Of skies.
    """

    name: str
    preset: str
    radius: float
    number: int


SETTINGS = (
    Setting("one band, 2-20 GeV, whole skies", "fermi-lat-psf3-2-20", 180, 40),
    Setting("three bands, 10-2000 GeV, regions of 30 deg", "fermi-lat-10-2000", 30, 30),
    Setting("six bands, 0.3-500 GeV, regions of 20 deg", "fermi-lat-p8r3", 20, 30),
)


@kept("stated_false")
def main() -> None:
    """Print the table of docs/validation/simulated_sky.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop searching after these")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    until = perf_counter() + arguments.seconds
    renderers = [build(load_preset(one.preset).renderer) for one in SETTINGS]
    worlds = [(one, one.background()) for one in renderers]
    found: list[list[dict]] = [[] for _ in SETTINGS]
    for index in range(max(one.number for one in SETTINGS)):
        for setting, world, skies in zip(SETTINGS, worlds, found, strict=True):
            path = arguments.folder / f"{setting.preset}-{index:03d}.json"
            if index < setting.number and not path.exists() and perf_counter() < until:
                path.write_text(json.dumps(searched(empty_sky(*world, setting, index), index)))
            if path.exists():
                skies.append(json.loads(path.read_text()))
    print("| sky | skies | TS >= | stated a sky | found a sky | found / stated |")
    print("|---|---|---|---|---|---|")
    for setting, skies in zip(SETTINGS, found, strict=True):
        print_rows(setting.name, skies)
    print_rows("all", [sky for skies in found for sky in skies])
    spent = [sky["seconds"] for skies in found for sky in skies]
    print(f"\nOne sky took {np.mean(spent):.1f} s on average.")


def print_rows(name: str, skies: list[dict]) -> None:
    """Print the numbers of some skies; errors are those of Poisson counts."""
    for cut in CUTS:
        stated = sum(expected_false_above(sky["stated"], cut) for sky in skies)
        seen = sum(np.sum(np.array(sky["ts"]) >= cut) for sky in skies)
        n = max(len(skies), 1)
        print(
            f"| {name} | {len(skies)} | {cut} | {stated / n:.2f} | {seen / n:.2f} "
            f"| {seen / max(stated, 1e-9):.3f} ± {seen**0.5 / max(stated, 1e-9):.3f} |"
        )


def searched(sky: Observation, seed: int) -> dict:
    """TS of the detections of a sky, and what is stated about it."""
    start = perf_counter()
    found = Likelihood().localise_sky(sky, rng=np.random.default_rng(seed))
    return {
        "ts": [round(ts, 3) for ts in found["ts"].tolist()],
        "stated": found.meta[FALSE_BY_SCORE],
        "seconds": perf_counter() - start,
    }


def empty_sky(
    renderer: SkyRenderer, background: dict[str, SkyMap], setting: Setting, index: int
) -> Observation:
    """Poisson counts of the background in a region around a random place."""
    rng = np.random.default_rng([SEED, SETTINGS.index(setting), index])
    centre = rng.normal(size=3)
    first = next(iter(background.values()))
    values, valid = [], []
    for i, pixels in enumerate(first.pixels):
        inside = hp.query_disc(pixels.nside, centre, np.radians(setting.radius))
        known = np.zeros(pixels.shape, dtype=bool)
        known[inside] = True
        drawn = np.zeros(pixels.shape, dtype=np.float32)
        drawn[inside] = rng.poisson(sum(part.values[i][inside] for part in background.values()))
        values.append(drawn)
        valid.append(known)
    counts = replace(first, values=tuple(values), valid=tuple(valid), kind="counts")
    return renderer.observe(counts)


if __name__ == "__main__":
    main()
