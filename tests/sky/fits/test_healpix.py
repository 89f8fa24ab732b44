"""HEALPix tables of every kind give the same map."""

from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.errors import HealpixError, MaskedPixelsWarning
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import finer, read_counts, read_layers
from tests.sky.fits.builders import (
    N_PIXELS,
    NSIDE,
    counts,
    ebounds,
    gtbin_file,
    skymap,
    with_keywords,
    write,
)

BAND = energy_bands([1, 2] * u.GeV)


def explicit_table(values: np.ndarray, index: np.ndarray, **keywords) -> fits.BinTableHDU:
    columns = [
        fits.Column("PIX", "J", array=index),
        fits.Column("CHANNEL1", "J", array=values[0]),
        fits.Column("CHANNEL2", "J", array=values[1]),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    return with_keywords(table, INDXSCHM="EXPLICIT", FIRSTPIX=None, LASTPIX=None, **keywords)


@pytest.mark.parametrize("first", [0, 1])
def test_channels_count_from_zero_or_one(tmp_path, first):
    sky = read_counts(gtbin_file(tmp_path / "map.fits", first=first))
    np.testing.assert_array_equal(sky.values, counts())
    assert [band.name for band in sky.bands] == ["1-2 GeV", "2-7 GeV"]


def test_channels_stand_in_the_order_of_their_numbers(tmp_path):
    maps = counts(11)
    table = skymap(maps)
    shuffled = fits.BinTableHDU.from_columns(table.columns[::-1], header=None, name="SKYMAP")
    path = write(tmp_path / "map.fits", with_keywords(shuffled))
    np.testing.assert_array_equal(read_layers(path).values, maps)


def test_nested_is_reordered_by_position_on_the_sky(tmp_path):
    """One photon at a known place is found there, whatever the order of the file."""
    place = SkyCoord(120.0, 33.0, unit="deg", frame="galactic")
    for ordering in ("RING", "NESTED", "nested"):
        nest = ordering != "RING"
        pixel = hp.ang2pix(NSIDE, 120.0, 33.0, nest=nest, lonlat=True)
        maps = np.zeros((2, N_PIXELS), dtype=int)
        maps[:, pixel] = 5
        sky = read_counts(gtbin_file(tmp_path / f"{ordering}.fits", maps, ORDERING=ordering))
        assert sky.values[0][sky.pixels[0].pixel_of(place)] == 5
        assert sky.values[0].sum() == 5


@pytest.mark.parametrize(
    ("keyword", "frame"),
    [
        ("GAL", "galactic"),
        ("G", "galactic"),
        ("GALACTIC", "galactic"),
        ("CEL", "icrs"),
        ("EQU", "icrs"),
        ("C", "icrs"),
        ("Celestial ", "icrs"),
    ],
)
def test_coordinate_systems(tmp_path, keyword, frame):
    path = gtbin_file(tmp_path / "map.fits", COORDSYS=keyword)
    assert read_counts(path).pixels[0].frame == frame


def test_a_header_without_the_optional_keywords_is_enough(tmp_path):
    path = gtbin_file(
        tmp_path / "map.fits", PIXTYPE=None, FIRSTPIX=None, LASTPIX=None, INDXSCHM=None
    )
    np.testing.assert_array_equal(read_counts(path).values, counts())


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_pixels_that_an_explicit_file_leaves_out_are_not_valid(tmp_path, ordering):
    index = np.array([3, 100, 17, 64])
    values = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    path = write(
        tmp_path / "part.fits", explicit_table(values, index, ORDERING=ordering), ebounds()
    )
    sky = read_counts(path)
    ring = index if ordering == "RING" else hp.nest2ring(NSIDE, index)
    np.testing.assert_array_equal(sky.values[1][ring], values[1])
    np.testing.assert_array_equal(np.sort(np.flatnonzero(sky.valid[0])), np.sort(ring))


def test_pixels_that_a_sparse_file_leaves_out_are_zero(tmp_path):
    columns = [
        fits.Column("PIX", "J", array=[7, 7, 90]),
        fits.Column("CHANNEL", "I", array=[0, 1, 1]),
        fits.Column("VALUE", "E", array=[2, 3, 4]),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table = with_keywords(table, INDXSCHM="SPARSE")
    edges = ebounds([(1e6, 2e6), (2e6, 7e6), (7e6, 2e7)])
    sky = read_counts(write(tmp_path / "sparse.fits", table, edges))
    assert all(valid.all() for valid in sky.valid)
    assert [int(values.sum()) for values in sky.values] == [2, 7, 0]
    assert sky.values[1][90] == 4


@pytest.mark.parametrize("nest", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_healpy_maps(tmp_path, nest, partial):
    ring = counts(1)[0].astype(float)
    if partial:
        ring[150:] = hp.UNSEEN
    data = hp.reorder(ring, r2n=True) if nest else ring
    path = tmp_path / "healpy.fits"
    hp.write_map(path, data, nest=nest, partial=partial, coord="G", dtype=np.float32)
    sky = read_counts(path, bands=BAND)
    seen = ring != hp.UNSEEN
    np.testing.assert_array_equal(sky.values[0][seen], ring[seen])
    np.testing.assert_array_equal(sky.valid[0], seen)


def test_null_pixels_of_unsigned_counts_are_masked(tmp_path):
    data = counts(1)[0].astype(np.uint16)
    data[5] = 65535
    column = fits.Column("CHANNEL1", "I", array=data, bzero=32768, null=32767)
    table = with_keywords(fits.BinTableHDU.from_columns([column], name="SKYMAP"))
    with pytest.warns(MaskedPixelsWarning, match="1 of 192"):
        sky = read_counts(write(tmp_path / "unsigned.fits", table), bands=BAND)
    assert np.flatnonzero(~sky.valid[0]).tolist() == [5]
    np.testing.assert_array_equal(np.delete(sky.values[0], 5), np.delete(data, 5))


def test_healpy_rows_of_1024_pixels(tmp_path):
    data = np.random.default_rng(0).poisson(1.0, hp.nside2npix(32)).astype(np.float32)
    path = tmp_path / "rows.fits"
    column = fits.Column("TEMPERATURE", "1024E", array=data.reshape(-1, 1024))
    table = fits.BinTableHDU.from_columns([column])
    write(path, with_keywords(table, NSIDE=32, LASTPIX=data.size - 1))
    np.testing.assert_array_equal(read_counts(path, bands=BAND).values[0], data)


def test_a_healpy_map_without_coordsys_needs_to_be_told(tmp_path):
    path = tmp_path / "healpy.fits"
    hp.write_map(path, counts(1)[0].astype(float), dtype=np.float64)
    assert read_counts(path, bands=BAND, frame="icrs").pixels[0].frame == "icrs"


def test_unseen_nan_and_null_pixels_are_masked_and_told(tmp_path):
    maps = counts().astype(float)
    maps[0, :3] = np.nan
    maps[1, 2:5] = hp.UNSEEN
    path = gtbin_file(tmp_path / "holes.fits", maps)
    with pytest.warns(MaskedPixelsWarning, match=r"holes\.fits: 5 of 192 pixels"):
        sky = read_counts(path)
    assert np.flatnonzero(~sky.valid[0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(~sky.valid[1]).tolist() == [2, 3, 4]
    assert not sky.values[1][2:5].any()


def test_integer_nulls_are_masked(tmp_path):
    values = counts(1)[0]
    values[8] = -99
    column = fits.Column("CHANNEL1", "J", array=values, null=-99)
    table = with_keywords(fits.BinTableHDU.from_columns([column], name="SKYMAP"))
    path = write(tmp_path / "null.fits", table)
    with pytest.warns(MaskedPixelsWarning, match="1 of 192"):
        sky = read_counts(path, bands=BAND)
    assert np.flatnonzero(~sky.valid[0]).tolist() == [8]


def fine_list(nside, index, values, *, ordering="RING", name="CHANNEL1"):
    """A list of pixels finer than maps are."""
    columns = [fits.Column("PIX", "K", array=index), fits.Column(name, "E", array=values)]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    return with_keywords(
        table, NSIDE=nside, ORDERING=ordering, INDXSCHM="EXPLICIT", FIRSTPIX=None, LASTPIX=None
    )


@pytest.fixture
def coarse(monkeypatch):
    """Maps of at most nside 16, as if that were the largest."""
    monkeypatch.setattr(finer, "LARGEST_NSIDE", 16)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_finer_pixels_of_a_list_are_added_up(tmp_path, coarse, ordering):
    nest = ordering == "NESTED"
    index = hp.query_disc(64, [1, 0, 0], np.radians(20), nest=nest)
    values = np.random.default_rng(3).poisson(0.5, index.size)
    path = write(tmp_path / "fine.fits", fine_list(64, index, values, ordering=ordering))
    layers = read_layers(path)
    full = np.zeros(12 * 64**2)
    full[hp.nest2ring(64, index) if nest else index] = values
    expected = hp.ud_grade(full, 16, power=-2)
    (found,), (valid,) = layers.values, layers.valid
    assert layers.pixels.nside == 16
    np.testing.assert_allclose(found[valid], expected[valid])
    # Of pixels at the rim not all is known.
    inside = hp.query_disc(16, [1, 0, 0], np.radians(15))
    assert valid[inside].all()
    assert valid.sum() < hp.query_disc(16, [1, 0, 0], np.radians(20)).size
    exposure = read_layers(path, want="exposure").values[0]
    np.testing.assert_allclose(exposure[valid], expected[valid] / 16)


def test_a_list_that_leaves_out_empty_pixels_stays_one_when_added_up(tmp_path, coarse):
    values = np.random.default_rng(4).poisson(0.02, 12 * 64**2)
    index = np.flatnonzero(values)
    layers = read_layers(write(tmp_path / "fine.fits", fine_list(64, index, values[index])))
    assert layers.values[0].sum() == values.sum()
    assert layers.values[0][layers.valid[0]].min() >= 1


@pytest.mark.parametrize("nside", [4096, 8192])
def test_pixels_of_a_region_are_read_at_any_nside(tmp_path, nside):
    index = hp.query_disc(nside, [0, 0, 1], np.radians(0.3))
    path = write(tmp_path / "fine.fits", fine_list(nside, index, np.ones(index.size)))
    layers = read_layers(path)
    (found,), (valid,) = layers.values, layers.valid
    assert layers.pixels.nside == 2048
    assert set(found[valid]) == {(nside // 2048) ** 2}


def test_a_whole_map_of_finer_pixels_is_refused_with_what_helps(tmp_path):
    path = write(tmp_path / "fine.fits", skymap(np.ones((1, 12)), NSIDE=4096, LASTPIX=11))
    with pytest.raises(HealpixError, match=r"all 201326592 pixels of NSIDE 4096 .* NSIDE 2048"):
        read_layers(path)
