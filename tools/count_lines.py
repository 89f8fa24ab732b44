"""Count the code of gammafind, and the rooms in which it stands.

``python tools/count_lines.py`` prints the lines of code of each folder and of all, without blank
lines, comments and docstrings; the folders and loose modules at the top of the package; its
longest file; and a cycle of imports between modules or folders, where there is one. Imports that
serve type hints only count too. ``tests/contracts/test_house.py`` holds the limits.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "gammafind"
GENERATED = ("_version.py",)
"""Modules that the build writes."""
EMPTY = {
    tokenize.COMMENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.INDENT,
    tokenize.NEWLINE, tokenize.NL,
}  # fmt: skip
"""Kinds of tokens that are no code."""


def main() -> None:
    """Print all numbers."""
    lines = {path: code_lines(path.read_text(encoding="utf-8")) for path in files()}
    by_folder = Counter()
    for path, number in lines.items():
        by_folder[room_of(path)] += number
    for room, number in sorted(by_folder.items()):
        print(f"{number:6d}  {room}")
    print(f"{sum(lines.values()):6d}  lines of code in {len(lines)} modules")
    print(f"{len(folders())} folders and {len(loose_modules())} loose modules at the top")
    path, length = longest_file()
    print(f"longest file: {path}, {length} lines")
    modules = imports()
    print("cycle of modules:", " -> ".join(cycle(modules)) or "none")
    print("cycle of folders:", " -> ".join(cycle(between_folders(modules))) or "none")


def files() -> list[Path]:
    """Python files of the package, but for those that the build writes."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in GENERATED]


def folders() -> list[str]:
    """Folders at the top of the package that hold Python files."""
    return sorted({path.relative_to(PACKAGE).parts[0] for path in files()} - set(loose_modules()))


def loose_modules() -> list[str]:
    """Python files at the top of the package."""
    return [path.name for path in files() if path.parent == PACKAGE]


def room_of(path: Path) -> str:
    """Folder at the top of the package that holds a file; the package for a loose module."""
    inside = path.relative_to(PACKAGE).parts
    return f"{PACKAGE.name}/{inside[0]}" if len(inside) > 1 else PACKAGE.name


def longest_file() -> tuple[Path, int]:
    """File with the most lines of any kind, and how many."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    longest = max(lengths, key=lengths.get)
    return longest.relative_to(PACKAGE.parent), lengths[longest]


def code_lines(source: str) -> int:
    """Lines that hold code: no blank lines, comments, docstrings."""
    held = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in EMPTY:
            held.update(range(token.start[0], token.end[0] + 1))
    texts = source.splitlines()
    blank = {number for number, text in enumerate(texts, start=1) if not text.strip()}
    return len(held - blank - docstring_lines(source))


def docstring_lines(source: str) -> set[int]:
    """Numbers of the lines of strings that stand alone."""
    alone = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return {number for node in alone for number in range(node.lineno, node.end_lineno + 1)}


def imports() -> dict[str, set[str]]:
    """Modules of the package that each one imports, anywhere in its text."""
    modules = {module_of(path): path for path in files()}
    return {
        module: set(imported(path.read_text(encoding="utf-8"), modules)) - {module}
        for module, path in modules.items()
    }


def imported(source: str, modules: Mapping[str, Path]) -> Iterator[str]:
    """Modules, out of ``modules``, that a source imports or takes names from."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from [one for one in (name, node.module) if one in modules][:1]


def module_of(path: Path) -> str:
    """Dotted name of a file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def between_folders(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Imports between the folders and loose modules at the top of the package."""
    graph: dict[str, set[str]] = {}
    for module, others in modules.items():
        here = ".".join(module.split(".")[:2])
        there = {".".join(other.split(".")[:2]) for other in others}
        graph.setdefault(here, set()).update(there - {here})
    return graph


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """One cycle of a graph, its first member again at the end; nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


if __name__ == "__main__":
    main()
