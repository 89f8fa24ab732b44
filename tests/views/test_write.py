"""The files of a report."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.evaluation.against import summarise
from gammafind.views.write import write_report

from .conftest import PROVENANCE, RADIUS, embedded

FIGURES = [
    "sky.png",
    "score_histogram.png",
    "flux.png",
    "completeness.png",
    "counterpart_flux.png",
    "offsets.png",
]


def _write(directory, catalogue, counts, reference=None, **options):
    summary = summarise(catalogue, reference, radius=RADIUS, counts=counts)
    directory.mkdir(exist_ok=True)
    return write_report(
        directory, catalogue, counts, reference=reference, summary=summary,
        provenance=PROVENANCE, **options,
    )  # fmt: skip


class _Elements(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_writes_page_and_figures(tmp_path, catalogue, counts, reference):
    paths = _write(tmp_path / "out", catalogue, counts, reference)
    assert [path.name for path in paths] == ["index.html", *FIGURES]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in paths)
    page = paths[0].read_text()
    assert "<title>fermi-lat (1-10 GeV): 10 sources found</title>" in page
    assert "8 match one of 12 reference sources" in page


def test_page_needs_no_other_file(tmp_path, catalogue, counts, reference):
    page = _write(tmp_path, catalogue, counts, reference)[0].read_text()
    elements = _Elements(page).found
    images = [attributes for tag, attributes in elements if tag == "img"]
    assert len(images) == 5
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)
    assert all(image["alt"] for image in images)
    assert not any(tag == "link" or "src" in a for tag, a in elements if tag != "img")
    assert "default-src 'none'" in page


@pytest.mark.parametrize("with_reference", [True, False])
def test_nothing_found(tmp_path, counts, reference, with_reference):
    paths = _write(tmp_path, empty_table(CATALOGUE), counts, reference if with_reference else None)
    assert embedded(paths[0].read_text())["table"]["n"] == 0
    assert (tmp_path / "sky.png").stat().st_size > 10_000


def test_image_with_a_wcs(tmp_path, image, catalogue):
    paths = _write(tmp_path, catalogue, image)
    assert [path.name for path in paths] == ["index.html", *FIGURES[:3]]
