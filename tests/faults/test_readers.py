"""Reader by fault: each ends in one line of ours that names the file, soon and in little memory."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import warnings
from pathlib import Path

import pytest
from astropy.io import fits
from fuzz import check_file
from fuzz_files import CORPUS

from gammafind.errors import GammafindError, InputFileError
from tests.faults.permissions import permissions_hold

OF_TABLES = [seed for seed in CORPUS if seed.name.endswith((".fits", ".ecsv", ".vot", ".csv"))]
OF_FITS = [seed for seed in CORPUS if seed.name.endswith(".fits")]
MOST = 300e6
"""Bytes of memory of a reader."""


def read_all(seed, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in seed.read:
            read(path)


def fault_of(seed, path):
    """Error that a reader ends with; it is of ours, short, on one line, and names the file."""
    tracemalloc.start()
    try:
        with pytest.raises(GammafindError) as caught:
            read_all(seed, path)
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert len(text) <= 500
    assert text.isprintable()
    assert path.name[:10] in text
    return caught.value


@pytest.mark.parametrize("seed", CORPUS, ids=lambda seed: seed.name)
def test_whole_files_are_read(seed, corpus):
    read_all(seed, corpus[seed.name])


def in_a_loop(path):
    path.symlink_to(path)


PLACES = {
    "missing": lambda path: None,
    "a directory": Path.mkdir,
    "empty": Path.touch,
    "in a loop of links": in_a_loop,
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("seed", CORPUS, ids=lambda seed: seed.name)
def test_files_that_cannot_be_opened_are_named(seed, place, tmp_path):
    PLACES[place](tmp_path / seed.name)
    fault_of(seed, tmp_path / seed.name)


@pytest.mark.parametrize("seed", CORPUS[:-1], ids=lambda seed: seed.name)
@pytest.mark.parametrize("length", [300, 5000])
def test_names_that_are_too_long_are_named(seed, length, tmp_path):
    path = tmp_path / f"{'n' * length}{Path(seed.name).suffix}"
    assert len(str(fault_of(seed, path))) <= 500


CONTENTS = {
    "bytes": bytes(range(256)) * 20,
    "zeros": bytes(6000),
    "HTML": b"<!DOCTYPE html>\n<html><body>404 not found</body></html>\n",
    "a line of 2 MB": b"x" * 2_000_000,
    "a gzip file cut off": gzip.compress(b"SIMPLE  =" + bytes(9000))[:60],
    "the head of a FITS file": b"SIMPLE  =                    T".ljust(2880),
    "brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("seed", OF_TABLES, ids=lambda seed: seed.name)
def test_files_of_another_kind_are_refused(seed, content, tmp_path):
    path = tmp_path / seed.name
    path.write_bytes(CONTENTS[content])
    fault_of(seed, path)


@pytest.mark.parametrize("other", ["truth.vot", "preset.toml", "list.txt"])
@pytest.mark.parametrize("seed", OF_FITS[:4], ids=lambda seed: seed.name)
def test_files_that_others_need_are_refused(seed, other, tmp_path, corpus):
    path = tmp_path / seed.name
    path.write_bytes(corpus[other].read_bytes()[:3000])
    fault_of(seed, path)


CARDS = {
    "NAXIS1": (-1, 2**31, 2**62, "abc", 1.5),
    "NAXIS2": (-1, 4 * 10**9, 2**62),
    "NAXIS": (-1, 4 * 10**9, "abc"),
    "BITPIX": (7, 0, "abc"),
    "PCOUNT": (2**40, -1),
    "TFIELDS": (2**40, -1, 998),
    "TFORM1": ("ZZ", "1PJ(4000000000)", "99999999999J", 5),
    "TTYPE1": (5,),
    "TZERO1": ("abc",),
    "TSCAL1": ("abc",),
    "TDIM1": ("(9,9,9)", "abc"),
    "ZNAXIS1": (-1, 10**9),
    "ZNAXIS2": (10**6,),
    "ZTILE1": (10**9, 0),
    "ZBITPIX": (7,),
    "ZCMPTYPE": ("NOPE",),
    "XTENSION": ("NOPE",),
    "NSIDE": (3, -1, 2**29, 10**30, "abc", 1.5),
}


def with_card(path, key, value):
    """The same file with another value in the last header that has the card."""
    content = path.read_bytes()
    places = [one.start() for one in re.finditer(rb"%-8s= " % key.encode(), content)]
    if not places:
        return None
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    card = f"{key:8}= {shown:>20}"[:80].ljust(80).encode()
    return content[: places[0]] + card + content[places[0] + 80 :]


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, vs in CARDS.items() for v in vs])
def test_headers_that_cannot_be_are_refused_or_harmless(key, value, tmp_path, corpus):
    for seed in OF_FITS:
        content = with_card(corpus[seed.name], key, value)
        if content is None:
            continue
        path = tmp_path / seed.name
        path.write_bytes(content)
        outcome = check_file(path, seed)
        assert outcome.fault == ""


@pytest.mark.parametrize("card", ["CRPIX1", "CRVAL1", "CRVAL2"])
def test_an_image_whose_reference_lies_nowhere_is_refused(card, tmp_path, corpus):
    path = tmp_path / "image.fits"
    path.write_bytes(with_card(corpus["image.fits"], card, 1e300))
    fault_of(next(one for one in CORPUS if one.name == "image.fits"), path)


def test_a_card_that_is_there_twice_is_checked_both_times(tmp_path, corpus):
    content = corpus["image.fits"].read_bytes()
    place = content.index(b"END" + b" " * 77)
    second = b"NAXIS   =        1099511627776".ljust(80)
    path = tmp_path / "image.fits"
    path.write_bytes(content[:place] + second + b"END".ljust(80) + content[place + 160 :])
    seed = next(one for one in CORPUS if one.name == "image.fits")
    assert "NAXIS" in fault_of(seed, path).fault


@pytest.mark.parametrize("start", [b" " * 80, b"XTENSIOM" + b" " * 72, b"END".ljust(80)])
def test_a_header_that_does_not_begin_as_one_is_not_followed_to_the_next(start, tmp_path, corpus):
    content = corpus["background.fits"].read_bytes()
    place = content.index(b"XTENSION")
    content = content[:place] + start + content[place + 80 :]
    place = content.rindex(b"TFIELDS =")
    content = content[:place] + b"TFIELDS = 9223372036854775807" + content[place + 29 :]
    path = tmp_path / "background.fits"
    path.write_bytes(content)
    seed = next(one for one in CORPUS if one.name == "background.fits")
    assert check_file(path, seed).fault == ""
    fault_of(seed, path)


@pytest.mark.parametrize("number", [10**9, 1 << 62, "abc", -1, 1.5])
def test_any_number_of_cuts_is_read_as_far_as_there_are_cards(number, tmp_path, corpus):
    from gammafind.sky.fits import read_selections

    path = tmp_path / "ft1.fits"
    path.write_bytes(with_card(corpus["ft1.fits"], "NDSKEYS", number))
    assert len(read_selections(path)) in (0, 1, 2)


def test_a_pixel_of_fine_pixels_is_no_map(tmp_path):
    columns = [fits.Column(name, "J", array=[5]) for name in ("PIX", "CHANNEL1")]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(
        PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=8192, INDXSCHM="EXPLICIT"
    )
    path = tmp_path / "one.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    assert "cannot hold" in fault_of(CORPUS[0], path).fault


def test_channels_beyond_all_files_are_refused(tmp_path):
    columns = [
        fits.Column(name, "K", array=[value])
        for name, value in (("PIX", 5), ("CHANNEL", 1 << 62), ("VALUE", 1))
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(
        PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=16, INDXSCHM="SPARSE"
    )
    path = tmp_path / "sparse.fits"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    fault_of(CORPUS[0], path)


@pytest.mark.parametrize("name", ["hpx.fits", "truth.ecsv", "truth.vot", "plain.csv"])
def test_a_gzipped_file_may_not_fill_the_memory(name, tmp_path, corpus, monkeypatch):
    from gammafind.utils import limits

    monkeypatch.setattr(limits, "_SMALL", 1 << 20)
    monkeypatch.setattr(limits, "_CHUNK", 1 << 16)
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(corpus[name].read_bytes() + bytes(64 << 20)))
    seed = next(one for one in CORPUS if one.name == name)
    assert "MiB of data" in fault_of(seed, path).fault


@pytest.mark.skipif(not permissions_hold(), reason="root may read everything")
def test_a_folder_that_may_not_be_entered_is_named(tmp_path, corpus):
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "hpx.fits").write_bytes(corpus["hpx.fits"].read_bytes())
    closed.chmod(0)
    try:
        assert isinstance(fault_of(CORPUS[0], closed / "hpx.fits"), InputFileError)
    finally:
        closed.chmod(0o700)
