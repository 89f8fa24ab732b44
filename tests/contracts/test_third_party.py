"""Installed third-party plugins: one that works, one that is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.installed import TESTS, install, run_python

LIST = """
import dataclasses, json
from gammafind.roles.registry import plugins
plugins()
print(json.dumps([dataclasses.asdict(info) for info in plugins()]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    install(TESTS / "example_plugin", path)
    install(TESTS / "broken_plugin", path)
    return path


def listed(site: Path, **environment: str) -> tuple[dict[str, dict], str]:
    done = run_python(LIST, site, **environment)
    assert done.returncode == 0, done.stderr
    return {info["name"]: info for info in json.loads(done.stdout)}, done.stderr


@pytest.fixture(scope="module")
def everything(site: Path) -> tuple[dict[str, dict], str]:
    return listed(site)


def test_the_example_is_listed_with_its_distribution(everything):
    known, _ = everything
    assert known["threshold-blob"] == {
        "role": "clusterer",
        "name": "threshold-blob",
        "distribution": "gammafind-example",
        "version": "1.0",
        "summary": "Pixels above a threshold, each blob at its centre.",
        "error": None,
    }
    assert known["toy-radio"]["role"] == "renderer"
    assert known["disk"]["error"] is None


def test_the_broken_one_is_listed_with_its_reason_and_warned_of_once(everything):
    known, said = everything
    assert known["broken"]["role"] is None
    assert known["broken"]["distribution"] == "gammafind-broken"
    assert known["broken"]["error"] == "RuntimeError: this plugin is broken on purpose"
    assert said.count("BrokenPluginWarning") == 1


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("", set()),
        ("example", {"threshold-blob", "toy-radio"}),
        ("broken, example", {"threshold-blob", "toy-radio", "broken"}),
    ],
)
def test_the_environment_chooses_entry_points(site, chosen, expected):
    known, _ = listed(site, GAMMAFIND_PLUGINS=chosen)
    assert {"threshold-blob", "toy-radio", "broken"} & set(known) == expected
    assert {"disk", "peaks"} <= set(known)


def test_an_entry_point_that_is_not_installed_is_said(site):
    known, said = listed(site, GAMMAFIND_PLUGINS="exampel")
    assert "no installed package" in known["exampel"]["error"]
    assert "exampel" in said


def test_only_who_asks_for_the_broken_one_is_stopped(site):
    code = "from gammafind import create; create('clusterer', {!r})"
    assert run_python(code.format("threshold-blob"), site).returncode == 0
    done = run_python(code.format("broken"), site)
    assert done.returncode == 1
    assert "BrokenPluginError" in done.stderr
    assert "broken on purpose" in done.stderr


def test_the_example_keeps_the_contracts(site):
    code = """
from gammafind import get_plugin
from gammafind.testing import check_clusterer, check_renderer
check_clusterer(get_plugin("clusterer", "threshold-blob"))
check_renderer(get_plugin("renderer", "toy-radio"), beam=1 * __import__("astropy").units.deg)
"""
    done = run_python(code, site, GAMMAFIND_PLUGINS="example", PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr


def test_the_preset_of_the_example_is_known_and_builds(site):
    code = """
import astropy.units as u
from gammafind.presets.choose import choose_preset
from gammafind.presets.preset import build, load_preset
preset = load_preset("toy-radio")
assert build(preset.renderer).beam == 1.5 * u.deg
assert build(preset.clusterer).threshold == 16
assert choose_preset([1.3, 1.5] * u.GHz) == preset
"""
    done = run_python(code, site, GAMMAFIND_PLUGINS="example", PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr
