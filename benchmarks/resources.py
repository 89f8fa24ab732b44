"""Time and memory of the search of the real sky, next to its floor, and of the command line."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from real_sky import likelihood
from results import kept

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.plugins.fermi_lat.embedded import demo_counts_path
from gammafind.presets.preset import build, load_preset
from gammafind.sky.fits import read_counts

RUNS = 5


@kept("resources")
def main() -> None:
    """Print the tables of docs/validation/resources.md."""
    print("| step | median (s) | fastest | slowest |\n|---|---|---|---|")
    preset = load_preset("fermi-lat-psf3-2-20")
    renderer = build(preset.renderer)
    counts = _timed("read the counts", lambda: read_counts([demo_counts_path()]))
    observation = _timed("background, exposure, PSF", lambda: renderer.observe(counts))
    data = sky_data(observation, index=2.3)
    _timed("floor: one matched filter of the sky", lambda: SearchGrid(data).summits(data, 9.0))
    localiser = likelihood()
    _timed("search of the whole sky", lambda: localiser.localise_sky(observation))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    program = str(Path(sys.executable).parent / "gammafind")
    _timed("gammafind --help", lambda: _run([program, "--help"]))
    _timed("floor: python -c pass", lambda: _run([sys.executable, "-c", "pass"]))
    print(f"\nPeak memory of the search: {peak:.2f} GB.")
    loaded = (
        "import sys, gammafind.cli.main as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    )
    loaded += "print([n for n in ('keras', 'cv2', 'healpy', 'matplotlib') if n in sys.modules])"
    last = _run([sys.executable, "-c", loaded]).strip().splitlines()[-1]
    print(f"Of keras, cv2, healpy and matplotlib, `gammafind --help` loads: {last}.")


def _timed(name: str, work: Callable[[], object]) -> object:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    print(f"| {name} | {np.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} |")
    return result


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
