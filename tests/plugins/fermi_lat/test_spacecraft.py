"""Livetime and exposure from spacecraft files."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

import gammafind
from gammafind.errors import FileFormatError, InputDataError, OptionError, PointingWarning
from gammafind.plugins.fermi_lat.irf import Pointings, read_livetime_cube
from gammafind.plugins.fermi_lat.irf.livetime import sqrt_edges
from gammafind.plugins.fermi_lat.photons.ft2 import write_spacecraft
from gammafind.plugins.fermi_lat.photons.pointing import STEP, survey_pointing
from gammafind.plugins.fermi_lat.spacecraft import livetime_cube, read_pointings
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_exposure, read_good_times
from gammafind.sky.fits.write_exposure import write_exposure


@pytest.fixture(scope="module")
def day():
    return survey_pointing("2014-08-07", 6 * u.h)


@pytest.fixture(scope="module")
def ft2(day, tmp_path_factory):
    path = tmp_path_factory.mktemp("ft2") / "ft2.fits"
    write_spacecraft(day, path)
    return path


def rows(pointing):
    start = pointing.start + STEP * np.arange(int((pointing.stop - pointing.start) / STEP))
    attitude = pointing.attitude(start)
    livetime = pointing.livetime_until(start + STEP) - pointing.livetime_until(start)
    return attitude.z, attitude.zenith, livetime, livetime**2 / STEP


def test_a_cube_is_the_sum_over_pointings(day):
    z, zenith, livetime, weighted = rows(day)
    pointings = Pointings()
    pointings.add(z, zenith, livetime, weighted)
    cube = pointings.cube(95.0, nside=4)
    at = cube.pixels.vectors[7]
    seen = (z @ at > 0) & (zenith @ at >= np.cos(np.radians(95)))
    index = 39 - (40 * np.sqrt(1 - z[seen] @ at)).astype(int)
    expected = np.bincount(index, weights=livetime[seen], minlength=40)
    np.testing.assert_allclose(cube.livetime[7], expected, rtol=1e-5)
    assert cube.weighted[7].sum() == pytest.approx(weighted[seen].sum(), rel=1e-5)


def test_merged_pointings_give_the_same_livetime(day):
    exact, merged = Pointings(), Pointings(most=300)
    for pointings in (exact, merged):
        pointings.add(*rows(day))
    assert merged.livetime == pytest.approx(exact.livetime)
    one, other = (each.cube(90.0, nside=4).livetime.sum(axis=1) for each in (exact, merged))
    np.testing.assert_allclose(one, other, atol=0.03 * one.max())


def test_livetime_of_one_day_is_that_of_gtltcube(shared):
    folder = shared / "fermi/reference/fermitools_crab_1day"
    official = read_livetime_cube(folder / "ltcube.fits.gz")
    good = read_good_times(folder / "ft1.fits.gz")
    pointings, time = read_pointings(folder / "ft2.fits.gz", good)
    order = np.argsort(official.cos_theta)
    cube = pointings.cube(180.0, nside=16, edges=sqrt_edges(20))
    for name in ("livetime", "weighted"):
        ours, theirs = getattr(cube, name), getattr(official, name)[:, order]
        used = theirs > 0.01 * theirs.max()
        assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-6)
        assert np.mean(np.abs(ours[used] / theirs[used] - 1) < 0.01) > 0.999
    assert time == pytest.approx(np.diff(good, axis=1).sum())


def test_rows_in_several_files_count_once(ft2, tmp_path):
    again = tmp_path / "again.fits"
    again.write_bytes(ft2.read_bytes())
    once, _ = read_pointings(ft2)
    twice, _ = read_pointings([ft2, again])
    assert twice.livetime == pytest.approx(once.livetime)


def test_good_time_beyond_the_files_is_a_warning(day, ft2):
    beyond = np.array([[day.start, day.stop + 3e4]])
    with pytest.warns(PointingWarning, match=r"only 41\.\d+ %"):
        livetime_cube(ft2, max_zenith=90.0, good_times=beyond, nside=4)
    with pytest.raises(InputDataError, match="no livetime in the good time"):
        livetime_cube(ft2, max_zenith=90.0, good_times=beyond + 1e6, nside=4)


def test_what_is_no_spacecraft_file(ft2, tmp_path):
    other = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU()]).writeto(other)
    with pytest.raises(FileFormatError, match="no SC_DATA"):
        read_pointings(other)
    with fits.open(ft2) as file:
        file["SC_DATA"].data["LIVETIME"][3] = 40.0
        file.writeto(tmp_path / "long.fits")
    with pytest.raises(InputDataError, match="longer than its row"):
        read_pointings(tmp_path / "long.fits")


@pytest.fixture(scope="module")
def lat():
    return gammafind.create(
        "renderer",
        "fermi-lat",
        irf="P8R3_SOURCE_V3",
        event_types=("FRONT", "BACK"),
        energies=(1, 10),
        nsides=(16,),
    )


def test_the_exposure_follows_from_the_pointing(lat, day, ft2, tmp_path):
    assert lat.holds_pointing(ft2)
    pointed = lat.with_pointing([ft2], max_zenith=100 * u.deg)
    assert pointed.max_zeniths == (100.0,)
    exposure = pointed.exposure()
    cubes = pointed.exposure_cubes()
    assert list(cubes) == ["FRONT", "BACK"]
    path = write_exposure(cubes["FRONT"], tmp_path / "front.fits")
    read = read_exposure(
        path, bands=energy_bands([1, 10] * u.GeV), pixels=lat.pixels[:1], index=2.3
    )
    seen = pointed.seen_exposure(
        gammafind.SkyMap(lat.bands, lat.pixels, (read.values[0], read.values[0]), "exposure")
    )
    np.testing.assert_allclose(
        exposure.values[0], seen.values[0], rtol=0.02, atol=0.01 * seen.values[0].max()
    )
    half = (day.start + day.stop) / 2
    parts = [
        lat.with_pointing([ft2], max_zenith=100 * u.deg, span=span).exposure().values[0].sum()
        for span in ((day.start, half), (half, day.stop))
    ]
    assert sum(parts) == pytest.approx(exposure.values[0].sum(), rel=1e-3)


def test_an_instrument_without_spacecraft_files_refuses_them():
    camera = gammafind.create("renderer", "meerlicht")
    assert not camera.holds_pointing("ft2.fits")
    with pytest.raises(OptionError, match="which has none"):
        camera.with_pointing(["ft2.fits"])
    with pytest.raises(OptionError, match="no exposure cubes"):
        camera.exposure_cubes()
