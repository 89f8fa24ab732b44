from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.bands import energy_bands
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import project, unit_vectors
from gammafind.sky.scatter import photon_vectors, scatter_counts
from gammafind.sky.skymap import SkyMap

BAND = energy_bands([1, 2] * u.GeV)
FRAMES = st.sampled_from(["galactic", "icrs", "fk5"])
LON = st.one_of(st.floats(0, 360), st.sampled_from([0.0, 1e-9, 359.9999999, 360.0, 180.0]))
LAT = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999999]))


def one_patch(lon, lat, frame="galactic", size=12.8) -> PatchGrid:
    return PatchGrid(np.array([lon]), np.array([lat]), size * u.deg, frame)


def vectors_of(positions: SkyCoord, frame: str) -> np.ndarray:
    return np.moveaxis(positions.transform_to(frame).cartesian.xyz.value, 0, -1)


@settings(deadline=None)
@given(lon=LON, lat=LAT, frame=FRAMES, width=st.sampled_from([1, 7, 64]))
def test_the_wcs_and_the_vectors_put_pixels_at_the_same_places(lon, lat, frame, width):
    grid = one_patch(lon, lat, frame)
    vectors = grid.pixel_vectors(0, width)
    from_wcs = vectors_of(grid.pixels(0, width).centres(), frame)
    np.testing.assert_allclose(from_wcs, vectors, atol=1e-11)


@settings(deadline=None)
@given(lon=LON, lat=LAT, frame=FRAMES, x=st.floats(-5, 70), y=st.floats(-5, 70))
def test_positions_xy_and_the_wcs_agree(lon, lat, frame, x, y):
    grid = one_patch(lon, lat, frame)
    position = grid.positions([0], [x], [y], 64)
    from_wcs = grid.wcs(0, 64).pixel_to_world([x], [y])
    assert position.separation(from_wcs)[0] < 1e-9 * u.deg
    back = grid.xy(0, vectors_of(position, frame), 64)
    np.testing.assert_allclose(np.ravel(back), [x, y], atol=1e-8)


def test_north_is_up_and_east_is_left():
    grid = one_patch(40.0, 20.0)
    x, y = grid.xy(0, unit_vectors(np.array([40.0, 41.0]), np.array([21.0, 20.0])), 64)
    assert y[0] > 31.5
    assert x[0] == pytest.approx(31.5)
    assert x[1] < 31.5


@pytest.mark.parametrize(("size", "covered"), [(12.8, True), (11.75, True), (11.7, False)])
def test_the_768_patches_cover_the_sky(size, covered):
    grid = PatchGrid.healpix(size=size * u.deg)
    assert len(grid) == 768
    poles = [[0, 0, 1], [0, 0, -1]]  # where the last gaps close
    points = np.concatenate([HealpixPixels(64).vectors, poles])
    seen = np.zeros(len(points), dtype=bool)
    for basis in grid.bases:
        near = np.flatnonzero(points @ basis[2] > np.cos(np.radians(10)))
        east, north = project(points[near], basis)
        seen[near] |= np.maximum(np.abs(east), np.abs(north)) < size / 2
    assert seen.all() == covered


def test_the_grid_can_be_turned():
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    plain, turned = PatchGrid.healpix(2), PatchGrid.healpix(2, rotation=turn)
    expected = unit_vectors(plain.lon + 90, plain.lat)
    np.testing.assert_allclose(unit_vectors(turned.lon, turned.lat), expected, atol=1e-14)


def test_the_nearest_patch():
    grid = PatchGrid.healpix()
    np.testing.assert_array_equal(grid.nearest(grid.centres.icrs), np.arange(768))


def random_counts(nside=16, seed=0) -> SkyMap:
    pixels = HealpixPixels(nside)
    counts = np.random.default_rng(seed).poisson(1.0, pixels.shape)
    return SkyMap(BAND, (pixels,), (counts,))


def test_each_photon_is_once_in_every_patch_that_covers_it():
    sky, grid, width = random_counts(), PatchGrid.healpix(), 16
    (patches,) = grid.cut(sky, [width], rng=np.random.default_rng(7))
    (of_band,) = np.random.default_rng(7).spawn(1)
    photons, _ = photon_vectors(sky.values[0], 16, rng=of_band)
    assert len(photons) == sky.values[0].sum()
    np.testing.assert_array_equal(patches, np.rint(patches))
    for index, basis in enumerate(grid.bases):
        east, north = project(photons, basis)
        inside = np.maximum(np.abs(east), np.abs(north)) < 6.4
        assert patches[index].sum() == inside.sum()


