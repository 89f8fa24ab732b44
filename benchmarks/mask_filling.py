"""The U-Net on skies of other lower flux limits, next to the paper's 0.58 at purity 0.90.

``python benchmarks/mask_filling.py FOLDER [--skies 2] [--limits 1.54e-12 ...]``. The mask of the
paper fills 3.5 % of its pixels: with discs of radius 5 this means about 3,000 sources per sky, with
discs of radius 2.5 about 11,000. For each limit the sky contains only the sources above it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import astropy.units as u
import numpy as np
from held_out import HeldOut, evaluated
from results import kept

from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import Evaluation, purity_cut, rates
from gammafind.plugins.unet.localiser import UNet

LIMITS = (1.54e-12, 5e-13, 2.5e-13, 9.5e-14)
"""Energy flux of 1-100 GeV in erg cm-2 s-1; the first and the last belong to the two radii."""
PURITY = 0.90
RADIUS = 0.3 * u.deg


@kept("mask_filling")
def main() -> None:
    """Print completeness for each limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=2)
    parser.add_argument("--limits", type=float, nargs="+", default=LIMITS)
    parser.add_argument("--weights", default="")
    arguments = parser.parse_args()
    print(
        "| flux_min | sources a sky | completeness at purity 0.90 | score cut |\n|---|---|---|---|"
    )
    for limit in arguments.limits:
        skies = HeldOut(folder=arguments.folder / f"{limit:g}", flux_min=f"{limit:g} erg cm-2 s-1")
        indices = range(arguments.skies)
        sources = [skies.sources(index) for index in indices]
        found = [skies.detections(i, "unet", UNet(weights=arguments.weights)) for i in indices]
        evaluation = evaluated(found, sources, radius=RADIUS)
        low, high = bootstrap_interval(
            evaluation, _completeness, rng=np.random.default_rng(0), n_draws=100
        )
        print(
            f"| {limit:g} | {np.mean([len(one) for one in sources]):.0f} "
            f"| {_completeness(evaluation):.3f} [{low:.3f}, {high:.3f}] "
            f"| {purity_cut(evaluation, purity=PURITY):.3f} |",
            flush=True,
        )


def _completeness(evaluation: Evaluation) -> float:
    return rates(evaluation, cut=purity_cut(evaluation, purity=PURITY)).completeness


if __name__ == "__main__":
    main()
