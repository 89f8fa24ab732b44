"""Time and memory of a search of a whole MeerLICHT frame, 10560 x 10560 pixels, by each finder.

``python benchmarks/optical_full_frame.py [--folder FOLDER] [--only NAME]`` simulates one crowded
frame (1e5 sources brighter than 20.5) once into FOLDER and runs ``gammafind detect`` on it as a
separate process: reading, sky and seeing, search, table and regions.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from results import kept

from gammafind.catalogue.io import read_table
from gammafind.pipeline.simulate import simulate
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import load_preset

SEED = 77002
FINDERS = ("sep", "image-unet")


@kept("optical_full_frame")
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("optical-full-frame"))
    parser.add_argument("--only", choices=FINDERS)
    arguments = parser.parse_args()
    preset = with_plugins(load_preset("meerlicht"), {}, {"population": {"density": 36700.0}})
    frame = simulate(output=arguments.folder, preset=preset, seed=SEED).folders[0] / "image.fits"
    cores = len(os.sched_getaffinity(0))
    print("| finder | cores | wall (s) | CPU (s) | peak memory (GB) | detections |")
    print("|---|---|---|---|---|---|")
    for name in FINDERS if arguments.only is None else (arguments.only,):
        out = arguments.folder / f"{name}.fits"
        command = [sys.executable, "-m", "gammafind", "detect", str(frame)]
        command += ["--preset", "meerlicht", "--localiser", name, "-o", str(out), "--overwrite"]
        command += ["--regions", str(out.with_suffix(".reg"))]
        start = time.perf_counter()
        _, status, used = os.wait4(subprocess.Popen(command).pid, 0)
        wall, cpu = time.perf_counter() - start, used.ru_utime + used.ru_stime
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
        peak = used.ru_maxrss * 1024 / 1e9
        row = (name, cores, f"{wall:.0f}", f"{cpu:.0f}", f"{peak:.1f}", len(read_table(out)))
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
