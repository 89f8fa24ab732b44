"""The files of a report."""

from __future__ import annotations

from html.parser import HTMLParser

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.errors import OutputError
from gammafind.evaluation.against import summarise
from gammafind.views.localisers import Search
from gammafind.views.write import write_report

from .conftest import PROVENANCE, RADIUS, embedded

FIGURES = [
    "sky.png",
    "zoom.png",
    "score_histogram.png",
    "flux.png",
    "completeness.png",
    "offsets.png",
]


def _write(directory, catalogue, counts, reference=None, **options):
    summary = summarise(catalogue, reference, radius=RADIUS, counts=counts)
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
    assert len(images) == 6
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)
    assert all(image["alt"] for image in images)
    assert not any(tag == "link" or "src" in a for tag, a in elements if tag != "img")
    assert "default-src 'none'" in page


@pytest.mark.parametrize("with_reference", [True, False])
def test_nothing_found(tmp_path, counts, reference, with_reference):
    paths = _write(tmp_path, empty_table(CATALOGUE), counts, reference if with_reference else None)
    assert embedded(paths[0].read_text())["rows"] == []
    assert (tmp_path / "sky.png").stat().st_size > 10_000


def test_image_with_a_wcs(tmp_path, image, catalogue):
    paths = _write(tmp_path, catalogue, image)
    assert [path.name for path in paths] == ["index.html", *FIGURES[:4]]


def test_existing_files_are_replaced_when_asked(tmp_path, catalogue, counts):
    (tmp_path / "zoom.png").write_bytes(b"mine")
    _write(tmp_path, catalogue, counts, overwrite=True)
    assert (tmp_path / "zoom.png").read_bytes().startswith(b"\x89PNG")


def test_existing_files_are_kept(tmp_path, catalogue, counts):
    (tmp_path / "zoom.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="already exists"):
        _write(tmp_path, catalogue, counts)
    assert [path.name for path in tmp_path.iterdir()] == ["zoom.png"]
    assert (tmp_path / "zoom.png").read_bytes() == b"mine"


def test_directory_above_must_exist(tmp_path, catalogue, counts):
    with pytest.raises(OutputError, match="does not exist"):
        _write(tmp_path / "a" / "b", catalogue, counts)
    assert list(tmp_path.iterdir()) == []


def test_one_row_of_only_position_and_score(tmp_path, counts):
    table = QTable({"RAJ2000": [10.0], "DEJ2000": [20.0], "Score": [1.0]})
    paths = _write(tmp_path, table, counts)
    assert [path.name for path in paths] == ["index.html", *FIGURES[:3]]
    assert "1 source found" in paths[0].read_text()


@pytest.mark.parametrize("parted", [True, False])
def test_curves_tell_of_the_plane_where_it_is_parted(
    tmp_path, catalogue, counts, reference, parted
):
    if not parted:
        catalogue = catalogue[np.abs(catalogue["GLAT"]) > 20 * u.deg]
        reference = reference[np.abs(reference["GLAT"]) > 20 * u.deg]
    found = QTable({"ra": catalogue["RAJ2000"], "dec": catalogue["DEJ2000"]})
    found["score"] = catalogue["Score"]
    summary = summarise(catalogue, reference, radius=RADIUS, detections=found)
    searches = [Search(localiser=name, summary=summary, seconds=1) for name in ("a", "b")]
    paths = _write(tmp_path, catalogue, counts, reference, searches=searches)
    assert paths[-1].name == "localisers.png"
    assert ("dotted within 20 deg" in paths[0].read_text()) == parted
