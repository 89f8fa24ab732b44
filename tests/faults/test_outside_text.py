"""Names that others choose stay names in every format."""

from __future__ import annotations

import warnings

import astropy.units as u
import matplotlib.text
import pytest
from astropy.table import QTable
from matplotlib.figure import Figure
from regions import Regions

from gammafind import HealpixPixels
from gammafind.catalogue.io import TABLE_SUFFIXES, read_table, write_table
from gammafind.catalogue.publish import publish
from gammafind.catalogue.regions import write_regions
from gammafind.errors import GammafindError
from gammafind.utils.outside import for_ds9, for_figure
from gammafind.views.style import png

NAMES = [
    "$x_{$",
    "$\\frac{1}{2}$",
    "\\$5 and $6",
    "a\rcircle(1,2,3)",
    "a\r\nb",
    "';circle(1,2,3)'",
    "a} # tag={b",
    "&amp;",
    "<script>alert(1)</script>",
    "=1+1",
    '"',
    "'",
    "a\tb",
    "\x1b[31mred",
    "\u202eabc",
    "\udcff",
    "\x00",
    "n" * 10_000,
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_stays_one_region(tmp_path, name):
    detections = QTable(
        {
            "ra": [1.0, 2.0] * u.deg,
            "dec": [2.0, 3.0] * u.deg,
            "score": [9.0, 8.0],
            "pos_err": [0.1, 0.1] * u.deg,
        }
    )
    catalogue = publish(detections, pixels=HealpixPixels(4))
    catalogue["Source_Name"] = [name, "other"]
    write_regions(catalogue, tmp_path / "a.reg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Regions.read(tmp_path / "a.reg", format="ds9")
    assert len(found) == 2
    assert found[1].meta["text"] == "other"
    text = (tmp_path / "a.reg").read_text(encoding="utf-8")
    assert text.count("circle(") == 2 + name.count("circle(")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_drawn_as_it_is(name):
    figure = Figure()
    figure.text(0.1, 0.5, for_figure(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The font has no sign for some marks.
        png(figure)
    (drawn,) = figure.findobj(matplotlib.text.Text)
    assert drawn._preprocess_math(drawn.get_text())[1] is False


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_comes_back_from_a_table_or_is_refused(tmp_path, suffix, name):
    path = tmp_path / f"a{suffix}"
    table = QTable({"n": [1, 2], "name": [name, "other"]})
    if ".fit" in suffix and name == "\u202eabc":
        with pytest.raises(GammafindError, match="cannot be written as FITS"):
            write_table(table, path)
        return
    if name == "\x00":  # numpy takes it for the end of the text.
        name = ""
    if suffix in (".vot", ".xml") and any(mark < " " and mark not in "\t\n\r" for mark in name):
        with pytest.raises(GammafindError, match="cannot be written as VOTable"):
            write_table(table, path)
        return
    write_table(table, path)
    found = read_table(path)
    assert found["name"].tolist()[1] == "other"
    expected = name.encode("utf-8", "replace").decode().strip()
    same = found["name"].tolist()[0].replace("\r\n", "\n").replace("\r", "\n")
    assert same == expected.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_message_steers_no_terminal_and_stays_short(name):
    text = str(GammafindError(f"the name is {name}", path=f"a/{name}", remedy=name))
    assert text.isprintable()
    assert len(text) <= 500


def test_texts_lose_only_what_has_a_meaning():
    assert for_ds9("4FGL J0534.5+2201 (a/b, c)") == "4FGL J0534.5+2201 (a/b, c)"
    assert for_figure("4FGL J0534.5+2201 & co") == "4FGL J0534.5+2201 & co"


def test_a_long_message_keeps_file_fault_and_remedy():
    error = GammafindError("x" * 689_000, path="/long/" * 100 + "a.fits", remedy="Do this.")
    text = str(error)
    assert len(text) <= 500
    assert "a.fits: xxx" in text
    assert text.endswith("Do this.")
