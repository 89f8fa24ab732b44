"""The page in a browser: its size, how soon it is there, and how smoothly it moves.

``python benchmarks/page.py [--sky FILE] [--folder FOLDER]`` makes the page of the demo's sky, as
``likelihood`` finds it, and one of 5,000 sources on a simulated sky of six bands; FILE keeps the
counts of the latter (`six_bands.py` draws the same). Its sources are the most significant ones of
4FGL-DR2, with spectra, yearly fluxes and classes of that catalogue: a search and a measurement of
them would take most of an hour, and the page would not look different to a browser.

Chromium runs without a screen and without a graphics card. Frames are counted while a script drags
the map or turns the wheel in every frame.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright
from results import kept
from six_bands import draw

import gammafind
from gammafind.catalogue.publish import publish
from gammafind.evaluation.against import summarise
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.presets.preset import build, load_preset
from gammafind.sky.skymap import SkyMap
from gammafind.views.write import write_report

N_SOURCES = 5000
SIX_BANDS = "fermi-lat"
RADIUS = 0.3 * u.deg
YEAR = 365.25 * 86400
FIRST_MET = 239557417.0
"""Begin of the survey, 2008-08-04, in s."""
BANDS = [0.05, 0.1, 0.3, 1, 3, 10, 30, 300] * u.GeV
"""Edges of the bands of 4FGL-DR2."""
CLASSES = ("bll", "fsrq", "bcu", "psr", "msp", "snr", "other")
VIEWPORT = {"width": 1400, "height": 1000}
FRAMES = 180
MOVE = """async ([kind, frames]) => {
  const { marks } = gammafind.view;
  const box = marks.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const at = (right, down) => (
    { clientX: x + right, clientY: y + down, pointerId: 1, bubbles: true, cancelable: true });
  const turn = (i) => ({ ...at(30, 0), deltaY: i % 90 < 45 ? -60 : 60 });
  const way = (i) => at(90 * Math.sin(i / 9), 40 * Math.cos(i / 7));
  marks.setPointerCapture = () => {};
  if (kind === "drag") marks.dispatchEvent(new PointerEvent("pointerdown", at(0, 0)));
  const times = [];
  await new Promise((done) => {
    const step = (time) => {
      times.push(time);
      marks.dispatchEvent(kind === "drag"
        ? new PointerEvent("pointermove", way(times.length))
        : new WheelEvent("wheel", turn(times.length)));
      if (times.length < frames) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
  if (kind === "drag") marks.dispatchEvent(new PointerEvent("pointerup", at(0, 0)));
  return times;
}"""
FILTER = """async (text) => {
  const input = document.querySelector('input[aria-label="Filter TS"]');
  const status = document.getElementById("status");
  const before = status.textContent;
  const start = performance.now();
  input.value = text;
  input.dispatchEvent(new KeyboardEvent("keyup", { key: "0", bubbles: true }));
  while (status.textContent === before) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""
SECONDS = "(name) => Math.round(performance.getEntriesByName(name)[0].startTime) / 1000"
FIELD = """(field) => {
  gammafind.view.geometry.show([-0.38, 0.66, 0.64], field);
  gammafind.view.move();
}"""
LAYER = """async (name) => {
  const select = document.getElementById("layer");
  const start = performance.now();
  select.value = name;
  select.dispatchEvent(new Event("change"));
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""


@kept("page")
def main() -> None:
    """Print the tables of docs/validation/page.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sky", type=Path, help="counts of six bands; drawn here if not there")
    parser.add_argument("--folder", type=Path, help="where the pages are kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        pages = {
            "demo": demo_page(folder / "demo"),
            "six bands": six_band_page(folder / "six", options.sky or folder / "sky.npz"),
        }
        measured = {name: measure(path) for name, path in pages.items()}
    print(f"| what | {' | '.join(measured)} | goal |\n|---|{'---|' * len(measured)}---|")
    for what, goal in GOALS.items():
        cells = " | ".join(f"{one[what]:g}" for one in measured.values())
        print(f"| {what} | {cells} | {goal} |")
    load = os.getloadavg()[0]
    print(f"\nThe load of the machine's {os.cpu_count()} cores was {load:.1f}.")


GOALS = {
    "sources": "",
    "size (MB)": "at most 5, 15",
    "first paint (s)": "at most 1",
    "map and table are there (s)": "",
    "drag the whole sky (frames/s)": "at least 30",
    "drag a field of 20 deg (frames/s)": "at least 30",
    "drag a field of 3 deg (frames/s)": "at least 30",
    "zoom from the whole sky (frames/s)": "at least 30",
    "longest frame of these (ms)": "",
    "filter TS > 100 (ms)": "at most 100",
    "show the significance (ms)": "",
    "requests": "0",
    "messages of the console": "0",
    "violations found by axe": "0",
}
"""What is measured, and what it should reach at least, or at most."""


def demo_page(folder: Path) -> Path:
    """Page of the sky of the demo."""
    if not (folder / "index.html").exists():
        found = gammafind.detect(
            gammafind.demo_sky(), localiser="likelihood", reference="4fgl-dr2", residuals=True
        )
        found.report(folder)
    return folder / "index.html"


def six_band_page(folder: Path, sky: Path) -> Path:
    """Page of many sources on six bands."""
    if (folder / "index.html").exists():
        return folder / "index.html"
    if not sky.exists():
        draw(sky)
    preset = load_preset(SIX_BANDS)
    renderer = build(preset.renderer)
    with np.load(sky) as stored:
        values = tuple(stored[key] for key in stored.files)
    counts = SkyMap(renderer.bands, renderer.pixels, values)
    reference = load_4fgl_dr2()
    catalogue = catalogue_of(reference)
    folder.mkdir(parents=True)
    write_report(
        folder,
        catalogue,
        counts,
        reference=reference,
        summary=summarise(catalogue, reference, radius=RADIUS, counts=counts),
        provenance={"preset": preset.name},
        observation=renderer.observe(counts),
    )
    return folder / "index.html"


def catalogue_of(reference: QTable) -> QTable:
    """The most significant sources of 4FGL-DR2 as a search and a measurement would list them."""
    rng = np.random.default_rng(0)
    rows = reference[np.argsort(-np.nan_to_num(reference["Signif_Avg"]))[:N_SOURCES]]
    n = len(rows)
    error = np.clip(np.nan_to_num(rows["Conf_68_SemiMajor"].to_value("deg"), nan=0.1), 0.01, 0.3)
    ts = np.round(np.asarray(rows["Signif_Avg"], dtype=float) ** 2, 2)
    likely = rng.dirichlet(np.full(len(CLASSES), 0.4), n)
    detections = {
        "ra": rows["RAJ2000"] + rng.normal(0, error) * u.deg / 1.5,
        "dec": np.clip(
            rows["DEJ2000"] + rng.normal(0, error) * u.deg / 1.5, -90 * u.deg, 90 * u.deg
        ),
        "score": ts,
        "ts": ts,
        "pos_err": error * u.deg,
        "npred": np.asarray(rows["Npred"], dtype=float),
        "flux": rows["Flux1000"],
        "flux_err": rows["Unc_Flux1000"],
        "class_label": np.array(CLASSES)[likely.argmax(axis=1)],
        "flags": rng.choice([0, 0, 0, 1, 8], n),
        **{f"prob_{name}": likely[:, i] for i, name in enumerate(CLASSES)},
    }
    table = publish(QTable(detections))
    for name in rows.colnames:
        if name.startswith(("Pivot", "Spectrum", "PL_", "LP_", "PLEC_", "Unc_PL_", "Unc_LP_")):
            table[name] = rows[name]
    flux, (low, high) = rows["Flux_Band"], (BANDS[:-1], BANDS[1:])
    table["Flux_Band"], table["Unc_Flux_Band"] = flux, errors_of(flux, rng)
    table["nuFnu_Band"] = (flux * low * high / (high - low)).to("erg cm-2 s-1")
    history = rows["Flux_History"]
    table["Flux_History"], table["Unc_Flux_History"] = history, errors_of(history, rng)
    years = FIRST_MET + YEAR * np.arange(history.shape[1] + 1)
    edges = np.stack([low, high], axis=1).to_value("MeV").tolist()
    table.meta |= {"energy_edges_mev": edges, "epoch_edges_met": years.tolist()}
    table.meta["score_name"] = "TS"
    return table


def errors_of(flux: u.Quantity, rng: np.random.Generator) -> u.Quantity:
    """Errors to both sides; a fifth of the fluxes are limits, without a lower one."""
    errors = np.stack([-0.2 * flux, 0.2 * flux], axis=-1)
    errors[rng.random(flux.shape) < 0.2, 0] = np.nan
    return errors


def measure(path: Path) -> dict[str, Any]:
    """What a browser says of a page."""
    with opened(path) as (page, faults):
        found: dict[str, Any] = {
            "sources": page.evaluate("gammafind.view.sources.targets.length"),
            "size (MB)": round(path.stat().st_size / 1e6, 1),
            "first paint (s)": page.evaluate(SECONDS, "first-contentful-paint"),
            "map and table are there (s)": page.evaluate(SECONDS, "ready"),
        }
        longest = []
        for what, kind, field in (
            ("drag the whole sky (frames/s)", "drag", 180),
            ("drag a field of 20 deg (frames/s)", "drag", 20),
            ("drag a field of 3 deg (frames/s)", "drag", 3),
            ("zoom from the whole sky (frames/s)", "wheel", 180),
        ):
            show(page, field)
            steps = np.diff(page.evaluate(MOVE, [kind, FRAMES]))
            found[what] = round(1000 / steps.mean())
            longest.append(steps.max())
        found["longest frame of these (ms)"] = round(max(longest))
        found["filter TS > 100 (ms)"] = round(page.evaluate(FILTER, "> 100"))
        found["show the significance (ms)"] = round(page.evaluate(LAYER, "significance"))
        page.locator("#sources button.name").first.click()
        page.locator("#panel h3").wait_for()
        found["violations found by axe"] = Axe().run(page).violations_count
        found["requests"] = sum(fault.startswith("request") for fault in faults)
        found["messages of the console"] = len(faults) - found["requests"]
    return found


def show(page: Page, field: float) -> None:
    """Show all of the sky, or a field of some degrees far from the plane, and let it rest."""
    page.get_by_role("button", name="Whole map").click()
    if field < 180:
        page.evaluate(FIELD, field)
    page.wait_for_timeout(1500)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Page, list[str]]]:
    """The page in a browser, and what goes wrong with it."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser_path = next(found for name in names if (found := shutil.which(name)))
    faults: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT)
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"console: {error}"))
        page.on("request", lambda request: faults.extend(outside(request.url)))
        page.goto(path.absolute().as_uri())
        page.wait_for_selector("body[data-ready]", timeout=120_000)
        page.wait_for_timeout(1000)
        yield page, faults
        browser.close()


def outside(url: str) -> list[str]:
    """A request that leaves the file."""
    return [] if url.startswith(("file:", "blob:", "data:")) else [f"request: {url}"]


if __name__ == "__main__":
    main()
