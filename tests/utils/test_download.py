"""Downloads from a server on this machine: whole and checked, or not at all."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from gammafind.errors import DownloadError, OutputError
from gammafind.utils import download as module
from gammafind.utils.download import download, fault_of
from gammafind.utils.progress import progress_bars
from tests.utils.server import Site, served

CONTENT = bytes(range(256)) * 4000
KNOWN = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        site.files["/a.fits"] = CONTENT
        yield site


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "a.fits"


def left(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_a_file_comes_whole_and_nothing_else_stays(site, path):
    assert download([f"{site.url}/a.fits"], path, **KNOWN) == path
    assert path.read_bytes() == CONTENT
    assert left(path) == ["a.fits"]


def test_a_file_of_which_nothing_is_known_comes_too(site, path):
    download([f"{site.url}/a.fits"], path)
    assert path.read_bytes() == CONTENT


def test_a_broken_connection_goes_on_where_it_was(site, path):
    site.breaks_after = [1000, 300_000]
    download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in site.asked] == ["", "bytes=1000-", "bytes=301000-"]


def test_the_next_call_goes_on_where_the_last_one_gave_up(site, path, monkeypatch):
    monkeypatch.setattr(module, "_ATTEMPTS", 1)
    site.breaks_after = [5000, 0, 0]
    with pytest.raises(DownloadError, match=r"5,000 bytes are kept: the same command goes on"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert left(path) == ["a.fits.part"]
    site.breaks_after = []
    download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT
    assert site.asked[-1][1] == "bytes=5000-"


def test_a_part_without_a_checksum_is_not_continued(site, path):
    path.parent.mkdir()
    path.with_name("a.fits.part").write_bytes(b"of another version")
    download([f"{site.url}/a.fits"], path)
    assert path.read_bytes() == CONTENT
    assert site.asked == [("/a.fits", "")]


def test_a_server_without_ranges_begins_again(site, path):
    site.knows_range = False
    site.breaks_after = [1000]
    download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_breaks_is_given_up(site, path):
    site.knows_range = False
    site.breaks_after = [1000] * 100
    with pytest.raises(DownloadError, match="cannot be downloaded"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert len(site.asked) == 6


def test_a_part_that_is_complete_is_only_checked(site, path):
    path.parent.mkdir()
    path.with_name("a.fits.part").write_bytes(CONTENT)
    download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT
    assert left(path) == ["a.fits"]


def test_a_part_that_is_too_long_is_begun_again(site, path):
    path.parent.mkdir()
    path.with_name("a.fits.part").write_bytes(CONTENT + b"more")
    download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT


def test_a_wrong_checksum_keeps_nothing_and_leaves_the_old_file(site, path):
    path.parent.mkdir()
    path.write_bytes(b"old")
    site.files["/a.fits"] = CONTENT[::-1]
    with pytest.raises(DownloadError, match=r"not this file: its checksum differs\. Nothing"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == b"old"
    assert left(path) == ["a.fits"]


def test_a_file_of_another_size_is_not_downloaded(site, path):
    site.files["/a.fits"] = CONTENT + b"more"
    with pytest.raises(DownloadError, match=r"1,024,004 bytes instead of 1,024,000"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert left(path) == []


def test_the_next_address_is_tried_where_one_has_no_such_file(site, path):
    download([f"{site.url}/gone.fits", f"{site.url}/a.fits"], path, **KNOWN)
    assert path.read_bytes() == CONTENT


def test_addresses_that_refuse_are_named(site, path):
    with pytest.raises(DownloadError, match=r"gone.fits: 404 Not Found"):
        download([f"{site.url}/gone.fits"], path, **KNOWN)
    assert left(path) == []


def test_a_server_that_is_not_there_is_named(path):
    with served() as site:
        url = f"{site.url}/a.fits"
    with pytest.raises(DownloadError, match="Connection refused"):
        download([url], path, **KNOWN)


def test_a_disk_without_room_is_refused_before_anything_comes(site, path, monkeypatch):
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda folder: module.shutil._ntuple_diskusage(10, 9, 500_000)
    )
    with pytest.raises(OutputError, match="the disk has 0 MB free, and 1 MB are missing"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert site.asked == []
    assert left(path) == []


def test_a_disk_that_becomes_full_is_named(site, path, monkeypatch):
    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_receive", full)
    with pytest.raises(OutputError, match="the disk is full"):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert left(path) == []


def test_a_folder_that_cannot_be_made_is_named(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        download([f"{site.url}/a.fits"], tmp_path / "file" / "a.fits", **KNOWN)


def test_two_downloads_of_one_file_do_not_mix(site, path):
    pytest.importorskip("fcntl")
    with (
        module._part_file(path.with_name("a.fits.part"), path),
        pytest.raises(DownloadError, match="another process is downloading this file"),
    ):
        download([f"{site.url}/a.fits"], path, **KNOWN)


def test_progress_is_shown_on_a_terminal(site, path):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with progress_bars(terminal):
        download([f"{site.url}/a.fits"], path, **KNOWN)
    assert "a.fits:" in terminal.getvalue()


def test_a_file_at_hand_is_checked_packed_or_not(tmp_path):
    plain, packed = tmp_path / "a.fits", tmp_path / "a.fits.gz"
    plain.write_bytes(CONTENT)
    packed.write_bytes(gzip.compress(CONTENT))
    assert [fault_of(one, **KNOWN) for one in (plain, packed)] == ["", ""]
    plain.write_bytes(CONTENT[:-1])
    assert fault_of(plain, **KNOWN) == "it has 1,023,999 bytes instead of 1,024,000"
    plain.write_bytes(CONTENT[::-1])
    assert fault_of(plain, **KNOWN) == "its checksum differs"
    packed.write_bytes(packed.read_bytes()[:500])
    assert fault_of(packed, **KNOWN).startswith("it cannot be read")
