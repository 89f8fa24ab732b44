from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.errors import FileFormatError, OptionError
from gammafind.plugins.fermi_lat.irf import LivetimeProfile, read_livetime_cube, survey_profile

EDGES = 1 - np.linspace(1, 0, 41) ** 2


def write_cube(path, *, nside=4, ordering="NESTED", coordsys="EQU", phi_bins=0, bounds=True):
    """Write a cube in which the first bin holds the declination + 100 of each pixel."""
    n_pixels = 12 * nside**2
    order = {"nest": ordering != "RING"}
    _, dec = hp.pix2ang(nside, np.arange(n_pixels), lonlat=True, **order)
    bins = np.zeros((n_pixels, 3 * (1 + phi_bins)), dtype=np.float32)
    bins[:, 0], bins[:, 3:] = dec + 100, 7
    table = fits.BinTableHDU.from_columns(
        [fits.Column("COSBINS", f"{bins.shape[1]}E", array=bins)], name="EXPOSURE"
    )
    table.header.update(
        ORDERING=ordering, COORDSYS=coordsys, NSIDE=nside, THETABIN="SQRT(1-COSTHETA)"
    )
    edges = 1 - (np.arange(4) / 3) ** 2
    cosines = fits.BinTableHDU.from_columns(
        [
            fits.Column("CTHETA_MIN", "E", array=edges[1:]),
            fits.Column("CTHETA_MAX", "E", array=edges[:-1]),
        ],
        name="CTHETABOUNDS",
    )
    tables = [table, cosines] if bounds else [table]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path)
    return path


def test_without_zenith_cut_the_sky_sees_all_inclinations_alike():
    profile = survey_profile(max_zenith=180 * u.deg)
    np.testing.assert_allclose(profile.livetime, np.diff(EDGES) / 2, rtol=1e-12)


def test_the_mean_over_the_sky_is_the_mean_over_declinations():
    sines = (np.arange(60) + 0.5) / 30 - 1
    total = sum(
        survey_profile(declination=np.degrees(np.arcsin(sine)) * u.deg).livetime for sine in sines
    )
    np.testing.assert_allclose(total / 60, survey_profile().livetime, atol=6e-4)


def test_a_pole_is_never_seen_on_axis_but_the_orbit_is_wide():
    pole = survey_profile(declination=90 * u.deg, rocking=20 * u.deg)
    lowest = np.cos(np.radians(90 - 25.6 - 20))
    assert pole.livetime[pole.cos_theta > lowest + 0.03].sum() == 0
    assert pole.livetime[pole.cos_theta < lowest].sum() > 0.2


def test_within_takes_away_large_inclinations_only():
    profile = survey_profile().within(70 * u.deg)
    seen = profile.livetime > 0
    assert seen[profile.cos_theta > np.cos(np.radians(69))].all()
    assert not seen[profile.cos_theta < np.cos(np.radians(71))].any()


@pytest.mark.parametrize("ordering", ["NESTED", "RING"])
def test_cube_is_looked_up_where_the_pixel_lies(tmp_path, ordering):
    cube = read_livetime_cube(write_cube(tmp_path / "ltcube.fits", ordering=ordering))
    for dec in (-75, -10, 33, 75):
        position = SkyCoord(40, dec, unit="deg")
        assert cube.at(position).livetime[0] == pytest.approx(dec + 100, abs=9)
    assert cube.weighted is None


def test_azimuth_bins_are_left_aside(tmp_path):
    cube = read_livetime_cube(write_cube(tmp_path / "ltcube.fits", phi_bins=2))
    assert cube.livetime.shape == (192, 3)
    assert cube.mean().livetime == pytest.approx([100, 0, 0])


def test_bins_stand_for_the_middle_in_the_root(tmp_path):
    cube = read_livetime_cube(write_cube(tmp_path / "ltcube.fits"))
    np.testing.assert_allclose(cube.cos_theta, 1 - ((np.arange(3) + 0.5) / 3) ** 2, rtol=1e-6)


def test_cube_of_the_fermitools(shared):
    cube = read_livetime_cube(shared / "fermi/reference/fermitools_crab_1day/ltcube.fits.gz")
    mean = cube.mean()
    edges = 1 - np.linspace(0, 1, 21) ** 2
    share = mean.livetime / mean.livetime.sum() / (edges[:-1] - edges[1:])
    np.testing.assert_allclose(share, 1, atol=0.005)
    assert mean.weighted.sum() / mean.livetime.sum() == pytest.approx(0.904, abs=0.001)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bounds": False}, "no extension CTHETABOUNDS"),
        ({"coordsys": "ECL"}, "COORDSYS='ECL'"),
        ({"ordering": "SPIRAL"}, "ORDERING='SPIRAL'"),
    ],
)
def test_wrong_cubes_are_refused(tmp_path, options, message):
    with pytest.raises(FileFormatError, match=message):
        read_livetime_cube(write_cube(tmp_path / "ltcube.fits", **options))


def test_cube_of_the_wrong_length_is_refused(tmp_path):
    path = write_cube(tmp_path / "ltcube.fits")
    fits.setval(path, "NSIDE", value=8, ext=1)
    with pytest.raises(FileFormatError, match="Expected 768 pixels"):
        read_livetime_cube(path)


def test_cube_without_its_bins_is_refused(tmp_path):
    path = write_cube(tmp_path / "ltcube.fits")
    fits.setval(path, "TTYPE1", value="BINS", ext=1)
    with pytest.raises(FileFormatError, match="'EXPOSURE' has no column 'COSBINS'"):
        read_livetime_cube(path)


def test_livetime_must_be_positive_somewhere():
    with pytest.raises(OptionError, match="zero at every inclination"):
        LivetimeProfile(np.array([0.5, 0.6]), np.zeros(2))
    with pytest.raises(OptionError, match="differ in length"):
        LivetimeProfile(np.array([0.5, 0.6]), np.ones(3))


@pytest.mark.parametrize("rocking", [0 * u.deg, 95 * u.deg])
def test_rocking_angle_out_of_range_is_refused(rocking):
    with pytest.raises(OptionError, match="rocking"):
        survey_profile(rocking=rocking)