def test_photons_fall_into_the_pixels_of_the_wcs():
    counts, grid = random_counts().values[0], one_patch(3.0, 88.0)
    patches = scatter_counts(counts, 16, grid, 32, rng=np.random.default_rng(7))
    photons, _ = photon_vectors(counts, 16, rng=np.random.default_rng(7))
    positions = SkyCoord(*photons.T, representation_type="cartesian", frame="galactic")
    index = grid.pixels(0, 32).pixel_of(positions)
    expected = np.bincount(index[index >= 0], minlength=32 * 32).reshape(32, 32)
    np.testing.assert_array_equal(patches[0], expected)


def test_photons_stay_in_their_healpix_pixel():
    counts = random_counts().values[0]
    photons, _ = photon_vectors(counts, 16, rng=np.random.default_rng(0))
    found = np.bincount(hp.vec2pix(16, *photons.T), minlength=counts.size)
    np.testing.assert_array_equal(found, counts)


def test_photons_spread_over_their_pixel():
    counts = np.zeros(12 * 16, dtype=int)
    counts[80] = 20_000
    photons, _ = photon_vectors(counts, 4, rng=np.random.default_rng(0))
    children = np.bincount(hp.vec2pix(16, *photons.T))
    children = children[children > 0]
    assert len(children) == 16
    assert np.abs(children - 1250).max() < 5 * np.sqrt(1250)


def test_the_order_of_the_patches_does_not_matter():
    counts, grid = random_counts().values[0], PatchGrid.healpix(2)
    order = np.random.default_rng(1).permutation(len(grid))
    shuffled = PatchGrid(grid.lon[order], grid.lat[order])
    one = scatter_counts(counts, 16, grid, 16, rng=np.random.default_rng(7))
    other = scatter_counts(counts, 16, shuffled, 16, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(one[order], other)


def test_blocks_end_where_their_photons_end():
    counts = random_counts(64).values[0]
    photons, ends = photon_vectors(counts, 64, rng=np.random.default_rng(0))
    block = hp.vec2pix(32, *photons.T.astype(float), nest=True)
    assert np.all(np.diff(block) >= 0)
    np.testing.assert_array_equal(np.diff(ends, prepend=0), np.bincount(block))


def test_an_empty_sky_gives_empty_patches():
    patches = scatter_counts(np.zeros(48), 2, one_patch(0, 0), 8, rng=np.random.default_rng(0))
    assert patches.shape == (1, 8, 8)
    assert not patches.any()


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 90.0), (0.0, 0.0), (200.0, -45.0)])
def test_expected_counts_scale_with_the_solid_angle(lon, lat):
    """A flat sky: the sum is the solid angle of a square in the tangent plane."""
    pixels = HealpixPixels(32)
    flat = SkyMap(BAND, (pixels,), (np.full(pixels.shape, 3.0),), "expected counts")
    (patches,) = one_patch(lon, lat).cut(flat, [64])
    half = np.radians(6.4)
    solid_angle = 4 * np.arcsin(half**2 / (1 + half**2))
    expected = 3.0 * solid_angle / pixels.pixel_area.to_value(u.sr)
    assert patches.sum(dtype=float) == pytest.approx(expected, rel=1e-5)


def test_exposures_are_interpolated_unscaled():
    pixels = HealpixPixels(32)
    exposure = SkyMap(BAND, (pixels,), (1e10 * (2 + pixels.vectors[:, 2]),), "exposure")
    grid = one_patch(77.0, 30.0)
    (patches,) = grid.cut(exposure, [16])
    expected = 1e10 * (2 + grid.pixel_vectors(0, 16)[..., 2])
    np.testing.assert_allclose(patches[0], expected, rtol=2e-3)


def test_what_cannot_be_cut_is_refused():
    sky, grid = random_counts(), one_patch(0, 0)
    with pytest.raises(OptionError, match="rng"):
        grid.cut(sky, [16])
    with pytest.raises(ShapeError, match="2 patch widths for 1 bands"):
        grid.cut(sky, [16, 16], rng=np.random.default_rng(0))
    with pytest.raises(OptionError, match="icrs"):
        one_patch(0, 0, "icrs").cut(sky, [16], rng=np.random.default_rng(0))


def test_patches_check_their_shapes():
    grid = one_patch(0, 0)
    good = np.zeros((1, 8, 8))
    patches = Patches(grid=grid, bands=BAND, counts=(good,), background=(good,))
    assert len(patches) == 1
    assert patches.n_pixels == (8,)
    assert patches.score_width == 8
    for wrong in ((), (np.zeros((2, 8, 8)),), (np.zeros((1, 8, 7)),), (np.zeros((8, 8)),)):
        with pytest.raises(ShapeError, match="counts of shapes"):
            Patches(grid=grid, bands=BAND, counts=wrong)
    with pytest.raises(ShapeError, match=r"background.*not finite"):
        Patches(grid=grid, bands=BAND, counts=(good,), background=(good + np.nan,))
