"""Many point sources at once: against the PSF integrated pixel by pixel."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import ShapeError
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_points import PatchPoints
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.point_sources import patch_counts, sky_counts
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.source_psfs import SourcePsfs
from tests.fitting.skies import image

PLACES = np.array(
    [
        [1e-3, 2e-3, 1.0],
        [-1e-3, 1e-3, -1.0],
        [1.0, 0.0, -0.01],
        [1.0, 1e-9, 2 / 3],
        [0.3, -0.8, 0.4],
        [-0.6, 0.1, 0.75],
    ]
)
PLACES /= np.linalg.norm(PLACES, axis=1)[:, None]


def king(core: float) -> RadialPsf:
    """PSF with the wings of a King function, core in pixels of nside 64."""
    theta = np.concatenate([[0], np.geomspace(1e-6, 0.6, 3000)])
    sigma = core * HealpixPixels(64).pixel_size.to_value("rad")
    return RadialPsf(theta, (1 + theta**2 / (4 * sigma**2)) ** -2.0)


def averaged(psf: RadialPsf, sub_pixels: np.ndarray, source: np.ndarray) -> np.ndarray:
    apart = 2 * np.arcsin(np.clip(np.linalg.norm(sub_pixels - source, axis=-1) / 2, 0, 1))
    return psf(apart).mean(axis=1)


@pytest.mark.parametrize("core", [0.3, 0.8, 2.0])
def test_a_source_keeps_its_counts_wherever_it_lies(core):
    for place in PLACES:
        total = sky_counts(place[None], np.array([7.0]), HealpixPixels(64), king(core)).sum()
        assert total == pytest.approx(7, rel=1e-3)


@pytest.mark.parametrize("core", [0.3, 0.8, 2.0])
def test_pixels_hold_the_psf_averaged_over_them(core):
    pixels, psf = HealpixPixels(64), king(core)
    for place in PLACES:
        seen = sky_counts(place[None], np.ones(1), pixels, psf)
        index = pixels.nearest(place[None], 500)[0]
        true = averaged(psf, pixels.subpixel_vectors(index, 16), place) * pixels.pixel_area.value
        assert np.abs(seen[index] - true).max() < 0.01 * max(true.max(), 0.5)
        assert seen[index] == pytest.approx(true, rel=0.12, abs=1e-4)


def test_far_wings_are_those_of_the_psf():
    pixels, psf = HealpixPixels(64), king(0.8)
    seen = sky_counts(PLACES[4:5], np.ones(1), pixels, psf) / pixels.pixel_area.value
    apart = 2 * np.arcsin(np.linalg.norm(pixels.vectors - PLACES[4], axis=1) / 2)
    far = (apart > np.radians(14)) & (apart < np.radians(30))
    assert seen[far] == pytest.approx(psf(apart[far]), rel=0.02)


@pytest.mark.parametrize("nside", [1, 2, 4, 8, 16])
def test_coarse_pixels_keep_the_counts(nside):
    for place in PLACES:
        total = sky_counts(place[None], np.array([7.0]), HealpixPixels(nside), king(0.3)).sum()
        assert total == pytest.approx(7, rel=1e-3)


def test_sources_add_up():
    pixels, psf = HealpixPixels(32), king(2)
    counts = np.arange(1.0, 7)
    alone = sum(
        sky_counts(place[None], np.array([n]), pixels, psf)
        for place, n in zip(PLACES, counts, strict=True)
    )
    assert sky_counts(PLACES, counts, pixels, psf) == pytest.approx(alone, abs=2e-5)


def test_no_sources_no_counts():
    empty = np.zeros((0, 3)), np.zeros(0)
    assert not sky_counts(*empty, HealpixPixels(16), king(2)).any()
    points = PatchPoints(PatchGrid(np.zeros(1), np.zeros(1)), 8)
    assert not patch_counts(*empty, points, king(2)).any()


@pytest.mark.parametrize(
    ("width", "at"), [(16, (3.2, 11.7)), (64, (30.4, 12.1)), (64, (63.0, 62.6))]
)
def test_patch_pixels_hold_the_psf_averaged_over_them(width, at):
    grid = PatchGrid(np.array([0.0, 200.0]), np.array([89.0, -30.0]), 12.8 * u.deg)
    psf, points = king(0.5), PatchPoints(grid, width)
    x, y = (np.array([value]) for value in at)
    for patch in (0, 1):
        sky = grid.positions(np.array([patch]), x, y, width).cartesian.xyz.value.T
        seen = patch_counts(sky, np.ones(1), points, psf)[patch]
        row, column = np.indices((width, width)).reshape(2, -1)
        near = np.flatnonzero(np.hypot(column - x, row - y) < 15)
        sub_pixels = grid.pixels(patch, width).subpixel_vectors(near, 16)
        true = averaged(psf, sub_pixels, sky[0]) * points.areas.ravel()[near]
        assert seen.ravel()[near] == pytest.approx(true, rel=0.03, abs=1e-4)
        assert seen.ravel()[near].sum() == pytest.approx(true.sum(), rel=3e-3)


def mixed(place: list[float]) -> SourcePsfs:
    return SourcePsfs((king(0.5), king(1.0), king(2.0)), np.array(place))


@pytest.mark.parametrize("pixels", [HealpixPixels(64), image(40, 0.5)])
def test_each_source_has_its_own_mixture_of_psfs(pixels):
    at = np.array([pixels.vectors[820], pixels.vectors[830] + 1e-3, pixels.vectors[700]])
    at /= np.linalg.norm(at, axis=1)[:, None]
    counts = np.array([3e5, 1e5, 2e5])
    seen = sky_counts(at, counts, pixels, mixed([0.0, 1.25, 2.0]))
    first, second, third = (
        [sky_counts(at[i : i + 1], counts[i : i + 1], pixels, king(core)) for core in cores]
        for i, cores in enumerate([[0.5], [1.0, 2.0], [2.0]])
    )
    expected = first[0] + 0.75 * second[0] + 0.25 * second[1] + third[0]
    assert np.abs(seen - expected).max() < 2e-3 * expected.max()
    assert seen.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_patches_have_the_mixtures_of_maps():
    grid = PatchGrid(np.array([30.0]), np.array([10.0]), 12.8 * u.deg)
    points = PatchPoints(grid, 32)
    at = unit_vectors(np.array([30.0, 32.0]), np.array([10.0, 9.0]))
    counts = np.array([1e5, 1e5])
    seen = patch_counts(at, counts, points, mixed([0.5, 2.0]))
    parts = [
        patch_counts(at[:1], counts[:1], points, king(0.5)),
        patch_counts(at[:1], counts[:1], points, king(1.0)),
        patch_counts(at[1:], counts[1:], points, king(2.0)),
    ]
    expected = (parts[0] + parts[1]) / 2 + parts[2]
    assert np.abs(seen - expected).max() < 3e-3 * expected.max()


def test_a_place_beyond_the_psfs_is_refused():
    with pytest.raises(ShapeError, match="between 0 and 2"):
        mixed([2.5])
