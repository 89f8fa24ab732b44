"""Coarse maps of scores, from the images of a localiser."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from gammafind.sky.bands import energy_bands
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels, PlainPixels, WcsPixels
from gammafind.sky.score_map import ImageScores, score_map
from gammafind.sky.skymap import SkyMap

WIDTH = 64
GRID = PatchGrid.healpix(8)


def sky_of(*nsides: int, valid=None) -> SkyMap:
    pixels = [HealpixPixels(nside) for nside in nsides]
    values = [np.ones(one.shape, dtype=int) for one in pixels]
    edges = np.geomspace(1, 10, len(nsides) + 1) * u.GeV
    return SkyMap(energy_bands(edges), pixels, values, valid=valid)


def peak(patch: int, x: int, y: int, height: float = 9.0):
    """Images of patches of which one has a score in one pixel."""

    def image(number: int) -> np.ndarray:
        scores = np.zeros((WIDTH, WIDTH))
        scores[y, x] = height if number == patch else 0
        return scores

    return image


@pytest.mark.parametrize("nsides", [(32,), (16, 64), (512,)])
def test_a_peak_is_where_it_was_seen(nsides):
    counts = sky_of(*nsides)
    scores = score_map(counts, GRID, WIDTH, peak(100, 40, 20))
    pixels = scores.pixels[0]
    assert (pixels.nside, scores.kind, scores.n_bands) == (min(max(nsides), 256), "score", 1)
    place = GRID.positions([100], np.array([40]), np.array([20]), WIDTH)
    high = np.flatnonzero(scores.values[0])
    assert scores.values[0].max() == 9
    assert pixels.pixel_of(place)[0] in high
    assert pixels.centres()[high].separation(place).max() < 2 * pixels.pixel_size


def test_the_highest_of_all_patches_counts():
    counts = sky_of(32)
    two = [score_map(counts, GRID, WIDTH, peak(100, 32, 32, height)) for height in (3.0, 5.0)]

    def both(number: int) -> np.ndarray:
        return peak(100, 32, 32, 3.0)(number) + peak(101, 32, 32, 5.0)(number)

    assert two[1].values[0].max() == 5
    assert set(np.unique(score_map(counts, GRID, WIDTH, both).values[0])) == {0, 3, 5}


def test_there_are_no_scores_without_data():
    pixels = HealpixPixels(32)
    north = pixels.vectors[:, 2] > 0
    counts = sky_of(32, valid=[north])
    scores = score_map(counts, GRID, WIDTH, lambda _: np.ones((WIDTH, WIDTH)))
    assert np.array_equal(scores.valid[0], north)
    assert np.array_equal(scores.values[0], north.astype(float))


def test_an_image_has_its_own_pixels():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ("GLON-TAN", "GLAT-TAN"), (30, 20)
    wcs.wcs.cdelt, wcs.wcs.crpix = (-0.1, 0.1), (20.5, 15.5)
    pixels = WcsPixels(wcs, (30, 40))
    counts = SkyMap(energy_bands([1, 10] * u.GeV), [pixels], [np.ones((30, 40), dtype=int)])
    grid = PatchGrid(np.array([30.0]), np.array([20.0]), 6.4 * u.deg, "galactic")
    scores = score_map(counts, grid, WIDTH, peak(0, 32, 32))
    row, column = np.unravel_index(scores.values[0].argmax(), (30, 40))
    at = pixels.wcs.pixel_to_world(column, row)
    assert at.separation(SkyCoord(30, 20, unit="deg", frame="galactic")) < 0.15 * u.deg


@pytest.mark.parametrize(("shape", "coarse"), [((1500, 2600), (500, 867)), ((30, 40), (30, 40))])
def test_parts_of_an_image_become_one_map_with_all_peaks(shape, coarse):
    pixels = PlainPixels.of(shape, 0.5 * u.arcsec)
    counts = SkyMap(energy_bands([1, 10] * u.GeV), [pixels], [np.zeros(shape)], "electrons")
    parts = np.zeros(shape)
    row, column = shape[0] - 3, shape[1] - 7
    parts[row, column] = 0.75
    scores = ImageScores(counts)
    for rows in (slice(0, 20), slice(10, shape[0])):
        for columns in (slice(0, 25), slice(15, shape[1])):
            scores.add(rows, columns, parts[rows, columns])
    found = scores.map().values[0]
    factor = shape[0] // coarse[0]
    assert found.shape == coarse
    assert found[row // factor, column // factor] == found.sum() == 0.75
