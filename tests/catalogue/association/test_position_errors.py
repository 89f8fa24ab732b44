from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.association.position_errors import (
    SIGMA_OF_R68,
    SIGMA_OF_R95,
    position_errors,
)
from gammafind.errors import TableError


def table(**columns):
    """Two sources, at declination 60."""
    return QTable({"ra": [10.0, 20.0] * u.deg, "dec": [60.0, 60.0] * u.deg, **columns})


def sigmas(errors):
    """Sigma east and north."""
    return np.sqrt(np.diagonal(errors.covariance, axis1=1, axis2=2))


def test_an_ellipse_is_turned_from_north_to_east():
    errors = position_errors(
        table(
            Conf_95_SemiMajor=[0.2, 0.2] * u.deg,
            Conf_95_SemiMinor=[0.1, 0.1] * u.deg,
            Conf_95_PosAng=[0.0, 90.0] * u.deg,
        )
    )
    expected = SIGMA_OF_R95 * np.array([[0.1, 0.2], [0.2, 0.1]])
    np.testing.assert_allclose(sigmas(errors), expected)
    np.testing.assert_allclose(errors.covariance[:, 0, 1], 0, atol=1e-12)


def test_an_ellipse_between_the_axes_is_correlated():
    errors = position_errors(
        table(
            Conf_95_SemiMajor=[0.2] * 2 * u.deg,
            Conf_95_SemiMinor=[0.1] * 2 * u.deg,
            Conf_95_PosAng=[45.0, -45.0] * u.deg,
        )
    )
    assert errors.covariance[0, 0, 1] > 0 > errors.covariance[1, 0, 1]


@pytest.mark.parametrize(
    ("name", "scale"),
    [("r95", SIGMA_OF_R95), ("Pos_err_95", SIGMA_OF_R95), ("pos_err", SIGMA_OF_R68)],
)
def test_a_radius_is_a_circle(name, scale):
    errors = position_errors(table(**{name: [6.0, 12.0] * u.arcmin}))
    np.testing.assert_allclose(sigmas(errors), scale * np.array([[0.1, 0.1], [0.2, 0.2]]))
    assert name in errors.columns


def test_errors_along_axes_may_be_seconds_of_time():
    errors = position_errors(table(e_RAs=[1.0, 2.0] * u.s, e_DEs=[3.0, 3.0] * u.arcsec))
    np.testing.assert_allclose(sigmas(errors) * 3600, [[7.5, 3.0], [15.0, 3.0]])


def test_errors_are_found_by_their_ucds():
    made = table(a=[1.0, 1.0] * u.arcsec, b=[2.0, 2.0] * u.arcsec)
    made["a"].info.meta = {"ucd": "stat.error;pos.eq.ra"}
    made["b"].info.meta = {"ucd": "stat.error;pos.eq.dec"}
    np.testing.assert_allclose(sigmas(position_errors(made)) * 3600, [[1, 2], [1, 2]])


def test_rows_without_a_usable_error_are_not_known():
    errors = position_errors(table(r95=[np.nan, 0.0] * u.deg))
    assert not errors.known.any()
    assert np.all(errors.covariance == 0)
    assert not position_errors(table()).known.any()
    assert not position_errors(table(r95=[999.0, -1.0] * u.deg)).known.any()


def test_sizes_count_as_radii_and_need_a_unit():
    errors = position_errors(table(MajDiam=[60.0, np.nan] * u.arcmin))
    np.testing.assert_allclose(errors.radius, [0.5, 0.0])
    np.testing.assert_allclose(errors.with_size[0], np.eye(2) * 0.5**2 / 4)
    assert np.all(position_errors(table(MajDiam=[60.0, 1.0])).radius == 0)


def test_a_column_may_be_named():
    errors = position_errors(table(far=[0.1, 0.1] * u.deg, r95=[9.0, 9.0] * u.deg), column="far")
    np.testing.assert_allclose(sigmas(errors), SIGMA_OF_R95 * 0.1)
    with pytest.raises(TableError, match="no column near"):
        position_errors(table(), column="near")


def test_errors_that_are_no_angles_are_refused():
    with pytest.raises(TableError, match="column r95 is not an angle"):
        position_errors(table(r95=[1.0, 2.0] * u.m))
    with pytest.raises(TableError, match="column r95 is not an angle"):
        position_errors(table(r95=["wide", "narrow"]))
