"""How long many sources take to measure, and whether a killed run ends in the same bytes.

``python benchmarks/measure_speed.py FOLDER [--workers 2] [--sky FILE]`` measures the 1,000
brightest sources of 4FGL-DR2 with ten epochs, and the 4,500 brightest without, on a drawn sky of
six bands by ``gammafind measure``. Each run is then repeated, killed when half of its groups are
finished, and resumed. Counts stay in the folder (1.5 GB); ``--sky`` takes those that `six_bands.py`
drew.
``--sources`` takes other numbers, ``--epochs`` the numbers that have epochs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Thread

import numpy as np
from results import kept
from six_bands import draw

from gammafind.pipeline.measure import GROUP
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.presets.preset import build, load_preset
from gammafind.sky.epochs import exposure_shares
from gammafind.sky.fits.write import write_counts_by_nside
from gammafind.sky.skymap import SkyMap

SEED = 10
INTERVAL = 0.5
"""Seconds between two looks at the memory, and at the finished groups."""


def main() -> None:
    """Print the table of docs/validation/measure.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sky", type=Path)
    parser.add_argument("--sources", type=int, nargs="+", default=[1000, 4500])
    parser.add_argument("--epochs", type=int, nargs="*", default=[1000])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with kept("measure_speed"):
        report(given)


def report(given: argparse.Namespace) -> None:
    """Measure, interrupt and resume."""
    counts, years = counts_in(given.folder, given.sky)
    print(
        "| sources | epochs | workers | seconds | CPU seconds | GB in all processes | "
        "seconds of a run that is killed, and of the rest | the same bytes |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for number in given.sources:
        epochs = years if number in given.epochs else []
        command = [str(one) for one in counts] + ["--preset", "fermi-lat"]
        for year in epochs:
            command += ["--epoch", *map(str, year)]
        command += ["--catalogue", str(brightest(given.folder, number))]
        command += ["--workers", str(given.workers)]
        whole, cut = (given.folder / f"{name}-{number}.ecsv" for name in ("whole", "cut"))
        for path in (whole, cut):
            shutil.rmtree(parts(path), ignore_errors=True)
        seconds, of_cpu, memory = run(command, whole)
        half = max(number // GROUP // 2, 1)
        first, _, _ = run(command, cut, kill=lambda path, n=half: finished(path) >= n)
        second, _, _ = run(command, cut)
        same = "yes" if digest(whole) == digest(cut) else "no"
        print(
            f"| {number} | {len(epochs)} | {given.workers} | {seconds:.0f} | {of_cpu:.0f} | "
            f"{memory:.2f} | {first:.0f} + {second:.0f} | {same} |",
            flush=True,
        )


def counts_in(folder: Path, sky: Path | None) -> tuple[list[Path], list[list[Path]]]:
    """Files with the counts of a drawn sky, and of each of its years."""
    path = sky or folder / "sky.npz"
    if not path.exists():
        draw(path)
    place = folder / "counts"
    years = [folder / f"year-{i:02d}" for i in range(1, 11)]
    if not years[-1].exists():
        renderer = build(load_preset("fermi-lat").renderer)
        with np.load(path) as stored:
            values = tuple(stored[key] for key in stored.files)
        whole = SkyMap(renderer.bands, renderer.pixels, values)
        for one, counts in zip((place, *years), (whole, *by_year(whole, renderer)), strict=True):
            one.mkdir(exist_ok=True)
            write_counts_by_nside(counts, one, overwrite=True)
    return sorted(place.iterdir()), [sorted(year.iterdir()) for year in years]


def by_year(whole: SkyMap, renderer: object) -> list[SkyMap]:
    """The counts shared out by the exposure of each year: a steady sky."""
    exposure, rng = renderer.epoch_exposures(), np.random.default_rng(SEED)
    parts: list[list[np.ndarray]] = [[] for _ in exposure]
    for band, (pixels, values) in enumerate(zip(whole.pixels, whole.values, strict=True)):
        filled = np.flatnonzero(values)
        shares = exposure_shares(exposure, pixels.centres()[filled])[:, band].T
        for part, drawn in zip(parts, rng.multinomial(values[filled], shares).T, strict=True):
            year = np.zeros(values.shape, dtype=np.int32)
            year[filled] = drawn
            part.append(year)
    return [replace(whole, values=tuple(part)) for part in parts]


def brightest(folder: Path, number: int) -> Path:
    """The brightest sources of 4FGL-DR2 in a file."""
    path = folder / f"sources-{number}.fits"
    if not path.exists():
        table = load_4fgl_dr2()
        order = np.argsort(-np.asarray(table["Signif_Avg"]), kind="stable")
        table[np.sort(order[:number])].write(path)
    return path


def run(
    arguments: list[str], out: Path, *, kill: Callable[[Path], bool] | None = None
) -> tuple[float, float, float]:
    """Seconds, CPU seconds and GB of one run of the command, which may be killed."""
    command = [sys.executable, "-m", "gammafind", "measure", *arguments, "-o", str(out)]
    start, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        [*command, "--overwrite"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    watch = Memory(process.pid)
    watch.start()
    while process.poll() is None:
        time.sleep(INTERVAL)
        if kill is not None and kill(out):
            os.killpg(process.pid, 9)
            process.wait()
    watch.join()
    seconds, after = time.perf_counter() - start, os.times()
    if (process.returncode != 0) == (kill is None):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return seconds, used, watch.most / 1e9


def finished(out: Path) -> int:
    """Groups of sources that a run has kept."""
    return len(list(parts(out).glob("sources-*")))


def parts(out: Path) -> Path:
    """Folder of what a run has finished."""
    return out.with_name(f"{out.name}.parts")


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
