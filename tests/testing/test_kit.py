"""A new plugin is a package whose tests pass as written, and the report of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from gammafind.cli.main import main
from gammafind.errors import ConformanceError, OptionError, OutputError
from gammafind.plugins.clusterers import DiskClusterer
from gammafind.testing import check_clusterer, contract, new_plugin
from gammafind.testing.kit import ROLES
from tests.contracts.installed import install, run_python


@dataclass(frozen=True, kw_only=True)
class Dreamer(DiskClusterer):
    """Find something in nothing."""

    name = "dreamer"

    def _cluster(self, score_map):
        return super()._cluster(score_map + 1)


@dataclass(frozen=True, kw_only=True)
class Excused(Dreamer):
    """Find something in nothing, on purpose."""

    name = "excused"
    declared_failures = dict.fromkeys(
        [one.rule for one in contract(Dreamer) if one.breach], "it dreams"
    )


@dataclass(frozen=True, kw_only=True)
class Crash(DiskClusterer):
    """Fail at anything."""

    name = "crash"

    def _cluster(self, score_map):
        raise ZeroDivisionError("no way")


@pytest.mark.parametrize("role", ROLES)
def test_the_tests_of_a_new_plugin_pass_as_written(role, tmp_path):
    folder = tmp_path / "project"
    written = new_plugin("deep-sky", role, folder)
    assert all("$" not in path.read_text() for path in written)
    site = tmp_path / "site"
    site.mkdir()
    install(folder, site)
    options = ["-q", "-p", "no:cacheprovider", str(folder)]
    code = f"import pytest, sys; sys.exit(pytest.main({options!r}))"
    done = run_python(code, site, GAMMAFIND_PLUGINS="deep-sky")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_folder_that_exists_is_left_alone(tmp_path):
    with pytest.raises(OutputError, match="exists already"):
        new_plugin("deep-sky", "clusterer", tmp_path)


@pytest.mark.parametrize(("name", "role"), [("Deep Sky", "clusterer"), ("deep", "cluster")])
def test_bad_names_and_roles_are_refused(tmp_path, name, role):
    with pytest.raises(OptionError):
        new_plugin(name, role, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_report_goes_on_after_a_breach():
    found = {one.rule: one for one in contract(Dreamer)}
    assert found["nothing is found in 64 x 64 zeros"].fails
    assert not found["the score map stays as it is"].breach
    assert "discs are found within a pixel" in found


def test_what_is_declared_is_no_failure():
    found = contract(Excused)
    assert not any(one.fails for one in found)
    assert {one.declared for one in found if one.breach} == {"it dreams"}
    check_clusterer(Excused)
    with pytest.raises(ConformanceError):
        check_clusterer(Dreamer)


def test_an_exception_is_a_breach_that_names_its_place():
    (end,) = [one for one in contract(Crash) if one.rule == "the checks run to their end"]
    assert "ZeroDivisionError: no way" in end.breach
    assert Path(__file__).name in end.breach


def test_the_command_reports_each_rule(capsys):
    assert main(["plugins", "check", "disk"]) == 0
    out = capsys.readouterr().out
    assert "holds     one map gives one result" in out
    assert "disk keeps the contract of a clusterer" in out


def test_the_command_takes_options_and_fails_by_its_exit_code(capsys):
    assert main(["plugins", "check", "peaks", "--option", "peaks.threshold=2"]) == 1
    shown = capsys.readouterr()
    assert "fails     each disc is one cluster" in shown.out
    assert "peaks breaks" in shown.err


def test_the_command_writes_a_project(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plugins", "new", "x-ray", "--role", "renderer"]) == 0
    assert "gammafind-x-ray/README.md" in capsys.readouterr().out
    assert main(["plugins", "new", "x-ray", "--role", "renderer"]) == 1
    assert main(["plugins", "check", "no-such"]) == 1
