"""Process by signal and by stream: what is written is whole, and the next run leaves no rest."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gammafind.utils.locks import LOCK, acquire, release

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.faults.toy_command"]
LONG = bool(os.environ.get("GAMMAFIND_LONG_FAULTS"))
"""Whether many moments of a kill are tried."""
N_KILLS = 40 if LONG else 3
DETECT = "detect hpx.fits --preset toy -o x.ecsv --regions x.reg --overwrite"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals and streams")


def environment(**others):
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **others}
    return {name: value for name, value in kept.items() if value is not None}


def shell(line, folder, **others):
    """Run a line of the shell in which ``$G`` is the command."""
    given = environment(G=shlex.join(COMMAND), **others)
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=given, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def folder(tmp_path, corpus):
    for name in ("hpx.fits", "truth.ecsv"):
        (tmp_path / name).write_bytes(corpus[name].read_bytes())
    return tmp_path


def assert_in_one_line(done):
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("gammafind: ") for line in lines)
    assert all(len(line) <= 520 for line in lines)


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("$G plugins >&-", {0}),
        ("$G plugins 2>&-", {0}),
        ("$G plugins <&- >&- 2>&-", {0}),
        ("$G plugins >/dev/full", {1}),
        ("$G detect none.fits -o x.ecsv 2>/dev/full", {1}),
        ("set -o pipefail; $G plugins | true", {0, 141}),
        ("$G plugins -v >/dev/full 2>/dev/full", {1}),
        ("mkdir gone; cd gone; rmdir ../gone; $G detect a.fits -o x.ecsv", {1}),
        ("MPLBACKEND=nonsense $G plugins", {0}),
        ("PYTHONOPTIMIZE=2 $G plugins", {1}),
        (f"MPLCONFIGDIR=/dev/full $G {DETECT} --report r", {0}),
        (f"touch c; HOME=$PWD/c GAMMAFIND_CACHE=$PWD/c/x $G {DETECT} --report r", {0}),
        ("GAMMAFIND_CACHE='~nosuchuser/x' $G plugins", {0, 1}),
        ("unset HOME XDG_CACHE_HOME; $G detect none.fits -o x.ecsv", {1}),
        ("mkdir d; $G detect hpx.fits --preset toy -o d/no/x.ecsv", {1}),
        (f"$G detect hpx.fits --preset toy -o {'x' * 300}.ecsv", {1}),
        ("ln -s loop loop; $G detect loop --preset toy -o x.ecsv", {1}),
    ],
)
def test_streams_and_environments_end_in_one_line(folder, line, codes):
    done = shell(line, folder)
    assert done.returncode in codes
    assert_in_one_line(done)


def test_a_full_file_system_is_named(folder):
    done = shell(f"ulimit -f 1; $G {DETECT}", folder)
    assert done.returncode == 1
    assert "cannot be written (File too large)" in done.stderr
    assert_in_one_line(done)
    assert sorted(path.name for path in folder.iterdir()) == ["hpx.fits", "truth.ecsv"]


def test_a_mask_that_forbids_everything_leaves_nothing(folder):
    done = shell(f"umask 777; $G {DETECT}", folder)
    assert_in_one_line(done)
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def killed_after(seconds, folder, number=signal.SIGKILL):
    """Status of a run that gets a signal, if it did not end before."""
    run = subprocess.Popen(
        [*COMMAND, *shlex.split(DETECT)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, error = run.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        run.send_signal(number)
        _, error = run.communicate(timeout=60)
    return run.returncode, error


def test_after_kills_the_next_run_is_whole_and_leaves_no_rest(folder):
    start = time.monotonic()
    assert shell(f"$G {DETECT}", folder).returncode == 0
    took = time.monotonic() - start
    names = sorted(path.name for path in folder.iterdir())
    whole = (folder / "x.reg").read_bytes()
    for number in range(N_KILLS):
        killed_after(took * (0.3 + 0.7 * number / N_KILLS), folder)
        assert (folder / "x.reg").read_bytes() == whole
    assert shell(f"$G {DETECT}", folder).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == names


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_an_interrupt_shows_no_traceback(folder, seconds):
    code, error = killed_after(seconds, folder, signal.SIGINT)
    assert code in (0, 130, -2)
    if seconds > 0.5 or code != 1:
        assert "gammafind: error: this should not" not in error


def test_of_two_runs_at_once_one_refuses_before_it_works(folder):
    line = f"$G {DETECT} & $G {DETECT} & wait -n; a=$?; wait -n; echo $a $?"
    lock = acquire(folder / f".x.ecsv{LOCK}")
    try:
        done = shell(f"$G {DETECT}", folder)
        assert done.returncode == 1
        assert "x.ecsv: another run writes here" in done.stderr
        assert not (folder / "x.ecsv").exists()
    finally:
        release(folder / f".x.ecsv{LOCK}", lock)
    codes = shell(line, folder).stdout.splitlines()[-1].split()
    assert "0" in codes
    assert (folder / "x.ecsv").exists()
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
