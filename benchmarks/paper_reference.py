"""Binary accuracy of the complete localiser, compared with the network of the paper.

``python benchmarks/paper_reference.py RECIPE`` takes the recipe of ``paper_network.py``, draws one
sky of its test catalogue, searches it with the shipped ``unet``, and marks each pixel of the same
patches as source if this is more probable according to all detections near it, their probabilities
and position errors. The localiser uses the whole sky, not single patches, and fits all sources
together.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept
from scipy.ndimage import gaussian_filter

from gammafind.catalogue.merging import R68_OVER_SIGMA
from gammafind.plugins.unet.localiser import UNet
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import vectors_in
from gammafind.training.recipe import read_recipe
from gammafind.training.targets import discs

SEED = 7
TRUE_TS = (25, 16, 12, 9)
FINE = 0.1
REACH = 9


@kept("paper_reference")
def main() -> None:
    """Print the adjusted accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    arguments = parser.parse_args()
    training = read_recipe(arguments.recipe)[-1].prepare(arguments.recipe.parent)
    maker = training.maker
    (index,) = training.recipe.data.splits["test"]
    place, radius = maker.place(index), training.options.targets.radius
    meta = json.loads((place / "meta.json").read_text())
    lon, lat = np.array(meta["lon"]), np.array(meta["lat"])
    grid, width = PatchGrid(lon, lat, maker.size, meta["frame"]), max(meta["widths"])
    truth = np.load(place / "truth.npy")
    mask = discs(truth, len(grid), width, radius=radius)
    trivial = 1 - mask.mean()

    def adjusted(predicted: np.ndarray) -> float:
        return float(((predicted == mask).mean() - trivial) / (1 - trivial))

    sky = simulated_sky(maker.renderer, maker.population, seed=maker.seed, index=index)
    found = UNet().localise_sky(sky.observation, rng=np.random.default_rng(SEED))
    predicted = probabilities(found, grid, width, radius) > 0.5
    print(f"trivial accuracy {trivial:.4f}\n\n| method | adjusted accuracy |\n|---|---|")
    print(f"| unet, on the whole sky | {adjusted(predicted):.3f} |")
    for least in TRUE_TS:
        seen = truth[truth["ts"] >= least]
        print(
            f"| true positions of all with TS >= {least} | "
            f"{adjusted(discs(seen, len(grid), width, radius=radius)):.3f} |"
        )


def probabilities(found: QTable, grid: PatchGrid, width: int, radius: float) -> np.ndarray:
    """Probability that each pixel is within the radius of a source, (n, width, width)."""
    positions = SkyCoord(found["ra"], found["dec"], frame="icrs")
    patch, row, x, y = grid.members(vectors_in(grid.frame, positions), width, margin=REACH)
    score = np.asarray(found["score"])[row]
    sigma = found["pos_err"].to_value(u.deg)[row] / R68_OVER_SIGMA / grid.pixel_size(width)
    levels = np.geomspace(FINE / 3, 3, 25)
    profiles = [profile(radius, level) for level in levels]
    level = np.clip(np.searchsorted(levels, sigma), 0, len(levels) - 1)
    none = np.ones((len(grid), width, width))
    step = np.arange(-REACH, REACH + 1)
    for i in range(len(patch)):
        column, line = np.meshgrid(np.rint(x[i]) + step, np.rint(y[i]) + step)
        inside = (column >= 0) & (column < width) & (line >= 0) & (line < width)
        column, line = column[inside].astype(int), line[inside].astype(int)
        apart = np.hypot(column - x[i], line - y[i])
        share = np.interp(apart, FINE * np.arange(len(profiles[0])), profiles[level[i]])
        none[patch[i], line, column] *= 1 - score[i] * share
    return 1 - none


def profile(radius: float, sigma: float) -> np.ndarray:
    """Probability to be within a radius of a source with a position error, by the distance."""
    n = int(np.ceil(1.5 * REACH / FINE))
    at = np.arange(-n, n + 1) * FINE
    disc = (np.hypot(at[:, None], at) <= radius).astype(float)
    return gaussian_filter(disc, sigma / FINE)[n, n:]


if __name__ == "__main__":
    main()
