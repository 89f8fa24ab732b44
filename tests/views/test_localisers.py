"""Localisers side by side, as text and on the page."""

from __future__ import annotations

import pytest
from astropy.table import QTable

from gammafind.evaluation.against import summarise
from gammafind.views.curves import localiser_figure
from gammafind.views.localisers import Search, localiser_table, localiser_text
from gammafind.views.page import build_page

from .conftest import PROVENANCE, RADIUS, with_probabilities


@pytest.fixture
def searches(catalogue, reference):
    """A likelihood that publishes four of its ten detections, and a network that does all."""
    detections = QTable(
        {"ra": catalogue["RAJ2000"], "dec": catalogue["DEJ2000"], "score": catalogue["Score"]}
    )
    catalogue.meta["min_score"] = 500.0
    likelihood = summarise(
        catalogue[catalogue["Score"] > 500], reference, radius=RADIUS, detections=detections
    )
    network = summarise(with_probabilities(catalogue), reference, radius=RADIUS)
    return (
        Search(localiser="likelihood", summary=likelihood, seconds=12.34),
        Search(localiser="net", summary=network, seconds=0.5),
    )


def test_rows_are_localisers_regions_and_choices(searches):
    heads, rows = localiser_table(searches)
    assert heads[-2:] == ["above 1e-9 cm-2 s-1", "seconds"]
    assert [row[:3] for row in rows] == [
        ["likelihood", "|b| > 20 deg", "TS >= 500"],
        ["likelihood", "|b| > 20 deg", "purity >= 0.90: TS >= 53.65"],
        ["likelihood", "|b| <= 20 deg", "TS >= 500"],
        ["likelihood", "|b| <= 20 deg", "purity >= 0.90: TS >= 20"],
        ["net", "|b| > 20 deg", "probability >= 0.5"],
        ["net", "|b| <= 20 deg", "probability >= 0.5"],
    ]
    assert rows[0][3:] == ["2", "100.0 %", "33.3 %", "66.7 %", "12.3"]
    assert [row[-1] for row in rows] == ["12.3", "", "", "", "0.5", ""]


def test_a_purity_that_no_score_leaves_finds_nothing(catalogue, reference):
    wrong = QTable({"ra": catalogue["RAJ2000"][8:], "dec": catalogue["DEJ2000"][8:]})
    wrong["score"] = catalogue["Score"][8:]
    summary = summarise(catalogue[8:], reference, radius=RADIUS, detections=wrong)
    _, rows = localiser_table([Search(localiser="likelihood", summary=summary, seconds=1)])
    assert rows[1][2:6] == ["purity >= 0.90: none", "0", "-", "0.0 %"]


def test_without_a_reference_there_are_numbers_only(catalogue):
    catalogue.meta.clear()
    summary = summarise(catalogue, radius=RADIUS)
    _, rows = localiser_table([Search(localiser="likelihood", summary=summary, seconds=1)])
    assert rows == [
        ["likelihood", "|b| > 20 deg", "all", "6", "-", "-", "1.0"],
        ["likelihood", "|b| <= 20 deg", "all", "4", "-", "-", ""],
    ]


def test_text_is_aligned(searches):
    lines = localiser_text(searches).splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("localiser   region         detections")
    assert lines[1].startswith("likelihood  |b| > 20 deg   TS >= 500")
    assert len(lines[0]) == len(lines[1]) == len(lines[5])


def test_curves_end_at_the_lowest_score_and_mark_what_is_published(searches):
    axes = localiser_figure(searches).axes[0]
    solid, circle, dotted, _, *net = axes.lines
    assert (solid.get_linestyle(), dotted.get_linestyle()) == ("-", ":")
    assert solid.get_xydata()[-1] == pytest.approx([4 / 6, 4 / 6])
    assert circle.get_xydata()[0] == pytest.approx([2 / 6, 1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["likelihood"]
    assert len(net) == 1
    assert localiser_figure(searches[1:]) is None


def test_the_page_compares_several_and_not_one(searches):
    def page(shown):
        return build_page(
            title="Test", summary=searches[0].summary, provenance=PROVENANCE, figures=[],
            data={"table": {"n": 0}}, texts={}, searches=shown,
        )  # fmt: skip

    both = page(searches)
    assert "Localisers on this sky" in both
    assert '<th scope="row">net</th><td class="text">|b| &gt; 20 deg</td>' in both
    assert "Localisers on this sky" not in page(searches[:1])
