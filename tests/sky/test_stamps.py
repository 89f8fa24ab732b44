from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gammafind.sky.areas import pixel_areas
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import COARSE, FINE, Stamps, fractions_at, point_source_map, stamps
from tests.fitting.skies import directions, gaussian_psf, image, king_psf

WIDTHS = st.floats(0.15, 3)
LONGITUDES = st.one_of(st.sampled_from([0.0, 360.0, 1e-9, 45.0, 90.0, 180.0]), st.floats(0, 360))
LATITUDES = st.one_of(
    st.sampled_from([-90.0, 90.0, 41.8103, 0.0]), st.floats(-90, 90), st.floats(70, 90)
)


def integrated(vector, index, pixels, psf, n=32) -> np.ndarray:
    """Share of the counts in each pixel, by quadrature on n x n sub-pixels of equal area."""
    sub = pixels.subpixel_vectors(index, n)
    theta = 2 * np.arcsin(np.linalg.norm(sub - vector, axis=-1) / 2)
    return psf(theta).mean(axis=1) * pixel_areas(pixels)[index]


def photons(vector, psf, n, *, rng) -> np.ndarray:
    """Directions of n photons of a source, drawn from the PSF."""
    cumulative = [psf.containment(r) for r in psf.theta[:, None] * u.rad]
    theta = np.interp(rng.random(n), np.ravel(cumulative), psf.theta)
    angle = rng.uniform(0, 2 * np.pi, n)
    across = np.linalg.svd(vector[None])[2][1:]
    plane = np.cos(angle)[:, None] * across[0] + np.sin(angle)[:, None] * across[1]
    return np.cos(theta)[:, None] * vector + np.sin(theta)[:, None] * plane


@given(lon=LONGITUDES, lat=LATITUDES, width=WIDTHS, log_nside=st.integers(4, 9))
def test_a_stamp_holds_what_it_promises(lon, lat, width, log_nside):
    pixels = HealpixPixels(2**log_nside)
    psf = gaussian_psf(width * pixels.pixel_size.value)
    stamp = stamps(unit_vectors([lon], [lat]), pixels, psf, containment=0.95)
    assert 0.949 <= stamp.fraction.sum() <= 1.001
    assert len(np.unique(stamp.pixel)) == stamp.pixel.size
    assert stamp.fraction.min() >= 0


@given(lon=LONGITUDES, lat=LATITUDES, width=st.floats(0.15, 2))
def test_a_map_of_a_source_holds_its_counts(lon, lat, width):
    pixels = HealpixPixels(32)
    psf = gaussian_psf(width * pixels.pixel_size.value)
    total = point_source_map(unit_vectors([lon], [lat]), np.array([1e5]), pixels, psf).sum()
    assert_allclose(total, 1e5, rtol=1.3e-3)


@given(lon=LONGITUDES, lat=LATITUDES, log_width=st.floats(-2, 2), log_nside=st.integers(6, 10))
def test_a_stamp_sums_to_what_its_pixels_hold(lon, lat, log_width, log_nside):
    pixels = HealpixPixels(2**log_nside)
    psf = king_psf(2**log_width * pixels.pixel_size.value)
    vector = unit_vectors([lon], [lat])
    stamp = stamps(vector, pixels, psf, containment=0.8)
    expected = integrated(vector[0], stamp.pixel[0], pixels, psf, n=64).sum()
    assert_allclose(stamp.fraction.sum(), expected, atol=1e-3)


def test_maps_conserve_counts_on_average():
    pixels = HealpixPixels(64)
    vectors = directions(400, rng=np.random.default_rng(5))
    for width in (0.2, 0.6, 1.0, 2.0):
        psf = king_psf(width * pixels.pixel_size.value)
        total = point_source_map(vectors, np.full(400, 1e5), pixels, psf).sum()
        assert_allclose(total, 4e7, rtol=1e-3)


@pytest.mark.parametrize("counts", [1.0, 20.0, 1000.0])
def test_at_most_half_a_count_or_a_little_of_it_is_left_out(counts):
    pixels = HealpixPixels(64)
    vectors = directions(50, rng=np.random.default_rng(6))
    for vector in vectors:
        found = point_source_map(vector[None], np.array([counts]), pixels, king_psf(1.5)).sum()
        assert counts - 0.5 - 0.002 * counts <= found <= counts * 1.001


@pytest.mark.parametrize("nside", [32, 256, 512])
@pytest.mark.parametrize("profile", [gaussian_psf, king_psf])
@pytest.mark.parametrize("width", [0.2, 0.45, 0.8, 1.0, 2.0])
def test_fractions_are_the_integral_of_the_psf_over_each_pixel(nside, profile, width):
    pixels = HealpixPixels(nside)
    psf = profile(width * pixels.pixel_size.value)
    vectors = directions(8, rng=np.random.default_rng(nside))
    stamp = stamps(vectors, pixels, psf, containment=0.7)
    for vector, index, fraction in zip(vectors, stamp.pixel, stamp.fraction, strict=True):
        expected = integrated(vector, index, pixels, psf)
        assert_allclose(fraction, expected, atol=0.015 * expected.max())


