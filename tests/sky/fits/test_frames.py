"""Images that users bring."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    MaskedPixelsWarning,
    NoWcsWarning,
    TruncatedFileError,
)
from gammafind.plugins.meerlicht.pointing import frame_wcs
from gammafind.sky.fits import read_frame, write_frame
from gammafind.sky.pixels import PlainPixels, WcsPixels

IMAGE = np.arange(48, dtype=np.float32).reshape(6, 8) + 1000
WCS = frame_wcs(10.0, -30.0, shape=(6, 8), pixel_scale=1e-4)
SCALE = 0.5 * u.arcsec


def read(path, **options):
    return read_frame(path, pixel_size=SCALE, **options)


def saved(tmp_path, *hdus):
    path = tmp_path / "image.fits"
    fits.HDUList(list(hdus)).writeto(path)
    return path


def header():
    return WCS.to_header()


@pytest.mark.parametrize("kind", [">i2", "<u2", ">i4", "<f4", ">f8", "u1"])
def test_every_type_and_byte_order_is_read(tmp_path, kind):
    values = (IMAGE % 200).astype(kind)
    frame = read(saved(tmp_path, fits.PrimaryHDU(values, header())))
    assert frame.values.dtype == np.dtype("=f4")
    assert np.array_equal(frame.values, values.astype(float))
    assert frame.valid.all()
    assert type(frame.pixels) is WcsPixels


@pytest.mark.parametrize("method", ["RICE_1", "GZIP_2"])
def test_tile_compressed_files_are_read(tmp_path, method):
    packed = fits.CompImageHDU(IMAGE.astype(np.int16), header(), compression_type=method)
    frame = read(saved(tmp_path, fits.PrimaryHDU(), packed))
    assert np.array_equal(frame.values, IMAGE)
    assert type(frame.pixels) is WcsPixels


def test_a_compressed_file_that_is_cut_off_is_named(tmp_path):
    packed = fits.CompImageHDU(
        np.random.default_rng(1).integers(0, 999, (200, 200), np.int16), header()
    )
    path = saved(tmp_path, fits.PrimaryHDU(), packed)
    path.write_bytes(path.read_bytes()[:-5760])
    with pytest.raises(TruncatedFileError, match=r"image\.fits: the file is cut off"):
        read(path)


def test_an_image_without_wcs_has_plain_pixels(tmp_path):
    path = saved(tmp_path, fits.PrimaryHDU(IMAGE))
    with pytest.warns(NoWcsWarning, match="pixel coordinates only"):
        frame = read(path)
    assert isinstance(frame.pixels, PlainPixels)
    assert not frame.pixels.celestial
    assert frame.pixels.pixel_size.to_value("arcsec") == pytest.approx(0.5)


def test_columns_of_nan_are_not_valid(tmp_path):
    values = IMAGE.copy()
    values[:, 3] = np.nan
    path = saved(tmp_path, fits.PrimaryHDU(values, header()))
    with pytest.warns(MaskedPixelsWarning, match="6 of 48 pixels"):
        frame = read(path)
    assert not frame.valid[:, 3].any()
    assert not frame.values[:, 3].any()


def test_blank_integers_are_not_valid(tmp_path):
    hdu = fits.PrimaryHDU(IMAGE.astype(np.int16), header())
    hdu.header["BLANK"] = 1005
    path = saved(tmp_path, hdu)
    with pytest.warns(MaskedPixelsWarning):
        assert np.count_nonzero(~read(path).valid) == 1


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.full((6, 8), np.nan), "no pixel has a number"),
        (np.full((6, 8), 65535.0), "same value"),
    ],
)
def test_images_without_a_sky_are_refused(tmp_path, values, fault):
    path = saved(tmp_path, fits.PrimaryHDU(values, header()))
    with pytest.raises(InputDataError, match=fault):
        read(path)


def test_of_several_images_the_science_image_is_taken(tmp_path):
    hdus = [fits.ImageHDU(IMAGE + i, header(), name=n) for i, n in enumerate(("ERR", "SCI", "DQ"))]
    path = saved(tmp_path, fits.PrimaryHDU(), *hdus)
    assert read(path).values[0, 0] == 1001
    assert read(path, extension="DQ").values[0, 0] == 1002
    for name in ("1", 1, "err"):
        assert read(path, extension=name).values[0, 0] == 1000


def test_which_of_several_images_must_be_said(tmp_path):
    hdus = [fits.ImageHDU(IMAGE, header(), name=n) for n in ("CHIP1", "CHIP2")]
    path = saved(tmp_path, fits.PrimaryHDU(), *hdus)
    with pytest.raises(FileFormatError, match=r"there are 2 images.*1 CHIP1, 2 CHIP2"):
        read(path)
    with pytest.raises(FileFormatError, match="there is no image 'CHIP3'"):
        read(path, extension="CHIP3")


def test_the_primary_image_may_be_named_by_its_number(tmp_path):
    hdus = fits.PrimaryHDU(IMAGE, header()), fits.ImageHDU(IMAGE + 1, header(), name="SCI")
    assert read(saved(tmp_path, *hdus), extension=0).values[0, 0] == 1000


@pytest.mark.parametrize("first", [(1,), (1, 1)])
def test_a_cube_of_one_plane_is_an_image(tmp_path, first):
    hdu = fits.PrimaryHDU(IMAGE.reshape(*first, 6, 8), header())
    frame = read(saved(tmp_path, hdu))
    assert np.array_equal(frame.values, IMAGE)
    assert frame.pixels.shape == (6, 8)


@pytest.mark.parametrize("shape", [(2, 6, 8), (48,), (2, 1, 6, 8)])
@pytest.mark.parametrize("extension", ["", "CUBE"])
def test_other_shapes_are_refused_by_name(tmp_path, shape, extension):
    path = saved(tmp_path, fits.PrimaryHDU(), fits.ImageHDU(np.zeros(shape), name="CUBE"))
    with pytest.raises(FileFormatError) as caught:
        read(path, extension=extension)
    text = str(caught.value)
    assert "of two axes" in text
    assert str(shape) in text
    assert "Write the plane" in text


def test_keywords_are_those_of_the_image_or_of_the_primary_hdu(tmp_path):
    primary, image = fits.PrimaryHDU(), fits.ImageHDU(IMAGE, header())
    primary.header.update({"FILTER": "r", "EXPTIME": 30.0})
    image.header["EXPTIME"] = 60.0
    frame = read(saved(tmp_path, primary, image), keywords=("EXPTIME", "FILTER", "AIRMASS"))
    assert frame.keywords == {"EXPTIME": 60.0, "FILTER": "r"}


def test_an_image_comes_back(tmp_path):
    pixels = WcsPixels(frame_wcs(10, -30, shape=(6, 8), pixel_scale=1e-4, distortion=0.5), (6, 8))
    path = write_frame(IMAGE.astype(np.uint16), tmp_path / "out.fits", pixels=pixels)
    frame = read(path)
    assert np.array_equal(frame.values, IMAGE)
    corner = pixels.wcs.pixel_to_world(0, 0)
    assert frame.pixels.xy(corner) == pytest.approx((0, 0), abs=1e-4)
