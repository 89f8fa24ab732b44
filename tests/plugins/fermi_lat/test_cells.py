"""Filling cells with structure."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gammafind.plugins.fermi_lat.cells import N_LAT, N_LON, cell_means, fill_cells
from gammafind.sky.pixels import HealpixPixels

HOME = HealpixPixels(64)


def smooth_cells():
    lon, lat = np.meshgrid(np.linspace(0, 2 * np.pi, N_LON), np.linspace(-1.5, 1.5, N_LAT))
    return 2 + np.cos(lat) * np.cos(lon)


def test_flat_cells_give_a_flat_sky():
    filled = fill_cells(np.full((N_LAT, N_LON), 3.0), np.ones(HOME.shape), HOME)
    assert_allclose(filled, 3, rtol=1e-6)


def test_structure_comes_in_and_means_stay():
    fine, cells = HealpixPixels(256), smooth_cells()
    structure = 1 + 0.5 * np.sin(400 * fine.vectors[:, 2])
    filled = fill_cells(cells, structure, fine)
    ratio = cell_means(filled, fine)[20:-20] / cells[20:-20]
    assert_allclose(ratio, 1, atol=0.01)
    near = np.abs(fine.vectors[:, 2]) < 0.7
    assert np.corrcoef((filled / structure)[near], structure[near])[0, 1] < 0.2
    assert np.corrcoef(filled[near], structure[near])[0, 1] > 0.7


def test_the_norm_of_the_structure_has_no_meaning():
    structure = 1 + 0.5 * HOME.vectors[:, 0] ** 2
    cells = smooth_cells()
    assert_allclose(
        fill_cells(cells, structure, HOME), fill_cells(cells, 7 * structure, HOME), rtol=1e-9
    )


def test_the_first_row_is_the_south_and_longitude_falls():
    cells = np.ones((N_LAT, N_LON))
    cells[20, 40] = 5
    filled = fill_cells(cells, np.ones(HOME.shape), HOME)
    lon, lat = HOME.centres()[np.argmax(filled)].spherical.lon, HOME.centres()[np.argmax(filled)].b
    assert abs(lat.deg - (20 - 65) * 1.375) < 1.2
    assert abs(lon.deg - (179.25 - 40 * 1.5)) < 1.2
