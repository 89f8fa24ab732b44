"""``gammafind demo`` as a user runs it for the first time: what it finds, and how long it takes.

``python benchmarks/demo.py [FOLDER]`` leaves the products of the demo in FOLDER, and prints the
tables of README.md and of docs/validation/localiser.md. The cache is empty at the start.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import kept


@kept("demo")
def main() -> None:
    """Run the demo, and print its tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as place:
        text, seconds = run(folder or Path(place) / "demo", cache=Path(place) / "cache")
    sentences, *tables, _ = text.split("\n\n")
    print(sentences)
    for table in tables:
        print(f"\n{markdown(table)}")
    print(f"\nThe demo took {seconds:.0f} s on {len(os.sched_getaffinity(0))} cores.")


def run(folder: Path, *, cache: Path) -> tuple[str, float]:
    """Return what the demo prints, and its wall-clock time in seconds."""
    command = [sys.executable, "-m", "gammafind", "demo", "-o", str(folder), "--overwrite"]
    start = time.perf_counter()
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GAMMAFIND_CACHE": str(cache)},
    )
    return done.stdout, time.perf_counter() - start


def markdown(table: str) -> str:
    """Return an aligned table as Markdown; cells are two spaces or more apart."""
    text = re.sub(r"\|b\|", "abs(b)", table)
    heads, *rows = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    width = max(map(len, rows))
    heads = [""] * (width - len(heads)) + heads
    rows = [row + [""] * (width - len(row)) for row in rows]
    lines = [heads, ["---"] * width, *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
