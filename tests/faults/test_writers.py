"""Writer by fault: the file is the old or the new one, whole, and nothing else stays."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from gammafind import HealpixPixels, SkyMap
from gammafind.catalogue.io import write_table
from gammafind.catalogue.publish import publish
from gammafind.catalogue.regions import write_regions
from gammafind.errors import OutputError
from gammafind.pipeline.products import atomic_folder
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import write_counts
from gammafind.utils import locks
from gammafind.utils.claims import claimed, claimed_folder
from gammafind.utils.files import atomic_output, naming_output
from gammafind.utils.locks import (
    ALIVE,
    LOCK,
    TEMPORARY,
    acquire,
    living_folder,
    release,
    remove_tree,
    sweep_all,
)
from tests.faults.permissions import permissions_hold

TABLE = QTable({"name": ["a"], "ra": [1.0] * u.deg, "dec": [2.0] * u.deg})
PIXELS = HealpixPixels(4)
SKY = SkyMap(
    bands=energy_bands([2, 20] * u.GeV),
    pixels=(PIXELS,),
    values=(np.ones(PIXELS.shape, dtype=np.int64),),
)


def table(path, overwrite):
    write_table(TABLE, path, overwrite=overwrite)


def counts(path, overwrite):
    write_counts(SKY, path, overwrite=overwrite)


def plain_text(path, overwrite):
    with atomic_output(path, overwrite) as temporary:
        temporary.write_text("new")


def page(path, overwrite):
    with atomic_folder(path, overwrite) as folder:
        (folder / "index.html").write_text("new")


WRITERS = {
    "a.ecsv": table,
    "a.fits": table,
    "a.fits.gz": table,
    "a.vot": table,
    "a.csv": table,
    "counts.fits": counts,
    "text.txt": plain_text,
}
ALL = {**WRITERS, "page": page}


@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(OutputError, match=rf"no/{name}: the directory"):
        ALL[name](tmp_path / "no" / name, False)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_there_stays(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(OutputError, match="already exists"):
        WRITERS[name](path, False)
    assert path.read_text() == "old"
    WRITERS[name](path, True)
    assert path.read_bytes() != b"old"
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["a directory", "a link to nothing", "a loop"])
def test_what_is_no_file_is_not_replaced(tmp_path, name, kind):
    path = tmp_path / name
    if kind == "a directory":
        path.mkdir()
        (path / "other").touch()
    else:
        path.symlink_to("nothing" if kind == "a link to nothing" else name)
    with pytest.raises(OutputError, match=name):
        ALL[name](path, False)
    assert path.is_symlink() or path.is_dir()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["a pipe", "a link to a device"])
def test_a_pipe_or_a_device_is_never_replaced(tmp_path, name, kind):
    path = tmp_path / name
    if kind == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(os.devnull)
    with pytest.raises(OutputError, match=name):
        ALL[name](path, True)
    assert not path.is_file()
    with pytest.raises(OutputError, match="a device"), claimed(path):
        pass


@pytest.mark.parametrize("name", ALL)
def test_a_null_byte_is_no_name(tmp_path, name):
    with pytest.raises(OutputError, match="null byte"):
        ALL[name](tmp_path / f"a\0{name}", True)


@pytest.mark.parametrize("name", ALL)
def test_a_name_that_is_too_long_is_named_in_short(tmp_path, name):
    path = tmp_path / f"{'n' * 300}{name}"
    with pytest.raises(OutputError, match="too long") as caught:
        ALL[name](path, False)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize("name", WRITERS)
def test_the_longest_name_is_written(tmp_path, name):
    path = tmp_path / f"{'n' * (255 - len(name))}{name}"
    WRITERS[name](path, False)
    assert path.is_file()


FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError("Not enough space on disk: requested 12108, available 0. [Errno 28] No space"),
]


@pytest.mark.parametrize("name", ["a.fits", "counts.fits"])
@pytest.mark.parametrize("fault", FULL, ids=str)
def test_a_full_disk_is_named_also_as_astropy_says_it(tmp_path, monkeypatch, name, fault):
    def fail(self, path, **_):
        Path(path).write_text("half")
        raise fault

    monkeypatch.setattr(fits.HDUList, "writeto", fail)
    (tmp_path / name).write_text("old")
    with pytest.raises(OutputError, match=rf"{name}: the disk is full"):
        WRITERS[name](tmp_path / name, True)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("number", "said"), [(28, "the disk is full"), (27, r"cannot be written \(File too large\)")]
)
def test_what_hdf5_says_of_a_disk_is_understood(tmp_path, number, said):
    text = f"flush failed (file write failed: time = now\n, errno = {number}, error message = "
    with pytest.raises(OutputError, match=f"a.h5: {said}"), naming_output(tmp_path / "a.h5"):
        raise RuntimeError(f"{text}'{os.strerror(number)}', buf = 0x1)")


def test_a_file_that_appears_in_the_meantime_stays(tmp_path):
    path = tmp_path / "a.txt"

    def write():
        with atomic_output(path) as temporary:
            temporary.write_text("mine")
            path.write_text("of another run")

    with pytest.raises(OutputError, match="already exists"):
        write()
    assert path.read_text() == "of another run"


def test_a_page_that_appears_in_the_meantime_stays(tmp_path):
    path = tmp_path / "page"

    def write():
        with atomic_folder(path) as folder:
            (folder / "index.html").write_text("mine")
            path.mkdir()
            (path / "index.html").write_text("of another run")

    with pytest.raises(OutputError, match="not empty"):
        write()
    assert (path / "index.html").read_text() == "of another run"


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_killed_run_left_is_swept_and_what_lives_is_not(tmp_path, name):
    left, other = tmp_path / ".a.x1", tmp_path / ".c.x3"
    for folder in (left, other):
        folder.mkdir()
        (folder / "half").touch()
    (left / ALIVE).touch()
    with living_folder(tmp_path, ".b.") as used:
        WRITERS[name](tmp_path / name, False)
        assert not left.exists()
        assert used.is_dir()
    assert other.is_dir()


@pytest.mark.parametrize("mark", [None, "half", f"{ALIVE}.new", ALIVE])
def test_a_folder_of_a_run_that_was_killed_at_any_step_is_swept(tmp_path, mark):
    left = tmp_path / f".a.x1{TEMPORARY}"
    left.mkdir()
    if mark:
        (left / mark).touch()
    sweep_all(tmp_path)
    assert not left.exists()


@pytest.mark.parametrize("lost", ["folder", "mark"])
def test_a_run_whose_new_folder_was_taken_for_a_rest_makes_another(tmp_path, monkeypatch, lost):
    taken = []

    def acquire_late(place):
        if not taken:
            taken.append(place)
            if lost == "folder":
                place.parent.rmdir()
            else:
                return None
        return acquire(place)

    monkeypatch.setattr(locks, "acquire", acquire_late)
    with living_folder(tmp_path, ".a.") as folder:
        assert [one.name for one in folder.iterdir()] == [ALIVE]
        assert taken[0].parent != folder


def test_where_a_disk_has_no_locks_nothing_is_swept(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with living_folder(tmp_path, ".a.") as folder:
        sweep_all(tmp_path)
        assert (folder / ALIVE).exists()


@pytest.mark.skipif(not permissions_hold(), reason="root enters all")
@pytest.mark.parametrize("name", WRITERS)
def test_a_hidden_folder_that_may_not_be_entered_is_passed_by(tmp_path, name):
    closed = tmp_path / ".closed"
    closed.mkdir(mode=0)
    WRITERS[name](tmp_path / name, False)
    assert (tmp_path / name).exists()


def test_a_tree_of_closed_folders_is_removed(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "c").touch()
    (inner / "link").symlink_to(tmp_path)
    inner.chmod(0)
    inner.parent.chmod(0)
    remove_tree(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_claim_is_held_once_and_ends_with_the_run(tmp_path):
    path = tmp_path / "a.ecsv"
    with claimed(path):
        assert acquire(tmp_path / f".a.ecsv{LOCK}") is None
        with claimed(path):
            pass
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_claim_of_another_run_is_refused_with_its_process(tmp_path):
    place = tmp_path / f".a.ecsv{LOCK}"
    lock = acquire(place)
    os.write(lock, b"process 7 on there\n")
    try:
        with (
            pytest.raises(OutputError, match=r"another run writes here \(process 7 on there\)"),
            claimed(tmp_path / "a.ecsv"),
        ):
            pass
    finally:
        release(place, lock)


def test_the_claim_of_a_killed_run_is_taken_over(tmp_path):
    (tmp_path / f".a.ecsv{LOCK}").write_text("process 7 on there\n")
    (tmp_path / f".b.ecsv{LOCK}").touch()
    with claimed(tmp_path / "a.ecsv"):
        assert [one.name for one in tmp_path.iterdir()] == [f".a.ecsv{LOCK}"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_claimed_made_and_removed_if_it_stays_empty(tmp_path):
    folder = tmp_path / "new" / "set"
    with claimed_folder(folder):
        assert [one.name for one in folder.iterdir()] == [LOCK]
    assert not folder.exists()
    with claimed_folder(folder):
        (folder / "made").touch()
    assert [one.name for one in folder.iterdir()] == ["made"]


def test_rests_in_all_folders_of_a_set_are_swept(tmp_path):
    rest = tmp_path / "set" / "part" / ".a.x1"
    rest.mkdir(parents=True)
    (rest / ALIVE).touch()
    sweep_all(tmp_path)
    assert [one.name for one in (tmp_path / "set" / "part").iterdir()] == []


@pytest.mark.skipif(not permissions_hold(), reason="root may write everywhere")
@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_may_not_be_written_is_named_before_work(tmp_path, name):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="may not be written"):
        ALL[name](closed / name, False)


def test_regions_are_written_as_whole_files(tmp_path):
    detections = QTable(
        {"ra": [1.0] * u.deg, "dec": [2.0] * u.deg, "score": [9.0], "pos_err": [0.1] * u.deg}
    )
    path = tmp_path / "a.reg"
    write_regions(publish(detections, pixels=PIXELS), path)
    with pytest.raises(OutputError, match="already exists"):
        write_regions(publish(detections, pixels=PIXELS), path)
