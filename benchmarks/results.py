"""Keep what a benchmark prints: ``results/NAME.json`` holds the numbers that the pages show.

``@kept("real_sky")`` before a ``main`` is all that a benchmark needs. Tables are read from the
Markdown that it prints; the other lines are kept as they are. A run that fails keeps nothing.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["FOLDER", "commit", "kept", "named", "numbers", "save", "tables"]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks" / "results"
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
RULE = re.compile(r"\|(?:[ :]*-+[ :]*\|)+")


@contextmanager
def kept(name: str) -> Iterator[None]:
    """Print as before, and keep what was printed in ``results/NAME.json``."""
    text = _Copy()
    with redirect_stdout(text):
        yield
    save(name, text.getvalue())


def named(name: str, weights: str) -> str:
    """Name of the results with other weights than those in the package, next to that with these."""
    return f"{name}_any_bands" if weights else name


def save(name: str, text: str) -> Path:
    """Write the tables and lines of a Markdown text, with the date, the commit and the command."""
    head = {
        "benchmark": f"benchmarks/{Path(sys.argv[0]).name}",
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *_arguments()]),
        "measured": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(_layout(head, tables(text), _other_lines(text)))
    return path


def tables(text: str) -> list[dict[str, list]]:
    """Markdown tables of a text: the heading, and the cells of each row."""
    found, lines = [], text.splitlines()
    for number, line in enumerate(lines):
        if number and RULE.fullmatch(line):
            below = lines[number + 1 :]
            end = next((i for i, row in enumerate(below) if not row.startswith("|")), len(below))
            found.append(
                {"columns": _cells(lines[number - 1]), "rows": [*map(_cells, below[:end])]}
            )
    return found


def numbers(text: str) -> list[str]:
    """Numbers of a text as they are written, without the commas of thousands."""
    return [number.replace(",", "") for number in NUMBER.findall(text)]


class _Copy(io.StringIO):
    """Text that is also printed."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        return super().write(text)

    def flush(self) -> None:
        sys.__stdout__.flush()


def _arguments() -> list[str]:
    """Arguments of the command; of a path only the last part, since folders differ."""
    return [Path(text).name if "/" in text and "=" not in text else text for text in sys.argv[1:]]


def commit() -> str:
    """Commit of the checkout, with ``-dirty`` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _other_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("|")]


def _layout(head: dict[str, str], found: Sequence[dict[str, list]], lines: list[str]) -> str:
    """JSON with one line a row, so that two runs are easy to compare."""

    def dumped(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    def listed(values: Sequence, depth: int) -> str:
        space = "\n" + " " * depth
        inner = ("," + space).join(map(dumped, values))
        return f"[{space}{inner}{space[:-1]}]" if values else "[]"

    blocks = [
        f'{{"columns": {dumped(table["columns"])},\n   "rows": {listed(table["rows"], 4)}}}'
        for table in found
    ]
    parts = [f"{dumped(key)}: {dumped(value)}" for key, value in head.items()]
    parts.append('"tables": [' + ",\n  ".join(blocks) + "]")
    parts.append(f'"lines": {listed(lines, 2)}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"
