"""Several localisers on one sky by ``gammafind detect --beside``."""

from __future__ import annotations

import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.cli.toy import toy_file, toy_truth
from tests.views.conftest import embedded

pytestmark = pytest.mark.usefixtures("toy")


PLACES = ("Source_Name", "RAJ2000", "DEJ2000", "GLON", "GLAT")


@pytest.fixture
def sky(tmp_path, monkeypatch):
    """Folder with counts and truth, where commands run."""
    toy_file(tmp_path / "counts.fits")
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_localiser_gets_files_and_the_screen_compares_them(sky, capsys):
    products = ["-o", "found.fits", "--regions", "found.reg", "--report", "page"]
    command = ["detect", "counts.fits", "--reference", "truth.ecsv", "--beside", "probable"]
    assert main([*command, *products]) == 0
    told = capsys.readouterr().out
    assert "localiser  region" in told
    assert "purity >= 0.90: probability >= 0.2308" in told
    for name in ("found.fits", "found.reg", "probable-found.fits", "probable-found.reg"):
        assert (sky / name).is_file()
        assert f"written: {name}\n" in told
    assert len(read_table(sky / "found.fits")) == 3
    assert list(read_table(sky / "probable-found.fits")["Association"]) == ["true 100", "true 1500"]
    assert "Localisers on this sky" in (sky / "page" / "index.html").read_text()


def test_the_lowest_score_and_options_are_for_the_first(sky):
    options = ["--min-score", "50", "--option", "localiser.threshold=40", "--beside", "probable"]
    assert main(["detect", "counts.fits", "-o", "found.ecsv", *options, "-q"]) == 0
    first, beside = (read_table(sky / f"{name}.ecsv") for name in ("found", "probable-found"))
    assert (len(first), first.meta["min_score"]) == (2, 50)
    assert (len(beside), beside.meta["min_score"]) == (2, 0.4)


def test_the_options_of_the_preset_go_with_its_localiser_beside_another(sky):
    command = ["detect", "counts.fits", "--localiser", "probable", "--beside", "bright", "-q"]
    assert main([*command, "-o", "found.csv"]) == 0
    assert read_table(sky / "bright-found.csv").meta["min_score"] == 16
    assert read_table(sky / "found.csv").meta["min_score"] == 0.4


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
def test_a_catalogue_without_fluxes_is_the_same_in_every_format(sky, suffix):
    command = ["detect", "counts.fits", "--localiser", "probable", "--no-measure", "-q"]
    assert main([*command, "-o", f"found{suffix}"]) == 0
    found = read_table(sky / f"found{suffix}")
    assert found.colnames == [*PLACES, "Score", "Flags"]
    assert found.meta["score_name"] == "probability"
    assert found["Score"].max() == 0.8


def test_the_report_of_a_saved_catalogue_calls_its_scores_as_it_does(sky, capsys):
    command = ["detect", "counts.fits", "--localiser", "probable", "-q", "-o", "found.vot"]
    assert main(command) == 0
    assert main(["report", "found.vot", "counts.fits", "-o", "page"]) == 0
    assert "2 sources found, probability 0.4737 to 0.8" in capsys.readouterr().out
    columns = embedded((sky / "page" / "index.html").read_text())["table"]["columns"]
    assert "Score of the localiser: probability" in [column["description"] for column in columns]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--beside", "bright"], "the localiser bright is named twice"),
        (["--beside", "nobody"], "there is no localiser 'nobody'"),
        (["--beside", "probable", "--regions", "probable-found.ecsv"], "another output"),
    ],
)
def test_what_cannot_be_compared_is_refused(sky, capsys, arguments, fault):
    assert main(["detect", "counts.fits", "-o", "found.ecsv", *arguments]) == 1
    assert fault in capsys.readouterr().err
    assert {path.name for path in sky.iterdir()} == {"counts.fits", "truth.ecsv"}
