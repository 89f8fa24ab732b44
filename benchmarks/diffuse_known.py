"""What `unet` would find below 10 deg if it knew the interstellar emission; needs ../shared.

``python benchmarks/diffuse_known.py FOLDER [--sky 0]``: FOLDER is ``O`` in that of
``diffuse_swap.py``. Model O, smoothed or as it is, takes the place of the background that is fitted
to the counts, before the first search as well as after it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from unittest import mock

import healpy as hp
import numpy as np
from astropy.table import QTable
from diffuse_swap import RADIUS, shape_of
from held_out import HeldOut, evaluated, latitude, reshaped
from results import kept

from gammafind.evaluation.metrics import purity_cut, rates
from gammafind.plugins.unet import search
from gammafind.plugins.unet.localiser import UNet
from gammafind.simulation.sky import SimulatedSky
from gammafind.sky.patch_grid import PatchGrid

PURITY = 0.90
LOWEST = 10.0


@kept("diffuse_known")
def main() -> None:
    """Print completeness by the score and by TS alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sky", type=int, default=0)
    arguments = parser.parse_args()
    shape = shape_of("O")
    skies = HeldOut(folder=arguments.folder, shape=shape)
    sky, layout = skies.sky(arguments.sky), skies.settings.patches
    sky = replace(sky, sources=skies.sources(arguments.sky))
    background = dict(sky.observation.background)

    def found(known: np.ndarray | None, even: bool) -> QTable:
        scaled, unevenness = search.scaled_background, search.unevenness
        if known is not None:
            shaped = reshaped(background["interstellar"], known)
            scaled = mock.Mock(return_value={**background, "interstellar": shaped})
        if even:
            unevenness = mock.Mock(side_effect=lambda *given: np.zeros(len(given[-1])))
        with mock.patch.multiple(search, scaled_background=scaled, unevenness=unevenness):
            return UNet().localise_sky(
                sky.observation,
                grid=PatchGrid.healpix(layout.nside, size=layout.size),
                rng=np.random.default_rng(arguments.sky),
            )

    smooth = hp.smoothing(shape, fwhm=np.radians(1.0))
    print("| known | by score | by TS |\n|---|---|---|")
    for name, known, even in (
        ("nothing", None, False),
        ("smoothed to 1 deg", smooth, False),
        ("exactly", shape, False),
        ("exactly, nothing uneven", shape, True),
    ):
        detections = found(known, even)
        by_score = completeness(detections, sky)
        detections["score"] = detections["ts"]
        print(f"| {name} | {by_score:.3f} | {completeness(detections, sky):.3f} |", flush=True)


def completeness(found: QTable, sky: SimulatedSky) -> float:
    """Completeness at the purity, near the plane."""
    evaluation = evaluated([found], [sky.sources], radius=RADIUS).select(
        selected=latitude([sky.sources]) < LOWEST, counted=latitude([found]) < LOWEST
    )
    return rates(evaluation, cut=purity_cut(evaluation, purity=PURITY)).completeness


if __name__ == "__main__":
    main()
