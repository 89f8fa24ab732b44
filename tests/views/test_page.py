"""The text and the table of the page."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn

from gammafind.views.page import definition_list

from .conftest import embedded, page_text, with_probabilities


def test_text_cannot_become_markup(catalogue):
    catalogue["Source_Name"] = ["</script><b>", *catalogue["Source_Name"][1:]]
    page = page_text(catalogue)
    assert "</script><b>" not in page
    assert embedded(page)["rows"][0][0] == "</script><b>"
    assert "a&lt;b&gt;.fits" in page
    assert "&#x27;x &amp; y&#x27;" in page


def test_rows_hold_the_catalogue(catalogue, reference):
    data = embedded(page_text(catalogue, reference))
    labels = [column["label"] for column in data["columns"]]
    assert labels[:3] == ["Name", "ICRS [deg]", "Galactic [deg]"]
    assert {"TS", "Class", "Counterpart", "P(bll)", "r95 [deg]"} <= set(labels)
    row = data["rows"][0]
    assert row[0] == catalogue["Source_Name"][0]
    assert row[labels.index("Counterpart")] == "REF 4"
    assert row[labels.index("TS")] == [20.0, "20.0"]
    assert "Score" not in labels
    assert "CooFrame=Gal" in row[2][2]
    assert data["rows"][9][labels.index("Counterpart")] == ""


def test_positions_of_an_image_are_as_fine_as_they_were_measured(catalogue):
    catalogue["Conf_95_SemiMajor"] = np.full(10, 0.0305) * u.arcsec
    catalogue["x"], catalogue["y"] = np.arange(10) * u.pix, np.full(10, 7.256) * u.pix
    catalogue["mag"], catalogue["mag_err"] = np.full(10, 17.1234) * u.mag, np.full(10, 0.01)
    data = embedded(page_text(catalogue))
    row = dict(zip((column["label"] for column in data["columns"]), data["rows"][0], strict=True))
    assert "r95 [deg]" not in row
    assert row["r95 [arcsec]"][1] in ("0.030", "0.031")
    assert (row["x [pixels]"][1], row["y [pixels]"][1]) == ("0.00", "7.26")
    assert (row["Magnitude"][1], row["Error of magnitude"][1]) == ("17.123", "0.010")
    _, text, address = row["ICRS [deg]"]
    assert text == f"{catalogue['RAJ2000'][0].value:.7f} {catalogue['DEJ2000'][0].value:+.7f}"
    assert "fov=0.05&" in address
    assert "Radius.unit=arcsec" in row["Galactic [deg]"][2]


@pytest.mark.parametrize(("size", "decimals"), [(0.5 * u.arcsec, 7), (6 * u.arcmin, 4)])
def test_without_errors_the_pixels_say_how_fine_positions_are(catalogue, image, size, decimals):
    bare = with_probabilities(catalogue)
    wcs = image.pixels[0].wcs
    wcs.wcs.cdelt = -size.to_value("deg"), size.to_value("deg")
    text = embedded(page_text(bare, counts=image))["rows"][0][1][1]
    assert len(text.split()[0].partition(".")[2]) == decimals


def test_an_image_without_coordinates_has_no_positions_on_the_sky(frame, frame_catalogue):
    page = page_text(frame_catalogue, counts=frame)
    labels = [column["label"] for column in embedded(page)["columns"]]
    assert labels[:4] == ["Name", "x [pixels]", "y [pixels]", "r95 [arcsec]"]
    assert not any("deg" in label for label in labels)
    assert "Aladin" not in page


def test_columns_of_other_units_are_left_out(catalogue):
    catalogue["x"] = np.arange(10) * u.kg
    labels = [column["label"] for column in embedded(page_text(catalogue))["columns"]]
    assert "x [pixels]" not in labels
    assert "TS" in labels


def test_no_empty_summary(catalogue, reference):
    assert "Summary" not in page_text(catalogue)
    assert '<h2 id="summary">Summary</h2>' in page_text(catalogue, reference)


def test_missing_columns_and_values(catalogue, reference):
    bare = with_probabilities(catalogue)
    data = embedded(page_text(bare, reference))
    labels = [column["label"] for column in data["columns"]]
    assert "TS" not in labels
    assert "Probability" in labels
    catalogue["TS"] = MaskedColumn(catalogue["TS"], mask=[True] + [False] * 9)
    page = page_text(catalogue)
    labels = [column["label"] for column in embedded(page)["columns"]]
    assert embedded(page)["rows"][0][labels.index("TS")] is None


def test_counterparts_of_a_saved_catalogue(catalogue):
    catalogue["Association"] = ["REF 4"] + [""] * 9
    page = page_text(catalogue)
    assert embedded(page)["columns"][-2]["label"] == "Counterpart"


def test_provenance_may_nest():
    text = definition_list({"inputs": {"x": ["1", "2"]}, "n": 3})
    assert text == (
        "<dl><dt>inputs</dt><dd><dl><dt>x</dt><dd><ul><li><code>1</code></li>"
        "<li><code>2</code></li></ul></dd></dl></dd><dt>n</dt><dd><code>3</code></dd></dl>"
    )


def test_fluxes_are_shown_in_the_unit_of_the_instrument(catalogue):
    catalogue["Flux"] = np.linspace(0.1, 1, 10) * u.Jy
    catalogue["Unc_Flux"] = np.full(10, 0.01) * u.Jy
    data = embedded(page_text(catalogue))
    labels = [column["label"] for column in data["columns"]]
    assert {"Flux [Jy]", "Error of flux [Jy]"} <= set(labels)
    assert data["rows"][0][labels.index("Flux [Jy]")] == [0.1, "1.00e-01"]


def test_columns_are_shown_whatever_their_names(frame, frame_catalogue):
    data = embedded(page_text(frame_catalogue, counts=frame))
    labels = [column["label"] for column in data["columns"]]
    assert {"Magnitude", "Electrons", "Class"} <= set(labels)
