"""Numbers on the pages are those that a benchmark kept in benchmarks/results.

A comment ``<!-- from: real_sky.json -->`` before a table or a paragraph names the file. Each row of
such a table has its numbers, in this order, in one row of the file; each number of such a paragraph
that is a decimal fraction or has three digits or more is somewhere in the file.
"""

from __future__ import annotations

import importlib.util
import json
import re
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

MARKED = re.compile(r"^<!-- from: ([\w. ]+) -->\n(.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(names.split(), text, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (names, text) in enumerate(MARKED.findall(page.read_text()))
]


@pytest.fixture(scope="session")
def results(root: Path) -> ModuleType:
    """Module by which benchmarks keep their numbers."""
    place = root / "benchmarks" / "results.py"
    spec = importlib.util.spec_from_file_location("results", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept_lines(results: ModuleType, names: list[str]) -> list[list[str]]:
    """Numbers of each row, each heading and each line that benchmarks kept."""
    found = []
    for name in names:
        kept = json.loads((results.FOLDER / name).read_text())
        rows = chain.from_iterable([t["columns"], *t["rows"]] for t in kept["tables"])
        found += [results.numbers(text) for text in [*map("|".join, rows), *kept["lines"]]]
    return found


def is_within(some: list[str], row: list[str]) -> bool:
    """Whether numbers stand in a row in this order, perhaps with others between."""
    rest = iter(row)
    return all(number in rest for number in some)


@pytest.mark.parametrize(("names", "text"), BLOCKS)
def test_numbers_on_a_page_were_kept_by_a_benchmark(
    results: ModuleType, names: list[str], text: str
) -> None:
    kept = kept_lines(results, names)
    if text.startswith("|"):
        (table,) = results.tables(text)
        rows = [results.numbers("|".join(row)) for row in table["rows"]]
        assert [row for row in rows if not any(is_within(row, one) for one in kept)] == []
    else:
        shown = [n for n in results.numbers(text) if "." in n or len(n) >= 3]
        assert shown
        assert set(shown) - set(chain.from_iterable(kept)) == set()


@pytest.mark.parametrize(
    "page",
    ["README", "real_sky", "localiser", "classifier", "images", "simulated_sky", "resources"],
)
def test_each_headline_table_names_its_benchmark(page: str) -> None:
    others = ("guide", "tutorials")
    (path,) = [one for one in PAGES if one.stem == page and one.parent.name not in others]
    assert MARKED.search(path.read_text())


def test_what_is_kept_names_a_benchmark_and_says_when_it_was_measured(
    results: ModuleType, root: Path
) -> None:
    files = sorted(results.FOLDER.glob("*.json"))
    assert files
    for file in files:
        kept = json.loads(file.read_text())
        assert (root / kept["benchmark"]).exists(), file.name
        assert kept.get("measured") or kept.get("source"), file.name


def test_a_benchmark_keeps_the_tables_and_lines_that_it_prints(
    results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    with results.kept("toy"):
        print("10 sources\n\n| cut | purity |\n|---|---|\n| 16 | 0.985 [0.980, 0.990] |\n\nDone.")
    kept = json.loads((tmp_path / "toy.json").read_text())
    assert kept["tables"] == [
        {"columns": ["cut", "purity"], "rows": [["16", "0.985 [0.980, 0.990]"]]}
    ]
    assert kept["lines"] == ["10 sources", "Done."]


def test_a_benchmark_that_fails_keeps_nothing(
    results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    with pytest.raises(ZeroDivisionError), results.kept("toy"):
        print(1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_compared_as_they_are_written(results: ModuleType) -> None:
    assert results.numbers("1,284 of 0.90, 1e-09 cm-2") == ["1284", "0.90", "1e-09", "2"]
