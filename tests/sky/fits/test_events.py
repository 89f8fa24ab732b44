"""Photon lists and their binning."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.errors import FileFormatError, InputDataError, OptionError, ShapeError
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import (
    bin_events,
    read_counts,
    read_events,
    read_selections,
)
from gammafind.sky.pixels import HealpixPixels
from tests.sky.fits.builders import gtbin_file, write


def ft1(path, ra, dec, energy, *, types=None, unit="MeV", **keywords):
    columns = [
        fits.Column("ENERGY", "E", unit=unit, array=energy),
        fits.Column("RA", "E", unit="deg", array=ra),
        fits.Column("DEC", "E", unit="deg", array=dec),
    ]
    if types is not None:
        bits = [[bool(value >> (31 - i) & 1) for i in range(32)] for value in types]
        columns.append(fits.Column("EVENT_TYPE", "32X", array=np.array(bits)))
    table = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    table.header.update(keywords)
    return write(path, table)


def test_photons_are_read_with_their_masks_and_cuts(tmp_path):
    path = ft1(
        tmp_path / "ft1.fits",
        [10, 20],
        [-5, 60],
        [150, 3e4],
        types=[1 | 32, 2 | 4],
        NDSKEYS=1,
        DSTYP1="ENERGY",
        DSVAL1="100:500000",
        DSUNI1="MeV",
    )
    events = read_events(path)
    np.testing.assert_allclose(events.positions.dec.deg, [-5, 60])
    np.testing.assert_allclose(events.energies.to_value(u.GeV), [0.15, 30])
    assert events.event_type.tolist() == [33, 6]
    assert events.event_class.tolist() == [0, 0]
    assert events.selections == read_selections(path) == ("ENERGY = 100:500000 MeV",)


def test_selecting_is_recorded(tmp_path):
    path = ft1(tmp_path / "ft1.fits", [10, 20], [-5, 60], [150, 3e4], types=[33, 6])
    events = read_events(path)
    front = events.select(events.event_type & 1 > 0, cut="FRONT only")
    assert len(front) == 1
    assert front.positions.ra.deg == pytest.approx([10])
    assert front.selections[-1] == "FRONT only"
    with pytest.raises(ShapeError):
        events.select(np.array([True]), cut="wrong")


def test_files_are_joined(tmp_path):
    one = ft1(tmp_path / "one.fits", [10], [1], [150])
    two = ft1(tmp_path / "two.fits", [20, 30], [2, 3], [250, 350])
    events = read_events([one, two])
    np.testing.assert_allclose(events.positions.ra.deg, [10, 20, 30])
    assert [item["name"] for item in events.meta["inputs"]] == ["one.fits", "two.fits"]


def test_photons_fall_into_their_bands_and_pixels(tmp_path):
    rng = np.random.default_rng(3)
    n = 500
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    energy = rng.choice([500.0, 1000.0, 1999.0, 2000.0, 8000.0], n)
    events = read_events(ft1(tmp_path / "ft1.fits", ra, dec, energy))
    pixels = [HealpixPixels(8), HealpixPixels(16, "icrs")]
    sky = bin_events(events, bands=energy_bands([1, 2, 8] * u.GeV), pixels=pixels)
    assert int(sky.values[0].sum()) == np.isin(energy, [1000, 1999]).sum()
    assert int(sky.values[1].sum()) == (energy == 2000).sum()
    first = SkyCoord(events.positions[energy == 2000][0])
    assert sky.values[1][pixels[1].pixel_of(first)] >= 1
    assert sky.kind == "counts"


def test_a_pixelisation_a_band_is_needed(tmp_path):
    events = read_events(ft1(tmp_path / "ft1.fits", [1], [1], [1000]))
    with pytest.raises(ShapeError, match="1 pixelisations for 2 bands"):
        bin_events(events, bands=energy_bands([1, 2, 8] * u.GeV), pixels=[HealpixPixels(8)])


def test_what_is_no_photon_list(tmp_path):
    path = gtbin_file(tmp_path / "map.fits")
    with pytest.raises(FileFormatError, match=r"map\.fits: no EVENTS among"):
        read_events(path)
    with pytest.raises(OptionError, match="no file"):
        read_events([])


@pytest.mark.parametrize(
    ("ra", "dec", "energy"),
    [(np.nan, 0, 100), (0, 91, 100), (0, np.nan, 100), (0, 0, np.nan)],
)
def test_photons_without_a_place_or_an_energy_are_refused(tmp_path, ra, dec, energy):
    path = ft1(tmp_path / "ft1.fits", [ra], [dec], [energy])
    with pytest.raises(InputDataError, match=r"ft1\.fits: a photon"):
        read_events(path)


def test_a_missing_column_and_a_wrong_unit(tmp_path):
    column = fits.Column("ENERGY", "E", array=[1.0])
    path = write(tmp_path / "a.fits", fits.BinTableHDU.from_columns([column], name="EVENTS"))
    with pytest.raises(FileFormatError, match="no column RA"):
        read_events(path)
    path = ft1(tmp_path / "b.fits", [1], [1], [1], unit="s")
    with pytest.raises(FileFormatError, match="column ENERGY has float32 in 's'"):
        read_events(path)


def test_the_crab_is_binned_as_gtbin_does(shared):
    """Pixel by pixel, but for three photons within 2 arcsec of a pixel edge.

    The Galactic coordinates of the Fermitools are 1.9 arcsec off those of astropy.
    """
    folder = shared / "fermi/reference/fermitools_crab_1day"
    official = read_counts(folder / "cntmap.fits.gz")
    events = read_events(folder / "ft1.fits.gz")
    assert len(events) == 1507
    ours = bin_events(events, bands=official.bands, pixels=official.pixels)
    for mine, theirs in zip(ours.values, official.values, strict=True):
        assert mine.sum() == theirs.sum()
    x, y = official.pixels[0].xy(events.positions)
    arcsec = 0.2 * 3600 * np.minimum(*(np.abs((c + 0.5) - np.rint(c + 0.5)) for c in (x, y)))
    near = bin_events(
        events.select(arcsec < 2, cut="near an edge"), bands=ours.bands, pixels=ours.pixels
    )
    unlike = sum(np.abs(a - b).sum() for a, b in zip(ours.values, official.values, strict=True))
    assert unlike <= 2 * sum(values.sum() for values in near.values)
    assert unlike == 6


def circle(ra, dec, radius):
    return {"NDSKEYS": 1, "DSTYP1": "POS(RA,DEC)", "DSVAL1": f"CIRCLE({ra},{dec},{radius})"}


def test_pixels_outside_the_circles_of_all_files_hold_no_data(tmp_path):
    first = ft1(tmp_path / "a.fits", [83.6], [22], [3e3], **circle(83.6, 22.0, 15))
    second = ft1(tmp_path / "b.fits", [180], [-60], [3e3], **circle(180, -60.0, "1.0e1"))
    whole = ft1(tmp_path / "c.fits", [0], [0], [3e3])
    grid = HealpixPixels(16)
    bands = energy_bands([2, 20] * u.GeV)
    lists = {"one": [first], "both": [first, second], "all": [first, second, whole]}
    valid = {
        name: bin_events(read_events(paths), bands=bands, pixels=[grid]).valid[0]
        for name, paths in lists.items()
    }
    far = [
        SkyCoord(ra, dec, unit="deg").separation(grid.centres()).deg > radius
        for ra, dec, radius in ((83.6, 22, 15), (180, -60, 10))
    ]
    np.testing.assert_array_equal(valid["one"], ~far[0])
    np.testing.assert_array_equal(valid["both"], ~(far[0] & far[1]))
    assert valid["all"].all()


def test_a_circle_of_the_whole_sky_leaves_it_whole(tmp_path):
    path = ft1(tmp_path / "a.fits", [83.6], [22], [3e3], **circle("0.0", "0.0", "180.0"))
    sky = bin_events(
        read_events(path), bands=energy_bands([2, 20] * u.GeV), pixels=[HealpixPixels(4)]
    )
    assert sky.valid[0].all()
