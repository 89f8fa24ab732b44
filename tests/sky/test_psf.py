from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import eval_legendre

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.psf import RadialPsf, ring_weights

THETA = np.concatenate([[0.0], np.radians(np.geomspace(1e-3, 60, 900))])
SIGMA = np.radians(0.5)


def gaussian() -> RadialPsf:
    return RadialPsf(THETA, np.exp(-(THETA**2) / (2 * SIGMA**2)))


def coarse() -> RadialPsf:
    return RadialPsf(np.array([0.0, 0.02, 0.05, 0.4]), np.array([9.0, 5.0, 1.0, 0.0]))


def ring_integral(psf: RadialPsf, radius: float, degree: int = 0) -> float:
    value, _ = quad(
        lambda theta: 2 * np.pi * np.sin(theta) * psf(theta) * eval_legendre(degree, np.cos(theta)),
        0,
        radius,
        points=[theta for theta in psf.theta[1:-1] if theta < radius],
        epsabs=1e-13,
        limit=400,
    )
    return value


def test_a_profile_is_normalised_on_the_sphere():
    assert ring_integral(coarse(), 0.4) == pytest.approx(1, abs=1e-12)


def test_uniform_sphere_contains_its_solid_angle():
    psf = RadialPsf(np.linspace(0, np.pi, 7), np.ones(7))
    radius = np.array([0.0, 0.3, 1.0, 2.5, np.pi])
    np.testing.assert_allclose(psf.containment(radius * u.rad), (1 - np.cos(radius)) / 2)


@pytest.mark.parametrize("radius", [0.001, 0.02, 0.035, 0.2])
def test_containment_is_exact_between_coarse_nodes(radius):
    psf = coarse()
    assert psf.containment(radius * u.rad) == pytest.approx(ring_integral(psf, radius), abs=1e-12)


def test_containment_stays_one_beyond_the_profile():
    assert coarse().containment(30 * u.deg) == pytest.approx(1)


@given(st.floats(0.001, 0.999))
def test_containment_radius_inverts_containment(fraction):
    psf = coarse()
    assert psf.containment(psf.containment_radius(fraction)) == pytest.approx(fraction, abs=1e-9)


def test_containment_radius_is_found_at_every_node():
    rng = np.random.default_rng(5)
    for _ in range(10):
        theta = np.append(0, np.sort(rng.uniform(0, 1, 30)))
        psf = RadialPsf(theta, rng.uniform(0, 1, 31))
        nodes = theta[1:-1]
        fractions = np.array([float(psf.containment(node * u.rad)) for node in nodes])
        for shift in (-1, 0, 1):
            found = [psf.containment_radius(f + shift * np.spacing(f)) for f in fractions]
            np.testing.assert_allclose(u.Quantity(found).to_value("rad"), nodes, rtol=1e-9)


def test_containment_radius_of_a_gaussian():
    expected = np.degrees(SIGMA) * np.sqrt(-2 * np.log(0.32))
    assert gaussian().containment_radius(0.68).to_value("deg") == pytest.approx(expected, rel=1e-4)


def test_window_of_a_gaussian():
    degree = np.arange(1501)
    expected = np.exp(-degree * (degree + 1) * SIGMA**2 / 2)
    np.testing.assert_allclose(gaussian().window(1500), expected, atol=5e-5)


@pytest.mark.parametrize("degree", [0, 1, 17, 200])
def test_window_is_exact_for_coarse_nodes(degree):
    psf = coarse()
    expected = ring_integral(psf, 0.4, degree)
    assert psf.window(200)[degree] == pytest.approx(expected, abs=1e-9)


def test_window_of_a_short_transform_agrees_with_a_long_one():
    np.testing.assert_allclose(coarse().window(40), coarse().window(900)[:41], atol=1e-9)


def test_window_gives_back_the_profile():
    psf = gaussian()
    degree = np.arange(1501)
    series = (2 * degree + 1) / (4 * np.pi) * psf.window(1500)
    for theta in (0.0, SIGMA, 3 * SIGMA):
        total = series @ eval_legendre(degree, np.cos(theta))
        assert total == pytest.approx(float(psf(theta)), abs=1e-3 * psf.density[0])


def test_ring_weights_sum_to_the_cap():
    cap = 2 * np.pi * (1 - np.cos(THETA[-1]))
    assert ring_weights(THETA).sum() == pytest.approx(cap, rel=1e-12)


@pytest.mark.parametrize(
    ("theta", "density"),
    [
        ([0.0, 0.1], [1.0, 0.0]),
        ([0.0, 0.1, 0.2], [1.0, 0.0]),
        ([0.1, 0.2, 0.3], [1.0, 1.0, 0.0]),
        ([0.0, 0.2, 0.2], [1.0, 1.0, 0.0]),
        ([0.0, 0.2, 3.2], [1.0, 1.0, 0.0]),
    ],
)
def test_wrong_nodes_are_refused(theta, density):
    with pytest.raises(ShapeError):
        RadialPsf(np.array(theta), np.array(density))


@pytest.mark.parametrize("density", [[1.0, -1.0, 0.0], [0.0, 0.0, 0.0], [np.nan, 1.0, 0.0]])
def test_wrong_densities_are_refused(density):
    with pytest.raises(OptionError):
        RadialPsf(np.array([0.0, 0.1, 0.2]), np.array(density))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2])
def test_fraction_outside_the_open_unit_interval_is_refused(fraction):
    with pytest.raises(OptionError, match="fraction"):
        coarse().containment_radius(fraction)


def test_negative_lmax_is_refused():
    with pytest.raises(OptionError, match="lmax"):
        coarse().window(-1)
