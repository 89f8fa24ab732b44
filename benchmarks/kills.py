"""Kill commands at many moments, and start them twice: what is there is whole, and the next run is.

Usage: ``python benchmarks/kills.py [--kills N] [--starts N] [--commands A B] [--save]``. Each run
is a process of its own that is killed (``kill -9``) at a moment of its work. Then the same command
runs again, ``train`` with ``--resume``: it must give the same numbers as a run that nothing
disturbed, and leave no hidden file behind.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
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
    "train": "train train.toml -o x",
}
RESUME = {"train": " --resume"}
"""What is added to a command that goes on after a kill."""
_RECIPE = """\
[training]
preset = "counting"
epochs = 3
patches_per_epoch = 24
validation_patches = 12
batch_size = 4
learning_rate = 1e-2

[data]
train = 2
folder = "data"

[population]
n = 40

[network]
filters = [4, 8]
"""
_BUILT_IN = (
    "gammafind.plugins.clusterers",
    "gammafind.plugins.fermi_lat",
    "tests.cli.toy",
    "tests.simulation.toy_sky",
    "tests.training.toy",
    "gammafind.plugins.unet",
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
        elif path.suffix == ".npz":
            with np.load(path) as file:
                for key in (
                    one for one in file.files if one.startswith("array")
                ):  # Others hold times.
                    total.update(np.ascontiguousarray(file[key]).tobytes())
        elif path.suffix in (".reg", ".npy", ".onnx"):
            total.update(path.read_bytes())
    return total.hexdigest()


def prepared(parent: Path, inputs: dict[str, Path]) -> Path:
    """Fresh folder with the inputs of the commands."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    for name in ("hpx.fits", "ft1.fits", "truth.ecsv", "train.toml"):
        shutil.copy(inputs[name], folder / name)
    return folder


def hidden(folder: Path) -> list[str]:
    """Names of hidden files, which no run may leave."""
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


def killed(
    command: str, folder: Path, seconds: float, expected: str, resume: str
) -> tuple[bool, bool]:
    """Whether a kill met the run, and whether all is as it should be after the next."""
    child = begin(command, folder)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    met = end(child) == -signal.SIGKILL
    begun = any((folder / "x").glob("*")) if resume else False
    good = end(begin(command + (resume if begun else ""), folder)) == 0
    return met, good and digest(folder) == expected and not hidden(folder)


def twice(command: str, folder: Path, expected: str) -> tuple[bool, bool]:
    """Whether one of two runs refused, and whether the other did the work."""
    codes = [end(child) for child in [begin(command, folder), begin(command, folder)]]
    good = 0 in codes and set(codes) <= {0, 1}
    return 1 in codes, good and digest(folder) == expected and not hidden(folder)


def warm(what: str, folder: Path) -> None:
    """Import what a command needs, so that its kills meet its work."""
    if what == "train":  # The threads of a training would not survive a fork.
        for name in ("torch", "keras", "onnx", "onnxruntime", "sklearn.linear_model"):
            importlib.import_module(name)
        return
    os.chdir(folder)
    gammafind(COMMANDS[what].replace(" -o", " -q -o").split())
    os.chdir(ROOT)


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
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS), choices=COMMANDS)
    given = parser.parse_args()
    sys.path.append(str(ROOT))  # The toy plugins are among the tests.
    registry.discover = lambda chosen: discover("", _BUILT_IN)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name, kept("kills") if given.save else nullcontext():
        parent = Path(name)
        os.environ |= {"GAMMAFIND_CACHE": "off", "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
        (parent / "inputs").mkdir()
        inputs = write_corpus(parent / "inputs")
        inputs["train.toml"] = parent / "inputs" / "train.toml"
        inputs["train.toml"].write_text(_RECIPE)
        print(
            "| command | kills | met the run | whole after | double starts | one refused | whole |"
        )
        print("|---|---|---|---|---|---|---|")
        for what, command in ((one, COMMANDS[one]) for one in given.commands):
            warm(what, prepared(parent, inputs))
            took, expected = measured(command, parent, inputs)
            moments = rng.uniform(0.0, took, given.kills)
            kills = [
                killed(command, prepared(parent, inputs), one, expected, RESUME.get(what, ""))
                for one in moments
            ]
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
