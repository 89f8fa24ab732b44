"""Images and cubes with a celestial WCS."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.errors import CoordinateSystemError, FileFormatError, MaskedPixelsWarning
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_counts, read_layers
from tests.sky.fits.builders import cube, ebounds, image_wcs, write

BAND = energy_bands([1, 2] * u.GeV)


def test_a_cube_gives_a_band_a_plane(tmp_path):
    hdu = cube()
    sky = read_counts(write(tmp_path / "ccube.fits", hdu, ebounds()))
    np.testing.assert_array_equal(sky.values, hdu.data)
    assert sky.pixels[0].shape == (6, 8)
    assert sky.pixels[0].frame == "galactic"


def test_the_wcs_says_where_a_pixel_is(tmp_path):
    data = np.zeros((6, 8), dtype=np.int16)
    data[4, 1] = 3
    header = image_wcs("TAN", prefix=("RA", "DEC")).to_header()
    path = write(tmp_path / "cmap.fits", fits.PrimaryHDU(data, header=header))
    sky = read_counts(path, bands=BAND)
    place = image_wcs("TAN", prefix=("RA", "DEC")).pixel_to_world(1, 4)
    assert sky.values[0].flat[sky.pixels[0].pixel_of(place)] == 3


def test_axes_may_be_exchanged(tmp_path):
    data = np.zeros((6, 8), dtype=np.int16)
    data[2, 5] = 1
    wcs = image_wcs("CAR", prefix=("DEC", "RA"))
    wcs.wcs.crval = [0.0, 184.0]
    wcs.wcs.cdelt = [1.0, -1.0]
    path = write(tmp_path / "swap.fits", fits.PrimaryHDU(data, header=wcs.to_header()))
    sky = read_counts(path, bands=BAND)
    place = SkyCoord(184.0 - (2 - 2.5), 5 - 3.5, unit="deg")
    assert sky.values[0].flat[sky.pixels[0].pixel_of(place)] == 1


def test_an_image_in_an_extension_is_found(tmp_path):
    hdu = cube((6, 8))
    path = write(tmp_path / "ext.fits", fits.ImageHDU(hdu.data, header=hdu.header))
    np.testing.assert_array_equal(read_counts(path, bands=BAND).values[0], hdu.data)


def test_the_corners_of_an_all_sky_aitoff_map_are_not_valid_and_not_warned_of(tmp_path):
    wcs = image_wcs("AIT", step=10.0)
    wcs.wcs.crpix = [18.5, 9.5]
    hdu = fits.PrimaryHDU(np.ones((18, 36), dtype=np.int32), header=wcs.to_header())
    sky = read_counts(write(tmp_path / "ait.fits", hdu), bands=BAND)
    assert not sky.valid[0][0, 0]
    assert sky.valid[0][9, 18]
    ellipse = 4 * np.pi / np.radians(360) / np.radians(180)
    assert 0.85 * ellipse < sky.valid[0].mean() < ellipse  # pixels across the rim are left out


def test_nan_pixels_of_an_image_are_masked(tmp_path):
    hdu = cube((6, 8))
    hdu.data = hdu.data.astype(np.float32)
    hdu.data[0, :2] = np.nan
    path = write(tmp_path / "nan.fits", hdu)
    with pytest.warns(MaskedPixelsWarning, match=r"nan\.fits: 2 of 48"):
        sky = read_counts(path, bands=BAND)
    assert not sky.valid[0][0, :2].any()


@pytest.mark.parametrize("key", ["CRVAL1", "CRPIX2", "CDELT1", "CD1_2"])
@pytest.mark.parametrize("value", ["abc", True, None])
def test_text_in_the_place_of_a_number_is_refused(tmp_path, key, value):
    hdu = cube((6, 8))
    hdu.header[key] = value
    path = write(tmp_path / "odd.fits", hdu)
    with pytest.raises(FileFormatError, match=rf"odd\.fits: the WCS cannot be used: {key} is"):
        read_counts(path, bands=BAND)


def test_pixels_of_no_size_are_refused(tmp_path):
    hdu = cube((6, 8))
    hdu.header["CDELT1"] = 0.0
    path = write(tmp_path / "flat.fits", hdu)
    with pytest.raises(FileFormatError, match=r"flat\.fits: the WCS cannot be used"):
        read_counts(path, bands=BAND)


@pytest.mark.parametrize("prefix", [("ELON", "ELAT"), ("SLON", "SLAT"), ("HLON", "HLAT")])
@pytest.mark.parametrize("system", ["", "ICRS", "FK5"])
def test_ecliptic_and_other_axes_are_refused(tmp_path, prefix, system):
    wcs = image_wcs("TAN", prefix=prefix)
    wcs.wcs.radesys = system
    hdu = fits.PrimaryHDU(np.ones((6, 8), np.int16), header=wcs.to_header())
    path = write(tmp_path / "odd.fits", hdu)
    with pytest.raises(CoordinateSystemError, match=rf"odd\.fits: .*{prefix[0]}-TAN.*RA and DEC"):
        read_counts(path, bands=BAND)


@pytest.mark.parametrize("prefix", [("WAVE", "POS"), ("HPLN-TAN", "HPLT-TAN")])
def test_an_image_without_a_known_celestial_frame(tmp_path, prefix):
    header = fits.Header()
    for axis, name in enumerate(prefix, start=1):
        header.update({f"CTYPE{axis}": name, f"CDELT{axis}": 1.0})
    path = write(tmp_path / "odd.fits", fits.PrimaryHDU(np.ones((6, 8), np.int16), header=header))
    with pytest.raises(CoordinateSystemError, match=r"odd\.fits: .*(axes|unknown frame)"):
        read_counts(path, bands=BAND)


@pytest.mark.parametrize(("first", "lon"), [(1, 180.0), (0.5, 360.0), (18.5, 0.0), (36, 200.0)])
def test_a_plate_carree_image_holds_the_whole_circle_wherever_it_begins(tmp_path, first, lon):
    wcs = image_wcs("CAR", step=10.0)
    wcs.wcs.crpix, wcs.wcs.crval = [first, 9.5], [lon, 0.0]
    data = np.arange(18 * 36, dtype=np.int32).reshape(18, 36)
    path = write(tmp_path / "car.fits", fits.PrimaryHDU(data, header=wcs.to_header()))
    sky = read_counts(path, bands=BAND)
    assert sky.valid[0].all()
    x, y = np.meshgrid(np.arange(36), np.arange(18))
    places = SkyCoord(
        (lon + (x + 1 - first) * wcs.wcs.cdelt[0]) * u.deg,
        (y + 1 - 9.5) * wcs.wcs.cdelt[1] * u.deg,
        frame="galactic",
    )
    assert sky.pixels[0].centres().separation(places).max() < 1e-9 * u.deg
    np.testing.assert_array_equal(sky.pixels[0].pixel_of(places), data)


@pytest.mark.parametrize(("frame", "equinox"), [("FK5", 1975.0), ("FK4", 1950.0)])
def test_frames_of_another_equinox_are_refused(tmp_path, frame, equinox):
    wcs = image_wcs("TAN", prefix=("RA", "DEC"))
    wcs.wcs.radesys, wcs.wcs.equinox = frame, equinox
    hdu = fits.PrimaryHDU(np.ones((6, 8), np.int16), header=wcs.to_header())
    path = write(tmp_path / "old.fits", hdu)
    with pytest.raises(
        CoordinateSystemError, match=rf"old\.fits: .*{frame.lower()}, EQUINOX = {equinox}"
    ):
        read_counts(path, bands=BAND)


def test_an_axis_of_one_plane_changes_nothing(tmp_path):
    path = write(tmp_path / "four.fits", cube((1, 2, 6, 8)), ebounds())
    assert len(read_layers(path).names) == 2


def test_two_axes_next_to_the_sky_are_refused(tmp_path):
    path = write(tmp_path / "four.fits", cube((2, 2, 6, 8)))
    with pytest.raises(FileFormatError, match="4 axes"):
        read_counts(path, bands=BAND)


def test_gtbin_cube_of_the_crab(shared):
    path = shared / "fermi/reference/fermitools_crab_1day/cntmap.fits.gz"
    sky = read_counts(path)
    assert sky.n_bands == 20
    assert sum(int(values.sum()) for values in sky.values) == 853
    assert "ZENITH_ANGLE = 0:90 deg" in sky.meta["selections"]
    summed = read_counts(path, bands=energy_bands([0.2, 2, 20] * u.GeV))
    assert [int(values.sum()) for values in summed.values] == [799, 54]
