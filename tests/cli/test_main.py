from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

import gammafind
from gammafind.cli import plugins
from gammafind.cli.main import COMMANDS, main
from gammafind.errors import GammafindWarning
from gammafind.roles import registry
from gammafind.roles.discovery import PluginInfo
from tests.cli.toy import toy_file
from tests.contracts.installed import run_python

LIGHT = "import sys; print([m for m in {modules!r} if m in sys.modules])"


def gammafind_process(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "gammafind", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **options,
    )


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"gammafind {gammafind.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"examples:\n  gammafind {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["detect", "map.fits"],
        ["detect", "-o", "out.ecsv"],
        ["detect", "map.fits", "-o", "out.ecsv", "--presto", "x"],
        ["detect", "map.fits", "-o", "out.ecsv", "--min-score", "high"],
        ["detect", "map.fits", "-o", "out.ecsv", "-v", "-q"],
        ["detect", "map.fits", "-o", "out.ecsv", "--frame", "mars"],
    ],
)
def test_wrong_usage_is_exit_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: gammafind" in capsys.readouterr().err


def test_help_and_its_parser_load_only_the_standard_library():
    modules = ("numpy", "astropy", "pluggy", "tqdm", "healpy", "cv2", "keras", "matplotlib")
    code = f"""
from gammafind.cli.main import main
try:
    main(["detect", "--help"])
except SystemExit:
    {LIGHT.format(modules=modules)}
"""
    assert run_python(code).stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        ([], "gammafind: warning: two lines\n"),
        (["-q"], ""),
        (["-v"], "gammafind: warning: two lines\ngammafind: warning: RuntimeWarning: of others\n"),
    ],
)
def test_warnings_are_clean_lines(monkeypatch, capsys, verbosity, shown):
    def warn(_):
        warnings.warn("two\nlines", GammafindWarning, stacklevel=1)
        warnings.warn("of others", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(plugins, "run", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["plugins", *verbosity]) == 0
    assert capsys.readouterr().err == shown


def test_the_screen_leaves_warnings_and_logging_as_they_were(toy, tmp_path, capsys):
    import logging

    log, show = logging.getLogger("gammafind"), warnings.showwarning
    before = (log.level, log.propagate, list(log.handlers))
    assert main(["detect", "missing.fits", "-o", str(tmp_path / "a.ecsv")]) == 1
    assert (log.level, log.propagate, list(log.handlers)) == before
    assert warnings.showwarning is show


def test_faults_that_nobody_foresaw_are_named_and_traced_with_verbose(monkeypatch, capsys):
    monkeypatch.setattr(plugins, "run", lambda _: 1 / 0)
    assert main(["plugins"]) == 1
    assert "this should not happen: ZeroDivisionError" in capsys.readouterr().err
    assert main(["plugins", "--verbose"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [ValueError("wrong"), SystemExit(5), KeyError("k" * 5000)])
def test_faults_of_plugins_of_others_name_the_plugin(monkeypatch, capsys, fault):
    def fail(_):
        raise fault

    own = PluginInfo(role="localiser", name="mine", distribution="others", version="1.0")
    monkeypatch.setattr(plugins, "run", fail)
    monkeypatch.setattr(registry, "failed_plugin", lambda _: own)
    assert main(["plugins"]) == 1
    message = capsys.readouterr().err
    assert f"the localiser mine of others 1.0 failed: {type(fault).__name__}, " in message
    assert len(message) <= 520


def test_a_process_fails_in_one_line(tmp_path):
    done = gammafind_process("detect", "missing.fits", "-o", "a.ecsv", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "gammafind: error: missing.fits: the file does not exist\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_fault():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "gammafind", "plugins"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (141, "")


class Terminal:
    """Standard error of a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_a_terminal_shows_progress_unless_quiet(toy, tmp_path, monkeypatch, quiet):
    counts, terminal = toy_file(tmp_path / "counts.fits"), Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    arguments = ["detect", str(counts), "-o", str(tmp_path / "found.ecsv")]
    assert main([*arguments, *(["-q"] if quiet else [])]) == 0
    for shown in ("reading the maps", "looking for sources", "pixels: ", "0/3"):
        assert (shown in terminal.text) is not quiet


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("simulate", "-o", ""), "argument -o/--output"),
        (("detect", ""), "argument MAP"),
        (("detect", "counts.fits", "--report", ""), "argument --report"),
        (("demo", "-o", ""), "argument -o/--output"),
    ],
)
def test_empty_names_of_files_are_refused(capsys, arguments, name):
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 2
    assert f"{name}: the name is empty" in capsys.readouterr().err
