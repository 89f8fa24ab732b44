from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gammafind.sky.projection import deproject, project, tangent_basis, unit_vectors

LON = st.floats(-360, 720)
LAT = st.floats(-90, 90)
OFFSET = st.floats(-80, 80)


@given(lon=LON, lat=LAT)
def test_the_basis_is_orthonormal_and_points_outward(lon, lat):
    basis = tangent_basis(lon, lat)
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(basis[2], unit_vectors(lon, lat), atol=1e-14)
    np.testing.assert_allclose(np.cross(basis[0], basis[1]), basis[2], atol=1e-14)


@given(lon=LON, lat=LAT, east=OFFSET, north=OFFSET)
def test_deprojection_undoes_projection(lon, lat, east, north):
    basis = tangent_basis(lon, lat)
    vectors = deproject(np.array([east]), np.array([north]), basis)
    np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-14)
    np.testing.assert_allclose(np.ravel(project(vectors, basis)), [east, north], atol=1e-10)


@given(lon=LON, lat=st.floats(-80, 80))
def test_north_is_towards_the_pole_and_east_towards_greater_longitude(lon, lat):
    basis = tangent_basis(lon, lat)
    east, north = project(unit_vectors([lon, lon + 0.1], [lat + 0.1, lat]), basis)
    assert north[0] > 0.09
    assert abs(east[0]) < 1e-9
    assert east[1] > 0


def test_the_far_hemisphere_is_not_projected():
    basis = tangent_basis(30.0, 20.0)
    vectors = np.stack([-basis[2], basis[0] - 1e-3 * basis[2], basis[2]])
    east, north = project(vectors, basis)
    assert np.isnan(east).tolist() == np.isnan(north).tolist() == [True, True, False]


def test_offsets_are_tangents_of_angles():
    basis = tangent_basis(0.0, 0.0)
    east, _ = project(unit_vectors(np.array([6.4]), np.array([0.0])), basis)
    np.testing.assert_allclose(np.radians(east), np.tan(np.radians(6.4)))
