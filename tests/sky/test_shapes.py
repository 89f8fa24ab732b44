"""Shapes of extended sources and their profiles through a PSF."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.sky.psf import RadialPsf
from gammafind.sky.shapes import GAUSSIAN_R68, Shape, convolved, shape_points

DEGREE = float(np.radians(1))


def gaussian(sigma: float) -> RadialPsf:
    theta = np.append(0, np.geomspace(1e-5, 10 * sigma, 800))
    return RadialPsf(theta, np.exp(-0.5 * (theta / sigma) ** 2))


def test_a_gaussian_through_a_gaussian_is_a_gaussian():
    seen = convolved(gaussian(0.4 * DEGREE), Shape("gaussian", GAUSSIAN_R68 * 0.3 * DEGREE))
    expected = gaussian(0.5 * DEGREE)
    for share in (0.2, 0.68, 0.95):
        ratio = seen.containment_radius(share) / expected.containment_radius(share)
        assert float(ratio) == pytest.approx(1, abs=0.01)


def test_a_disc_through_a_narrow_psf_is_a_disc():
    seen = convolved(gaussian(0.02 * DEGREE), Shape("disc", DEGREE))
    inside = seen(np.array([0, 0.5, 0.9]) * DEGREE)
    assert inside == pytest.approx(1 / (2 * np.pi * (1 - np.cos(DEGREE))), rel=5e-3)
    assert seen(DEGREE) == pytest.approx(inside[0] / 2, rel=0.03)
    assert seen(1.1 * DEGREE) < 1e-3 * inside[0]


def test_a_ring_is_empty_inside():
    seen = convolved(gaussian(0.02 * DEGREE), Shape("ring", DEGREE, inner=0.6 * DEGREE))
    assert seen(0.2 * DEGREE) < 1e-3 * seen(0.8 * DEGREE)
    assert seen.containment_radius(0.5).to_value("deg") == pytest.approx(np.sqrt(0.68), rel=0.01)


def test_a_small_shape_does_not_change_the_psf():
    psf = gaussian(0.3 * DEGREE)
    seen = convolved(psf, Shape("disc", 0.01 * DEGREE))
    theta = np.array([0.1, 0.3, 0.8]) * DEGREE
    assert seen(theta) == pytest.approx(psf(theta), rel=5e-3)


def test_the_points_of_an_ellipse_have_its_axes_and_angle():
    shape = Shape("disc", 2 * DEGREE, ratio=0.5, angle=np.radians(90))
    east, north = (offset / DEGREE for offset in shape_points(shape))
    assert np.hypot(east / 2, north).max() <= 1
    assert [east.std(), north.std()] == pytest.approx([1, 0.5], rel=0.01)


def test_the_points_of_a_gaussian_contain_68_percent_within_its_radius():
    east, north = shape_points(Shape("gaussian", DEGREE))
    assert np.mean(np.hypot(east, north) < DEGREE) == pytest.approx(0.68, abs=2e-3)


@pytest.mark.parametrize(
    "wrong", [{"radius": 0}, {"inner": 2}, {"ratio": 1.5}, {"angle": np.nan}, {"model": "cube"}]
)
def test_an_impossible_shape_is_refused(wrong):
    with pytest.raises(OptionError):
        Shape(**({"model": "ring", "radius": 1.0} | wrong))
