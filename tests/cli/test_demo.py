"""The demo: on the toy sky what it writes, and on its own preset which localisers it takes."""

from __future__ import annotations

import astropy.units as u
import pytest

from gammafind.catalogue.io import read_table
from gammafind.cli import demo
from gammafind.cli.main import main
from gammafind.networks.features import FeatureSpec
from gammafind.networks.folder import ARCHITECTURE
from gammafind.plugins.unet import shipped as weights
from gammafind.plugins.unet.architecture import Architecture
from gammafind.presets.preset import load_preset
from gammafind.sky.bands import energy_bands
from tests.cli.toy import toy_file

CATALOGUE = {f"catalogue.{suffix}" for suffix in ("ecsv", "fits", "vot", "reg")}
BESIDE = {"bright.ecsv", "bright.reg"}
PAGE = {"sky.png", "zoom.png", "localisers.png", "index.html"}
LACK = "no weights of the network probable"


@pytest.fixture
def small_demo(toy, monkeypatch, tmp_path):
    """The demo on the toy sky, with ``probable`` as its network and ``bright`` beside it."""
    counts = toy_file(tmp_path / "counts.fits")
    monkeypatch.setattr(demo, "PRESET", "toy")
    monkeypatch.setattr(demo, "LOCALISER", "probable")
    monkeypatch.setattr(demo, "BESIDE", "bright")
    monkeypatch.setattr(demo, "_lack_of_weights", lambda preset: "")
    monkeypatch.setattr("gammafind.plugins.fermi_lat.embedded.demo_counts_path", lambda: counts)
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
    assert (len(beside), beside.meta["score_name"], beside.meta["min_score"]) == (3, "score", 16)
    assert first["Score"].info.description == "Score of the localiser: probability"
    page = (small_demo / "out" / "index.html").read_text()
    assert "2 sources found by probable</title>" in page
    assert "probability &gt;= 0.4<" in page
    assert "score &gt;= 16<" in page


def test_a_localiser_that_is_named_searches_alone(small_demo, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    assert main(["demo", "--localiser", "bright", "-q"]) == 0
    assert names(small_demo / "gammafind-demo") == CATALOGUE
    assert len(read_table(small_demo / "gammafind-demo" / "catalogue.ecsv")) == 3


def test_without_weights_the_likelihood_searches_alone_and_says_so(small_demo, monkeypatch, capsys):
    monkeypatch.setattr("gammafind.pipeline.products.write_report", lambda *_, **__: None)
    monkeypatch.setattr(demo, "_lack_of_weights", lambda preset: LACK)
    assert main(["demo"]) == 0
    assert f"gammafind: {LACK}: the localiser bright searches alone\n" in capsys.readouterr().err
    assert names(small_demo / "gammafind-demo") == CATALOGUE
    assert main(["demo", "-o", "twice", "--beside", "bright", "--beside", "probable", "-q"]) == 0
    assert names(small_demo / "twice") == CATALOGUE | {"probable.ecsv", "probable.reg"}


def test_options_are_for_the_network_and_never_for_what_takes_its_place(
    small_demo, monkeypatch, capsys
):
    monkeypatch.setattr(demo, "_lack_of_weights", lambda preset: LACK)
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


@pytest.mark.parametrize(("edges", "lacking"), [([2, 20], False), ([3, 20], True)])
def test_weights_for_the_sky_of_the_demo_are_looked_for(tmp_path, monkeypatch, edges, lacking):
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path)
    preset = load_preset(demo.PRESET)
    assert "are shipped for patches of 2-20 GeV" in demo._lack_of_weights(preset)
    (tmp_path / "one").mkdir()
    network = Architecture(
        network="gammafind",
        bands=energy_bands(edges * u.GeV),
        widths=(32,),
        size=12.8 * u.deg,
        features=FeatureSpec(),
    )
    network.write(tmp_path / "one" / ARCHITECTURE)
    assert bool(demo._lack_of_weights(preset)) == lacking
