"""The page in a browser: sorting, filter and paging."""

from __future__ import annotations

import re
import shutil
import subprocess

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.publish import publish

from .conftest import page_text

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> str:
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Page of 3000 sources with TS 3000, 2999, ..., 1."""
    rng = np.random.default_rng(3)
    ts = np.arange(3000, 0, -1.0)
    catalogue = publish(
        QTable(
            {
                "ra": rng.uniform(0, 360, 3000) * u.deg,
                "dec": rng.uniform(-60, 60, 3000) * u.deg,
                "score": ts,
                "ts": ts,
                "class_label": np.where(ts % 100 == 0, "psr", "bll"),
            }
        )
    )
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page_text(catalogue))
    return path


def _after(browser: str, page, script: str) -> str:
    """Element tree of the page after a script has acted on it."""
    acted = page.with_name("acted.html")
    acted.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [*command, profile, acted.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def _rows(tree: str) -> list[list[str]]:
    body = re.search(r'<table id="sources">.*?<tbody>(.*?)</tbody>', tree, re.DOTALL)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [re.findall(r"<td[^>]*>(?:<a[^>]*>)?(.*?)(?:</a>)?</td>", row) for row in rows]


def _status(tree: str) -> str:
    return re.search(r'id="status"[^>]*>(.*?)<', tree)[1]


CLICK_TS = """
const heads = [...document.querySelectorAll("#sources th button")];
const click = () => heads.find((head) => head.textContent === "TS").click();
"""


def test_first_page(browser, page):
    tree = _after(browser, page, "")
    assert len(_rows(tree)) == 50
    assert _status(tree) == "3000 of 3000 sources"
    assert "page 1 of 60" in tree


@pytest.mark.parametrize(
    ("clicks", "first", "sort"), [(1, "3000.0", "descending"), (2, "1.0", "ascending")]
)
def test_sorts_by_number(browser, page, clicks, first, sort):
    tree = _after(browser, page, CLICK_TS + "click();" * clicks)
    values = [float(row[4]) for row in _rows(tree)]
    assert _rows(tree)[0][4] == first
    assert values == sorted(values, reverse=sort == "descending")
    assert tree.count(f'aria-sort="{sort}"') == 1


def test_filter_then_page(browser, page):
    script = """
    const box = document.getElementById("filter");
    box.value = "PSR";
    box.dispatchEvent(new Event("input"));
    """
    tree = _after(browser, page, script)
    assert _status(tree) == "30 of 3000 sources"
    assert {row[-1] for row in _rows(tree)} == {"psr"}
    nothing = _after(browser, page, script.replace("PSR", "no such source"))
    assert _rows(nothing) == []
    assert "page 1 of 1" in nothing


def test_last_page(browser, page):
    script = 'for (let i = 0; i < 99; i++) document.getElementById("next").click();'
    tree = _after(browser, page, script)
    assert "page 60 of 60" in tree
    assert _rows(tree)[-1][4] == "1.0"
