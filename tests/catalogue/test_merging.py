"""Merging: each source once, from the patch that sees it best, in any order of the rows."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st

from gammafind.catalogue.merging import merge_detections, merge_duplicates
from gammafind.catalogue.schema import DETECTIONS, PATCH_DETECTIONS, empty_table
from gammafind.errors import TableError
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import unit_vectors

WIDTH = 64
GRID = PatchGrid.healpix(4, size=24 * u.deg)
PIXEL = 24 / WIDTH


def seen(lon, lat, *, error=None, shift=0.0, rng=None):
    """Detections in every patch that holds the positions, each moved by up to ``shift`` deg."""
    rows = []
    vectors = unit_vectors(np.asarray(lon, float), np.asarray(lat, float))
    for patch in range(len(GRID)):
        x, y = GRID.xy(patch, vectors, WIDTH)
        with np.errstate(invalid="ignore"):
            inside = (np.abs(x - WIDTH / 2 + 0.5) < WIDTH / 2) & (
                np.abs(y - WIDTH / 2 + 0.5) < WIDTH / 2
            )
        for source in np.flatnonzero(inside):
            rows.append((patch, x[source], y[source], float(source)))
    patch, x, y, score = (np.array(column) for column in zip(*rows, strict=True))
    if shift:
        angle = rng.uniform(0, 2 * np.pi, len(x))
        x, y = x + shift / PIXEL * np.cos(angle), y + shift / PIXEL * np.sin(angle)
    found = QTable({"patch": patch, "x": x * u.pix, "y": y * u.pix, "score": score})
    if error is not None:
        found["pos_err"] = np.full(len(found), error) * u.deg
    return found


def random_sky(rng, n):
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def test_every_source_comes_out_once_where_it_is():
    rng = np.random.default_rng(1)
    lon, lat = random_sky(rng, 300)
    found = seen(lon, lat)
    assert len(found) > 600
    merged = merge_detections(found, GRID, WIDTH)
    assert merged.colnames[:5] == ["ra", "dec", "glon", "glat", "score"]
    assert len(merged) == 300
    source = merged["score"].astype(int)
    there = SkyCoord(lon[source], lat[source], unit="deg", frame="galactic")
    here = SkyCoord(merged["ra"], merged["dec"])
    assert np.max(here.separation(there)) < 1 * u.arcsec
    galactic = SkyCoord(merged["glon"], merged["glat"], frame="galactic")
    assert np.max(galactic.separation(there)) < 1 * u.arcsec


def test_noisy_positions_lose_and_double_no_isolated_source():
    rng = np.random.default_rng(2)
    grid = SkyCoord(
        *(c.ravel() for c in np.meshgrid(np.arange(0, 360, 6), np.arange(-60, 61, 6))), unit="deg"
    )
    found = seen(grid.ra.deg, grid.dec.deg, shift=0.3, rng=rng)
    merged = merge_detections(found, GRID, WIDTH)
    assert sorted(merged["score"]) == list(range(len(grid)))


def test_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(3)
    found = seen(*random_sky(rng, 200), shift=0.2, rng=rng, error=0.1)
    one = merge_detections(found, GRID, WIDTH)
    other = merge_detections(found[rng.permutation(len(found))], GRID, WIDTH)
    for name in one.colnames:
        np.testing.assert_array_equal(one[name], other[name])


def test_the_best_placed_detection_is_kept():
    centre = GRID.centres[40]
    position = centre.directional_offset_by(30 * u.deg, 1 * u.deg)
    found = seen([position.l.deg], [position.b.deg])
    assert len(found) > 1
    found["n_pixels"] = found["patch"]
    assert list(merge_detections(found, GRID, WIDTH)["n_pixels"]) == [40]


def test_a_detection_far_from_its_patch_centre_does_not_count():
    position = GRID.centres[40]
    found = seen([position.l.deg], [position.b.deg])
    assert len(merge_detections(found[found["patch"] != 40], GRID, WIDTH)) == 0


def test_close_sources_of_one_patch_stay_apart():
    centre = GRID.centres[40]
    merged = merge_detections(
        seen([centre.l.deg] * 2, [centre.b.deg, centre.b.deg + 0.05]), GRID, WIDTH
    )
    assert len(merged) == 2


def test_position_errors_widen_the_radius():
    a, b = 40, int(np.argsort(GRID.centres[40].separation(GRID.centres))[1])
    middle = SkyCoord((GRID.centres[[a, b]].cartesian.sum() / 2), frame="galactic")
    found = QTable()
    shifted = [
        middle.directional_offset_by(middle.position_angle(GRID.centres[i]), 0.6 * u.deg)
        for i in (a, b)
    ]
    x, y = zip(
        *(
            GRID.xy(i, unit_vectors(p.l.deg, p.b.deg)[None], WIDTH)
            for i, p in zip((a, b), shifted, strict=True)
        ),
        strict=True,
    )
    found = QTable({"patch": [a, b], "x": np.ravel(x) * u.pix, "y": np.ravel(y) * u.pix})
    found["score"] = [2.0, 1.0]
    assert len(merge_detections(found, GRID, WIDTH)) == 2
    found["pos_err"] = [0.8, np.nan] * u.deg
    assert len(merge_detections(found, GRID, WIDTH)) == 1
    assert len(merge_detections(found, GRID, WIDTH, radius=0.1 * u.deg)) == 2


def test_nothing_found_gives_the_full_schema():
    merged = merge_detections(empty_table(PATCH_DETECTIONS), GRID, WIDTH)
    assert len(merged) == 0
    assert merged.colnames == [column.name for column in DETECTIONS]
    assert merged["ra"].unit == u.deg


def test_an_unknown_patch_is_named():
    found = QTable({"patch": [len(GRID)], "x": [1.0] * u.pix, "y": [1.0] * u.pix, "score": [1.0]})
    with pytest.raises(TableError, match=f"0 to {len(GRID) - 1}"):
        merge_detections(found, GRID, WIDTH)


@given(data=st.data(), n=st.integers(0, 12), radius=st.floats(0.01, 2))
@settings(max_examples=60, deadline=None)
def test_duplicates_leave_one_of_each_neighbourhood(data, n, radius):
    numbers = st.lists(st.floats(-1, 1), min_size=n, max_size=n)
    positions = SkyCoord(
        np.array(data.draw(numbers)) % 360, np.array(data.draw(numbers)) + 88.5, unit="deg"
    )
    score = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    kept = merge_duplicates(positions, score, radius * u.deg)
    order = np.array(data.draw(st.permutations(range(n))), dtype=int)
    again = merge_duplicates(positions[order], score[order], radius * u.deg)
    for name in ("ra", "dec"):
        values = getattr(positions, name).deg
        np.testing.assert_array_equal(values[kept], values[order][again])
    near = positions[:, None].separation(positions[None, :]).deg <= radius + 1e-9
    far = positions[:, None].separation(positions[None, :]).deg > radius - 1e-9
    assert np.all(far[np.ix_(kept, kept)] | np.eye(len(kept), dtype=bool))
    for index in set(range(n)) - set(kept):
        assert np.any(near[index, kept] & (score[kept] >= score[index]))


def test_priority_goes_before_score():
    positions = SkyCoord([0.0, 0.1], [0.0, 0.0], unit="deg")
    kept = merge_duplicates(positions, [9.0, 1.0], 1 * u.deg, priority=[-5.0, -2.0])
    assert list(kept) == [1]
    assert list(merge_duplicates(positions, [9.0, 1.0], 1 * u.deg)) == [0]
