from __future__ import annotations

import warnings

import astropy.units as u
import pytest
from regions import Regions

from gammafind import SkyMap
from gammafind.catalogue.io import read_table, write_table
from gammafind.catalogue.schema import CATALOGUE
from gammafind.cli.main import main
from gammafind.sky.bands import energy_bands
from tests.cli.toy import (
    BANDS,
    EXPOSURE,
    PIXELS,
    SOURCES,
    bare_file,
    exposure_file,
    toy_counts,
    toy_file,
    toy_truth,
)
from tests.views.conftest import embedded

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def counts(tmp_path):
    return str(toy_file(tmp_path / "counts.fits"))


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def refused(capsys, arguments, *, says):
    """Run a command that must fail with one line on standard error; return that line."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[-1].startswith("gammafind: error: ")
    assert "Traceback" not in captured.err
    for text in says:
        assert str(text) in lines[-1]
    return lines[-1]


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
def test_the_catalogue_is_written_in_the_format_of_its_suffix(counts, out, suffix):
    path = out / f"found{suffix}"
    assert main(["detect", counts, "-o", str(path), "-q"]) == 0
    found = read_table(path, schema=CATALOGUE)
    assert list(found["Score"]) == [400, 90, 30]
    assert found.meta["command"] == f"gammafind detect {counts} -o {path} -q"


def test_all_products_appear_and_the_screen_says_so(counts, out, capsys):
    write_table(toy_truth(), out / "truth.ecsv")
    arguments = ["-o", "found.ecsv", "--regions", "found.reg", "--report", "page"]
    arguments = [str(out / a) if not a.startswith("-") else a for a in arguments]
    reference = ["--reference", str(out / "truth.ecsv")]
    assert main(["detect", counts, *arguments, *reference]) == 0
    captured = capsys.readouterr()
    assert "3 match one of 4 reference sources" in captured.out
    assert f"written: {out / 'found.ecsv'}" in captured.out
    assert "preset toy: its bands fit the energies of the maps" in captured.err
    assert "\r" not in captured.err
    circles = Regions.read(out / "found.reg", format="ds9")
    scores = [float(circle.meta["tag"][0].removeprefix("Score=")) for circle in circles]
    assert scores == list(SOURCES.values())
    names = embedded((out / "page" / "index.html").read_text())["sources"]["names"]
    assert any("true 1500" in one for one in names)
    assert (out / "page" / "sky.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in out.iterdir()) == [
        "found.ecsv",
        "found.reg",
        "page",
        "truth.ecsv",
    ]
    assert read_table(out / "found.ecsv").meta["reference"]["name"] == "truth.ecsv"


def test_energies_that_are_left_out_are_said(tmp_path, out, capsys):
    sky = toy_counts()
    bands = energy_bands([0.5, 2, 20] * u.GeV)
    wide = SkyMap(bands, sky.pixels * 2, (sky.values[0] * 7, sky.values[0]))
    path = str(toy_file(tmp_path / "wide.fits", wide))
    assert main(["detect", path, "-o", str(out / "found.ecsv")]) == 0
    assert "gammafind: energies outside 2-20 GeV are ignored\n" in capsys.readouterr().err
    assert list(read_table(out / "found.ecsv")["Score"]) == list(SOURCES.values())


def test_quiet_prints_nothing(counts, out, capsys):
    assert main(["detect", counts, "-o", str(out / "found.ecsv"), "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_verbose_tells_the_time_of_each_step(counts, out, capsys):
    assert main(["detect", counts, "-o", str(out / "found.ecsv"), "-v"]) == 0
    assert "gammafind: looking for sources with bright: " in capsys.readouterr().err


def test_options_reach_the_plugin(counts, out):
    arguments = ["--option", "localiser.threshold=50", "-q", "-o", str(out / "found.ecsv")]
    assert main(["detect", counts, *arguments]) == 0
    found = read_table(out / "found.ecsv")
    assert len(found) == 2
    assert found.meta["plugins"][1]["options"]["threshold"] == 50


def test_names_begin_with_the_acronym_and_the_schema_is_stated(counts, out, capsys):
    path = str(out / "found.ecsv")
    assert main(["detect", counts, "--prefix", "1TOY", "-o", path, "-q"]) == 0
    found = read_table(path)
    assert all(name.startswith("1TOY J") for name in found["Source_Name"])
    assert found.meta["schema"] == {"name": "gammafind catalogue", "version": 1}
    refused(capsys, ["detect", counts, "--prefix", "A B", "-o", path, "--overwrite"], says=["A B"])


def test_band_exposure_and_cut(tmp_path, out):
    bare = bare_file(tmp_path / "bare.fits")
    exposure = exposure_file(tmp_path / "exposure.fits", EXPOSURE / 2)
    arguments = ["--band", "2-20GeV", "--exposure", exposure, "--min-score", "100"]
    arguments = [*arguments, "-q", "-o", out / "found.ecsv"]
    assert main(["detect", str(bare), *map(str, arguments)]) == 0
    found = read_table(out / "found.ecsv")
    assert list(found["Flux"].value) == [400 / (EXPOSURE / 2), 90 / (EXPOSURE / 2)]


def test_a_sky_without_counts_is_no_failure(tmp_path, out, capsys):
    empty = toy_file(tmp_path / "empty.fits", toy_counts({}, floor=0))
    path = out / "found.fits"
    assert main(["detect", str(empty), "-o", str(path), "--regions", str(out / "r.reg")]) == 0
    assert f"gammafind: warning: {empty}: the sky has no counts\n" in capsys.readouterr().err
    assert len(read_table(path, schema=CATALOGUE)) == 0
    assert read_table(path).colnames[: len(CATALOGUE)] == [column.name for column in CATALOGUE]


def _truncated(path):
    toy_file(path)
    path.write_bytes(path.read_bytes()[:-2880])
    return path


def _empty(path):
    path.touch()
    return path


def _text(path):
    path.write_text("not FITS at all, but long enough to be read")
    return path


def _folder(path):
    path.mkdir()
    return path


def _other_edges(path):
    sky = toy_counts()
    return toy_file(path, SkyMap(energy_bands([3, 30] * u.GeV), sky.pixels, sky.values))


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda path: path, "does not exist"),
        (_folder, "is a directory"),
        (_empty, "the file is empty"),
        (_truncated, "cut off"),
        (_text, "not a FITS file"),
        (bare_file, "no EBOUNDS"),
    ],
)
def test_bad_maps_are_named(make, fault, tmp_path, out, capsys):
    path = make(tmp_path / "map.fits")
    refused(capsys, ["detect", path, "-o", out / "found.ecsv"], says=[path, fault])
    assert list(out.iterdir()) == []


def test_edges_that_fit_no_preset(tmp_path, out, capsys):
    path = _other_edges(tmp_path / "map.fits")
    says = [path, "no preset fits energy edges of 3, 30 GeV", "toy (2-20 GeV)"]
    refused(capsys, ["detect", path, "-o", out / "found.ecsv"], says=says)
    says = [path, "3-30 GeV"]
    refused(capsys, ["detect", path, "--preset", "toy", "-o", out / "found.ecsv"], says=says)
    assert list(out.iterdir()) == []


def test_what_a_file_does_not_say_names_the_option_that_says_it(tmp_path, out, capsys):
    path = bare_file(tmp_path / "map.fits")
    refused(capsys, ["detect", path, "-o", out / "found.ecsv"], says=["--band"])


def test_a_reference_without_positions_is_named(counts, out, capsys):
    says = [f"{counts} has no positions", "RAJ2000 and DEJ2000"]
    command = ["detect", counts, "--reference", counts, "-o", out / "found.ecsv"]
    refused(capsys, command, says=says)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--localiser", "nobody"], "there is no localiser 'nobody'"),
        (["--clusterer", "peeks"], "did you mean 'peaks'?"),
        (["--preset", "toi"], "there is no preset 'toi'"),
        (["--preset", "missing.toml"], "missing.toml"),
        (["--option", "localiser.threshold"], "Write ROLE.NAME=VALUE"),
        (["--option", "nobody.threshold=3"], "Write ROLE.NAME=VALUE"),
        (["--option", "localiser.threshold=high"], "must be of type float"),
        (["--option", "localiser.color=3"], "no option 'color'"),
        (["--band", "GeV"], "--band GeV is no band"),
        (["--band", "20-2GeV"], "--band 20-2GeV is no band"),
        (["--band", "2-20parrots"], "--band 2-20parrots is no band"),
        (["--band", "3-30GeV"], "no preset fits energy edges of 3, 30 GeV"),
        (["--reference", "missing.ecsv"], "missing.ecsv: the file does not exist"),
        (["--exposure", "missing.fits"], "missing.fits: the file does not exist"),
    ],
)
def test_bad_arguments_are_named(counts, out, capsys, arguments, fault):
    refused(capsys, ["detect", counts, *arguments, "-o", out / "found.ecsv"], says=[fault])
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["-o", "no/found.ecsv"], "does not exist"),
        (["-o", "found.xyz"], "the suffix '.xyz' is unknown. Accepted are .ecsv, "),
        (["-o", "there.ecsv"], "the file already exists"),
        (["-o", "."], "is a directory"),
        (["-o", "a.ecsv", "--regions", "there.ecsv"], "the file already exists"),
        (["-o", "a.ecsv", "--regions", "no/a.reg"], "does not exist"),
        (["-o", "a.ecsv", "--regions", "a.ecsv"], "also an input or another output"),
        (["-o", "a.ecsv", "--report", "there.ecsv"], "is a file"),
        (["-o", "a.ecsv", "--report", "full"], "not empty"),
        (["-o", "a.ecsv", "--report", "no/page"], "does not exist"),
    ],
)
def test_bad_outputs_are_refused_before_anything_is_read(
    out, capsys, monkeypatch, arguments, fault
):
    monkeypatch.chdir(out)
    (out / "there.ecsv").write_text("mine")
    (out / "full").mkdir()
    (out / "full" / "page.txt").write_text("mine")
    refused(capsys, ["detect", "never-read.fits", *arguments], says=[fault])
    assert sorted(p.name for p in out.iterdir()) == ["full", "there.ecsv"]
    assert (out / "there.ecsv").read_text() == "mine"


def test_an_input_is_never_overwritten(counts, capsys):
    says = [counts, "also an input"]
    refused(capsys, ["detect", counts, "-o", counts, "--overwrite"], says=says)


def test_overwrite_replaces_what_is_there_and_leaves_the_rest(counts, out):
    path, page = out / "found.ecsv", out / "page"
    path.write_text("old")
    page.mkdir()
    (page / "index.html").write_text("old")
    (page / "notes.txt").write_text("mine")
    arguments = ["detect", counts, "-o", str(path), "--report", str(page), "--overwrite", "-q"]
    assert main(arguments) == 0
    assert len(read_table(path)) == len(SOURCES)
    assert (page / "index.html").read_text() != "old"
    assert (page / "notes.txt").read_text() == "mine"


def test_ctrl_c_leaves_nothing(counts, out, capsys):
    arguments = ["--option", "localiser.interrupted=true", "-o", str(out / "found.ecsv")]
    assert main(["detect", counts, *arguments]) == 130
    assert capsys.readouterr().err.endswith("interrupted; nothing was written\n")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("step", ["write_regions", "write_report"])
def test_a_failure_while_writing_leaves_what_was_there(
    counts, out, monkeypatch, fault, step, capsys
):
    def fail(*_, **__):
        raise fault(28, "No space left on device")

    monkeypatch.setattr(f"gammafind.pipeline.products.{step}", fail)
    path = out / "found.ecsv"
    path.write_text("old")
    products = ["-o", path, "--regions", out / "found.reg", "--report", out / "page"]
    code = main(["detect", counts, "--overwrite", *map(str, products)])
    assert code == (1 if fault is OSError else 130)
    assert [p.name for p in out.iterdir()] == ["found.ecsv"]
    assert path.read_text() == "old"


def test_verbose_shows_the_traceback(out, capsys):
    assert main(["detect", "missing.fits", "-v", "-o", str(out / "found.ecsv")]) == 1
    assert "MissingFileError" in capsys.readouterr().err


def test_masked_pixels_are_said_in_one_line(tmp_path, out, capsys):
    sky = toy_counts()
    valid = sky.valid[0].copy()
    valid[:50] = False
    path = toy_file(tmp_path / "map.fits", SkyMap(BANDS, (PIXELS,), sky.values, "counts", (valid,)))
    assert main(["detect", str(path), "-o", str(out / "found.ecsv")]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"gammafind: warning: {path}")
    assert "50" in lines[0]
