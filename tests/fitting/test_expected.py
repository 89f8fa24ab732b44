from __future__ import annotations

from functools import lru_cache

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.errors import BandError, OptionError, ShapeError
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.expected import expected_by_band, rendered_by_band, rendered_ts
from gammafind.fitting.photons.scan import scan
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap
from gammafind.testing.toys import one_source
from tests.fitting.skies import gaussian_psf, image, king_psf, source_sky

LON = np.array([0.0, 10.0, 0.0, 123.0, 300.0, 45.0])
LAT = np.array([90.0, -90.0, 0.0, 41.8, -20.0, 0.0])
POSITIONS = SkyCoord(LON, LAT, unit="deg", frame="galactic")


@lru_cache(maxsize=32)
def shares(pixels, psf, n=8) -> np.ndarray:
    """Share of each source at `POSITIONS` in every pixel, by quadrature, shape (6, n_pixels)."""
    everything = np.arange(int(np.prod(pixels.shape)))
    sub = pixels.subpixel_vectors(everything, n)
    area = pixels.pixel_area.to_value("sr")
    rows = []
    for vector in unit_vectors(LON, LAT):
        theta = 2 * np.arcsin(np.minimum(np.linalg.norm(sub - vector, axis=-1) / 2, 1))
        rows.append(psf(theta).mean(axis=1) * area)
    return np.array(rows)


def sky(values, pixels, kind="expected counts", valid=None) -> SkyMap:
    bands = energy_bands(np.geomspace(1, 100, len(pixels) + 1) * u.GeV)
    return SkyMap(bands, tuple(pixels), tuple(values), kind, valid)


def skies(everything, background, pixels) -> tuple[SkyMap, SkyMap]:
    return sky([everything], [pixels]), sky([background], [pixels])


def expected_ts(*given) -> np.ndarray:
    """Expected TS of each source in all bands together."""
    return sum(expected_by_band(*given).ts.T)


def brute_force(source, everything) -> np.ndarray:
    rest = everything - source
    return 2 * (everything * np.log(everything / rest) - source).sum(axis=-1)


PSFS = {
    (profile, width): profile(width * HealpixPixels(32).pixel_size.value)
    for profile in (gaussian_psf, king_psf)
    for width in (0.5, 1.0, 2.5)
}


@pytest.mark.parametrize("psf", PSFS.values(), ids=[f"{p.__name__}-{w}" for p, w in PSFS])
@pytest.mark.parametrize("level", [0.05, 2.0, 100.0])
@pytest.mark.parametrize("counts", [0.1, 30.0])
def test_ts_is_that_of_all_pixels_of_the_sphere(psf, level, counts):
    pixels = HealpixPixels(32)
    each = counts * shares(pixels, psf)
    everything = level + each.sum(axis=0)
    flat = np.full(pixels.shape, level)
    found = expected_ts(POSITIONS, np.full((6, 1), counts), *skies(everything, flat, pixels), [psf])
    assert_allclose(found, brute_force(each, everything), rtol=0.01)


@pytest.mark.parametrize("psf", PSFS.values(), ids=[f"{p.__name__}-{w}" for p, w in PSFS])
@pytest.mark.parametrize("level", [0.05, 2.0, 100.0])
def test_ts_of_a_bright_source_is_that_of_all_pixels_of_the_sphere(psf, level):
    pixels = HealpixPixels(32)
    flat = np.full(pixels.shape, level)
    for i, share in enumerate(shares(pixels, psf)):
        maps = skies(level + 1e5 * share, flat, pixels)
        found = expected_ts(POSITIONS[i : i + 1], np.array([[1e5]]), *maps, [psf])
        assert_allclose(found, brute_force(1e5 * share, level + 1e5 * share), rtol=0.01)


def test_among_the_wings_of_bright_sources_alone_ts_is_too_large_by_less_than_half():
    pixels, psf = HealpixPixels(32), PSFS[king_psf, 2.5]
    each = 1e4 * shares(pixels, psf)
    everything = 0.05 + each.sum(axis=0)
    maps = skies(everything, np.full(pixels.shape, 0.05), pixels)
    ratio = expected_ts(POSITIONS, np.full((6, 1), 1e4), *maps, [psf])
    ratio /= brute_force(each, everything)
    assert np.all((ratio > 0.99) & (ratio < 1.5))


