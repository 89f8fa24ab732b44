"""How long it takes to measure many sources, and whether an interrupted run ends in the same bytes.

``python benchmarks/measure_speed.py FOLDER [--workers 2] [--sky FILE]`` measures the 1,000 and the
4,500 brightest sources of 4FGL-DR2 on a drawn sky of six bands by ``gammafind measure``. Each run
is then repeated, killed after a part of its time, and resumed. Counts stay in the folder; ``--sky``
takes those that `six_bands.py` drew.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from threading import Thread

import numpy as np
from results import kept
from six_bands import draw

from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.presets.preset import build, load_preset
from gammafind.sky.fits.write import write_counts_by_nside
from gammafind.sky.skymap import SkyMap

NUMBERS = (1000, 4500)
INTERVAL = 0.2
"""Seconds between two looks at the memory."""


def main() -> None:
    """Print the table of docs/validation/measure.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sky", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with kept("measure_speed"):
        report(given.folder, given.workers, given.sky)


def report(folder: Path, workers: int, sky: Path | None) -> None:
    """Measure, interrupt and resume."""
    counts = counts_in(folder, sky)
    print("| sources | workers | seconds | GB in all processes | the same after a kill |")
    print("|---|---|---|---|---|")
    for number in NUMBERS:
        catalogue = brightest(folder, number)
        whole = folder / f"whole-{number}.ecsv"
        seconds, memory = run(counts, catalogue, whole, workers)
        cut = folder / f"cut-{number}.ecsv"
        run(counts, catalogue, cut, workers, kill_after=seconds * 0.6)
        run(counts, catalogue, cut, workers)
        same = digest(whole) == digest(cut)
        print(
            f"| {number} | {workers} | {seconds:.0f} | {memory:.2f} | {'yes' if same else 'no'} |"
        )


def counts_in(folder: Path, sky: Path | None) -> list[Path]:
    """Files with the counts of a drawn sky."""
    path = sky or folder / "sky.npz"
    if not path.exists():
        draw(path)
    place = folder / "counts"
    if not place.exists():
        renderer = build(load_preset("fermi-lat").renderer)
        with np.load(path) as stored:
            values = tuple(stored[key] for key in stored.files)
        place.mkdir()
        write_counts_by_nside(SkyMap(renderer.bands, renderer.pixels, values), place)
    return sorted(place.iterdir())


def brightest(folder: Path, number: int) -> Path:
    """The brightest sources of 4FGL-DR2 in a file."""
    path = folder / f"sources-{number}.fits"
    if not path.exists():
        table = load_4fgl_dr2()
        order = np.argsort(-np.asarray(table["Signif_Avg"]), kind="stable")
        table[np.sort(order[:number])].write(path)
    return path


def run(
    counts: list[Path],
    catalogue: Path,
    out: Path,
    workers: int,
    *,
    kill_after: float | None = None,
) -> tuple[float, float]:
    """Seconds and GB of one run of the command, which may be killed."""
    command = [
        sys.executable,
        "-m",
        "gammafind",
        "measure",
        *map(str, counts),
        "--preset",
        "fermi-lat",
    ]
    command += ["--catalogue", str(catalogue), "--workers", str(workers), "-o", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--overwrite"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    watch = Memory(process.pid)
    watch.start()
    try:
        process.wait(timeout=kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
    watch.join()
    if kill_after is None and process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, watch.most / 1e9


class Memory(Thread):
    """Most memory that a process and its children have together, shared pages once each."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most = pid, 0

    def run(self) -> None:
        """Look until the process ends."""
        while Path(f"/proc/{self.pid}").exists():
            self.most = max(self.most, sum(map(proportional, self._processes())))
            time.sleep(INTERVAL)

    def _processes(self) -> list[int]:
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        try:
            return [self.pid, *map(int, path.read_text().split())]
        except OSError:
            return []


def proportional(pid: int) -> int:
    """Bytes of a process; of shared pages its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def digest(path: Path) -> str:
    """Checksum of a table without the lines of its provenance, which hold times."""
    lines = [line for line in path.read_bytes().splitlines() if not line.startswith(b"#")]
    return sha256(b"\n".join(lines)).hexdigest()


if __name__ == "__main__":
    main()
