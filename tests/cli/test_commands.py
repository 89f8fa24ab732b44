"""The commands except detect."""

from __future__ import annotations

import json

import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.cli.toy import SOURCES, toy_file, toy_truth
from tests.views.conftest import embedded

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def found(tmp_path):
    """Catalogue and counts of the toy sky, and its truth."""
    counts = toy_file(tmp_path / "counts.fits")
    assert main(["detect", str(counts), "-o", str(tmp_path / "found.ecsv"), "-q"]) == 0
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    return tmp_path


def test_plugins_lists_role_name_origin_and_summary(capsys):
    assert main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ROLE", "NAME", "FROM", "WHAT"]
    toy = next(line for line in lines if " toy " in line)
    assert toy.startswith("renderer ")
    assert toy.endswith("One band, flat background, constant exposure.")


def test_plugins_of_one_role_as_json(capsys):
    assert main(["plugins", "--role", "localiser", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["role"] for entry in listed} == {"localiser"}
    assert [entry["name"] for entry in listed] == ["bright", "probable"]
    assert listed[0]["error"] is None


def test_plugins_of_an_unknown_role(capsys):
    assert main(["plugins", "--role", "localizer"]) == 1
    assert "did you mean 'localiser'?" in capsys.readouterr().err


def test_a_broken_plugin_is_listed_with_its_reason(monkeypatch, capsys):
    from gammafind.roles import registry
    from gammafind.roles.discovery import discover

    modules = ("tests.cli.toy", "tests.cli.no_such_module")
    monkeypatch.setattr(registry, "discover", lambda chosen: discover("", modules))
    assert main(["plugins"]) == 0
    captured = capsys.readouterr()
    assert "broken: ModuleNotFoundError" in captured.out
    assert " bright " in captured.out
    assert captured.err == ""


def test_evaluate_prints_metrics(found, capsys):
    arguments = ["evaluate", str(found / "found.ecsv"), str(found / "truth.ecsv")]
    assert main(arguments) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["at_cut"]["n_found"] == len(SOURCES)
    assert metrics["at_cut"]["purity"] == 1
    assert metrics["at_cut"]["completeness"] == len(SOURCES) / (len(SOURCES) + 1)
    assert metrics["radius"] == "1.0 deg"


def test_the_match_radius_is_that_given_or_of_the_catalogue_or_usual(found, capsys):
    bare = read_table(found / "found.ecsv")
    bare.meta.clear()
    write_table(bare, found / "bare.ecsv")
    for catalogue, given, radius in (
        ("found.ecsv", [], "1.0 deg"),
        ("found.ecsv", ["--radius", "0.5deg"], "0.5 deg"),
        ("bare.ecsv", [], "0.3 deg"),
    ):
        assert main(["evaluate", str(found / catalogue), str(found / "truth.ecsv"), *given]) == 0
        assert json.loads(capsys.readouterr().out)["radius"] == radius


def test_evaluate_keeps_to_cut_and_latitude(found):
    path = found / "metrics.json"
    arguments = ["--min-score", "50", "--min-latitude", "25deg", "-o", str(path), "-q"]
    assert main(["evaluate", str(found / "found.ecsv"), str(found / "truth.ecsv"), *arguments]) == 0
    metrics = json.loads(path.read_text())
    kept = abs(read_table(found / "found.ecsv")["GLAT"].value) >= 25
    kept &= read_table(found / "found.ecsv")["Score"] >= 50
    assert metrics["at_cut"]["n_detections"] == kept.sum() > 0
    assert main(["evaluate", str(found / "found.ecsv"), "truth", "-o", str(path)]) == 1


def test_evaluate_tells_bright_sources_and_draws(found, capsys):
    files = [str(found / "found.ecsv"), str(found / "truth.ecsv")]
    more = ["--min-flux", "flux=5e-10 cm-2 s-1", "--purity", "0.5", "--plots", str(found / "plots")]
    assert main(["evaluate", *files, *more, "-o", str(found / "metrics.json")]) == 0
    assert f"written: {found / 'plots'}" in capsys.readouterr().out
    metrics = json.loads((found / "metrics.json").read_text())
    (bright,) = metrics["at_purity"]["all"]["brighter"].values()
    assert (bright["n_sources"], bright["n_found"]) == (2, 2)
    assert metrics["tight"]["all"]["n_found"] == len(SOURCES)
    assert metrics["flux"]["column"] == "flux"
    names = {path.name for path in (found / "plots").iterdir()}
    assert names == {"completeness_purity.png", "offsets.png"}
    assert main(["evaluate", *files, *more]) == 1
    assert "not empty" in capsys.readouterr().err


def test_evaluate_leaves_nothing_where_a_figure_fails(found, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("gammafind.views.evaluation.write_figures", stop)
    files = [str(found / "found.ecsv"), str(found / "truth.ecsv")]
    outputs = ["-o", str(found / "metrics.json"), "--plots", str(found / "plots")]
    before = sorted(found.iterdir())
    assert main(["evaluate", *files, *outputs]) == 130
    assert sorted(found.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--purity", "90"], "purity is 90"),
        (["--min-flux", "1e-9"], "Write COLUMN=QUANTITY"),
        (["--min-flux", "glow=1 Jy"], "no column glow"),
        (["--plots", "no/figures"], "does not exist"),
        (["--radius", "0.3"], "--radius"),
        (["--radius", "wide"], "--radius is 'wide'"),
        (["--min-latitude", "95deg"], "Accepted is 0 to 90 deg"),
        (["-o", "no/metrics.json"], "does not exist"),
    ],
)
def test_evaluate_names_bad_arguments(found, capsys, arguments, fault):
    files = [str(found / "found.ecsv"), str(found / "truth.ecsv")]
    assert main(["evaluate", *files, *arguments]) == 1
    assert fault in capsys.readouterr().err


@pytest.mark.parametrize("number", ["nan", "-inf", "1e999", "many"])
def test_a_number_that_is_not_finite_is_wrong_usage(found, capsys, number):
    files = [str(found / "found.ecsv"), str(found / "truth.ecsv")]
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", *files, f"--min-score={number}"])
    assert f"--min-score: '{number}' is no finite number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "column", "value", "said"),
    [
        ("found.ecsv", "Score", float("nan"), "has values that are not finite. Remove rows"),
        ("found.ecsv", "DEJ2000", 95.0, "is outside -90 to 90 deg. Correct these rows"),
        ("truth.ecsv", "flux", "bright", "is not such a flux"),
        ("truth.ecsv", "ts", "high", "It must contain numbers without a unit"),
        ("truth.ecsv", "ra", float("nan"), "not finite. Remove rows without a position"),
    ],
)
def test_evaluate_names_the_table_at_fault(found, capsys, name, column, value, said):
    table = read_table(found / name)
    table[column] = [value] * len(table)
    write_table(table, found / name, overwrite=True)
    assert main(["evaluate", str(found / "found.ecsv"), str(found / "truth.ecsv")]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert str(found / name) in last
    assert said in last


def test_report_shows_a_catalogue_on_its_map(found, capsys):
    page = found / "page"
    files = [str(found / name) for name in ("found.ecsv", "counts.fits")]
    arguments = ["report", *files, "-o", str(page), "--reference", str(found / "truth.ecsv")]
    assert main(arguments) == 0
    assert "3 match one of 4" in capsys.readouterr().out
    names = embedded((page / "index.html").read_text())["sources"]["names"]
    assert any("true 1500" in one for one in names)
    assert main(arguments) == 1
    assert "not empty" in capsys.readouterr().err
