"""The cache gives back what was computed, never something else, and never fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gammafind.errors import CacheWarning, OptionError
from gammafind.utils import cache
from gammafind.utils.cache import cache_folder, cached_arrays
from gammafind.utils.locks import ALIVE, living_folder

KEY = {"what": "ramp", "version": 1, "bands": [0.3, 0.5], "file": None}


class Compute:
    """Counts how often it was called."""

    def __init__(self, value: float = 1.0, size: int = 1000):
        self.calls = 0
        self.value, self.size = value, size

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        ramp = self.value * np.arange(self.size, dtype=np.float32).reshape(2, -1)
        return {"ramp": ramp, "key": np.array(7), "names": np.array(["a", "b"])}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "new" / "cache"
    monkeypatch.setenv("GAMMAFIND_CACHE", str(path))
    return path


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_the_second_time_the_arrays_are_read(folder):
    compute = Compute()
    first, second = (cached_arrays(KEY, compute) for _ in range(2))
    assert compute.calls == 1
    assert first.keys() == second.keys() == {"ramp", "key", "names"}
    for name, array in first.items():
        assert second[name].dtype == array.dtype
        assert np.array_equal(second[name], array)
    second["ramp"][:] = 0
    assert cached_arrays(KEY, compute)["ramp"].any()


def test_the_order_of_the_key_does_not_matter(folder):
    compute = Compute()
    cached_arrays(KEY, compute)
    cached_arrays(dict(reversed(KEY.items())), compute)
    assert compute.calls == 1


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"bands": [0.3, 0.5000000000000001]}, {"bands": 0.3}, {"file": "0"}, {"x": 0}],
)
def test_whatever_changes_in_the_key_is_computed_anew(folder, change):
    cached_arrays(KEY, Compute(1))
    other = cached_arrays(KEY | change, Compute(2))
    assert other["ramp"][0, 1] == 2
    assert len(entries(folder)) == 2


def test_a_file_of_another_key_is_not_taken(folder):
    cached_arrays(KEY, Compute(1))
    (path,) = entries(folder)
    cached_arrays(KEY | {"version": 2}, Compute(2))
    (other,) = set(entries(folder)) - {path}
    os.replace(other, path)
    assert cached_arrays(KEY, Compute(3))["ramp"][0, 1] == 3


@pytest.mark.parametrize("length", [0, 10, 200, -1, -300])
def test_truncated_files_are_computed_anew_and_replaced(folder, length):
    cached_arrays(KEY, Compute())
    (path,) = entries(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    compute = Compute()
    for _ in range(2):
        assert cached_arrays(KEY, compute)["ramp"][1, -1] == 999
    assert compute.calls == 1


def test_a_flipped_bit_is_noticed(folder):
    cached_arrays(KEY, Compute())
    (path,) = entries(folder)
    data = bytearray(path.read_bytes())
    place = data.find(np.float32(500).tobytes())
    data[place + 1] ^= 1
    path.write_bytes(data)
    compute = Compute()
    assert cached_arrays(KEY, compute)["ramp"][1, 0] == 500
    assert compute.calls == 1


@pytest.mark.parametrize("value", ["off", ""])
def test_it_can_be_switched_off(monkeypatch, value):
    monkeypatch.setenv("GAMMAFIND_CACHE", value)
    assert cache_folder() is None
    compute = Compute()
    for _ in range(2):
        cached_arrays(KEY, compute)
    assert compute.calls == 2


def test_a_folder_that_cannot_be_made_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GAMMAFIND_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(CacheWarning, match="GAMMAFIND_CACHE"):
        assert cached_arrays(KEY, Compute())["ramp"][1, -1] == 999


def test_a_full_disk_is_no_failure_and_leaves_nothing(folder, monkeypatch):
    def full(*args, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(CacheWarning, match="disk is full"):
        assert cached_arrays(KEY, Compute())["ramp"][1, -1] == 999
    assert entries(folder) == []


def test_a_cache_that_may_only_be_read_is_read(folder, monkeypatch):
    cached_arrays(KEY, Compute())

    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(os, "utime", refuse)
    compute = Compute()
    cached_arrays(KEY, compute)
    assert compute.calls == 0


def test_what_was_used_longest_ago_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "CACHE_LIMIT", 20_000)
    paths = {}
    for version in range(3):
        before = set(folder.glob("*"))
        cached_arrays(KEY | {"version": version}, Compute(size=1500))
        (paths[version],) = set(folder.glob("*")) - before
        os.utime(paths[version], (version, version))
    cached_arrays(KEY | {"version": 0}, Compute())
    cached_arrays(KEY | {"version": 3}, Compute(size=1500))
    assert paths[0].exists()
    assert not paths[1].exists()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 20_000


def test_what_is_larger_than_the_cache_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(cache, "CACHE_LIMIT", 3000)
    cached_arrays(KEY, Compute())
    assert not folder.exists()


def test_what_killed_processes_left_is_swept(folder):
    old = folder / f".{'a' * 64}.npz.x1"
    old.mkdir(parents=True)
    (old / ALIVE).touch()
    with living_folder(folder, ".") as new:
        cached_arrays(KEY, Compute())
        assert new.exists()
    assert not old.exists()


def test_what_is_not_of_the_cache_is_left_alone(folder, monkeypatch):
    monkeypatch.setattr(cache, "CACHE_LIMIT", 20_000)
    for name in (".git", ".ssh"):
        (folder / name).mkdir(parents=True)
    np.savez(folder / "own.npz", np.zeros(2400))
    before = set(folder.iterdir())
    for path in before:
        os.utime(path, (time.time() - 9 * 86400,) * 2)
    for version in range(3):
        cached_arrays(KEY | {"version": version}, Compute(size=1500))
    assert before <= set(folder.iterdir())


WRITE_AND_READ = """
import subprocess
import sys
import numpy as np
from gammafind.utils.cache import cache_folder, cached_arrays

for round in range(40):
    version = round % 4
    ramp = np.arange(20_000.0) + version
    found = cached_arrays({"version": version}, lambda: {"ramp": ramp})["ramp"]
    if not np.array_equal(found, ramp):
        sys.exit("another array came back")
    if round % 8 == int(sys.argv[1]):
        for path in cache_folder().glob("*.npz"):
            path.unlink(missing_ok=True)
"""
"""Writes one of four keys again and again, and checks what comes back each time."""


def test_processes_share_a_folder(folder):
    command = [sys.executable, "-W", "error", "-c", WRITE_AND_READ]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0, 0]
    assert {path.suffix for path in entries(folder)} <= {".npz"}


@pytest.mark.parametrize("bad", [np.arange(3), float("nan"), Path("x"), {1, 2}])
def test_keys_that_are_no_json_are_refused(folder, bad):
    with pytest.raises(OptionError, match="the key of the cache"):
        cached_arrays({"what": bad}, Compute())


def test_arrays_of_objects_are_refused(folder):
    with pytest.raises(OptionError, match="many cannot be stored"):
        cached_arrays(KEY, lambda: {"many": np.array([None, {}])})


@pytest.mark.skipif(sys.platform != "linux", reason="caches are elsewhere on other systems")
@pytest.mark.parametrize(("variable", "base"), [("XDG_CACHE_HOME", ""), ("HOME", ".cache")])
def test_without_the_variable_it_is_the_folder_for_caches(monkeypatch, tmp_path, variable, base):
    for name in ("GAMMAFIND_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / base / "gammafind"
    assert not cache_folder().exists()


def test_tests_leave_the_cache_of_the_user_alone(own_cache):
    assert cache_folder() == own_cache
    assert not own_cache.is_relative_to(Path.home())
