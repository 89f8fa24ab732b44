from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st

from gammafind.errors import OptionError, TableError
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.truth import truth_masks, truth_table

FRAMES = st.sampled_from(["galactic", "icrs", "fk5"])
LON = st.one_of(st.floats(0, 360), st.sampled_from([0.0, 1e-9, 359.9999999, 180.0]))
LAT = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999999]))


def sources_at(lon, lat, frame="galactic") -> QTable:
    sky = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    n = len(sky)
    return QTable(
        {
            "name": [f"s{i}" for i in range(n)],
            "ra": sky.ra,
            "dec": sky.dec,
            "class_label": np.resize(["BLL", "PSR"], n),
            "flux": np.arange(1.0, n + 1) * u.Unit("cm-2 s-1"),
        }
    )


def everywhere(n, *, seed=0) -> QTable:
    vectors = np.random.default_rng(seed).normal(size=(n, 3))
    sky = SkyCoord(*vectors.T, representation_type="cartesian", frame="galactic").spherical
    return sources_at(sky.lon.deg, sky.lat.deg)


def placed(x, y, patch=None) -> QTable:
    patch = np.zeros(len(x), dtype=int) if patch is None else patch
    return QTable({"patch": patch, "x": np.array(x) * u.pix, "y": np.array(y) * u.pix})


@settings(deadline=None)
@given(lon=LON, lat=LAT, frame=FRAMES, x=st.floats(-0.4999, 63.4999), y=st.floats(-0.4999, 63.4999))
def test_a_source_stands_where_it_was_put(lon, lat, frame, x, y):
    grid = PatchGrid(np.array([lon]), np.array([lat]), 12.8 * u.deg, frame)
    sky = grid.positions([0], [x], [y], 64)
    truth = truth_table(sources_at(sky.spherical.lon, sky.spherical.lat, frame), grid, 64)
    assert truth["patch"].tolist() == [0]
    assert truth["x"].value == pytest.approx(x, abs=1e-6)
    assert truth["y"].value == pytest.approx(y, abs=1e-6)


@settings(deadline=None)
@given(lon=LON, lat=LAT, beyond=st.floats(0.01, 4), side=st.integers(0, 3), along=st.floats(-4, 67))
def test_beyond_the_border_a_source_needs_a_margin(lon, lat, beyond, side, along):
    grid = PatchGrid(np.array([lon]), np.array([lat]), 12.8 * u.deg)
    outer = -0.5 - beyond if side % 2 else 63.5 + beyond
    x, y = (outer, along) if side < 2 else (along, outer)
    sky = grid.positions([0], [x], [y], 64).icrs
    sources = QTable({"ra": sky.ra, "dec": sky.dec})
    assert len(truth_table(sources, grid, 64)) == 0
    truth = truth_table(sources, grid, 64, margin=max(beyond, 0.5, 0.5 - along) + 3.5)
    assert truth["x"].value == pytest.approx(x, abs=1e-6)
    assert truth["y"].value == pytest.approx(y, abs=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_every_source_is_in_every_patch_that_holds_it_and_in_no_other(turned):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0] if turned else None
    grid = PatchGrid.healpix(rotation=turn)
    sources = everywhere(200)
    truth = truth_table(sources, grid, 128)
    sky = SkyCoord(sources["ra"], sources["dec"])
    expected = [
        (patch, source)
        for patch in range(len(grid))
        for source in np.flatnonzero(grid.pixels(patch, 128).pixel_of(sky) >= 0)
    ]
    assert list(zip(truth["patch"], truth["source"], strict=True)) == expected
    assert set(truth["source"]) == set(range(200))


def test_patches_at_the_nominal_size_hold_each_source_about_three_times():
    truth = truth_table(everywhere(2000), PatchGrid.healpix(), 128)
    assert len(truth) / 2000 == pytest.approx(768 * 12.8**2 / 41253, rel=0.02)


