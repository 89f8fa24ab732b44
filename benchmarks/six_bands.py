"""`likelihood` next to `unet` on a whole simulated sky of six bands and ten years.

``python benchmarks/six_bands.py [--sky FILE]`` draws a Poisson sky of 4FGL-DR2 with extended
sources in their shapes, and searches it with both. Time is that of the machine's two cores, and
the CPU time of all threads; memory is the peak of a process of its own. The unit of time is one
pass of the network over the 768 patches, by onnxruntime as it is installed, in the same run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import astropy.units as u
import numpy as np
import onnxruntime
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept

from gammafind.catalogue.matching import match_one_to_one
from gammafind.pipeline.localise import build_localiser, localise
from gammafind.plugins import unet
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import build, load_preset
from gammafind.sky.skymap import SkyMap

PRESET = load_preset("fermi-lat")
RADIUS = 0.3 * u.deg
SEED = 5
NETWORK = Path(unet.__file__).parent / "weights" / "fermi-lat" / "network.onnx"
PATCHES, BATCH = 768, 32


@kept("six_bands")
def main() -> None:
    """Print the table of docs/validation/six_bands.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sky", help="counts that were drawn before; drawn here if not there")
    parser.add_argument("--localisers", nargs="+", default=["likelihood", "unet"])
    options = parser.parse_args()
    path = Path(options.sky or "six_bands_sky.npz")
    if not path.exists():
        in_a_process(draw, path)
    truth = true_sources(load_4fgl_dr2())
    print("| localiser | wall clock (s) | CPU (s) | peak memory (GB) | detections |")
    print("|---|---|---|---|---|")
    found, passes, times = {}, [in_a_process(one_pass)], {}
    for name in options.localisers:
        table, *times[name], memory = in_a_process(search, name, path)
        found[name] = table
        wall, cpu = times[name]
        print(f"| `{name}` | {wall:.0f} | {cpu:.0f} | {memory:.2f} | {len(table)} |", flush=True)
        passes.append(in_a_process(one_pass))
    wall, cpu = np.mean(passes, axis=0)
    print(f"| one pass of the network | {wall:.1f} | {cpu:.1f} | | |")
    print("\n| localiser | wall clock, in passes | CPU, in passes |\n|---|---|---|")
    for name, (of_wall, of_cpu) in times.items():
        print(f"| `{name}` | {of_wall / wall:.1f} | {of_cpu / cpu:.1f} |")
    print(
        "\n| localiser | region | TS at least | detections | purity | completeness | inside r95 |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, table in found.items():
        for region, low, high in (("abs(b) > 20", 20, 91), ("abs(b) < 20", 0, 20)):
            for cut in (16, 25, 50):
                print(f"| `{name}` | {region} | {cut} | {scores(table, truth, low, high, cut)} |")


def scores(table: QTable, truth: QTable, low: float, high: float, cut: float) -> str:
    """Cells of detections, purity, completeness and share inside r95."""
    table = within(table[table["ts"] >= cut], low, high)
    truth_here = within(truth, low, high)
    here, there = (SkyCoord(t["ra"], t["dec"], frame="icrs") for t in (table, truth_here))
    pairs = match_one_to_one(here, there, RADIUS)
    pure = here.match_to_catalog_sky(SkyCoord(truth["ra"], truth["dec"]))[1] < RADIUS
    r95 = table["r95"][pairs.a] if "r95" in table.colnames else 1.62 * table["pos_err"][pairs.a]
    inside = np.mean(pairs.separation < r95)
    complete = len(pairs.a) / len(truth_here)
    return f"{len(table)} | {pure.mean():.3f} | {complete:.3f} | {inside:.3f}"


def within(table: QTable, low: float, high: float) -> QTable:
    """Rows between two Galactic latitudes in degrees, of either sign."""
    latitude = np.abs(SkyCoord(table["ra"], table["dec"], frame="icrs").galactic.b.deg)
    return table[(latitude >= low) & (latitude < high)]


def draw(path: Path) -> None:
    """Draw the counts of sources and background, and keep them."""
    renderer = build(PRESET.renderer)
    expected = renderer.render(true_sources(load_4fgl_dr2()))
    rng, values = np.random.default_rng(SEED), []
    background = renderer.background()
    for band, sources in enumerate(expected.values):
        total = sources + sum(sky.values[band] for sky in background.values())
        values.append(rng.poisson(total).astype(np.int32))
    np.savez_compressed(path, *values)


def search(name: str, path: Path) -> tuple[QTable, float, float, float]:
    """Detections, wall-clock and CPU time in s, and peak memory in GB."""
    renderer, preset = build(PRESET.renderer), with_plugins(PRESET, {"localiser": name}, None)
    with timed() as spent:
        with np.load(path) as stored:
            values = tuple(stored[key] for key in stored.files)
        counts = SkyMap(renderer.bands, renderer.pixels, values)
        observation = renderer.observe(counts)
        table = localise(build_localiser(preset), observation, preset).detections
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return table, *spent, memory


def one_pass() -> list[float]:
    """Wall-clock and CPU time in s of the network for as many patches as cover the sky."""
    session = onnxruntime.InferenceSession(NETWORK, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(SEED)
    batch = {
        one.name: rng.normal(size=(BATCH, *one.shape[1:])).astype(np.float32)
        for one in session.get_inputs()
    }
    session.run(None, batch)
    with timed() as spent:
        for _ in range(PATCHES // BATCH):
            session.run(None, batch)
    return spent


@contextmanager
def timed() -> Iterator[list[float]]:
    """Give a list that holds wall-clock and CPU time in s afterwards."""
    spent: list[float] = []
    start, before = time.perf_counter(), os.times()
    yield spent
    after = os.times()
    cpu = after.user + after.system - before.user - before.system
    spent += [time.perf_counter() - start, cpu]


def in_a_process(task, *arguments):
    """Result of a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(task, arguments)


if __name__ == "__main__":
    main()