def test_a_neighbour_takes_from_the_ts():
    pixels, psf = HealpixPixels(32), gaussian_psf(2.0)
    each = np.array([[30.0], [300.0]]) * shares(pixels, psf)[2]
    far, near = (pixels.interpolate(each[1], POSITIONS[2]), each[1])
    assert far == pytest.approx(each[1].max(), rel=0.1)
    flat = np.full(pixels.shape, 1.0)
    found = expected_ts(
        POSITIONS[2:3], np.array([[30.0]]), *skies(flat + each[0] + near, flat, pixels), [psf]
    )
    assert_allclose(found, brute_force(each[0], flat + each[0] + near), rtol=0.03)
    alone = expected_ts(
        POSITIONS[2:3], np.array([[30.0]]), *skies(flat + each[0], flat, pixels), [psf]
    )
    assert found < 0.4 * alone


def test_bands_of_different_pixels_add_up_and_valid_pixels_alone_count():
    pixels = (HealpixPixels(16), HealpixPixels(32))
    psfs = (gaussian_psf(4.0), gaussian_psf(2.0))
    counts = np.array([50.0, 20.0])
    each = [c * shares(p, f) for c, p, f in zip(counts, pixels, psfs, strict=True)]
    everything = [1 + e.sum(axis=0) for e in each]
    valid = [p.vectors[:, 2] > -0.3 for p in pixels]
    expected = sky(everything, pixels, valid=valid)
    flat = sky([np.ones(p.shape) for p in pixels], pixels)
    found = expected_ts(POSITIONS, np.tile(counts, (6, 1)), expected, flat, psfs)
    parts = [brute_force(e[:, v], m[v]) for e, m, v in zip(each, everything, valid, strict=True)]
    assert_allclose(found, sum(parts), rtol=0.01, atol=1e-9)
    assert found[1] == 0


def test_the_frame_of_positions_does_not_matter():
    pixels, psf = HealpixPixels(32), gaussian_psf(2.0)
    flat = sky([np.full(pixels.shape, 3.0)], [pixels])
    counts = np.full((6, 1), 1.0)
    galactic = expected_ts(POSITIONS, counts, flat, flat, [psf])
    assert_allclose(expected_ts(POSITIONS.icrs, counts, flat, flat, [psf]), galactic, rtol=1e-6)


def test_an_image_gives_what_a_whole_sky_gives():
    psf, density = gaussian_psf(1.0), 3.0
    centre = SkyCoord([120.0], [45.0], unit="deg", frame="galactic")
    found = []
    for pixels in (image(64, step=0.25), HealpixPixels(256)):
        flat = sky([np.full(pixels.shape, density * pixels.pixel_area.to_value("deg2"))], [pixels])
        found.append(expected_ts(centre, np.array([[5.0]]), flat, flat, [psf]))
    assert_allclose(found[0], found[1], rtol=0.01)


def test_expected_counts_measure_this_ts():
    psf, pixels, counts = gaussian_psf(2.5), HealpixPixels(32), np.array([10.0, 100, 1e3, 1e5])
    vectors, chosen = unit_vectors(LON, LAT)[[0, 2, 3, 4]], POSITIONS[[0, 2, 3, 4]]
    observed = source_sky(vectors, counts, pixels, psf, level=1.0)
    maps = skies(observed.counts.values[0], np.ones(pixels.shape), pixels)
    found = expected_ts(chosen, counts[:, None], *maps, [psf])
    assert_allclose(found, scan(sky_data(observed, index=2.3), vectors).ts, rtol=0.06)


@pytest.mark.parametrize("drawn", [0.991, 1.0, 1.005])
def test_a_bright_source_drawn_a_little_otherwise_keeps_its_ts(drawn):
    pixels, psf = HealpixPixels(32), PSFS[king_psf, 1.0]
    each = 1e5 * shares(pixels, psf)[3]
    background = np.full(pixels.shape, 2.0)
    maps = skies(drawn * each + background, background, pixels)
    found = expected_ts(POSITIONS[3:4], np.full((1, 1), 1e5), *maps, [psf])
    assert_allclose(found, brute_force(each, each + background), rtol=0.02)


