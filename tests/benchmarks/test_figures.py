"""Figures of the documentation are drawn from what the benchmarks kept."""

from __future__ import annotations

from pathlib import Path

import figures
import pytest


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_has_data_and_names_its_axes(name: str) -> None:
    axes = figures.FIGURES[name]().axes
    assert axes
    for one in axes:
        assert one.has_data()
        assert one.get_xlabel() or one.get_xticklabels()


def test_the_page_shows_every_figure(root: Path) -> None:
    page = (root / "docs" / "validation" / "figures.md").read_text()
    assert [name for name in figures.FIGURES if f"\nfigures.{name}()\n" not in page] == []


@pytest.mark.parametrize(
    ("text", "ends"), [("0.5 [0.4, 0.7]", (0.1, 0.2)), ("0.913 ± 0.012", (0.012, 0.012))]
)
def test_intervals_are_read_in_both_forms(text: str, ends: tuple[float, float]) -> None:
    assert figures.interval(text) == pytest.approx(ends)


def test_a_table_that_is_gone_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"demo\.json has no table with the columns wavelength"):
        figures.table("demo", "wavelength")
