"""Patterns and lists of file names."""

from pathlib import Path

import pytest

from gammafind.errors import MissingFileError
from gammafind.utils.listing import listed


@pytest.fixture
def folder(tmp_path):
    for name in ("b.fits", "a.fits", "c[1].fits"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_patterns_and_lists_stand_for_their_files(folder):
    (folder / "all.txt").write_text("# photons\n[ab].fits\n\nc[1].fits\n")
    assert [path.name for path in listed(folder / "[ab].fits")] == ["a.fits", "b.fits"]
    assert [path.name for path in listed(f"@{folder}/all.txt")] == ["a.fits", "b.fits", "c[1].fits"]


def test_a_file_of_exactly_this_name_comes_first(folder):
    assert listed([folder / "c[1].fits", folder / "other.fits"]) == (
        folder / "c[1].fits",
        folder / "other.fits",
    )


def test_patterns_without_files_and_empty_lists_are_refused(folder):
    (folder / "none.txt").write_text("# nothing\n")
    with pytest.raises(MissingFileError, match="no file fits"):
        listed(folder / "z*.fits")
    with pytest.raises(MissingFileError, match="names no file"):
        listed(f"@{folder}/none.txt")
    with pytest.raises(MissingFileError, match="does not exist"):
        listed("@nowhere.txt")


def test_an_hdu_in_brackets_is_no_pattern(folder):
    maps, other = folder / "maps.fits", folder / "maps_1.fits"
    maps.write_text("x")
    other.write_text("x")
    assert listed(f"{maps}[COUNTS]") == (Path(f"{maps}[COUNTS]"),)
    assert listed(folder / "maps_[12].fits") == (other,)
