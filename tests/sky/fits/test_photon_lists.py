"""Long and damaged photon lists, photons that come twice, and lists that fill a part of the sky."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    NoPhotonsError,
    PartialSkyWarning,
    RepeatedPhotonsWarning,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import PhotonLists, bin_events, read_events, read_selections, table_rows
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import positions_of
from tests.sky.fits.builders import write

BANDS = energy_bands([1, 10] * u.GeV)


def photon_list(path, n=100, *, first=0, rng=None, ids=True, **more):
    """Photons of the whole sky, or at given places, numbered from ``first``."""
    rng = np.random.default_rng(first) if rng is None else rng
    number = first + np.arange(n)
    vectors = rng.normal(size=(n, 3))
    sky = positions_of(vectors / np.linalg.norm(vectors, axis=1)[:, None], "icrs")
    columns = {
        "ENERGY": ("E", "MeV", np.full(n, 2000.0)),
        "RA": ("E", "deg", sky.ra.deg),
        "DEC": ("E", "deg", sky.dec.deg),
        "TIME": ("D", "s", 10.0 * number),
        "ZENITH_ANGLE": ("E", "deg", number % 100),
    }
    if ids:
        columns |= {"RUN_ID": ("J", None, number // 50), "EVENT_ID": ("J", None, number % 50)}
    columns |= more
    made = [
        fits.Column(name, form, unit=unit, array=array)
        for name, (form, unit, array) in columns.items()
        if array is not None
    ]
    table = fits.BinTableHDU.from_columns(made, name="EVENTS")
    table.header.update(TSTART=10.0 * first, TSTOP=10.0 * (first + n))
    return write(path, table)


@pytest.mark.parametrize("ids", [True, False])
def test_photons_of_overlapping_lists_are_counted_once(ids, tmp_path, monkeypatch):
    monkeypatch.setattr(table_rows, "AT_ONCE", 30)
    sky = np.random.default_rng(5).uniform([0, -60], [360, 60], (150, 2))
    places = [
        {"RA": ("D", "deg", sky[part, 0]), "DEC": ("D", "deg", sky[part, 1])}
        for part in (slice(0, 100), slice(50, 150))
    ]
    paths = [
        photon_list(tmp_path / f"{first}.fits", first=first, ids=ids, **where)
        for first, where in zip((0, 50), places, strict=True)
    ]
    with pytest.warns(RepeatedPhotonsWarning, match="50 of 200 photons"):
        events = read_events(paths)
    assert sorted(events.times.value) == (10.0 * np.arange(150)).tolist()


def test_a_file_that_is_given_twice_counts_once(tmp_path):
    path = photon_list(tmp_path / "ft1.fits")
    with pytest.warns(RepeatedPhotonsWarning, match="is the same file"):
        assert len(read_events([path, path])) == 100


def test_equal_photons_without_times_and_numbers_all_count(tmp_path):
    same = np.full(40, 5.0)
    path = photon_list(
        tmp_path / "ft1.fits", 40, ids=False,
        TIME=("D", "s", None), RA=("E", "deg", same), DEC=("E", "deg", same),
    )  # fmt: skip
    assert len(read_events(path)) == 40


def test_times_are_chosen(tmp_path):
    paths = [photon_list(tmp_path / f"{i}.fits", first=i) for i in (0, 100)]
    lists = PhotonLists.of(tmp_path / "*.fits", good_times=np.array([[0.0, 1500.0]]))
    assert lists.paths == tuple(paths)
    assert lists.size() == (200, 0.0, 2000.0)
    assert sum(map(len, lists)) == 151
    nothing = PhotonLists(paths=lists.paths, span=(5e3, 6e3))
    with pytest.raises(NoPhotonsError, match="within the chosen time"):
        list(nothing)


@pytest.mark.parametrize("bits", [{}, {"EVENT_TYPE": ("32X", None, np.zeros((0, 32), dtype=bool))}])
def test_an_empty_list_is_one_clear_error(bits, tmp_path):
    with pytest.raises(NoPhotonsError, match=r"ft1\.fits: there is no photon: the list is empty"):
        read_events(photon_list(tmp_path / "ft1.fits", 0, **bits))


def test_zenith_angles_are_cut_in_each_band(tmp_path):
    path = photon_list(tmp_path / "ft1.fits")
    grid = HealpixPixels(1)
    sky = bin_events(read_events(path), bands=BANDS, pixels=[grid], max_zenith=[49] * u.deg)
    assert sky.values[0].sum() == 50


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ({"RA": ("2E", "deg", np.zeros((100, 2)))}, FileFormatError),
        ({"ENERGY": ("E", "MeV", np.full(100, np.nan))}, InputDataError),
        ({"DEC": ("4A", None, np.full(100, "x"))}, FileFormatError),
    ],
)
def test_damaged_columns_are_named(column, error, tmp_path):
    with pytest.raises(error, match=r"ft1\.fits"):
        read_events(photon_list(tmp_path / "ft1.fits", **column))


def test_units_scales_and_bits_of_columns(tmp_path):
    bits = np.zeros((100, 3), dtype=bool)
    bits[:, 2] = True
    path = photon_list(
        tmp_path / "ft1.fits",
        ENERGY=("E", "GeV", np.full(100, 2.0)),
        DEC=("E", "rad", np.full(100, 0.5)),
        EVENT_TYPE=("3X", None, bits),
        EVENT_CLASS=("J", None, np.full(100, 128)),
    )
    events = read_events(path)
    assert events.energies[0] == 2 * u.GeV
    assert events.positions.dec[0].rad == pytest.approx(0.5)
    assert set(events.event_type) == {1}
    assert set(events.event_class) == {128}


def test_events_that_are_an_image_are_refused(tmp_path):
    path = write(tmp_path / "x.fits", fits.ImageHDU(np.zeros((2, 2)), name="EVENTS"))
    with pytest.raises(FileFormatError, match="no binary table"):
        read_events(path)


@pytest.mark.parametrize("number", [10**9, "x", -1, 1.5])
def test_damaged_keywords_of_cuts_take_no_time(number, tmp_path):
    path = photon_list(tmp_path / "ft1.fits")
    cards = {"NDSKEYS": number, "DSTYP1": "ENERGY", "DSVAL1": "1:2", "DSUNI1": "MeV"}
    with fits.open(path, mode="update") as file:
        file["EVENTS"].header.update(cards)
    expected = () if number == -1 else ("ENERGY = 1:2 MeV",)
    assert read_selections(path) == expected


def around(n, ra, dec, radius, rng):
    """Places in a circle, evenly."""
    lon, lat = np.radians([ra, dec])
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    vectors = rng.normal(size=(200_000, 3))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    inside = vectors[vectors @ centre > np.cos(np.radians(radius))][:n]
    return positions_of(inside, "icrs")


def test_a_region_without_its_circle_is_recognised(tmp_path):
    rng = np.random.default_rng(2)
    sky = around(1500, 83.6, 22.0, 15, rng)
    n = len(sky)
    places = {"RA": ("E", "deg", sky.ra.deg), "DEC": ("E", "deg", sky.dec.deg)}
    path = photon_list(tmp_path / "ft1.fits", n, **places)
    grid = HealpixPixels(64, "icrs")
    with pytest.warns(PartialSkyWarning, match=r"circle of 1[45]\.?\d* deg around 8[34]"):
        found = bin_events(read_events(path), bands=BANDS, pixels=[grid])
    share = found.valid[0].mean()
    assert share == pytest.approx((1 - np.cos(np.radians(15))) / 2, rel=0.03)


@pytest.mark.parametrize("n", [3, 30, 3000])
def test_a_list_of_the_whole_sky_stays_whole(n, tmp_path):
    path = photon_list(tmp_path / "ft1.fits", n)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sky = bin_events(read_events(path), bands=BANDS, pixels=[HealpixPixels(8)])
    assert sky.valid[0].all()


@pytest.mark.parametrize("outside", [True, False])
def test_a_list_without_the_plane_or_of_it_alone_is_recognised(outside, tmp_path):
    rng = np.random.default_rng(4)
    sky = around(40_000, 0, 0, 180, rng)
    sky = sky[(np.abs(sky.galactic.b.deg) > 25) == outside]
    places = {"RA": ("E", "deg", sky.ra.deg), "DEC": ("E", "deg", sky.dec.deg)}
    path = photon_list(tmp_path / "ft1.fits", len(sky), **places)
    # A cut on the latitude is not in gtselect's header, and other keywords are no circle.
    with fits.open(path, "update") as file:
        file["EVENTS"].header.update(NDSKEYS=1, DSTYP1="GLAT", DSVAL1="25:90", DSUNI1="deg")
    grid = HealpixPixels(32)
    with pytest.warns(PartialSkyWarning, match="the photons fill only"):
        found = bin_events(read_events(path), bands=BANDS, pixels=[grid])
    there = (np.abs(grid.centres().b.deg) > 25) == outside
    assert np.mean(found.valid[0] == there) > 0.93
    assert np.sum(found.values[0][~found.valid[0]]) == 0


def within(path, *circles):
    """Put circles into the header of a photon list."""
    with fits.open(path, "update") as file:
        file["EVENTS"].header["NDSKEYS"] = len(circles)
        for number, circle in enumerate(circles, start=1):
            cards = {"DSTYP": "POS(RA,DEC)", "DSVAL": circle, "DSUNI": "deg"}
            file["EVENTS"].header.update({f"{key}{number}": card for key, card in cards.items()})
    return path


def test_of_several_circles_the_photons_are_in_all(tmp_path):
    path = within(photon_list(tmp_path / "ft1.fits"), "CIRCLE(83,22,15)", "CIRCLE(95,22,15)")
    grid = HealpixPixels(64, "icrs")
    found = bin_events(read_events(path), bands=BANDS, pixels=[grid])
    centres = SkyCoord([83, 95], 22, unit="deg")
    apart = centres[:, None].separation(grid.centres()).deg
    assert np.array_equal(found.valid[0], np.all(apart <= 15, axis=0))


def test_circles_that_are_apart_are_one_clear_error(tmp_path):
    path = within(photon_list(tmp_path / "ft1.fits"), "CIRCLE(83,22,15)", "CIRCLE(195,22,15)")
    with pytest.raises(InputDataError, match=r"ft1\.fits: the region of the header is empty"):
        bin_events(read_events(path), bands=BANDS, pixels=[HealpixPixels(64)])
