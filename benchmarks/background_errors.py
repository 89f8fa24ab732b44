"""Likelihood weights against wrong backgrounds: the real 2-20 GeV sky, and simulated ones.

``python benchmarks/background_errors.py FOLDER [--models O ...]`` searches with several systematic
errors and keeps detections in FOLDER; needs ../shared. Models A and F are for scoring only: nothing
is chosen on them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import healpy as hp
import numpy as np
from diffuse_swap import FILES, shape_of
from held_out import HeldOut, evaluated, latitude
from real_sky import PRESET, RADIUS, observe
from results import kept

from gammafind.catalogue.flags import Flag, has_flag
from gammafind.catalogue.io import read_table, write_table
from gammafind.evaluation.metrics import completeness_at_purity, evaluate_detections, rates
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.presets.preset import load_preset

ERRORS = (0.0, 0.01, 0.02, 0.03, 0.05)
"""Relative systematic errors of the background."""
SIMULATED = (0.0, 0.03, 0.05)
"""Those on simulated skies."""
REGIONS = {
    "abs(b) > 20": (20, 91),
    "abs(b) 10-20": (10, 20),
    "abs(b) < 20": (0, 20),
    "abs(b) < 10": (0, 10),
}
HALVES = {"b > 0": 1, "b < 0": -1}
"""Choices are made on the first only."""
CUTS = (16.0, 25.0)
SCALE, SIZE = 1.5, 0.1
"""Full width in degrees and standard deviation of the errors of the third kind of sky."""


@kept("background_errors")
def main() -> None:
    """Print the tables of docs/validation/background.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs="+", choices=FILES, default=["O"])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print_real(given.folder)
    print_flagged(given.folder)
    print_simulated(given.folder, given.models)


def print_real(folder: Path) -> None:
    """Print rates on the real sky against 4FGL-DR2."""
    observation, reference = observe(), load_4fgl_dr2()
    there = reference["GLAT"].to_value("deg")
    heads = " | ".join(f"TS >= {cut:.0f}: detections | purity | completeness" for cut in CUTS)
    print(f"| systematic | half | region | purity 0.90: TS >= | completeness | {heads} |")
    print("|---" * (5 + 3 * len(CUTS)) + "|")
    for error in ERRORS:
        path = folder / f"real-{error}.fits"
        if not path.exists():
            write_table(Likelihood(systematic=error).localise_sky(observation), path)
        found = read_table(path)
        here = found["glat"].to_value("deg")
        for half, side in HALVES.items():
            for region, (low, high) in REGIONS.items():
                one = evaluate_detections(
                    found,
                    reference,
                    radius=RADIUS,
                    counted=(here * side >= low) & (here * side < high),
                    selected=(there * side >= low) & (there * side < high),
                )
                best = completeness_at_purity(one, purity=0.90)
                cells = [error, half, region, f"{best.cut:.1f}", f"{best.completeness:.3f}"]
                for now in (rates(one, cut=cut) for cut in CUTS):
                    cells += [now.n_detections, f"{now.purity:.3f}", f"{now.completeness:.3f}"]
                print(f"| {' | '.join(map(str, cells))} |")


def print_flagged(folder: Path) -> None:
    """Print purity on the real sky with and without the flag, with the default error."""
    found = read_table(folder / f"real-{Likelihood.systematic}.fits")
    matched = evaluate_detections(found, load_4fgl_dr2(), radius=RADIUS).matched
    flagged = has_flag(found["flags"], Flag.DIFFUSE_LIMITED)
    ts, side = np.asarray(found["ts"]), np.sign(found["glat"].to_value("deg"))
    print("\n| half | TS | flagged | purity | others | purity |\n|---|---|---|---|---|---|")
    for half, sign in HALVES.items():
        for low, high in ((9, 16), (16, 25), (25, np.inf)):
            here = (side == sign) & (ts >= low) & (ts < high)
            parts = [here & flagged, here & ~flagged]
            cells = [f"{part.sum()} | {matched[part].mean():.3f}" for part in parts]
            print(f"| {half} | {low}-{high} | {' | '.join(cells)} |")


def print_simulated(folder: Path, models: list[str]) -> None:
    """Print rates on simulated skies whose background differs from that of the search."""
    right = HeldOut(folder=folder / "right", preset=PRESET)
    skies = {"right": right, "clumps": replace(right, folder=folder / "clumps", shape=clumps())}
    for model in models:
        skies[f"Model {model}"] = replace(right, folder=folder / model, shape=shape_of(model))
    sources = [right.sources(0)]
    b, radius = latitude(sources), load_preset(PRESET).match_radius
    print("\n| systematic | background | region | TS >= | detections | purity | completeness |")
    print("|---|---|---|---|---|---|---|")
    for error in SIMULATED:
        search = Likelihood(systematic=error)
        found = {key: [sky.detections(0, f"ts-{error}", search)] for key, sky in skies.items()}
        for region, (low, high) in REGIONS.items():
            chosen = {}
            for key, tables in found.items():
                at = latitude(tables)
                chosen[key] = evaluated(tables, sources, radius=radius).select(
                    selected=(b >= low) & (b < high), counted=(at >= low) & (at < high)
                )
            best = completeness_at_purity(chosen["right"], purity=0.90).cut
            for cut in (best, *CUTS):
                for key, one in chosen.items():
                    now = rates(one, cut=cut)
                    print(
                        f"| {error} | {key} | {region} | {cut:.1f} | {now.n_detections} "
                        f"| {now.purity:.3f} | {now.completeness:.3f} |"
                    )


def clumps() -> np.ndarray:
    """Factor for the interstellar emission that varies over about a degree, nside 128."""
    noise = np.random.default_rng(5).standard_normal(hp.nside2npix(128))
    smooth = hp.smoothing(noise, fwhm=np.radians(SCALE))
    return np.exp(SIZE * smooth / smooth.std())


if __name__ == "__main__":
    main()
