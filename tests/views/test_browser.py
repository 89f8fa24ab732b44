"""The page in a browser, used as people use it: type, click, read."""

from __future__ import annotations

import re

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.publish import publish

from .conftest import measured, page_text

sync_api = pytest.importorskip("playwright.sync_api")
N = 3000


@pytest.fixture(scope="module")
def many() -> QTable:
    """3000 sources with TS 3000, 2999, ..., 1; every hundredth is a pulsar."""
    rng = np.random.default_rng(3)
    ts = np.arange(N, 0, -1.0)
    pulsar = ts % 100 == 0
    table = {
        "ra": rng.uniform(0, 360, N) * u.deg,
        "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, N))) * u.deg,
        "score": ts,
        "ts": ts,
        "pos_err": np.full(N, 0.05) * u.deg,
        "npred": ts,
        "class_label": np.where(pulsar, "psr", "bll"),
        "prob_psr": np.where(pulsar, 0.9, 0.1),
        "flags": np.where(ts == N, 1, 0),
    }
    return measured(publish(QTable(table)))


@pytest.fixture(scope="module")
def known(many) -> QTable:
    """The first three sources, and one of a known name at b = 45."""
    own = SkyCoord(many["RAJ2000"], many["DEJ2000"])[:3]
    far = SkyCoord(120, 45, unit="deg", frame="galactic").icrs
    return QTable(
        {
            "Source_Name": ["REF 1", "REF 2", "REF 3", "REF 4"],
            "RAJ2000": np.append(own.ra.deg, far.ra.deg) * u.deg,
            "DEJ2000": np.append(own.dec.deg, far.dec.deg) * u.deg,
            "Flux1000": np.full(4, 1e-9) / u.cm**2 / u.s,
            "ASSOC1": ["Crab Pulsar", "", "", "Far Away"],
        }
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory, many, known) -> str:
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page_text(many, known))
    return path.as_uri()


def _expect(page, selector: str, text: str) -> None:
    sync_api.expect(page.locator(selector).first).to_have_text(text)


def _find(page, text: str) -> None:
    page.locator("#search").fill(text)
    page.locator("#search").press("Enter")


def test_a_name_of_the_reference_shows_the_reference(page):
    _find(page, "Far Away")
    assert page.locator("#show-reference").is_checked()
    assert "of the reference" in page.text_content("#answer")


def test_text_that_is_no_place_is_answered(page):
    _find(page, "no such thing")
    assert "No position and no known name" in page.text_content("#answer")


def test_any_text_filters_the_rows(page, many):
    page.locator("#any").fill("CRAB")
    _expect(page, "#status", f"1 of {N} sources")
    _expect(page, "#sources button.name", many["Source_Name"][0])
    page.locator("#any").fill("")
    _expect(page, "#status", f"{N} sources")


def test_a_head_sorts(page, many):
    page.locator(".tabulator-col[tabulator-field=TS] .tabulator-col-title").click()
    _expect(page, "#sources button.name", many["Source_Name"][N - 1])


def test_marked_rows_are_downloaded(page, many):
    boxes = page.locator("#sources .tabulator-row input[type=checkbox]")
    boxes.nth(0).click()
    boxes.nth(2).click()
    assert page.text_content("#marked") == "2 marked"
    with page.expect_download() as got:
        page.get_by_role("button", name="Rows as CSV").click()
    table = QTable.read(got.value.path(), format="ascii.csv")
    assert list(table["Source_Name"]) == list(many["Source_Name"][[0, 2]])
    with page.expect_download() as got:
        page.get_by_role("button", name="Rows for DS9").click()
    text = got.value.path().read_text()
    assert text.count("icrs;circle(") == 2
    ra = float(re.search(r"circle\(([\d.]+),", text)[1])
    assert ra == pytest.approx(many["RAJ2000"][0].value, abs=1e-4)


def test_a_click_on_a_marker_chooses_its_source(page, many):
    _find(page, str(many["Source_Name"][7]))
    page.locator("#panel h3").wait_for()
    page.locator("#sources button.name").nth(0).click()
    _expect(page, "#panel h3", many["Source_Name"][0])
    _find(page, str(many["Source_Name"][7]))
    page.locator(".sky-marks").click()
    _expect(page, "#panel h3", many["Source_Name"][7])
    assert page.locator(".tabulator-row.current").count() == 1


def test_the_panel_says_what_to_take_care_of(page):
    page.locator("#sources button.name").first.click()
    assert "a point on an extended source" in page.text_content("#panel .flags")
    assert page.locator("#panel canvas").count() == 1
    links = page.locator("#panel .links a")
    assert links.all_text_contents() == ["SIMBAD", "NED", "Aladin"]
    assert "psr" in page.text_content("#panel .classes")


def test_keys_move_the_map(page):
    marks = page.locator(".sky-marks")
    marks.focus()
    before = page.evaluate("gammafind.view.geometry.scale")
    marks.press("+")
    marks.press("ArrowLeft")
    assert page.evaluate("gammafind.view.geometry.scale") > before
    assert page.evaluate("gammafind.view.geometry.lon") != 0
    marks.press("Enter")
    page.locator("#panel h3").wait_for()


def test_wheel_and_drag_move_the_map(page):
    box = page.locator(".sky-marks").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(12):
        page.mouse.wheel(0, -120)
    page.wait_for_function("!gammafind.view.geometry.whole")
    lat = page.evaluate("gammafind.view.geometry.lat")
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 400, steps=5)
    page.mouse.up()
    assert page.evaluate("gammafind.view.geometry.lat") != lat
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate("gammafind.view.geometry.whole")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_people_with_any_senses_can_use_it(browser, address, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    page.locator("#sources button.name").first.click()
    page.locator("#panel h3").wait_for()
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.close()


def test_the_places_of_pixels_are_those_of_healpy(page):
    vectors = np.random.default_rng(5).normal(size=(500, 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    found = page.evaluate("(vectors) => gammafind.pixels(1024, vectors)", vectors.tolist())
    assert found == hp.vec2pix(1024, *vectors.T, nest=True).tolist()


def test_a_place_on_the_screen_is_found_back(page):
    script = """() => {
        const {geometry} = gammafind.view;
        const off = [];
        for (const zoom of [1, 3, 50]) {
            geometry.zoom(zoom, 500, 200);
            for (const at of [[400, 300], [500, 200], [330, 250]]) {
                const back = geometry.place(geometry.direction(...at));
                off.push(Math.hypot(back[0] - at[0], back[1] - at[1]));
            }
        }
        return Math.max(...off);
    }"""
    assert page.evaluate(script) < 1e-5


def test_an_image_can_be_searched(browser, tmp_path, frame, frame_catalogue):
    path = tmp_path / "frame.html"
    path.write_text(page_text(frame_catalogue, counts=frame))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator("#sources button.name").first.click()
    page.locator("#panel canvas").wait_for()
    page.locator(".sky-marks").hover()
    assert re.match(r"x \d+\.\d +y \d+", page.text_content("#pointer"))
    page.close()
