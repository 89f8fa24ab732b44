"""Galaxies as mixtures of Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.modeling.models import Sersic2D
from scipy.signal import fftconvolve

from gammafind.plugins.meerlicht.galaxies import draw_galaxies, galaxy_stamps, mixture_of_sersic
from gammafind.plugins.meerlicht.moffat import alpha_of

HALF, FINE = 40, 5


def by_convolution(index, radius, fwhm=4.9, beta=3.0):
    """Sersic profile of astropy, convolved with the PSF in sub-pixels."""
    at = (np.arange((2 * HALF + 1) * FINE) + 0.5) / FINE - HALF - 0.5
    x, y = np.meshgrid(at, at)
    profile = Sersic2D(1, radius, index, 0.2, -0.1, 0.5, 0.6)(x, y)
    along, across = x * np.cos(0.6) + y * np.sin(0.6), y * np.cos(0.6) - x * np.sin(0.6)
    profile[np.hypot(along, 2 * across) > 8 * radius] = 0
    psf = (1 + (x**2 + y**2) / alpha_of(fwhm, beta) ** 2) ** -beta
    seen = fftconvolve(profile / profile.sum(), psf / psf.sum(), mode="same")
    side = 2 * HALF + 1
    return seen.reshape(side, FINE, side, FINE).sum(axis=(1, 3))


def stamp(index, radius):
    values = (0.2, -0.1, 4.9, radius, 0.5, 0.6)
    given = (np.array([v], dtype=float) for v in values)
    return galaxy_stamps(*given, beta=3.0, index=index, half=HALF)[0]


@pytest.mark.parametrize(("index", "radius"), [(1.0, 1.0), (1.0, 3.0), (4.0, 3.0)])
def test_a_galaxy_is_its_profile_convolved_with_the_psf(index, radius):
    expected = by_convolution(index, radius)
    assert np.abs(stamp(index, radius) - expected).max() < 0.03 * expected.max()


def test_a_galaxy_holds_one_electron():
    assert stamp(1.0, 2.0).sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("index", [1.0, 2.5, 4.0])
def test_half_of_the_light_is_within_the_half_light_radius(index):
    weights, widths = mixture_of_sersic(index)
    inside = np.sum(weights * (1 - np.exp(-0.5 / widths**2)))
    assert weights.sum() == pytest.approx(1)
    assert inside == pytest.approx(0.5, abs=0.03)


def test_galaxies_are_drawn_where_they_are():
    image = np.zeros((100, 120), dtype=np.float32)
    values = ([70.0], [30.0], [1e5], [5.0])
    shape = {"radius": [3.0], "index": [1.0], "axis_ratio": [0.4], "angle": [0.0]}
    draw_galaxies(
        image,
        *(np.array(v) for v in values),
        beta=3.0,
        **{name: np.array(v) for name, v in shape.items()},
    )
    y, x = np.indices(image.shape)
    centre = np.sum(image * x) / image.sum(), np.sum(image * y) / image.sum()
    assert centre == pytest.approx((70, 30), abs=0.05)
    assert image[30, 78] > image[38, 70]
    assert image.sum() == pytest.approx(1e5, rel=0.02)
