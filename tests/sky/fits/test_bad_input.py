"""Every fault of an input file has its own error, which names the file and a remedy."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import (
    CoordinateSystemError,
    EnergyEdgesError,
    FileFormatError,
    HealpixError,
    InputDataError,
    InputFileError,
    MissingFileError,
    TruncatedFileError,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_counts, read_energy_edges
from tests.sky.fits.builders import (
    N_PIXELS,
    counts,
    cube,
    ebounds,
    gtbin_file,
    skymap,
    with_keywords,
    write,
)


def content(data: bytes):
    return lambda path: path.write_bytes(data)


def keywords(**changed):
    return lambda path: gtbin_file(path, **changed)


def values(change):
    def make(path):
        maps = counts().astype(float)
        change(maps)
        return gtbin_file(path, maps)

    return make


def edges(bins, **options):
    return lambda path: write(path, skymap(counts()), ebounds(bins, **options))


def cut(where):
    def make(path):
        whole = gtbin_file(path).read_bytes()
        path.write_bytes(whole[: where(len(whole))])

    return make


def explicit(index, n_values=3, **columns):
    def make(path):
        table = fits.BinTableHDU.from_columns(
            [
                fits.Column("PIX", "J", array=index),
                *[fits.Column(f"CHANNEL{i}", "J", array=np.ones(n_values)) for i in (1, 2)],
            ],
            name="SKYMAP",
        )
        write(path, with_keywords(table, INDXSCHM="EXPLICIT"), ebounds())

    return make


def text_column(path):
    table = fits.BinTableHDU.from_columns([fits.Column("NAME", "8A", array=["a"] * N_PIXELS)])
    write(path, with_keywords(table), ebounds())


def no_column(name):
    def make(path):
        table = ebounds()
        table.columns.del_col(name)
        write(path, skymap(counts()), table)

    return make


def events(path):
    column = fits.Column("ENERGY", "E", array=[1.0])
    write(path, fits.BinTableHDU.from_columns([column], name="EVENTS"))


def all_masked(maps):
    maps[:] = np.nan


def negative(maps):
    maps[1, 3] = -2


def fractional(maps):
    maps[0, 5] = 0.25


def infinite(maps):
    maps[0, 5] = np.inf


FAULTS = {
    "missing": (lambda path: None, MissingFileError, "does not exist"),
    "directory": (lambda path: path.mkdir(), MissingFileError, "is a directory"),
    "empty": (content(b""), TruncatedFileError, "empty"),
    "text": (content(b"counts\n1 2 3\n" * 400), FileFormatError, "not a FITS file"),
    "png": (content(b"\x89PNG\r\n\x1a\n" + bytes(4000)), FileFormatError, "not a FITS file"),
    "gzip of garbage": (content(b"\x1f\x8b" + bytes(80)), FileFormatError, "decompressed"),
    "cut in the primary header": (cut(lambda n: 900), TruncatedFileError, "first header"),
    "cut in a table header": (cut(lambda n: 3500), TruncatedFileError, "header of extension 1"),
    "cut in the data": (cut(lambda n: 6000), TruncatedFileError, "headers say"),
    "cut in the last table": (cut(lambda n: n - 100), TruncatedFileError, "headers say"),
    "no map": (lambda path: write(path, ebounds()), FileFormatError, "no map among"),
    "photon list": (events, FileFormatError, "photon list"),
    "no columns of numbers": (text_column, FileFormatError, "no numeric column"),
    "no NSIDE": (keywords(NSIDE=None), HealpixError, "no NSIDE"),
    "NSIDE of another length": (
        keywords(NSIDE=8),
        HealpixError,
        "768 pixels, but the table has 192",
    ),
    "NSIDE no power of two": (keywords(NSIDE=5), HealpixError, "NSIDE is 5"),
    "NSIDE broken": (keywords(NSIDE=4.5), HealpixError, "NSIDE is 4.5"),
    "NSIDE text": (keywords(NSIDE="four"), HealpixError, "NSIDE is 'four'"),
    "NSIDE negative": (keywords(NSIDE=-4), HealpixError, "NSIDE is -4"),
    "NSIDE huge": (keywords(NSIDE=2**20), HealpixError, "at most 2048"),
    "no ORDERING": (keywords(ORDERING=None), HealpixError, "no ORDERING"),
    "unknown ORDERING": (keywords(ORDERING="SPIRAL"), HealpixError, "RING and NESTED"),
    "unknown INDXSCHM": (keywords(INDXSCHM="LOCAL"), HealpixError, "INDXSCHM is 'LOCAL'"),
    "EXPLICIT without PIX": (keywords(INDXSCHM="EXPLICIT"), HealpixError, "no column PIX"),
    "pixel beyond the sky": (explicit([0, 1, 192]), HealpixError, "not pixels of NSIDE 4"),
    "pixel below zero": (explicit([0, 1, -1]), HealpixError, "not pixels of NSIDE 4"),
    "pixel twice": (explicit([0, 1, 1]), HealpixError, "occurs twice"),
    "no COORDSYS": (keywords(COORDSYS=None), CoordinateSystemError, "no COORDSYS"),
    "ecliptic": (keywords(COORDSYS="E"), CoordinateSystemError, "COORDSYS is 'E'"),
    "unknown COORDSYS": (keywords(COORDSYS="MARS"), CoordinateSystemError, "GALACTIC"),
    "no EBOUNDS": (lambda p: write(p, skymap(counts())), EnergyEdgesError, "no EBOUNDS"),
    "bins of another number": (edges([(1e6, 2e6)]), EnergyEdgesError, "1 rows for 2 maps"),
    "planes of another number": (
        lambda path: write(path, cube((3, 6, 8)), ebounds()),
        EnergyEdgesError,
        "2 rows for 3 maps",
    ),
    "no E_MIN": (no_column("E_MIN"), EnergyEdgesError, "no column E_MIN"),
    "an empty bin": (edges([(1e6, 2e6), (7e6, 7e6)]), EnergyEdgesError, "bin 2 runs from"),
    "a bin turned round": (edges([(2e6, 1e6), (2e6, 7e6)]), EnergyEdgesError, "bin 1 runs from"),
    "a bin from zero": (edges([(0, 2e6), (2e6, 7e6)]), EnergyEdgesError, "0 < E_MIN"),
    "a bin without an end": (edges([(1e6, np.nan), (2e6, 7e6)]), EnergyEdgesError, "bin 1"),
    "bins that overlap": (edges([(1e6, 3e6), (2e6, 7e6)]), EnergyEdgesError, "overlap"),
    "bins in seconds": (edges([(1, 2), (2, 7)], unit="s"), EnergyEdgesError, "in 's'"),
    "bins in nonsense": (edges([(1, 2), (2, 7)], unit="blue"), EnergyEdgesError, "in 'blue'"),
    "all masked": (values(all_masked), InputDataError, "no pixel has data"),
    "negative counts": (values(negative), InputDataError, "1 pixels have negative .* -2"),
    "expected counts": (values(fractional), InputDataError, "0.25; this looks like expected"),
    "infinite": (values(infinite), InputDataError, "CHANNEL1 has infinite"),
}


@pytest.mark.parametrize(("make", "error", "words"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named(tmp_path, make, error, words):
    path = tmp_path / "input.fits"
    make(path)
    with pytest.raises(error, match=words) as caught:
        read_counts(path)
    assert str(path) in str(caught.value)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("name", "remedy"), [("no NSIDE", "power of two"), ("text", "Accepted is")]
)
def test_the_remedy_is_told(tmp_path, name, remedy):
    path = tmp_path / "input.fits"
    FAULTS[name][0](path)
    with pytest.raises(InputFileError, match=remedy):
        read_counts(path)


@pytest.mark.parametrize("name", ["empty", "text", "no EBOUNDS", "an empty bin", "no E_MIN"])
def test_the_edges_alone_are_checked_too(tmp_path, name):
    make, error, words = FAULTS[name]
    path = tmp_path / "input.fits"
    make(path)
    with pytest.raises(error, match=words):
        read_energy_edges([path])


def test_edges_that_do_not_fit_the_preset(tmp_path):
    path = gtbin_file(tmp_path / "input.fits")
    with pytest.raises(EnergyEdgesError, match=r"input\.fits: no bins add up to 0.3-0.5 GeV"):
        read_counts(path, bands=energy_bands([0.3, 0.5] * u.GeV))
