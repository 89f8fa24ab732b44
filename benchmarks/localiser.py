"""The U-Net on ten held-out skies, next to an ideal matched filter that knows all else.

``python benchmarks/localiser.py FOLDER [--skies 10] [--weights FOLDER] [--name unet]`` stores its
results in FOLDER, and prints the tables of docs/validation/localiser.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import astropy.units as u
import numpy as np
from held_out import HeldOut, evaluated, latitude
from results import kept, named

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions
from gammafind.evaluation.curves import half_found
from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import Evaluation, purity_cut, rates
from gammafind.plugins.unet.localiser import UNet

RADIUS = 0.3 * u.deg
PURITY = 0.90
REGIONS = {"all sky": (0, 90), "abs(b) > 20": (20, 90), "abs(b) < 10": (0, 10)}
FLUXES = {"all": 0.0, ">= 3.4e-13": 3.4e-13, ">= 1e-12": 1e-12}
"""Energy flux of 1-100 GeV in erg cm-2 s-1."""
OLDER_FLUX = 2.3e-10
"""Photon flux above 1 GeV in cm-2 s-1 for which the older code reports 0.934 and 0.954."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=10)
    parser.add_argument("--weights", default="")
    parser.add_argument("--name", default="unet")
    parser.add_argument("--no-ideal", action="store_true")
    arguments = parser.parse_args()
    with kept(named("localiser", arguments.weights)):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """Search all skies, and print."""
    skies = HeldOut(folder=arguments.folder)
    localiser = UNet(weights=arguments.weights)
    sources, found = [], {arguments.name: []}
    if not arguments.no_ideal:
        found["ideal"] = []
    for index in range(arguments.skies):
        sources.append(skies.sources(index))
        found[arguments.name].append(skies.detections(index, arguments.name, localiser))
        if "ideal" in found:
            found["ideal"].append(skies.ideal(index))
        print(f"sky {index}: {skies.seconds(index, arguments.name):.1f} s", flush=True)
    report(sources, found, arguments.name)


def report(sources: list, found: dict[str, list], name: str) -> None:
    """Print all tables of some skies."""
    whole = {key: evaluated(tables, sources, radius=RADIUS) for key, tables in found.items()}
    print_rates(sources, found, whole)
    print_half_found(sources, found, whole)
    print_older(sources, found[name], whole[name])
    print_offsets(sources, found[name])
    print_reliability(found[name], whole[name])


def print_rates(sources: list, found: dict[str, list], whole: dict[str, Evaluation]) -> None:
    """Print completeness at a purity, by region and flux."""
    b = latitude(sources)
    flux = np.concatenate([s["energy_flux"].to_value("erg cm-2 s-1") for s in sources])
    print(f"\nCompleteness at purity {PURITY} ({len(flux) / len(sources):.0f} sources a sky)")
    print("| region | flux | sources | " + " | ".join(found) + " | ratio |")
    print("|---|---|---|" + "---|" * (len(found) + 1))
    for region, (low, high) in REGIONS.items():
        for label, least in FLUXES.items():
            chosen = (b >= low) & (b < high) & (flux >= least)
            row, values = [], []
            for key, evaluation in whole.items():
                at = latitude(found[key])
                here = evaluation.select(
                    selected=(b >= low) & (b < high), counted=(at >= low) & (at < high)
                )
                cut = purity_cut(here, purity=PURITY)
                bright = here.select(selected=flux[(b >= low) & (b < high)] >= least)
                rate = rates(bright, cut=cut).completeness
                spread = bootstrap_interval(
                    bright,
                    lambda e: rates(e, cut=purity_cut(e, purity=PURITY)).completeness,
                    rng=np.random.default_rng(0),
                    n_draws=100,
                )
                values.append(rate)
                row.append(f"{rate:.3f} [{spread[0]:.3f}, {spread[1]:.3f}]")
            ratio = f"{values[0] / values[-1]:.3f}" if len(values) > 1 else ""
            print(f"| {region} | {label} | {chosen.sum()} | {' | '.join(row)} | {ratio} |")


