"""A folder is whole or not there; what is there is known by its record."""

from __future__ import annotations

import errno
import json
import tempfile

import pytest

from gammafind.errors import OutputError
from gammafind.simulation.folders import (
    RECORD,
    filled_folder,
    is_made,
    write_record,
)

SETTINGS = {"seed": 1, "renderer": {"name": "toy", "options": {"nsides": (4, 8)}}}


def fill(folder, settings=SETTINGS, text="counts"):
    with filled_folder(folder) as filled:
        (filled / "counts.txt").write_text(text)
        write_record(filled, settings, n=3)
    return folder


def test_a_folder_knows_with_what_it_was_made(tmp_path):
    assert not is_made(tmp_path / "one", SETTINGS)
    folder = fill(tmp_path / "one")
    assert is_made(folder, SETTINGS)
    record = json.loads((folder / RECORD).read_text())
    assert record["n"] == 3
    assert [(entry["name"], entry["bytes"]) for entry in record["files"]] == [("counts.txt", 6)]
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({**SETTINGS, "seed": 2}, "seed was 1 and is now 2"),
        ({"seed": 1}, "renderer.name was 'toy' and is now None"),
        ({**SETTINGS, "maps": True}, "maps was None and is now True"),
    ],
)
def test_other_settings_are_reported(tmp_path, settings, difference):
    with pytest.raises(OutputError) as error:
        is_made(fill(tmp_path / "one"), settings)
    assert difference in error.value.fault
    assert "seed was 1 and is now 1" not in error.value.fault
    assert "--overwrite" in error.value.remedy


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    for content in (None, "no JSON", "[]", '{"settings": {}}'):
        if content is not None:
            (folder / RECORD).write_text(content)
        with pytest.raises(OutputError, match=rf"one: exists already, without a {RECORD}"):
            is_made(folder, SETTINGS)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_folder_is_refused(tmp_path, damage):
    folder = fill(tmp_path / "one")
    if damage == "missing":
        (folder / "counts.txt").unlink()
    else:
        (folder / "counts.txt").write_text("half")
    with pytest.raises(OutputError, match=r"one: counts\.txt is missing or was changed"):
        is_made(folder, SETTINGS)


def fail_within(folder, fault):
    """Begin to fill a folder, and fail."""
    with filled_folder(folder) as filled:
        (filled / "counts.txt").write_text("half")
        raise fault


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError])
def test_what_fails_leaves_things_as_they_were(tmp_path, there, fault):
    folder = tmp_path / "one"
    if there:
        fill(folder)
    with pytest.raises(fault):
        fail_within(folder, fault)
    assert [path.name for path in tmp_path.iterdir()] == (["one"] if there else [])
    if there:
        assert (folder / "counts.txt").read_text() == "counts"


def test_a_folder_that_is_there_is_replaced_as_a_whole(tmp_path):
    folder = fill(tmp_path / "one")
    (folder / "old.txt").write_text("old")
    fill(folder, text="new")
    assert sorted(path.name for path in folder.iterdir()) == ["counts.txt", RECORD]
    assert (folder / "counts.txt").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize(
    ("code", "fault"),
    [(errno.ENOSPC, "the disk is full"), (errno.EIO, "cannot be written")],
)
def test_faults_of_the_disk_name_the_folder(tmp_path, code, fault):
    with pytest.raises(OutputError, match=f"one: {fault}"):
        fail_within(tmp_path / "one", OSError(code, "of the disk"))
    assert list(tmp_path.iterdir()) == []


def test_faults_within_name_the_file_that_was_to_be(tmp_path):
    folder = tmp_path / "one"

    def fail():
        with filled_folder(folder) as filled:
            raise OutputError("the disk is full", path=filled / "maps" / "a.fits", remedy="Room.")

    with pytest.raises(OutputError, match="is full") as error:
        fail()
    assert error.value.path == folder / "maps" / "a.fits"
    assert error.value.remedy == "Room."


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    fault = r"one: the directory .* cannot be written \(Permission denied\)"
    with pytest.raises(OutputError, match=fault), filled_folder(tmp_path / "one"):
        pass


def test_a_folder_of_a_later_version_is_refused_and_one_without_a_format_is_read(tmp_path):
    folder = fill(tmp_path / "one")
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "format": 2}))
    with pytest.raises(OutputError, match="has format 2, and this gammafind reads format 1"):
        is_made(folder, SETTINGS)
    del record["format"]
    (folder / RECORD).write_text(json.dumps(record))
    assert is_made(folder, SETTINGS)
