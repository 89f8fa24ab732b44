"""From one catalogue to all-sky maps, to patches and to all maps by year: seconds and memory.

Run as ``python benchmarks/rendering_speed.py [--maps FOLDER]``; each number is measured in a
separate process. With ``--maps`` all 360 maps are written to the folder (7 GB) and removed
afterwards; without it they are computed and dropped.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from astropy.table import QTable
from results import kept

from gammafind.catalogue.io import write_table
from gammafind.pipeline.simulate import simulate
from gammafind.presets.preset import build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.harmonics import synthesise
from gammafind.sky.patch_grid import PatchGrid

PRESET = "fermi-lat"
SEED = 1


@kept("rendering_speed")
def main() -> None:
    """Print the tables of docs/validation/rendering_speed.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", help="folder for the 360 maps")
    folder = parser.parse_args().maps
    with tempfile.TemporaryDirectory() as cache:
        os.environ["GAMMAFIND_CACHE"] = cache
        print(f"{len(sample())} sources, {os.cpu_count()} processors\n")
        print("| step | seconds | peak memory (GB) |\n|---|---|---|")
        row("sources drawn", sample)
        row("six all-sky maps of the sources, ten years", lambda: renderer().render(sample()))
        row("background of the six maps, cache empty", lambda: renderer().background())
        row("background of the six maps, cache filled", lambda: renderer().background())
        row("768 patches of six bands, sources and background", patches)
        row("one synthesis of harmonics a band (the floor of the maps)", floor)
        if folder:
            row("all 360 maps, written", lambda: write_maps(folder))
        else:
            row("all 360 maps, computed and dropped", drop_maps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sources.fits"
        write_table(sample(), path)
        print(f"\nTable of sources on disk: {path.stat().st_size / 1e6:.2f} MB")


def row(name: str, task: Callable[[], object]) -> None:
    """Print a line of the table; the task runs in a new process."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(task, queue))
    process.start()
    seconds, memory = queue.get()
    process.join()
    print(f"| {name} | {seconds:.1f} | {memory:.1f} |", flush=True)


def _measured(task: Callable[[], object], queue: multiprocessing.Queue) -> None:
    start = perf_counter()
    task()
    seconds = perf_counter() - start
    queue.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


def renderer() -> SkyRenderer:
    """Renderer of the preset."""
    return build(load_preset(PRESET).renderer)


def sample() -> QTable:
    """One catalogue of the population of the preset."""
    return build(load_preset(PRESET).population).sample(rng=np.random.default_rng(SEED))


def patches() -> None:
    """Render the 768 patches of the preset, rotated at random."""
    layout = load_preset(PRESET).patches
    grid = PatchGrid.healpix(layout.nside, size=layout.size)
    sky = renderer()
    sky.render_patches(sample(), grid, layout.widths(len(sky.bands)))


def floor() -> None:
    """Synthesise one map per band from harmonics of the same multipoles."""
    for pixels in renderer().pixels:
        lmax = int(2.2 / pixels.pixel_size.to_value("rad"))
        synthesise(np.ones((lmax + 1) * (lmax + 2) // 2, dtype=complex), pixels.nside)


def drop_maps() -> None:
    """Compute the maps of all components, bands and years."""
    sky, sources = renderer(), sample()
    for band in range(len(sky.bands)):
        for _, maps in sky.component_epochs(sources, band):
            assert maps.shape[0] == len(sky.epochs)


def write_maps(folder: str) -> None:
    """Simulate one catalogue with all its maps, and remove it."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        simulate(output=place, preset=PRESET, seed=SEED, maps=True)
        shutil.rmtree(place, ignore_errors=True)
        Path(place).mkdir()


if __name__ == "__main__":
    main()
