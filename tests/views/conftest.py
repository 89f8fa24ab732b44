"""A small sky with sources, a catalogue of most of them, and the reference."""

from __future__ import annotations

import base64
import json
import re
import shutil
import zlib

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.wcs import WCS

from gammafind.catalogue.publish import publish
from gammafind.evaluation.against import summarise
from gammafind.plugins.image_cnn.network import CLASSES
from gammafind.plugins.meerlicht.renderer import MeerlichtRenderer
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, PlainPixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.views.layers import layers_of
from gammafind.views.page import build_page
from gammafind.views.page_data import page_data
from gammafind.views.rows import rows_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
RADIUS = 0.5 * u.deg
PROVENANCE = {
    "version": "1.0",
    "preset": "fermi-lat",
    "inputs": {"a<b>.fits": "sha256 00"},
    "command": "gammafind detect 'x & y'",
}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def counts(rng: np.random.Generator) -> SkyMap:
    pixels = HealpixPixels(16)
    values = rng.poisson(3.0, pixels.shape)
    return SkyMap(bands=energy_bands([1, 10] * u.GeV), pixels=(pixels,), values=(values,))


@pytest.fixture
def reference() -> QTable:
    """Twelve sources, 30 deg apart in longitude, every other one at b = 5 and at b = 50."""
    lon = np.arange(12) * 30.0
    lat = np.where(np.arange(12) % 2, 50.0, 5.0)
    icrs = SkyCoord(lon, lat, unit="deg", frame="galactic").icrs
    return QTable(
        {
            "Source_Name": [f"REF {i}" for i in range(12)],
            "RAJ2000": icrs.ra,
            "DEJ2000": icrs.dec,
            "GLAT": lat * u.deg,
            "Flux1000": np.geomspace(1e-10, 1e-8, 12) / u.cm**2 / u.s,
            "Signif_Avg": np.full(12, 5.0),
        }
    )


@pytest.fixture
def catalogue(reference: QTable) -> QTable:
    """The eight brightest of the reference, 0.1 deg off, and two that are not in it."""
    true = SkyCoord(reference["RAJ2000"], reference["DEJ2000"])[4:]
    found = true.directional_offset_by(40 * u.deg, 0.1 * u.deg)
    false = SkyCoord([15, 45], [60, -60], unit="deg", frame="galactic").icrs
    ra, dec = np.append(found.ra.deg, false.ra.deg), np.append(found.dec.deg, false.dec.deg)
    ts = np.append(np.geomspace(20, 2e4, 8), [18, 17])
    found = publish(
        QTable(
            {
                "ra": ra * u.deg,
                "dec": dec * u.deg,
                "score": ts,
                "ts": ts,
                "flux": 1e-11 * ts / u.cm**2 / u.s,
                "flux_err": 1e-11 * np.sqrt(ts) / u.cm**2 / u.s,
                "pos_err": np.full(10, 0.1) * u.deg,
                "class_label": ["bll", "psr"] * 5,
                "prob_bll": np.linspace(0, 1, 10),
            }
        )
    )
    found.meta |= {"score_name": "TS", "min_score": 16.0}
    return found


