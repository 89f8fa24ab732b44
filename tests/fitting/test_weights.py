"""Weights of pixels for a background that is known to a share of itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.fitting.photons.data import SkyData, sky_data
from gammafind.fitting.photons.position import fit_positions
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.fitting.photons.weights import SYSTEMATIC, area_of_source, weights_of_sources
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, image, observe, source_sky

SIGMA = 2.0
SOURCE = np.array([[0.0, 0, 1]])


def modelled(sky, systematic: float, *, index=2.3) -> SkyModel:
    data = sky_data(sky, index=index)
    components = background_components(sky, data)
    return SkyModel(data, components, smoothing=0.0, systematic=systematic)


def flat(levels, *, pixels=None, sigmas=None):
    """Bands that hold exactly their flat backgrounds."""
    pixels = pixels or [HealpixPixels(32)] * len(levels)
    maps = [np.full(p.shape, level) for level, p in zip(levels, pixels, strict=True)]
    psfs = [gaussian_psf(s) for s in sigmas or [SIGMA] * len(levels)]
    return observe(maps, maps, pixels, psfs)


def test_the_area_of_a_source_is_that_of_the_psf_over_its_peak():
    sky = flat([3.0], pixels=[HealpixPixels(128)])
    (band,) = sky_data(sky, index=2.3).bands
    assert_allclose(area_of_source(band.pixels, band.psf), 2 * np.pi * SIGMA**2, rtol=0.02)


@pytest.mark.parametrize("pixels", [HealpixPixels(32), image(48, step=1.0)])
def test_the_weight_is_the_share_of_chance_in_the_variance(pixels):
    sky = flat([3.0], pixels=[pixels])
    (band,) = modelled(sky, 0.1).data.bands
    under = 3.0 / band.pixels.pixel_area.to_value("deg2") * area_of_source(band.pixels, band.psf)
    assert_allclose(band.weight, 1 / (1 + 0.01 * under), rtol=1e-3)


def test_the_background_of_higher_energies_counts_too_and_that_of_lower_ones_does_not():
    low, high = modelled(flat([3.0, 3.0]), 0.1).data.bands
    alone = modelled(flat([3.0]), 0.1).data.bands[0]
    assert_allclose(high.weight, alone.weight, rtol=1e-6)
    assert_allclose(1 / low.weight - 1, 2 * (1 / alone.weight - 1), rtol=1e-5)


def test_bands_on_other_pixels_are_added_at_the_same_places():
    pixels = [HealpixPixels(32), HealpixPixels(64)]
    low, high = modelled(flat([4.0, 1.0], pixels=pixels), 0.1).data.bands
    assert_allclose(1 / low.weight - 1, 2 * (1 / high.weight[0] - 1), rtol=0.1)


def test_without_a_systematic_error_nothing_has_a_weight():
    assert all(band.weight is None for band in modelled(flat([3.0]), 0.0).data.bands)


@pytest.mark.parametrize("systematic", [0.03, 0.1])
def test_ts_and_information_shrink_with_the_weight_and_counts_stay(systematic):
    sky = source_sky(SOURCE, [150], HealpixPixels(32), gaussian_psf(SIGMA), level=3.0)
    data = modelled(sky, systematic).data
    plain, weighted = scan(data.unweighted, SOURCE), scan(data, SOURCE)
    weight = data.bands[0].weight[0]
    assert weight < 0.99
    assert_allclose(weighted.ts, weight * plain.ts, rtol=0.01)
    assert_allclose(weighted.amplitude, plain.amplitude, rtol=0.01)
    assert_allclose(weighted.error, plain.error / np.sqrt(weight), rtol=0.01)


def test_errors_of_a_joint_fit_and_of_a_position_grow():
    sky = source_sky(SOURCE, [150], HealpixPixels(32), gaussian_psf(SIGMA), level=3.0)
    errors, sigmas = [], []
    for systematic in (0.0, 0.1):
        model = modelled(sky, systematic)
        model.add(SOURCE, np.array([150.0]))
        model.update(background=False)
        errors.append(model.errors()[0])
        fit = fit_positions(model.data, SOURCE, model.counts, np.array([0.3]))
        sigmas.append(fit.sigma[0])
    expected = modelled(sky, 0.1).data.bands[0].weight[0] ** -0.5
    assert_allclose(errors[1] / errors[0], expected, rtol=0.02)
    assert_allclose(sigmas[1] / sigmas[0], expected, rtol=0.05)


@pytest.mark.parametrize("levels", [[3.0], [5.0, 1.0]])
def test_the_weight_of_a_source_is_the_share_of_its_ts_that_is_left(levels):
    sky = flat(levels)
    data = modelled(sky, SYSTEMATIC).data
    shares = data.shares(SOURCE)[0]
    models = [
        band.model + one
        for band, one in zip(data.bands, data.source_maps(SOURCE, 60 * shares[None]), strict=True)
    ]
    seen = SkyData(tuple(replace(b, counts=m) for b, m in zip(data.bands, models, strict=True)))
    left = scan(seen, SOURCE).ts / scan(seen.unweighted, SOURCE).ts
    place = SkyCoord([0], [90], unit="deg", frame="galactic")
    weight = weights_of_sources(sky, place, np.array([levels]), index=2.3)
    assert_allclose(1 - weight, 1 - left, rtol=0.1)


def test_a_higher_background_leaves_less_of_a_source():
    sky = source_sky(SOURCE, [150], HealpixPixels(32), gaussian_psf(SIGMA), level=3.0)
    data = modelled(sky, 0.0).data
    raised = data.raised(0.1)
    assert_allclose(raised.bands[0].background, 1.1 * data.bands[0].background, rtol=1e-6)
    assert scan(raised, SOURCE).ts < scan(data, SOURCE).ts
    assert_array_equal(raised.bands[0].counts, data.bands[0].counts)


def test_weights_belong_to_the_pixels_that_are_held():
    sky = flat([3.0])
    valid = np.arange(12 * 32**2) < 6000
    counts = replace(sky.counts, valid=(valid,))
    data = sky_data(replace(sky, counts=counts), index=2.3, crop=True)
    model = SkyModel(data, [[data.bands[0].background]], smoothing=0.0, systematic=0.1)
    assert_allclose(model.data.bands[0].weight[:-1], modelled(sky, 0.1).data.bands[0].weight[0])
