"""``gammafind compare`` on the toy sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest

from gammafind import Localiser
from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from gammafind.errors import MissingBackendError
from gammafind.roles import registry
from tests.cli import toy as plugin
from tests.cli.toy import Bright, toy_file, toy_truth

pytestmark = pytest.mark.usefixtures("toy")


@dataclass(frozen=True, kw_only=True)
class Eager(Bright):
    """Takes half of the pixels of one count for sources too."""

    name: ClassVar[str] = "eager"
    threshold: float = 1.0

    def _localise_sky(self, observation, grid, n_pixels, rng):
        return super()._localise_sky(observation, grid, n_pixels, rng)[::2]


@dataclass(frozen=True, kw_only=True)
class Unfit(Localiser):
    """Lacks a library."""

    name: ClassVar[str] = "unfit"

    def _localise(self, patches):
        raise MissingBackendError("the library is not installed", remedy="Install it.")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Counts and truth, and two localisers more."""
    monkeypatch.setattr(plugin, "gammafind_localisers", _offer)
    registry.reset()
    truth = toy_truth()
    truth["ts"] = [400.0, 90.0, 30.0, 5.0]
    truth["energy_flux"] = truth["flux"].value * 1e-3 * u.Unit("erg cm-2 s-1")
    write_table(truth, tmp_path / "truth.ecsv")
    return [str(toy_file(tmp_path / "counts.fits")), str(tmp_path / "truth.ecsv")]


@plugin.hookimpl
def _offer():
    return [Bright, Eager, Unfit]


def test_all_localisers_stand_in_one_table(files, tmp_path, capsys):
    path = tmp_path / "table.ecsv"
    assert main(["compare", *files, "-o", str(path)]) == 0
    table = read_table(path)
    assert list(table["localiser"]) == ["bright", "eager"]
    bright, eager = table
    assert bright["n_detections"] == 3 < eager["n_detections"]
    assert (bright["cut"], bright["purity"], bright["completeness"]) == (30, 1, 0.75)
    assert (eager["cut"], eager["purity"]) == (30, 1)
    assert bright["completeness_flux1"] == 1
    assert np.isnan([bright["completeness_lower"], bright["completeness_upper"]]).all()
    assert eager["completeness_lower"] <= 0.75 <= eager["completeness_upper"]
    assert bright["ts50"] == pytest.approx(np.sqrt(5 * 30), rel=0.1)
    assert bright["median_offset"] < 1e-6 * u.deg
    assert table.meta["command"].startswith("gammafind compare ")
    assert [p["name"] for p in table.meta["plugins"]] == ["toy", "bright", "eager"]
    assert "not installed" in table.meta["left_out"]["unfit"]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:5] == ["localiser", "seconds", "found", "cut", "purity"]
    assert len({len(line) for line in printed[:3]}) == 1
    assert "left out: unfit: the library is not installed. Install it." in printed
    assert printed[-1] == f"written: {path}"


def test_chosen_localisers_take_their_options(files, capsys):
    options = ["--localisers", "eager,bright", "--option", "bright.threshold=50"]
    assert main(["compare", *files, *options, "--min-flux", "flux=5e-10 cm-2 s-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["eager", "bright"]
    assert lines[2].split()[2] == "2"
    assert "  *: of sources with flux >= 5e-10 1 / (s cm2)" in lines


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--localisers", "brigth"], "did you mean 'bright'?"),
        (["--localisers", "brigth"], "Known are bright, eager, unfit"),
        (["--localisers", ""], "no localiser was named. Known are bright, eager, unfit"),
        (["--localisers", "unfit"], "no localiser could run (unfit: the library"),
        (["--localisers", "bright", "--option", "eager.threshold=3"], "options for eager"),
        (["--option", "threshold=3"], "Write PLUGIN.NAME=VALUE"),
        (["--option", "bright.depth=3"], "bright has no option 'depth'"),
        (["--purity", "90"], "purity is 90"),
        (["--radius", "wide"], "--radius is 'wide'"),
        (["--min-flux", "glow=1 Jy"], "no column glow"),
        (["--seed", "-1"], "seed is -1"),
        (["-o", "table.txt"], "the suffix '.txt' is unknown"),
    ],
)
def test_what_is_wrong_is_named(files, capsys, arguments, fault):
    assert main(["compare", *files, *arguments]) == 1
    assert fault in capsys.readouterr().err
