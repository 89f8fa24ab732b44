"""Ten things that people do with the page, done as they do them: type, click, read."""

from __future__ import annotations

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from regions import Regions

from gammafind.catalogue.flags import Flag
from gammafind.catalogue.publish import publish
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap

from ..fitting.skies import gaussian_psf
from .conftest import measured, page_text

sync_api = pytest.importorskip("playwright.sync_api")

N = 60
CRAB, PLANE, LONE, FAINT, BLAZAR = range(5)
"""Rows of sources: known ones, and three without a counterpart at b of 3, 30 and -50."""
BACKGROUND = (40.0, 10.0)
"""Expected counts of a pixel in each band."""
POINTED = HealpixPixels(64).centres()[20000]
LOWEST, HIGHEST = 2e-10, 9e-9
"""Fluxes of the blazar in its two epochs."""


@pytest.fixture(scope="module")
def places() -> SkyCoord:
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(0, 360, N), np.degrees(np.arcsin(rng.uniform(-0.95, 0.95, N)))
    lon[:5], lat[:5] = [184.5576, 40, 100, 200, 300], [-5.7844, 3, 30, -50, 60]
    return SkyCoord(lon, lat, unit="deg", frame="galactic").icrs


@pytest.fixture(scope="module")
def found(places) -> QTable:
    """The catalogue; TS falls from 9000 on."""
    ts = np.concatenate([[9000, 2000, 400, 90, 300], np.linspace(250, 30, N - 5).round(1)])
    label = np.array(["psr", "", "", "", "fsrq", *["bll", "psr"] * 27, "bll"])
    table = {
        "ra": places.ra,
        "dec": places.dec,
        "score": ts,
        "ts": ts,
        "pos_err": np.full(N, 0.05) * u.deg,
        "npred": ts,
        "class_label": label,
        "prob_psr": np.where(label == "psr", 0.9, 0.1),
        "flags": np.where(np.arange(N) == FAINT, int(Flag.NEAR_BRIGHT | Flag.ON_EXTENDED), 0),
    }
    catalogue = measured(publish(QTable(table)))
    catalogue["Variability_Index"] = np.where(np.arange(N) == BLAZAR, 300.0, 5.0)
    catalogue["Flux_History"][BLAZAR] = [LOWEST, HIGHEST] * u.Unit("cm-2 s-1")
    catalogue.meta["score_name"] = "TS"
    return catalogue


@pytest.fixture(scope="module")
def known(places) -> QTable:
    """4FGL sources at all places but three."""
    there = np.delete(places, [PLANE, LONE, FAINT])
    names = [f"4FGL J{i:04d}.0+0000" for i in range(len(there))]
    names[0] = "4FGL J0534.5+2201"
    return QTable(
        {
            "Source_Name": names,
            "RAJ2000": there.ra,
            "DEJ2000": there.dec,
            "Flux1000": np.full(len(there), 1e-9) / u.cm**2 / u.s,
            "ASSOC1": ["Crab Pulsar", *[""] * (len(there) - 1)],
        }
    )


@pytest.fixture(scope="module")
def sky() -> Observation:
    """Two bands of flat emission and a narrow PSF."""
    pixels, bands = (HealpixPixels(32), HealpixPixels(64)), energy_bands([1, 3, 10] * u.GeV)
    rng = np.random.default_rng(7)
    flat = [np.full(one.shape, value) for one, value in zip(pixels, BACKGROUND, strict=True)]
    exposure = [np.full(one.shape, 1e11) for one in pixels]
    return Observation(
        counts=SkyMap(bands, pixels, [rng.poisson(one) for one in flat]),
        background={"isotropic": SkyMap(bands, pixels, flat, "expected counts")},
        exposure=SkyMap(bands, pixels, exposure, "exposure"),
        psfs=(gaussian_psf(0.5), gaussian_psf(0.3)),
    )


@pytest.fixture(scope="module")
def scores() -> SkyMap:
    pixels = HealpixPixels(32)
    values = np.zeros(pixels.shape)
    values[pixels.pixel_of(POINTED)] = 49.0
    return SkyMap(energy_bands([1, 10] * u.GeV), [pixels], [values], "score")


@pytest.fixture(scope="module")
def address(tmp_path_factory, found, known, sky, scores) -> str:
    path = tmp_path_factory.mktemp("tasks") / "index.html"
    path.write_text(page_text(found, known, sky.counts, sky, scores))
    return path.as_uri()


def _find(page, text: str) -> None:
    page.get_by_label("Find").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def _filter(page, column: str, text: str) -> None:
    page.get_by_label(f"Filter {column}", exact=True).click()
    page.keyboard.type(text)


def _sort_down(page, column: str) -> None:
    head = page.locator(f".tabulator-col[tabulator-field={column}]")
    for _ in range(2):
        head.locator(".tabulator-col-title").click()
    sync_api.expect(head).to_have_attribute("aria-sort", "descending")


def _reads(page, selector: str, text: str | re.Pattern) -> None:
    sync_api.expect(page.locator(selector).first).to_have_text(text)


def _number(text: str, name: str) -> float:
    return float(re.search(rf"{name} (-?[\d.]+)", text)[1])


def test_find_a_source_by_its_name_in_4fgl(page, found):
    _find(page, "4FGL J0534.5+2201")
    _reads(page, "#panel h3", found["Source_Name"][CRAB])
    assert "4FGL J0534.5+2201 (Crab Pulsar) at 0.0" in page.text_content("#panel")