@pytest.fixture
def image(rng: np.random.Generator) -> SkyMap:
    """A small image with a WCS, longitude 40, latitude 30."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 40, 30
    wcs.wcs.cdelt = -0.1, 0.1
    wcs.wcs.crpix = 30.5, 20.5
    return SkyMap(
        bands=energy_bands([1, 10] * u.GeV),
        pixels=(WcsPixels(wcs, (40, 60)),),
        values=(rng.poisson(5.0, (40, 60)),),
    )


@pytest.fixture
def frame(rng: np.random.Generator) -> SkyMap:
    """An image of a detector, without a WCS."""
    return SkyMap(
        bands=energy_bands([1, 10] * u.GeV),
        pixels=(PlainPixels.of((80, 100), 0.5 * u.arcsec),),
        values=(rng.normal(100.0, 5.0, (80, 100)),),
        kind="electrons",
    )


@pytest.fixture
def frame_catalogue(frame: SkyMap) -> QTable:
    """Ten detections in it, of seven classes."""
    detections = QTable({"x": np.linspace(10, 90, 10) * u.pix, "y": np.full(10, 40.25) * u.pix})
    places = frame.pixels[0].wcs.pixel_to_world(detections["x"].value, detections["y"].value)
    detections["ra"], detections["dec"] = places.ra, places.dec
    detections["score"] = np.linspace(0.5, 1, 10)
    detections["pos_err"] = np.full(10, 0.03) * u.arcsec
    detections["class_label"] = [*CLASSES, *CLASSES[:3]]
    detections["mag"] = np.linspace(15, 20, 10) * u.mag
    detections["npred"] = np.linspace(1e4, 1e2, 10)
    return publish(detections, columns=MeerlichtRenderer().published, pixels=frame.pixels[0])


def with_probabilities(catalogue: QTable) -> QTable:
    """Only the columns that every localiser gives, with probabilities as scores."""
    bare = catalogue["Source_Name", "RAJ2000", "DEJ2000", "GLON", "GLAT", "Score"]
    bare["Score"] = bare["Score"] / (bare["Score"] + 10)
    bare.meta = {"score_name": "probability", "min_score": 0.5}
    return bare


def page_text(
    catalogue: QTable,
    reference: QTable | None = None,
    counts: SkyMap | None = None,
    observation: Observation | None = None,
    scores: SkyMap | None = None,
) -> str:
    """Page without figures, of an empty sky where none is given."""
    counts = counts or small_sky()
    summary = summarise(catalogue, reference, radius=RADIUS, counts=counts)
    rows = rows_of(catalogue, reference, summary, pixels=counts.pixels[0])
    layers = layers_of(counts, observation, scores=scores, score_name=summary.score_name)
    data = page_data(catalogue, reference, counts, rows, observation) | {"sky": layers.sky}
    return build_page(
        title="Test", summary=summary, provenance=PROVENANCE, figures=[], data=data,
        texts=layers.texts,
    )  # fmt: skip


def small_sky() -> SkyMap:
    pixels = HealpixPixels(8)
    values = np.ones(pixels.shape, dtype=int)
    return SkyMap(bands=energy_bands([1, 10] * u.GeV), pixels=(pixels,), values=(values,))


def inflated(page: str, name: str) -> bytes:
    """Bytes of an element of the page, as its script reads them."""
    text = re.search(rf'id="{name}">(.*?)</script>', page, re.DOTALL)[1]
    return zlib.decompress(base64.b64decode(text))


def embedded(page: str) -> dict:
    """Data that the script of a page reads."""
    return json.loads(inflated(page, "data"))


def measured(catalogue: QTable) -> QTable:
    """The catalogue with spectra in two bands, the second one a limit, and two epochs."""
    n = len(catalogue)
    flux, unit = np.tile([1e-10, 0.5e-10], (n, 1)), u.cm**-2 / u.s
    error = np.tile([[-0.2e-10, 0.2e-10], [np.nan, 0.1e-10]], (n, 1, 1))
    catalogue["Flux_Band"], catalogue["Unc_Flux_Band"] = flux * unit, error * unit
    catalogue["nuFnu_Band"] = np.tile([1e-12, 0.5e-12], (n, 1)) * u.erg * unit
    catalogue["SpectrumType"] = ["PowerLaw"] + [""] * (n - 1)
    catalogue["Pivot_Energy"] = np.full(n, 2000.0) * u.MeV
    catalogue["PL_Flux_Density"] = np.full(n, 1e-13) * unit / u.MeV
    catalogue["PL_Index"] = np.full(n, 2.2)
    catalogue["Flux_History"] = np.full((n, 2), 1e-9) * unit
    catalogue["Unc_Flux_History"] = np.tile([-1e-10, 1e-10], (n, 2, 1)) * unit
    catalogue.meta["energy_edges_mev"] = [[1000.0, 3000.0], [3000.0, 10000.0]]
    catalogue.meta["epoch_edges_met"] = [86400.0, 2 * 86400.0, 4 * 86400.0]
    return catalogue


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def screen(browser):
    """A tab of a browser, and all that its console says and that it requests."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.extend(_outside(request.url)))
    yield page, faults
    page.close()


@pytest.fixture
def page(screen, address):
    """The page of a module, just opened; what its console says and what it requests are faults."""
    page, faults = screen
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    yield page
    assert faults == []


def _outside(url: str) -> list[str]:
    return [] if url.startswith(("file:", "blob:", "data:")) else [url]