def test_class_and_flux_are_those_of_the_source():
    sources = everywhere(50)
    truth = truth_table(sources, PatchGrid.healpix(), 128)
    np.testing.assert_array_equal(truth["flux"], sources["flux"][truth["source"]])
    np.testing.assert_array_equal(truth["class_label"], sources["class_label"][truth["source"]])


def test_no_sources_have_an_empty_table_of_the_same_columns():
    none = truth_table(everywhere(3)[:0], PatchGrid.healpix(), 128)
    assert len(none) == 0
    assert none.colnames == ["patch", "x", "y", "source", "class_label", "flux"]
    assert none["x"].unit == u.pix
    assert not truth_masks(none, 4, 16).any()


@pytest.mark.parametrize("margin", [-1, np.nan, np.inf])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(OptionError, match="margin"):
        truth_table(everywhere(1), PatchGrid.healpix(), 128, margin=margin)


def test_a_position_that_is_none_is_refused():
    sources = everywhere(3)
    sources["dec"][1] = np.nan * u.deg
    with pytest.raises(TableError, match="not finite"):
        truth_table(sources, PatchGrid.healpix(), 128)


@settings(deadline=None)
@given(
    x=st.floats(-12, 32),
    y=st.floats(-12, 32),
    radius=st.one_of(st.sampled_from([2.5, 5.0]), st.floats(0.1, 9)),
)
def test_a_mask_is_true_within_the_radius_of_the_source_and_nowhere_else(x, y, radius):
    mask = truth_masks(placed([x], [y]), 1, 20, radius=radius)[0]
    row, column = np.indices((20, 20))
    apart = np.hypot(row - y, column - x)
    clear = np.abs(apart - radius) > 1e-9
    np.testing.assert_array_equal(mask[clear], apart[clear] <= radius)


def test_masks_of_several_sources_join_and_patches_stay_apart():
    truth = placed([3.0, 10, 10], [3.0, 10, 12], np.array([0, 2, 2]))
    masks = truth_masks(truth, 3, 16, radius=2.5)
    alone = [
        truth_masks(placed([x], [y]), 1, 16, radius=2.5)[0] for x, y in ((3, 3), (10, 10), (10, 12))
    ]
    np.testing.assert_array_equal(masks[0], alone[0])
    assert not masks[1].any()
    np.testing.assert_array_equal(masks[2], alone[1] | alone[2])


def test_overlapping_patches_mark_the_same_places_of_the_sky():
    grid = PatchGrid(np.array([0.0, 4.0]), np.array([0.0, 0.0]), 12.8 * u.deg)
    truth = truth_table(everywhere(4000), grid, 64, margin=5)
    masks = truth_masks(truth, 2, 64)
    y, x = (axis.ravel() for axis in np.indices((64, 64)))
    sky = grid.positions(np.zeros(64**2, int), x, y, 64)
    there = grid.pixels(1, 64).pixel_of(sky)
    both = there >= 0
    agree = masks[0].ravel()[both] == masks[1].ravel()[there[both]]
    assert 0.2 < masks.mean() < 0.9
    assert agree.mean() > 0.9


def test_a_source_beyond_the_border_reaches_in():
    grid = PatchGrid(np.array([10.0]), np.array([70.0]), 12.8 * u.deg)
    sky = grid.positions([0], [-2.9], [20.0], 64)
    sources = sources_at(sky.l, sky.b)
    mask = truth_masks(truth_table(sources, grid, 64, margin=5), 1, 64)[0]
    row, column = np.indices((64, 64))
    np.testing.assert_array_equal(mask, np.hypot(row - 20, column + 2.9) <= 5)
    assert not truth_masks(truth_table(sources, grid, 64), 1, 64).any()


def test_masks_refuse_what_they_cannot_draw():
    with pytest.raises(OptionError, match="radius"):
        truth_masks(placed([1.0], [1.0]), 1, 8, radius=0)
    with pytest.raises(TableError, match="0 to 1"):
        truth_masks(placed([1.0], [1.0], np.array([2])), 2, 8)
