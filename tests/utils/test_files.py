"""Outputs appear whole or not at all; inputs are named when they cannot be read."""

from __future__ import annotations

import errno
import hashlib

import pytest

from gammafind.errors import MissingFileError, OutputError, TruncatedFileError
from gammafind.pipeline.products import atomic_folder
from gammafind.utils.files import atomic_output, check_input, file_checksum


def test_output_appears_under_its_name_only(tmp_path):
    with atomic_output(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        assert temporary.name == "a.txt"
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with atomic_output(path, overwrite=True) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_overwrite_replaces(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_unwritable_outputs_are_named(tmp_path):
    (tmp_path / "there.txt").write_text("old")
    for path, fault in [
        (tmp_path / "there.txt", "already exists"),
        (tmp_path / "no" / "a.txt", "does not exist"),
        (tmp_path, "directory"),
    ]:
        with pytest.raises(OutputError, match=fault) as caught, atomic_output(path):
            pytest.fail("the block must not run")
        assert str(path) in str(caught.value)


def test_full_disk_is_named(tmp_path):
    def fill():
        with atomic_output(tmp_path / "a.txt"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"a\.txt: the disk is full"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_faults_of_outputs_within_outputs_name_the_outermost(tmp_path):
    def fill():
        with atomic_output(tmp_path / "a.txt") as outer, atomic_output(outer):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError) as caught:
        fill()
    assert caught.value.path == tmp_path / "a.txt"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_for_folders_too(tmp_path):
    def fill():
        with atomic_folder(tmp_path / "page"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match="page: the disk is full"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_unreadable_inputs_are_named(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(MissingFileError, match="does not exist"):
        check_input(tmp_path / "no")
    with pytest.raises(MissingFileError, match="directory"):
        check_input(tmp_path)
    with pytest.raises(TruncatedFileError, match="empty"):
        check_input(tmp_path / "empty")


def test_checksum_is_that_of_what_the_file_holds_now(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("abc")
    first = file_checksum(path)
    assert first == hashlib.sha256(b"abc").hexdigest()
    path.write_text("abcd")
    assert file_checksum(path) == hashlib.sha256(b"abcd").hexdigest()
    with pytest.raises(MissingFileError, match="nowhere"):
        file_checksum(tmp_path / "nowhere")
