"""Count maps are written so that others read them, and come back as they were."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import MaskedPixelsWarning, OptionError, OutputError, ShapeError
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits import (
    read_counts,
    read_selections,
    write_counts,
    write_counts_by_nside,
)
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from tests.sky.fits.builders import image_wcs

BANDS = energy_bands([0.3, 0.5, 1] * u.GeV)


def sky_on(*pixels, valid=None, bands=BANDS):
    rng = np.random.default_rng(4)
    values = tuple(rng.poisson(2.0, size=each.shape) for each in pixels)
    return SkyMap(bands, pixels, values, valid=valid, meta={"preset": "test"})


def same(one: SkyMap, other: SkyMap) -> None:
    for a, b in zip(one.bands, other.bands, strict=True):
        assert a.name == b.name
        np.testing.assert_allclose(a.edges.to_value(u.keV), b.edges.to_value(u.keV), rtol=1e-12)
    for i in range(one.n_bands):
        np.testing.assert_array_equal(one.values[i], other.values[i])
        np.testing.assert_array_equal(one.valid[i], other.valid[i])


@pytest.mark.parametrize("frame", ["galactic", "icrs", "fk5"])
@pytest.mark.parametrize("name", ["sky.fits", "sky.fits.gz"])
def test_healpix_comes_back(tmp_path, frame, name):
    sky = sky_on(*[HealpixPixels(8, frame)] * 2)
    path = write_counts(sky, tmp_path / name)
    back = read_counts(path)
    same(sky, back)
    assert back.pixels == sky.pixels
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")


def test_an_image_and_a_cube_come_back(tmp_path):
    pixels = WcsPixels(image_wcs("TAN"), (6, 8))
    for number in (1, 2):
        sky = sky_on(*[pixels] * number, bands=BANDS[:number])
        back = read_counts(write_counts(sky, tmp_path / f"cube{number}.fits"))
        same(sky, back)
        separation = pixels.centres().separation(back.pixels[0].centres())
        assert separation.max() < 1e-6 * u.arcsec


def test_pixels_without_data_come_back(tmp_path):
    for name, pixels in (
        ("table", HealpixPixels(4)),
        ("cube", WcsPixels(image_wcs(), (6, 8))),
    ):
        hole = np.ones(pixels.shape, dtype=bool)
        hole.flat[:7] = False
        sky = sky_on(pixels, pixels, valid=(hole, np.ones_like(hole)))
        path = write_counts(sky, tmp_path / f"{name}.fits")
        with pytest.warns(MaskedPixelsWarning, match="7 of"):
            same(sky, read_counts(path))


def test_healpy_reads_it(tmp_path):
    sky = sky_on(*[HealpixPixels(8)] * 2)
    path = write_counts(sky, tmp_path / "sky.fits")
    maps, header = hp.read_map(path, field=(0, 1), h=True)
    np.testing.assert_array_equal(maps, sky.values)
    assert dict(header)["COORDSYS"] == "GAL"


def test_the_file_says_how_it_was_made(tmp_path):
    path = write_counts(sky_on(*[HealpixPixels(4)] * 2), tmp_path / "sky.fits")
    header = fits.getheader(path)
    assert header["CREATOR"].startswith("gammafind ")
    assert "preset: test" in list(header["HISTORY"])


CUTS = (
    "BIT_MASK(EVENT_CLASS,1024,P8R3) = 1:1",
    "POS(RA,DEC) = CIRCLE(0,0,180) deg",
    "ENERGY = 300:1000 MeV",
)


@pytest.mark.parametrize("pixels", [HealpixPixels(4), WcsPixels(image_wcs("TAN"), (6, 8))])
def test_the_cuts_come_back_as_dss_keywords(tmp_path, pixels):
    sky = replace(sky_on(pixels, pixels), meta={"selections": (*CUTS, "TIME = TABLE", "by hand")})
    path = write_counts(sky, tmp_path / "sky.fits")
    assert read_counts(path).meta["selections"] == CUTS
    header = fits.getheader(path, "SKYMAP" if isinstance(pixels, HealpixPixels) else 0)
    assert (header["NDSKEYS"], header["DSTYP1"]) == (3, "BIT_MASK(EVENT_CLASS,1024,P8R3)")
    assert (header["DSVAL1"], header["DSUNI1"], header["DSUNI3"]) == ("1:1", "DIMENSIONLESS", "MeV")


def test_each_nside_gets_a_file(tmp_path):
    bands = (*BANDS, Band("1-2 GeV", 1 * u.GeV, 2 * u.GeV))
    sky = sky_on(HealpixPixels(4), HealpixPixels(8), HealpixPixels(8), bands=bands)
    paths = write_counts_by_nside(sky, tmp_path)
    assert [path.name for path in paths] == ["counts_nside4.fits", "counts_nside8.fits"]
    same(sky, read_counts(paths))
    with pytest.raises(OutputError, match=r"counts_nside4\.fits: the file already exists"):
        write_counts_by_nside(sky, tmp_path)
    assert len(write_counts_by_nside(sky, tmp_path, overwrite=True)) == 2


def test_bands_of_the_same_energies_get_files_of_their_own(tmp_path):
    types = ("PSF2", "PSF3")
    bands = [replace(band, name=f"{band.name} {kind}") for kind in types for band in BANDS]
    paths = write_counts_by_nside(sky_on(*[HealpixPixels(4)] * 4, bands=bands), tmp_path)
    names = [path.name for path in paths]
    assert names == ["counts_PSF2_nside4.fits", "counts_PSF3_nside4.fits"]
    assert [read_counts(path).n_bands for path in paths] == [2, 2]


def test_one_file_holds_one_pixelisation(tmp_path):
    mixed = sky_on(HealpixPixels(4), HealpixPixels(8))
    with pytest.raises(ShapeError, match="different pixels"):
        write_counts(mixed, tmp_path / "sky.fits")
    image = sky_on(HealpixPixels(4), WcsPixels(image_wcs(), (6, 8)))
    with pytest.raises(ShapeError, match="HEALPix"):
        write_counts_by_nside(image, tmp_path)
    assert not list(tmp_path.iterdir())


def test_only_counts_are_written(tmp_path):
    sky = sky_on(*[HealpixPixels(4)] * 2).map(np.sqrt, kind="expected counts")
    with pytest.raises(OptionError, match="contains expected counts"):
        write_counts(sky, tmp_path / "sky.fits")


def test_nothing_is_overwritten_unasked_nor_half_written(tmp_path):
    sky = sky_on(*[HealpixPixels(4)] * 2)
    path = write_counts(sky, tmp_path / "sky.fits")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_counts(sky, path)
    assert path.read_bytes() == before
    with pytest.raises(OutputError, match="does not exist"):
        write_counts(sky, tmp_path / "none" / "sky.fits")
    assert write_counts(sky, path, overwrite=True) == path
    assert [entry.name for entry in tmp_path.iterdir()] == ["sky.fits"]


@pytest.mark.parametrize("pixels", [HealpixPixels(4), WcsPixels(image_wcs(), (6, 8))])
def test_counts_beyond_32_bits_come_back(tmp_path, pixels):
    sky = sky_on(pixels, pixels)
    sky.values[1].flat[3] = 3_000_000_000
    same(sky, read_counts(write_counts(sky, tmp_path / "sky.fits")))


def test_each_band_may_have_cuts_of_its_own(tmp_path):
    types = ("PSF2", "PSF3")
    bands = [replace(band, name=f"{band.name} {kind}") for kind in types for band in BANDS]
    cuts = [("CLASS = 7:7", f"TYPE = {kind}:{kind}") for kind in (2, 3) for _ in BANDS]
    sky = sky_on(*[HealpixPixels(4)] * 4, bands=bands)
    paths = write_counts_by_nside(sky, tmp_path, selections=cuts)
    assert [read_selections(path) for path in paths] == [cuts[0], cuts[2]]
    whole = write_counts(sky, tmp_path / "all.fits", selections=cuts)
    assert read_selections(whole) == ("CLASS = 7:7",)


def test_cuts_of_another_number_of_bands_are_refused(tmp_path):
    sky = sky_on(*[HealpixPixels(4)] * 2)
    with pytest.raises(OptionError, match="the selections of 1 bands for 2"):
        write_counts(sky, tmp_path / "sky.fits", selections=[()])
    assert not list(tmp_path.iterdir())