@pytest.mark.parametrize("width", [0.25, 0.9, 2.0])
def test_fractions_on_an_image_are_the_integral_of_the_psf(width):
    pixels = image(32, step=0.5)
    psf = king_psf(width * 0.5)
    vectors = pixels.at(np.array([15.5, 16.0, 12.3]), np.array([15.5, 16.2, 19.8]))
    stamp = stamps(vectors, pixels, psf, containment=0.7)
    for vector, index, fraction in zip(vectors, stamp.pixel, stamp.fraction, strict=True):
        expected = integrated(vector, index, pixels, psf, n=32)
        assert_allclose(fraction, expected, atol=0.02 * expected.max())


@pytest.mark.parametrize("vector", [(0.0, 0, 1), (0, 0, -1), (1, 0, 0), (0.48, -0.6, 0.64)])
@pytest.mark.parametrize("width", [0.3, 1.0, 2.0])
def test_a_map_of_a_source_is_that_of_its_photons(vector, width):
    pixels = HealpixPixels(32)
    vector = np.array(vector)
    psf = gaussian_psf(width * pixels.pixel_size.value)
    n = 200_000
    seen = photons(vector, psf, n, rng=np.random.default_rng(7))
    counts = np.bincount(pixels.containing(seen), minlength=pixels.shape[0])
    model = point_source_map(vector[None], np.array([float(n)]), pixels, psf)
    assert_allclose(model, counts, atol=5 * np.sqrt(counts.max()) + 0.02 * counts.max())


@pytest.mark.parametrize("nside", [16, 512])
def test_nearest_pixels_leave_no_gap_near_the_position(nside):
    pixels = HealpixPixels(nside)
    vectors = np.concatenate([directions(9, rng=np.random.default_rng(8)), np.eye(3), -np.eye(3)])
    k = 60
    index = pixels.nearest(vectors, k)
    assert index.shape[1] >= k
    whole = 0.7 * np.sqrt(k / np.pi) * pixels.pixel_size.to_value("rad")
    for vector, row in zip(vectors, index, strict=True):
        assert len(set(row)) == len(row)
        assert set(hp.query_disc(nside, vector, whole)) <= set(row)


def test_a_source_beside_an_image_gives_it_the_wing_only():
    pixels = image(32, step=0.5)
    psf = gaussian_psf(0.5)
    vectors = pixels.at(np.array([-0.5, -3.5]), np.array([16.0, 16.0]))
    for vector, expected in zip(vectors, (0.5, 0.0013), strict=True):
        found = point_source_map(vector[None], np.array([1e4]), pixels, psf).sum() / 1e4
        assert_allclose(found, expected, atol=0.003)


def test_sources_add_up():
    pixels = HealpixPixels(16)
    vectors = directions(30, rng=np.random.default_rng(9))
    counts = np.geomspace(0.1, 1e5, 30)
    psf = gaussian_psf(4.0)
    together = point_source_map(vectors, counts, pixels, psf)
    one_by_one = sum(
        point_source_map(v[None], np.array([c]), pixels, psf)
        for v, c in zip(vectors, counts, strict=True)
    )
    assert_allclose(together, one_by_one, rtol=1e-9, atol=1e-12)


def test_no_sources_give_an_empty_map():
    none = point_source_map(np.zeros((0, 3)), np.zeros(0), HealpixPixels(8), gaussian_psf(5.0))
    assert_allclose(none, np.zeros(768))


def test_spread_adds_where_stamps_overlap():
    stamp = Stamps(np.array([[0, 1], [1, 2]]), np.array([[0.5, 0.5], [0.25, 0.75]]))
    assert_allclose(stamp.spread(np.array([10.0, 4.0]), 4), [5, 6, 3, 0])


def test_fractions_far_away_are_zero():
    pixels = HealpixPixels(16)
    far = np.arange(pixels.shape[0])[None]
    fraction = fractions_at(np.array([[0.0, 1, 0]]), far, pixels, gaussian_psf(3.0))[0]
    assert np.all(fraction[pixels.vectors[:, 1] < 0] == 0)
    assert_allclose(fraction.sum(), 1, atol=0.002)


@pytest.mark.parametrize("width", [0.2, 0.6, 1.0, 2.0])
def test_coarse_shares_are_near_the_fine_ones(width):
    pixels = HealpixPixels(64)
    psf = gaussian_psf(width * pixels.pixel_size.value)
    vectors = directions(100, rng=np.random.default_rng(10))
    fine, coarse = (
        stamps(vectors, pixels, psf, containment=0.95, sampling=s).fraction for s in (FINE, COARSE)
    )
    assert_allclose(coarse, fine, atol=0.03)


def test_stamps_are_taken_and_joined():
    vectors = directions(6, rng=np.random.default_rng(11))
    every, first, last = (
        stamps(v, HealpixPixels(512), gaussian_psf(0.2), containment=0.9)
        for v in (vectors, vectors[:0], vectors)
    )
    joined = first.join(last.take(np.array([5, 0])))
    assert_allclose(joined.pixel, every.pixel[[5, 0]])
    assert_allclose(joined.fraction, every.fraction[[5, 0]])