def test_no_counts_and_no_sky_have_no_ts():
    pixels, psf = HealpixPixels(16), gaussian_psf(4.0)
    flat = sky([np.ones(pixels.shape)], [pixels])
    assert_allclose(expected_ts(POSITIONS, np.zeros((6, 1)), flat, flat, [psf]), 0)
    assert expected_ts(POSITIONS[:0], np.zeros((0, 1)), flat, flat, [psf]).shape == (0,)
    empty = sky([np.zeros(pixels.shape)], [pixels])
    assert np.all(np.isfinite(expected_ts(POSITIONS, np.ones((6, 1)), empty, empty, [psf])))


def test_ts_grows_as_the_square_of_faint_counts():
    pixels, psf = HealpixPixels(32), king_psf(2.0)
    flat = sky([np.full(pixels.shape, 50.0)], [pixels])
    ts = [expected_ts(POSITIONS, np.full((6, 1), c), flat, flat, [psf]) for c in (1e-4, 1e-2)]
    assert_allclose(ts[1], 1e4 * ts[0], rtol=1e-3)


def test_the_chunks_do_not_matter(monkeypatch):
    pixels, psf = HealpixPixels(32), king_psf(2.0)
    flat = sky([np.full(pixels.shape, 5.0)], [pixels])
    counts = np.geomspace(1, 1e5, 6)[:, None]
    whole = expected_ts(POSITIONS, counts, flat, flat, [psf])
    monkeypatch.setattr("gammafind.fitting.photons.expected._CHUNK", 2)
    assert_allclose(expected_ts(POSITIONS, counts, flat, flat, [psf]), whole)


class Toy(SkyRenderer):
    """One band of flat exposure over a flat background."""

    name = "toy"
    bands = energy_bands([1, 100] * u.GeV)
    pixels = (HealpixPixels(32),)

    def psfs(self):
        return (gaussian_psf(3.0),)

    def _exposure(self, pixels):
        return (np.full(pixels[0].shape, 1e10),)

    def _background(self, pixels):
        return {"flat": (np.full(pixels[0].shape, 2.0),), "more": (np.ones(pixels[0].shape),)}

    def _render(self, sources, pixels):
        sky = SkyCoord(sources["ra"], sources["dec"]).galactic
        counts = 1e10 * sources["flux"].value
        vectors = unit_vectors(sky.l.deg, sky.b.deg)
        return (point_source_map(vectors, counts, pixels[0], *self.psfs()),)


def test_the_ts_on_a_rendered_sky():
    sources = one_source(POSITIONS[3])
    each = 1000 * shares(Toy.pixels[0], gaussian_psf(3.0))[3]
    found = rendered_ts(Toy(), sources)
    assert_allclose(found, brute_force(each, each + 3.0), rtol=0.01)
    information = rendered_by_band(Toy(), sources).information
    assert information.shape == (1, 1)
    assert_allclose(information[0, 0], np.sum(each**2 / (each + 3.0)), rtol=0.01)


def test_what_does_not_fit_is_refused():
    pixels, psf = HealpixPixels(16), gaussian_psf(4.0)
    flat = sky([np.ones(pixels.shape)], [pixels])
    two = sky([np.ones(pixels.shape)] * 2, [pixels] * 2)
    other = sky([np.ones(HealpixPixels(8).shape)], [HealpixPixels(8)])
    with pytest.raises(ShapeError, match="6 sources and 1 bands"):
        expected_ts(POSITIONS, np.ones((6, 2)), flat, flat, [psf])
    with pytest.raises(OptionError, match="negative"):
        expected_ts(POSITIONS, -np.ones((6, 1)), flat, flat, [psf])
    with pytest.raises(OptionError, match="not finite"):
        expected_ts(POSITIONS, np.full((6, 1), np.nan), flat, flat, [psf])
    with pytest.raises(BandError, match="2 PSFs"):
        expected_ts(POSITIONS, np.ones((6, 1)), flat, flat, [psf, psf])
    with pytest.raises(BandError, match="2 bands of background"):
        expected_ts(POSITIONS, np.ones((6, 1)), flat, two, [psf])
    with pytest.raises(BandError, match="pixels"):
        expected_ts(POSITIONS, np.ones((6, 1)), flat, other, [psf])
