"""The command ``gammafind probe``."""

from __future__ import annotations

import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from gammafind.cli.probe import parse_places
from gammafind.errors import OptionError
from tests.cli.toy import EXPOSURE, PIXELS, SOURCES, toy_file, toy_truth

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def files(tmp_path):
    """Counts of the toy sky, and its true sources."""
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    return str(toy_file(tmp_path / "counts.fits")), str(tmp_path / "truth.ecsv")


def test_positions_of_a_table_are_measured(files, tmp_path):
    counts, truth = files
    path = tmp_path / "probed.fits"
    arguments = ["--positions", truth, "--catalogue", truth, "-o", str(path), "-q"]
    assert main(["probe", counts, *arguments]) == 0
    found = read_table(path)
    assert list(found["flag"]) == ["in source"] * 4
    assert list(found["name"]) == list(found["near"])
    assert found["npred"][0] > found["npred"][1] > found["npred"][2] > 0
    assert found["flux"][0].value > 0.5 * max(SOURCES.values()) / EXPOSURE
    assert found.meta["command"].startswith("gammafind probe")


def test_a_position_is_measured_and_shown(files, capsys):
    counts, truth = files
    place = PIXELS.centres()[2500].icrs
    at = f"{place.ra.deg} {place.dec.deg}"
    assert main(["probe", counts, "--at", at, "--catalogue", truth]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:5] == ["name", "ra", "(deg)", "dec", "(deg)"]
    assert "flux_limit (cm-2 s-1)" in head
    assert f"{place.ra.deg:.4f}" in row


@pytest.mark.parametrize(
    "text",
    [
        "83.633 22.0145",
        "83.633,22.0145",
        "05:34:31.92 +22:00:52.2",
        "5h34m31.92s 22d00m52.2s",
        "05 34 31.92 +22 00 52.2",
        "184.5575 -5.7843 galactic",
    ],
)
def test_a_position_can_be_written_in_several_ways(text):
    (place,) = parse_places([text])
    assert abs(place.ra.deg - 83.633) < 1e-3
    assert abs(place.dec.deg - 22.0145) < 1e-3


@pytest.mark.parametrize("text", ["", "83.6", "83.6 x", "1 2 3", "10 95", "1 2 galactic 3"])
def test_what_is_no_position_is_refused(text):
    with pytest.raises(OptionError, match="is no position"):
        parse_places([text])


def test_places_are_needed_in_one_way(files, capsys):
    with pytest.raises(SystemExit):
        main(["probe", files[0]])
    assert "--at --positions" in capsys.readouterr().err


def test_residuals_need_a_fits_file(files, tmp_path, capsys):
    arguments = ["-o", str(tmp_path / "found.ecsv"), "--residuals", str(tmp_path / "map.png")]
    assert main(["detect", files[0], *arguments]) == 1
    assert ".fits.gz" in capsys.readouterr().err
