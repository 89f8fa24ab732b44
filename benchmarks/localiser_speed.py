"""Seconds of a six-band search by the U-Net, of its parts, of its runners, and of clusterers.

``python benchmarks/localiser_speed.py [--weights FOLDER]``. Runners with missing libraries are
skipped. KERAS_BACKEND selects one backend per run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter

import numpy as np
from results import kept

from gammafind.networks.features import features
from gammafind.networks.folder import keras_runner, onnx_runner, read_architecture
from gammafind.networks.logits import sigmoid
from gammafind.networks.peaks import find_maxima
from gammafind.plugins.clusterers.disk import DiskClusterer
from gammafind.plugins.clusterers.kmeans import KMeansClusterer
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.localiser import UNet, shipped_folder
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.stacks import PatchStacks

SEED = 9001
BATCH = 32


@kept("localiser_speed")
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="")
    parser.add_argument("--runners", default="onnxruntime,keras")
    arguments = parser.parse_args()
    preset = load_preset("fermi-lat")
    renderer = build(preset.renderer)
    sky = simulated_sky(renderer, build(preset.population), seed=SEED, index=0)
    grid = PatchGrid.healpix(preset.patches.nside, size=preset.patches.size)
    widths = preset.patches.widths(len(renderer.bands))
    print("| step | seconds |\n|---|---|")
    rng = np.random.default_rng
    for options in ({"fluxes": False}, {}, {"views": 4}):
        localiser = UNet(weights=arguments.weights, **options)
        label = ", ".join(f"{k} = {v}" for k, v in options.items()) or "as shipped"
        timed(
            f"whole sky, {label}",
            lambda one=localiser: one.localise_sky(
                sky.observation, grid=grid, n_pixels=widths, rng=rng(0)
            ),
        )
    stacks = PatchStacks(sky.observation, grid, widths, rng(0))
    _, patches = timed("cutting 768 patches", lambda: next(iter(stacks)))
    folder = arguments.weights or shipped_folder("gammafind", patches)
    architecture = read_architecture(folder, Architecture)
    seen = timed(
        "features",
        lambda: features(patches.counts, patches.background, None, architecture.features),
    )
    output = None
    for name in arguments.runners.split(","):
        if name == "keras" and not any(map(find_spec, ("torch", "jax", "tensorflow"))):
            continue
        run = {"onnxruntime": onnx_runner, "keras": keras_runner}[name](folder, architecture)
        run([array[:BATCH] for array in seen])
        output = timed(f"scores of 768 patches by {name}", lambda run=run: scores(run, seen))
    timed("maxima of 768 score maps", lambda: find_maxima(output, least=-3.0, radius=2.0))
    maps = sigmoid(output[..., 0])
    for clusterer in (
        PeaksClusterer(threshold=0.1),
        DiskClusterer(threshold=1.0),
        KMeansClusterer(threshold=0.3),
    ):
        timed(f"clusterer {clusterer.name}", lambda one=clusterer: [one.cluster(m) for m in maps])


def scores(run: Callable, seen: tuple[np.ndarray, ...]) -> np.ndarray:
    """Output of a network for all patches, in batches."""
    parts = range(0, len(seen[0]), BATCH)
    return np.concatenate([run([array[i : i + BATCH] for array in seen]) for i in parts])


def timed(name: str, step: Callable) -> object:
    """Run a step and print its time."""
    start = perf_counter()
    result = step()
    print(f"| {name} | {perf_counter() - start:.2f} |", flush=True)
    return result


if __name__ == "__main__":
    main()
