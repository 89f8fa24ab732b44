"""The text and the data of the page."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn

from gammafind.catalogue.flags import Flag
from gammafind.views.page import definition_list

from .conftest import embedded, inflated, measured, page_text, with_probabilities


def _column(page: str, key: str) -> tuple[dict, list]:
    """Description and values of a column."""
    table = embedded(page)["table"]
    return next(one for one in table["columns"] if one["key"] == key), table["values"][key]


def _keys(page: str) -> list[str]:
    return [column["key"] for column in embedded(page)["table"]["columns"]]


def test_text_cannot_become_markup(catalogue):
    catalogue["Source_Name"] = ["</script><b>", *catalogue["Source_Name"][1:]]
    page = page_text(catalogue)
    assert "</script><b>" not in page
    assert embedded(page)["sources"]["name"][0] == "</script><b>"
    assert "a&lt;b&gt;.fits" in page
    assert "&#x27;x &amp; y&#x27;" in page


def test_it_requests_nothing(catalogue, reference):
    page = page_text(catalogue, reference)
    assert "default-src 'none'" in page
    assert "<link" not in page
    assert 'src="http' not in page
    assert "@import" not in page


def test_rows_hold_the_catalogue(catalogue, reference):
    page = page_text(catalogue, reference)
    assert _keys(page)[:2] == ["Source_Name", "Counterpart"]
    assert {"TS", "Class", "prob_bll", "Conf_95_SemiMajor"} <= set(_keys(page))
    assert _column(page, "Counterpart")[1][:3] == ["REF 4", "REF 5", "REF 6"]
    assert _column(page, "Counterpart")[1][9] == ""
    about, values = _column(page, "TS")
    assert values[0] == 20.0
    assert about["type"] == "number"
    about, values = _column(page, "Flux")
    assert (about["unit"], about["form"]) == ("cm-2 s-1", "e")
    assert values[0] == pytest.approx(2e-10)


@pytest.mark.parametrize(("error", "decimals"), [(0.03 * u.arcsec, 7), (6 * u.arcmin, 4)])
def test_positions_are_written_as_fine_as_they_were_measured(catalogue, error, decimals):
    catalogue["Conf_95_SemiMajor"] = np.full(10, error.value) * error.unit
    page = page_text(catalogue)
    about, values = _column(page, "RAJ2000")
    assert about["digits"] == decimals
    assert values[0] == pytest.approx(catalogue["RAJ2000"][0].value, abs=1e-7)
    assert embedded(page)["sources"]["radius"][0] == pytest.approx(error.to_value("deg"), abs=1e-6)


@pytest.mark.parametrize(("size", "decimals"), [(0.5 * u.arcsec, 7), (6 * u.arcmin, 4)])
def test_without_errors_the_pixels_say_how_fine_positions_are(catalogue, image, size, decimals):
    wcs = image.pixels[0].wcs
    wcs.wcs.cdelt = -size.to_value("deg"), size.to_value("deg")
    page = page_text(with_probabilities(catalogue), counts=image)
    assert _column(page, "RAJ2000")[0]["digits"] == decimals


def test_an_image_without_coordinates_has_no_positions_on_the_sky(frame, frame_catalogue):
    page = page_text(frame_catalogue, counts=frame)
    data = embedded(page)
    assert {"x", "y"} <= set(_keys(page))
    assert not {"RAJ2000", "GLON"} & set(_keys(page))
    assert "glon" not in data["sources"]
    assert data["sources"]["x"][0] == pytest.approx(10, abs=1e-3)
    assert data["sky"]["lattice"] is None


def test_an_image_knows_where_its_pixels_are(catalogue, image):
    data = embedded(page_text(catalogue, counts=image))
    sky = data["sky"]
    vectors = np.array(sky["lattice"]["vectors"]).reshape(sky["lattice"]["rows"], -1, 3)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(1, abs=1e-6)
    assert (sky["width"], sky["height"]) == (60, 40)
    assert len(data["sources"]["x"]) == len(catalogue)


def test_no_empty_summary(catalogue, reference):
    assert 'id="summary"' not in page_text(catalogue)
    assert '<h2 id="summary">Summary</h2>' in page_text(catalogue, reference)


def test_missing_columns_and_values(catalogue, reference):
    assert "TS" not in _keys(page_text(with_probabilities(catalogue), reference))
    catalogue["TS"] = MaskedColumn(catalogue["TS"], mask=[True] + [False] * 9)
    assert _column(page_text(catalogue), "TS")[1][0] is None


def test_an_empty_catalogue_has_a_page(catalogue):
    assert embedded(page_text(catalogue[:0]))["table"]["n"] == 0


def test_counterparts_of_a_saved_catalogue(catalogue):
    catalogue["Association"] = ["REF 4"] + [""] * 9
    page = page_text(catalogue)
    assert "Counterpart" not in _keys(page)
    assert embedded(page)["sources"]["matched"] == [True] + [False] * 9
    assert embedded(page)["sources"]["names"][0] == [catalogue["Source_Name"][0], "REF 4"]


def test_a_source_has_the_names_of_its_counterpart(catalogue, reference):
    reference["ASSOC1"] = ["", "", "", "", "Crab", *[""] * 7]
    data = embedded(page_text(catalogue, reference))
    assert data["sources"]["names"][0] == [catalogue["Source_Name"][0], "REF 4", "Crab"]
    assert data["reference"]["names"][4] == ["REF 4", "Crab"]


def test_counts_are_in_nested_order(catalogue, counts):
    page = page_text(catalogue, counts=counts)
    about = embedded(page)["sky"]["bands"][0]["counts"]
    planes = np.frombuffer(inflated(page, about["id"]), dtype=np.uint8).reshape(2, -1).astype(int)
    values = about["offset"] + about["step"] * (planes[0] + 256 * planes[1])
    assert values == pytest.approx(hp.reorder(counts.values[0].astype(float), r2n=True))


def test_flags_come_with_their_meanings(catalogue):
    catalogue["Flags"] = [int(Flag.ON_EXTENDED)] + [0] * 9
    flags = embedded(page_text(catalogue))["flags"]
    assert flags["values"][0] == 1
    assert dict(map(tuple, flags["meanings"]))[1].startswith("a point on an extended source")


def test_spectra_have_points_limits_and_a_curve(catalogue):
    spectra = embedded(page_text(measured(catalogue)))["spectra"]
    assert spectra["points"][0][0] == [1e-12, 0.8e-12, 1.2e-12, False]
    limit = spectra["points"][0][1]
    assert limit[0] == pytest.approx(0.7e-12)
    assert limit[3] is True
    assert spectra["edges"] == [[1.0, 3.0], [3.0, 10.0]]
    assert spectra["fitted"][0]["density"] == pytest.approx(1e-10)
    assert spectra["fitted"][1] is None


def test_light_curves_have_dates(catalogue):
    curves = embedded(page_text(measured(catalogue)))["lightCurves"]
    assert curves["edges"] == [[51911.0, 51912.0], [51912.0, 51914.0]]
    assert curves["points"][0][0][:3] == [1e-9, 0.9e-9, 1.1e-9]


def test_provenance_may_nest():
    text = definition_list({"inputs": {"x": ["1", "2"]}, "n": 3})
    assert text == (
        "<dl><dt>inputs</dt><dd><dl><dt>x</dt><dd><ul><li><code>1</code></li>"
        "<li><code>2</code></li></ul></dd></dl></dd><dt>n</dt><dd><code>3</code></dd></dl>"
    )


def test_fluxes_are_shown_in_the_unit_of_the_instrument(catalogue):
    catalogue["Flux"] = np.linspace(0.1, 1, 10) * u.Jy
    about, values = _column(page_text(catalogue), "Flux")
    assert about["unit"] == "Jy"
    assert values[0] == 0.1


def test_columns_are_shown_whatever_their_names(frame, frame_catalogue):
    page = page_text(frame_catalogue, counts=frame)
    assert set(frame_catalogue.colnames) <= set(_keys(page))


def test_a_part_of_a_sky_is_what_the_page_opens_with(catalogue, counts):
    assert embedded(page_text(catalogue, counts=counts))["sky"]["opening"] is None
    pixels = counts.pixels[0]
    centre = SkyCoord(120, 40, unit="deg", frame="galactic")
    near = pixels.centres().separation(centre) < 20 * u.deg
    part = replace(counts, valid=(near,), values=(np.where(near, counts.values[0], 0),))
    opening = embedded(page_text(catalogue, counts=part))["sky"]["opening"]
    assert opening["glon"] == pytest.approx(120, abs=3)
    assert opening["glat"] == pytest.approx(40, abs=3)
    assert opening["width"] == pytest.approx(40, abs=8)
