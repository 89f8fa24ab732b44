"""The demo: on the toy sky what it writes, and on its own preset which localisers it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gammafind.catalogue.io import read_table
from gammafind.cli import demo
from gammafind.cli.main import main
from gammafind.pipeline.demo import DEMO_SKIES, DemoSky
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.references import REFERENCES
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Component, load_preset
from tests.cli.toy import Probable, toy_counts

CATALOGUE = {f"catalogue.{suffix}" for suffix in ("ecsv", "fits", "vot", "reg")}
BESIDE = {"bright.ecsv", "bright.reg"}
PAGE = {"sky.png", "localisers.png", "index.html"}


@pytest.fixture
def small_demo(toy, monkeypatch, tmp_path):
    """The demo on the toy sky, with ``probable`` as its network and ``bright`` for comparison."""
    preset = with_plugins(load_preset("toy"), {"localiser": "probable"})
    preset = replace(preset, fallback=Component(role="localiser", name="bright"))
    read = {"reference": "4fgl-dr2", "read": lambda renderer: toy_counts()}
    first = DemoSky(preset=preset, **read, beside=("bright",))
    monkeypatch.setitem(DEMO_SKIES, "2-20GeV", first)
    monkeypatch.setitem(DEMO_SKIES, "10-2000GeV", DemoSky(preset="toy", **read))
    monkeypatch.setattr("gammafind.pipeline.demo.demo_sky", lambda *, sky: toy_counts())
    monkeypatch.setattr("gammafind.pipeline.inputs._embedded", lambda name: load_4fgl_dr2())
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_all_products_appear_and_never_over_another_folder(small_demo, capsys):
    assert main(["demo"]) == 0
    told = capsys.readouterr().out
    assert "2 sources found, probability 0.4737 to 0.8" in told
    assert "of 5788 reference sources" in told
    assert "probable" in told
    assert "TS" not in told
    assert names(small_demo / "gammafind-demo") >= CATALOGUE | BESIDE | PAGE
    assert names(small_demo) == {"gammafind-demo"}
    assert main(["demo"]) == 1
    assert "exists already and is not empty" in capsys.readouterr().err


def test_each_localiser_publishes_by_its_own_lowest_score(small_demo):
    assert main(["demo", "-o", "out", "-q"]) == 0
    first = read_table(small_demo / "out" / "catalogue.fits")
    beside = read_table(small_demo / "out" / "bright.ecsv")
    assert (len(first), first.meta["score_name"], first.meta["min_score"]) == (
        2,
        "probability",
        0.4,
    )
    assert (len(beside), beside.meta["score_name"], beside.meta["min_score"]) == (3, "score", None)
    assert first["Score"].info.description == "Score of the localiser: probability"
    page = (small_demo / "out" / "index.html").read_text()
    assert "2 sources found by probable</title>" in page
    assert "probability &gt;= 0.4<" in page


def test_a_localiser_that_is_named_searches_alone(small_demo, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    assert main(["demo", "--localiser", "bright", "-q"]) == 0
    assert names(small_demo / "gammafind-demo") == CATALOGUE
    assert len(read_table(small_demo / "gammafind-demo" / "catalogue.ecsv")) == 3


def test_the_second_sky_is_searched_by_its_own_localiser_alone(small_demo, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    assert main(["demo", "--sky", "10-2000GeV", "-q"]) == 0
    assert names(small_demo / "gammafind-demo") == CATALOGUE
    assert read_table(small_demo / "gammafind-demo" / "catalogue.ecsv").meta["preset"] == "toy"


def test_the_command_knows_the_skies_of_the_package():
    assert tuple(DEMO_SKIES) == demo.SKIES
    assert {sky.reference for sky in DEMO_SKIES.values()} <= set(REFERENCES)


def test_where_the_network_cannot_search_the_fallback_does_alone(small_demo, monkeypatch, capsys):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    monkeypatch.setattr(Probable, "cannot_search", lambda localiser, observation: "no weights")
    assert main(["demo"]) == 0
    assert "gammafind: no weights: bright searches instead\n" in capsys.readouterr().err
    assert names(small_demo / "gammafind-demo") == CATALOGUE


def test_options_are_for_the_network_and_never_for_the_fallback(small_demo, capsys):
    assert main(["demo", "--option", "localiser.threshold=50"]) == 1
    assert "probable has no option 'threshold'" in capsys.readouterr().err


def test_files_of_its_own_are_overwritten_and_others_stay(small_demo, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    folder = small_demo / "first"
    folder.mkdir()
    (folder / "catalogue.vot").write_text("old")
    (folder / "notes.txt").write_text("mine")
    options = ["--localiser", "bright", "--option", "localiser.threshold=50", "-q"]
    assert main(["demo", "-o", "first", "--overwrite", *options]) == 0
    assert len(read_table(folder / "catalogue.vot")) == 2
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_demo_that_is_stopped_leaves_nothing(small_demo, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gammafind.pipeline.products.write_report", stop)
    assert main(["demo"]) == 130
    assert list(small_demo.iterdir()) == []