def print_half_found(sources: list, found: dict[str, list], whole: dict[str, Evaluation]) -> None:
    """Print TS50 at a purity."""
    b, ts = latitude(sources), np.concatenate([np.asarray(s["ts"]) for s in sources])
    print(f"\nTS50 at purity {PURITY}\n| region | {' | '.join(found)} | ratio | score cuts |")
    print("|---|" + "---|" * (len(found) + 2))
    for region, (low, high) in REGIONS.items():
        inside = (b >= low) & (b < high)
        values, cuts = [], []
        for key, evaluation in whole.items():
            at = latitude(found[key])
            here = evaluation.select(selected=inside, counted=(at >= low) & (at < high))
            cuts.append(purity_cut(here, purity=PURITY))
            values.append(half_found(ts[inside], here.found(cuts[-1])))
        cells = " | ".join(f"{value:.1f}" for value in values)
        at_cuts = ", ".join(f"{cut:.3g}" for cut in cuts)
        print(f"| {region} | {cells} | {values[0] / values[-1]:.3f} | {at_cuts} |")


def print_older(sources: list, found: list, whole: Evaluation) -> None:
    """Print the completeness of the sources for which the older code reports numbers."""
    b, at = latitude(sources), latitude(found)
    flux = np.concatenate([s["flux"].to_value("cm-2 s-1") for s in sources])
    here = whole.select(selected=(b > 20) & (flux >= OLDER_FLUX), counted=at > 20)
    print(f"\nabs(b) > 20, flux above 1 GeV >= {OLDER_FLUX} cm-2 s-1 (older code: 0.934 and 0.954)")
    print("| score >= | purity | completeness |\n|---|---|---|")
    for cut in (0.3, 0.5, 0.7, 0.9, purity_cut(here, purity=0.954)):
        now = rates(here, cut=cut)
        print(f"| {cut:.3f} | {now.purity:.3f} | {now.completeness:.4f} |")


def print_offsets(sources: list, found: list) -> None:
    """Print the position offsets and compare them with their errors."""
    offset, error, ts = [], [], []
    for true, one in zip(sources, found, strict=True):
        one = one[np.asarray(one["score"]) >= 0.5]
        pairs = match_one_to_one(sky_positions(one), sky_positions(true), RADIUS)
        offset.append(pairs.separation.to_value("deg"))
        error.append(one["pos_err"][pairs.a].to_value("deg"))
        ts.append(np.asarray(true["ts"])[pairs.b])
    offset, error, ts = (np.concatenate(values) for values in (offset, error, ts))
    print("\n| expected TS | matched | median offset (deg) | within r68 | within r95 |")
    print("|---|---|---|---|---|")
    for low, high in ((0, 25), (25, 100), (100, 1000), (1000, np.inf), (25, np.inf), (0, np.inf)):
        chosen = (ts > low) & (ts <= high)
        relative = offset[chosen] / error[chosen]
        print(
            f"| {low}-{high} | {chosen.sum()} | {np.median(offset[chosen]):.4f} "
            f"| {np.mean(relative <= 1):.3f} | {np.mean(relative <= R95_OVER_R68):.3f} |"
        )


def print_reliability(found: list, whole: Evaluation) -> None:
    """Print the share of true detections against their score."""
    b = latitude(found)
    print(
        "\n| score | detections | mean score | true | true at abs(b) < 10 |\n|---|---|---|---|---|"
    )
    gaps = []
    for low in np.arange(0, 1, 0.1):
        chosen = (whole.score >= low) & (whole.score < low + 0.1)
        mean, share = whole.score[chosen].mean(), whole.matched[chosen].mean()
        gaps.append(chosen.sum() * abs(mean - share))
        near = whole.matched[chosen & (b < 10)].mean()
        print(f"| {low:.1f} | {chosen.sum()} | {mean:.3f} | {share:.3f} | {near:.3f} |")
    print(f"\nExpected calibration error: {sum(gaps) / len(whole.score):.4f}")


if __name__ == "__main__":
    main()
