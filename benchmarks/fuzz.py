"""Give damaged files to every reader: only our own errors may come out, soon and in little memory.

Usage: ``python benchmarks/fuzz.py [--number N] [--first I] [--keep FOLDER] [--save]``. File number
``i`` is the same each time. Each batch runs in a process of its own, with limits of time and
memory; what breaks a rule is printed, and kept with ``--keep``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, time_ns

from fuzz_files import CORPUS, Seed, write_corpus
from fuzz_mutations import mutated
from results import kept

from gammafind.errors import GammafindError

__all__ = ["Outcome", "check_file", "mutated_files", "run_batch"]

MOST_SECONDS = 10.0
"""Of the processor; a reader that waits for three times as long is ended."""
MOST_MEMORY = 300.0
"""MB beyond ten times the file."""
CAP = 4 << 30
"""Bytes of address space that a reader may add; the hard cap."""
LONGEST = 500
"""Characters of a message."""
BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a file: how it ended, and what rule that breaks; empty if none."""

    file: str
    ended: str
    fault: str = ""
    seconds: float = 0.0
    memory: float = 0.0


def mutated_files(
    folder: Path, paths: dict[str, Path], numbers: Iterable[int]
) -> Iterator[tuple[Path, Seed]]:
    """Write damaged files one after the other; each replaces the last."""
    whole = {name: path.read_bytes() for name, path in paths.items()}
    for number in numbers:
        seed = CORPUS[number % len(CORPUS)]
        path = folder / seed.name
        path.write_bytes(mutated(whole[seed.name], number))
        yield path, seed


def check_file(path: Path, seed: Seed) -> Outcome:
    """Read a file as its kind is read, and say how that ended."""
    _reset_peak()
    before, start, ended = _memory("VmRSS"), process_time(), "read"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for read in seed.read:
                read(path)
    except GammafindError as error:
        ended, text = type(error).__name__, str(error)
        fault = "" if len(text) <= LONGEST and "\n" not in text else f"long message: {text[:200]}"
        fault = fault or ("" if path.name in text else f"no name of the file: {text[:200]}")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)
        ours = [one for one in place if "gammafind" in one.filename] or place
        ended = type(error).__name__
        fault = f"{ended}: {str(error)[:100]} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    else:
        fault = ""
    seconds = process_time() - start
    memory = _memory("VmHWM") - before
    size = path.stat().st_size / 1e6
    if seconds > MOST_SECONDS:
        fault = f"{seconds:.0f} s"
    if memory > 10 * size + MOST_MEMORY:
        fault = fault or f"{memory:.0f} MB for a file of {size:.1f} MB"
    return Outcome(path.name, ended, fault, seconds, memory)


def run_batch(files: Iterable[tuple[Path, Seed]], *, keep: Path | None = None) -> list[Outcome]:
    """Check files in a process of its own, which is ended if it takes too long."""
    outcomes: list[Outcome] = []
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        _limit()
        with os.fdopen(send, "w") as pipe:
            for path, seed in files:
                pipe.write("\n")
                pipe.flush()
                signal.setitimer(signal.ITIMER_REAL, 3 * MOST_SECONDS)
                one = check_file(path, seed)
                signal.setitimer(signal.ITIMER_REAL, 0)
                if one.fault and keep:
                    (keep / f"{os.getpid()}-{time_ns()}-{path.name}").write_bytes(path.read_bytes())
                pipe.write(json.dumps(vars(one)) + "\n")
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as pipe:
        outcomes = [Outcome(**json.loads(line)) for line in pipe if line.strip()]
    _, status = os.waitpid(child, 0)
    if status:
        outcomes.append(Outcome("the batch", "killed", f"ended by signal {status & 127}"))
    return outcomes


def _limit() -> None:
    """Limit the memory of this process, and let a reader that hangs end it."""
    here = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (here + CAP, here + CAP))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> float:
    """Memory of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1e3
    return 0.0


def main() -> None:
    """Run, print a table, and end with 1 if a rule was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder of the files that break a rule")
    parser.add_argument("--save", action="store_true", help="keep the numbers in results/")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    start = perf_counter()
    with tempfile.TemporaryDirectory() as name:
        os.environ["GAMMAFIND_CACHE"] = "off"
        whole, place = Path(name) / "whole", Path(name) / "files"
        whole.mkdir()
        place.mkdir()
        paths = write_corpus(whole)
        for seed in CORPUS:
            one = check_file(paths[seed.name], seed)
            assert one.ended == "read" or seed.name == "list.txt", one
        outcomes: list[Outcome] = []
        end = arguments.first + arguments.number
        for first in range(arguments.first, end, BATCH):
            numbers = range(first, min(first + BATCH, end))
            outcomes += run_batch(mutated_files(place, paths, numbers), keep=arguments.keep)
    with kept("fuzz") if arguments.save else nullcontext():
        _print(outcomes, perf_counter() - start)


def _print(outcomes: list[Outcome], seconds: float) -> None:
    faults = Counter((one.file, one.fault) for one in outcomes if one.fault)
    print(
        f"{len(outcomes)} damaged files in {seconds:.0f} s, {sum(faults.values())} break a rule\n"
    )
    print("| file | read | our errors | breaks a rule | longest, s | most memory, MB |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(one.file for one in outcomes):
        here = [one for one in outcomes if one.file == name]
        read = sum(one.ended == "read" for one in here)
        bad = sum(bool(one.fault) for one in here)
        ours = len(here) - read - bad
        slow, large = max(one.seconds for one in here), max(one.memory for one in here)
        print(f"| {name} | {read} | {ours} | {bad} | {slow:.1f} | {large:.0f} |")
    total = [one.ended == "read" for one in outcomes]
    slow, large = max(one.seconds for one in outcomes), max(one.memory for one in outcomes)
    n = sum(faults.values())
    ours = len(outcomes) - sum(total) - n
    print(f"| all | {sum(total)} | {ours} | {n} | {slow:.1f} | {large:.0f} |")
    for (file, fault), times in faults.most_common():
        print(f"\n{times} x {file}: {fault}")


if __name__ == "__main__":
    main()
