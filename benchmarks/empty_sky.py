"""Detections of the U-Net on skies that contain only background.

``python benchmarks/empty_sky.py FOLDER [--skies 10] [--weights FOLDER]``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from held_out import HeldOut
from results import kept

from gammafind.plugins.unet.localiser import UNet

CUTS = (0.3, 0.5, 0.7, 0.8, 0.9)


@kept("empty_sky")
def main() -> None:
    """Print the number of false detections per sky."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=10)
    parser.add_argument("--weights", default="")
    arguments = parser.parse_args()
    skies = HeldOut(folder=arguments.folder, empty=True)
    localiser = UNet(weights=arguments.weights)
    scores = [
        np.asarray(skies.detections(index, "unet", localiser)["score"])
        for index in range(arguments.skies)
    ]
    print("| score >= | detections a sky | least | most |\n|---|---|---|---|")
    for cut in CUTS:
        numbers = [int(np.sum(one >= cut)) for one in scores]
        print(f"| {cut} | {np.mean(numbers):.1f} | {min(numbers)} | {max(numbers)} |")


if __name__ == "__main__":
    main()
