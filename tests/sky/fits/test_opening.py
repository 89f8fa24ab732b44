"""A file is whole, or a named error says why not."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gammafind.errors import FileFormatError, InputFileError, MissingFileError, TruncatedFileError
from gammafind.sky.fits import open_fits, read_counts
from tests.sky.fits.builders import counts, gtbin_file, skymap, write


@pytest.fixture
def whole(tmp_path):
    return gtbin_file(tmp_path / "whole.fits")


def test_a_plain_and_a_gzipped_file_open_alike(whole, tmp_path):
    packed = tmp_path / "whole.fits.gz"
    packed.write_bytes(gzip.compress(whole.read_bytes()))
    for path in (whole, packed):
        with open_fits(path) as file:
            assert [hdu.name for hdu in file] == ["PRIMARY", "SKYMAP", "EBOUNDS"]
            np.testing.assert_array_equal(file["SKYMAP"].data["CHANNEL1"], counts()[0])


def test_gzip_is_known_by_its_content_not_by_its_name(whole, tmp_path):
    path = tmp_path / "packed.fits"
    path.write_bytes(gzip.compress(whole.read_bytes()))
    assert read_counts(path).n_bands == 2


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_no_cut_passes_as_a_count_map(whole, fraction):
    content = whole.read_bytes()
    path = whole.with_name("cut.fits")
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(InputFileError) as caught:
        read_counts(path)
    assert "cut.fits" in str(caught.value)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "empty"),
        (5, "first header"),
        (2000, "first header"),
        (2880 + 1000, "header of extension 1"),
        (2 * 2880 + 300, "bytes, its headers say"),
        (-2880 - 100, "header of extension 2"),
        (-1, "bytes, its headers say"),
    ],
)
def test_each_place_of_a_cut_is_named(whole, length, words):
    content = whole.read_bytes()
    whole.write_bytes(content[:length])
    with pytest.raises(TruncatedFileError, match=words), open_fits(whole):
        pass


def test_a_cut_gzip_is_truncated_and_a_wrong_one_is_no_fits(whole, tmp_path):
    path = tmp_path / "cut.fits.gz"
    packed = gzip.compress(whole.read_bytes())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(TruncatedFileError, match=r"cut off\. Copy or download"), open_fits(path):
        pass
    path.write_bytes(b"\x1f\x8b" + b"garbage" * 20)
    with pytest.raises(FileFormatError, match="cannot be decompressed"), open_fits(path):
        pass
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(TruncatedFileError, match="empty"), open_fits(path):
        pass


@pytest.mark.parametrize(
    "content", [b"RA,Dec\n1,2\n" * 500, b"\x89PNG\r\n\x1a\n" + bytes(5000)], ids=["text", "png"]
)
def test_what_is_not_fits_says_so(tmp_path, content):
    path = tmp_path / "map.fits"
    path.write_bytes(content)
    with (
        pytest.raises(FileFormatError, match=r"map\.fits: this is not a FITS file"),
        open_fits(path),
    ):
        pass


def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"), open_fits(tmp_path / "none.fits"):
        pass
    with pytest.raises(MissingFileError, match="directory"), open_fits(tmp_path):
        pass


@pytest.mark.parametrize("keyword", ["TFORM1", "TFIELDS", "NAXIS2"])
def test_a_damaged_header_is_named(whole, keyword):
    content = bytearray(whole.read_bytes())
    card = content.index(f"{keyword:8}=".encode())
    content[card + 10 : card + 30] = b"?" * 20
    whole.write_bytes(content)
    with pytest.raises(InputFileError, match=r"damaged|cut off"):
        read_counts(whole)


def test_remarks_on_units_are_silent(tmp_path):
    table = skymap(counts(1))
    table.header["TUNIT1"] = "photons of some sort"
    path = write(tmp_path / "odd.fits", table)
    with open_fits(path) as file:
        assert file[1].columns[0].unit == "photons of some sort"


def test_the_file_is_closed_when_the_block_is_left(whole):
    with open_fits(whole) as file:
        stream = file.fileinfo(0)["file"]
        assert not stream.closed
    assert stream.closed


def test_bytes_after_the_last_extension_are_allowed(whole):
    whole.write_bytes(whole.read_bytes() + b"\0" * 2880)
    assert read_counts(whole).n_bands == 2
