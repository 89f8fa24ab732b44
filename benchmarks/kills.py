"""Kill commands at many moments, and start them twice: what is there is whole, and the next run is.

Usage: ``python benchmarks/kills.py [--kills N] [--starts N] [--save]``. Each run is a process of
its own that is killed (``kill -9``) at a moment of its work. Then the same command runs again: it
must give the same numbers as a run that nothing disturbed, and leave no hidden file behind.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from astropy.io import fits
from fuzz_files import write_corpus
from results import kept

from gammafind.cli.main import main as gammafind
from gammafind.roles import registry
from gammafind.roles.discovery import discover

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "detect": "detect hpx.fits --preset toy -o x.fits --regions x.reg --overwrite",
    "bin": "bin ft1.fits --preset fermi-lat --nside 16 -o x --overwrite",
    "measure": "measure hpx.fits --catalogue truth.ecsv --preset toy -o x.fits --overwrite",
    "simulate": "simulate --preset two-years --catalogues 2 -o x",
}
_BUILT_IN = (
    "gammafind.plugins.clusterers",
    "gammafind.plugins.fermi_lat",
    "tests.cli.toy",
    "tests.simulation.toy_sky",
)
_WAIT = 60.0
"""Seconds for a run, at most."""


def begin(command: str, folder: Path) -> int:
    """Start a command in a process of its own; return its number."""
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os._exit(gammafind(command.split()))
    return child


def end(child: int) -> int:
    """Exit status of a process; minus the signal that ended it."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def digest(folder: Path) -> str:
    """Checksum of all numbers and regions in a folder; dates are left out."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(str(path.relative_to(folder)).encode())
        if ".fits" in path.name:
            with fits.open(path) as hdus:
                for hdu in hdus:
                    if hdu.data is not None and hdu.name != "METADATA":
                        total.update(np.ascontiguousarray(hdu.data).tobytes())
        elif path.suffix == ".reg":
            total.update(path.read_bytes())
    return total.hexdigest()


def prepared(parent: Path, inputs: dict[str, Path]) -> Path:
    """Fresh folder with the inputs of the commands."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    for name in ("hpx.fits", "ft1.fits", "truth.ecsv"):
        shutil.copy(inputs[name], folder / name)
    return folder


def hidden(folder: Path) -> list[str]:
    """Names of hidden files, which no run may leave."""
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


def killed(command: str, folder: Path, seconds: float, expected: str) -> tuple[bool, bool]:
    """Whether a kill met the run, and whether all is as it should be after the next."""
    child = begin(command, folder)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    met = end(child) == -signal.SIGKILL
    good = end(begin(command, folder)) == 0
    return met, good and digest(folder) == expected and not hidden(folder)


def twice(command: str, folder: Path, expected: str) -> tuple[bool, bool]:
    """Whether one of two runs refused, and whether the other did the work."""
    codes = [end(child) for child in [begin(command, folder), begin(command, folder)]]
    good = 0 in codes and set(codes) <= {0, 1}
    return 1 in codes, good and digest(folder) == expected and not hidden(folder)


def measured(command: str, parent: Path, inputs: dict[str, Path]) -> tuple[float, str]:
    """How long a run takes, and its numbers."""
    folder = prepared(parent, inputs)
    begun = time.monotonic()
    assert end(begin(command, folder)) == 0, command
    return time.monotonic() - begun, digest(folder)


def main() -> None:
    """Try all commands, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="moments of each command")
    parser.add_argument("--starts", type=int, default=10, help="double starts of each command")
    parser.add_argument("--save", action="store_true", help="keep the numbers in results/")
    given = parser.parse_args()
    sys.path.append(str(ROOT))  # The toy plugins are among the tests.
    registry.discover = lambda chosen: discover("", _BUILT_IN)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name, kept("kills") if given.save else nullcontext():
        parent = Path(name)
        os.environ["GAMMAFIND_CACHE"] = "off"
        (parent / "inputs").mkdir()
        inputs = write_corpus(parent / "inputs")
        print(
            "| command | kills | met the run | whole after | double starts | one refused | whole |"
        )
        print("|---|---|---|---|---|---|---|")
        for what, command in COMMANDS.items():
            warm = prepared(parent, inputs)
            os.chdir(warm)
            gammafind(command.replace(" -o", " -q -o").split())
            os.chdir(ROOT)
            took, expected = measured(command, parent, inputs)
            moments = rng.uniform(0.0, took, given.kills)
            kills = [killed(command, prepared(parent, inputs), one, expected) for one in moments]
            starts = [
                twice(command, prepared(parent, inputs), expected) for _ in range(given.starts)
            ]
            counts = (sum(part) for pairs in (kills, starts) for part in zip(*pairs, strict=True))
            met, whole, refused, done = counts
            print(
                f"| {what} | {len(kills)} | {met} | {whole} | {len(starts)} | {refused} | {done} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