def test_find_a_source_by_its_common_name(page, found):
    _find(page, "crab")
    _reads(page, "#panel h3", found["Source_Name"][CRAB])
    page.locator(".sky-marks").hover()
    assert _number(page.text_content("#pointer"), "RA") == pytest.approx(83.633, abs=0.2)


@pytest.mark.parametrize("text", ["05 34 31.9 +22 00 52", "83.633 22.014", "l 184.558 -5.784"])
def test_find_what_is_at_a_position(page, found, text):
    _find(page, text)
    page.locator(".sky-marks").press("Enter")
    _reads(page, "#panel h3", found["Source_Name"][CRAB])


def test_the_brightest_source_without_a_counterpart_off_the_plane_and_its_spectrum(page, found):
    _filter(page, "Counterpart", "!")
    _reads(page, "#status", f"3 of {N} sources")
    _filter(page, "GLAT [deg]", "abs > 10")
    _reads(page, "#status", f"2 of {N} sources")
    _sort_down(page, "TS")
    page.locator("#sources button.name").first.click()
    _reads(page, "#panel h3", found["Source_Name"][LONE])
    spectrum = page.locator("#panel figure").filter(has_text="Spectrum")
    assert spectrum.locator(".dot").count() == 1
    assert "E² dN/dE [erg cm⁻² s⁻¹]" in spectrum.text_content()


def test_bright_sources_of_a_class_on_table_and_map(page, found):
    _filter(page, "TS", "> 100")
    _reads(page, "#status", f"{np.sum(found['TS'] > 100)} of {N} sources")
    _filter(page, "Class", "psr")
    chosen = (found["TS"] > 100) & (found["Class"] == "psr")
    _reads(page, "#status", f"{chosen.sum()} of {N} sources")
    _find(page, "crab")
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate("gammafind.view.shown.filter(Boolean).length") == chosen.sum()


def test_the_selection_as_csv_and_for_ds9(page, found):
    _filter(page, "TS", "> 280")
    with page.expect_download() as got:
        page.get_by_role("button", name="Rows as CSV").click()
    table = QTable.read(got.value.path(), format="ascii.csv")
    assert list(table["Source_Name"]) == list(found["Source_Name"][[CRAB, PLANE, LONE, BLAZAR]])
    assert list(table["TS"]) == [9000, 2000, 400, 300]
    with page.expect_download() as got:
        page.get_by_role("button", name="Rows for DS9").click()
    circles = Regions.read(got.value.path(), format="ds9")
    centre = SkyCoord([one.center for one in circles])
    own = SkyCoord(found["RAJ2000"], found["DEJ2000"])[[CRAB, PLANE, LONE, BLAZAR]]
    assert np.all(own.separation(centre) < 0.1 * u.arcsec)
    error = found["Conf_95_SemiMajor"][CRAB].to_value("deg")
    assert circles[0].radius.to_value("deg") == pytest.approx(error, rel=1e-3)
    assert circles[0].meta["text"] == found["Source_Name"][CRAB]


def test_the_light_curve_of_a_variable_source(page, found):
    _filter(page, "Variability_Index", "> 27")
    _reads(page, "#status", f"1 of {N} sources")
    page.locator("#sources button.name").first.click()
    _reads(page, "#panel h3", found["Source_Name"][BLAZAR])
    curve = page.locator("#panel figure").filter(has_text="Light curve")
    heights = [float(dot.get_attribute("cy")) for dot in curve.locator(".dot").all()]
    assert "Time [MJD]" in curve.text_content()
    assert heights[1] < heights[0]


def test_what_the_flags_mean(page, found):
    _find(page, str(found["Source_Name"][FAINT]))
    text = page.locator("#panel .flags").text_content()
    assert "a point on an extended source" in text
    assert "within the width of the PSF of a brighter source" in text
    _find(page, "crab")
    assert page.locator("#panel .flags").count() == 0


def test_read_each_layer_under_the_pointer(page, sky):
    _find(page, f"l {POINTED.l.deg} {POINTED.b.deg}")
    counts = sky.counts.values[1][sky.counts.pixels[1].pixel_of(POINTED)]
    expected = {"Counts": counts, "Model": BACKGROUND[1], "TS map": 49}
    page.get_by_label("Band").select_option("3-10 GeV")
    for layer, value in expected.items():
        page.get_by_label("Layer").select_option(layer)
        page.locator(".sky-marks").hover(position={"x": 200, "y": 150})
        page.locator(".sky-marks").hover()
        assert _number(page.text_content("#pointer"), layer) == pytest.approx(value, rel=0.03)
    layers = page.get_by_label("Layer").locator("option").all_text_contents()
    assert layers == ["Counts", "Model", "Residual", "Significance", "TS map"]


def test_it_is_dark_where_people_like_it_dark(page):
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    page.emulate_media(color_scheme="dark")
    assert max(page.evaluate(ground)) < 60
    page.emulate_media(color_scheme="light")
    assert min(page.evaluate(ground)) > 200


def test_a_telephone_shows_map_panel_and_table(browser, address, found):
    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = phone.new_page()
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#search").fill("crab")
    page.get_by_role("button", name="Go").tap()
    page.get_by_role("button", name="Zoom in").tap()
    page.locator("#panel").evaluate("panel => panel.replaceChildren()")
    page.locator(".sky-marks").tap()
    _reads(page, "#panel h3", found["Source_Name"][CRAB])
    assert page.locator("#panel canvas").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


def test_the_map_as_a_picture(page):
    with page.expect_download() as got:
        page.get_by_role("button", name="Save picture").click()
    assert got.value.path().read_bytes().startswith(b"\x89PNG")
