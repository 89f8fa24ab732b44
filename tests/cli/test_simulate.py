"""``gammafind simulate`` as a user types it."""

from __future__ import annotations

import json
import sys

import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.cli.test_main import Terminal
from tests.simulation.fixtures import contents, two_years

__all__ = ["two_years"]

pytestmark = pytest.mark.usefixtures("two_years")

COMMAND = ["simulate", "--preset", "two-years"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def simulate(*arguments):
    return main([*COMMAND, *map(str, arguments)])


def refused(capsys, *arguments):
    """Last line of a run that fails."""
    assert simulate(*arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1]


def test_the_screen_says_what_was_made_and_what_comes_next(capsys):
    assert simulate("--catalogues", 2, "-o", "my skies") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    made, written, *following = captured.out.splitlines()
    assert made.startswith("2 catalogues made in ")
    assert ": 60 sources, " in made
    assert written == "written: my skies/catalogue-0000 to catalogue-0001"
    assert following == [
        "next:",
        "  gammafind detect 'my skies/catalogue-0000'/counts*.fits --preset two-years "
        "-o found.ecsv",
        "  gammafind evaluate found.ecsv 'my skies/catalogue-0000/sources.fits' --radius '4 deg'",
    ]
    assert simulate("--catalogues", 3, "-o", "my skies") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 catalogues were there already"
    assert lines[1].startswith("1 catalogue made in ")


def test_the_folder_of_responses_is_an_option_of_the_renderer(capsys):
    assert "has no option 'caldb'" in refused(capsys, "--caldb", "/data/caldb", "-o", "skies")


def test_what_comes_next_is_told_with_the_options_of_the_instrument(capsys):
    options = ["--option", "population.n=3", "--option", "renderer.year=1"]
    assert simulate(*options, "-o", "skies") == 0
    assert "--preset two-years --option renderer.year=1 -o found.ecsv" in capsys.readouterr().out


def test_what_is_made_is_found_and_evaluated(tmp_path, capsys):
    assert simulate("--option", "population.n=5", "-o", "skies", "-q") == 0
    folder = tmp_path / "skies" / "catalogue-0000"
    counts = sorted(map(str, folder.glob("counts*.fits")))
    assert main(["detect", *counts, "--preset", "two-years", "-o", "found.ecsv", "-q"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "found.ecsv", str(folder / "sources.fits"), "--radius", "10deg"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["at_cut"]["n_sources"] == 5
    assert metrics["at_cut"]["n_found"] >= 3


def test_all_options_reach_the_work(tmp_path):
    arguments = ["--seed", 4, "--first", 7, "--maps", "--format", "ecsv", "--population", "few"]
    assert simulate(*arguments, "--option", "population.n=3", "-o", "skies", "-q") == 0
    folder = tmp_path / "skies" / "catalogue-0007"
    settings = json.loads((folder / "simulation.json").read_text())["settings"]
    assert (settings["seed"], settings["index"], settings["maps"]) == (4, 7, True)
    assert len(read_table(folder / "sources.ecsv")) == 3
    assert (folder / "maps" / "A_1-2GeV.fits").exists()


def test_own_sources_take_the_place_of_the_population(tmp_path, capsys):
    assert simulate("-o", "drawn") == 0
    mine = read_table(tmp_path / "drawn" / "catalogue-0000" / "sources.fits")[:4]
    write_table(mine, "mine.ecsv")
    assert simulate("--sources", "mine.ecsv", "-o", "given") == 0
    assert "1 catalogue made" in capsys.readouterr().out
    given = read_table(tmp_path / "given" / "catalogue-0000" / "sources.fits")
    assert list(given["name"]) == list(mine["name"])


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_shows_progress_by_catalogue_unless_quiet(monkeypatch, quiet):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert simulate("--catalogues", 2, "-o", "skies", *(["-q"] if quiet else [])) == 0
    assert ("catalogues: " in terminal.text) is not quiet
    assert ("0/2" in terminal.text) is not quiet


def test_quiet_prints_nothing_and_verbose_the_times(capsys):
    assert simulate("-o", "a", "-q") == 0
    assert capsys.readouterr() == ("", "")
    assert simulate("-o", "b", "-v") == 0
    errors = capsys.readouterr().err
    for step in ("drawing the sources", "rendering the sources", "writing the catalogue"):
        assert f"gammafind: {step}: " in errors


def test_faults_name_what_to_do(tmp_path, capsys):
    (tmp_path / "mine.ecsv").write_text("name ra\na 1\n")
    assert "mine.ecsv: " in refused(capsys, "--sources", "mine.ecsv", "-o", "skies")
    assert "no/skies: the directory no does not exist" in refused(capsys, "-o", "no/skies")
    assert "mine.ecsv: is a file" in refused(capsys, "-o", "mine.ecsv")
    assert "did you mean 'few'?" in refused(capsys, "--population", "fev", "-o", "skies")
    both = ("--sources", "mine.ecsv", "--option", "population.n=3")
    assert "Leave out either --sources or --option" in refused(capsys, *both, "-o", "skies")
    assert "catalogues is 0" in refused(capsys, "--catalogues", 0, "-o", "skies")
    assert "no option 'm'" in refused(capsys, "--option", "population.m=3", "-o", "skies")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.ecsv"]


def test_other_settings_are_refused_until_overwritten(tmp_path, capsys):
    assert simulate("-o", "skies", "-q") == 0
    before = contents(tmp_path)
    says = refused(capsys, "--seed", 1, "-o", "skies")
    assert "catalogue-0000: was made with other settings: seed was 0 and is now 1" in says
    assert contents(tmp_path) == before
    assert simulate("--seed", 1, "-o", "skies", "--overwrite", "-q") == 0
    assert contents(tmp_path) != before


@pytest.mark.parametrize(
    "arguments",
    [["--sources", "a", "--population", "b"], ["--format", "csv"], ["--seed", "many"]],
)
def test_wrong_usage_is_exit_2(arguments):
    with pytest.raises(SystemExit) as stop:
        simulate(*arguments, "-o", "skies")
    assert stop.value.code == 2


def test_an_interruption_keeps_what_is_whole(tmp_path, monkeypatch, capsys):
    from gammafind.roles import renderer

    write, done = renderer.write_counts_by_nside, []

    def interrupted(counts, folder, **options):
        if done:
            raise KeyboardInterrupt
        done.append(folder)
        return write(counts, folder, **options)

    monkeypatch.setattr(renderer, "write_counts_by_nside", interrupted)
    assert simulate("--catalogues", 3, "-o", "skies") == 130
    assert "interrupted; complete catalogues stay" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "skies").iterdir()] == ["catalogue-0000"]


def test_a_time_without_photons_is_refused(capsys):
    line = refused(capsys, "--start", "2010-01-01", "--duration", "1 d", "-o", "skies")
    assert "--start and --duration without --photons. Add --photons" in line


def test_an_instrument_of_maps_makes_no_photons(capsys):
    line = refused(capsys, "--photons", "-o", "skies")
    assert "two-years makes no photon lists. Simulate maps" in line
