"""Pages, docstrings and messages are in plain modern English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

OLD = re.compile(r"\b(tells|told|anew|beside|asked for)\b", re.IGNORECASE)
OPTION = re.compile(r"--beside\b|`+beside`+|^\s*beside :|\bbeside=", re.MULTILINE)
"""The option ``--beside`` and its parameter, which keep their name."""
ALLOWED = 2
"""A key of stored arrays, and the old name of a field in the list of changes."""


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each page of the documentation."""
    named = [root / "README.md", root / "CONTRIBUTING.md", root / "benchmarks" / "README.md"]
    for path in [*named, *(root / "docs").rglob("*.md"), *(root / "changes").glob("*.rst")]:
        if not {"_build", "api"} & set(path.parts):
            yield str(path.relative_to(root)), path.read_text()


def literals(root: Path) -> Iterator[tuple[str, str]]:
    """Place and text of each string of the package: docstrings, messages, help."""
    for path in sorted((root / "gammafind").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(root)}:{node.lineno}", node.value


def old_words(text: str) -> list[str]:
    """Words of a text that a reader may not know; names of the option are none of them."""
    return [] if text == "beside" else OLD.findall(OPTION.sub("", text))


def test_old_fashioned_words_are_rare(root: Path) -> None:
    found = [
        f"{place}: {word}"
        for place, text in [*pages(root), *literals(root)]
        for word in old_words(text)
    ]
    assert len(found) <= ALLOWED, "\n".join(found)


def test_the_name_of_the_option_is_not_counted() -> None:
    assert old_words("`--beside NAME` compares; ``beside`` is the parameter") == []
    assert old_words("It is told what stands beside it.") == ["told", "beside"]


def test_no_page_has_the_marks_of_an_unfinished_merge(root: Path) -> None:
    marks = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)
    assert [name for name, text in pages(root) if marks.search(text)] == []
