"""Maps of expected counts come back from their files, and nothing of them is half written."""

from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import OutputError, ShapeError
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import expected, write_expected
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from tests.sky.fits.builders import image_wcs

(BAND,) = energy_bands([1, 2] * u.GeV)


def write(path, pixels, n=3):
    rng = np.random.default_rng(1)
    maps = {f"year {i}": rng.gamma(1.0, size=pixels.shape).astype(np.float32) for i in range(n)}
    write_expected(maps, path, band=BAND, pixels=pixels, component="PSR")
    return maps


@pytest.mark.parametrize("at_once", [1 << 20, 100])
@pytest.mark.parametrize("frame", ["galactic", "fk5"])
def test_healpy_reads_each_epoch(tmp_path, monkeypatch, at_once, frame):
    monkeypatch.setattr(expected, "_PIXELS_AT_ONCE", at_once)
    path = tmp_path / "PSR_1-2GeV.fits"
    maps = write(path, HealpixPixels(8, frame))
    read, header = hp.read_map(path, field=None, h=True)
    np.testing.assert_array_equal(read, list(maps.values()))
    header = dict(header)
    assert [header[f"TTYPE{i}"] for i in (1, 2, 3)] == list(maps)
    assert header["COORDSYS"] == {"galactic": "GAL", "fk5": "CEL"}[frame]
    assert (header["COMPONEN"], header["BAND"]) == ("PSR", "1-2 GeV")
    assert (header["E_MIN"], header["E_MAX"]) == (1e6, 2e6)
    assert header["TUNIT1"] == "ct"


def test_the_file_follows_the_standard(tmp_path):
    path = tmp_path / "map.fits"
    write(path, HealpixPixels(4))
    assert path.stat().st_size % 2880 == 0
    with fits.open(path) as file:
        file.verify("exception")
        assert file["SKYMAP"].data.dtype.names == ("year 0", "year 1", "year 2")


def test_images_become_planes(tmp_path):
    pixels = WcsPixels(image_wcs("TAN"), (6, 8))
    maps = write(tmp_path / "cube.fits", pixels)
    with fits.open(tmp_path / "cube.fits") as file:
        np.testing.assert_array_equal(file[0].data, list(maps.values()))
        assert file[0].header["EPOCH2"] == "year 1"
        assert file[0].header["CTYPE1"] == pixels.wcs.to_header()["CTYPE1"]


def test_what_does_not_fit_is_refused_and_nothing_is_left(tmp_path):
    path, pixels = tmp_path / "map.fits", HealpixPixels(4)
    with pytest.raises(ShapeError, match="all has shape"):
        write_expected({"all": np.zeros(5)}, path, band=BAND, pixels=pixels, component="PSR")
    assert list(tmp_path.iterdir()) == []
    write(path, pixels)
    with pytest.raises(OutputError, match=r"map\.fits: the file already exists"):
        write(path, pixels)
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.fits"]
