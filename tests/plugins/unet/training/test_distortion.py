"""Skies whose background is off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gammafind.plugins.unet.training.distortion import distorted
from gammafind.sky.pixels import HealpixPixels
from gammafind.training.draws import DrawOptions
from tests.fitting.skies import gaussian_psf, observe

N = 12 * 32**2


@pytest.fixture(scope="module")
def sky():
    """Background of two bands, bright in the north and faint in the south."""
    background = np.where(np.arange(N) < N // 2, 1e6, 1e3)
    pixels = (HealpixPixels(32),) * 2
    return observe([background] * 2, [background] * 2, pixels, [gaussian_psf(1)] * 2)


def ratio(sky, seed=1, **options):
    """Counts over background in the north and in the south of both bands."""
    none = replace(sky.counts, values=(np.zeros(N),) * 2, kind="expected counts")
    drawn = distorted(sky, none, DrawOptions(**options), size=12.8, rng=np.random.default_rng(seed))
    assert drawn.background is sky.background
    known = sky.total_background().values
    return [
        (counts / expected)[part]
        for part in (slice(N // 2), slice(N // 2, None))
        for counts, expected in zip(drawn.counts.values, known, strict=True)
    ]


def test_waves_have_their_standard_deviation_and_are_alike_in_all_bands(sky):
    *north, south, _ = ratio(sky, background_waves=0.2)
    assert np.log(north[0]).std() == pytest.approx(0.2, rel=0.1)
    assert np.corrcoef(*north)[0, 1] > 0.99
    assert np.std(south) < 0.04


def test_clumps_rise_above_the_background(sky):
    north, _, south, _ = ratio(sky, background_clumps=0.4)
    assert north.max() > 1.8
    assert north.min() > 0.35
    assert np.mean(north > 1.2) > 2 * np.mean(north < 0.9)
    assert np.std(south) < 0.04


def test_a_background_is_off_by_more_in_one_region_than_in_another(sky):
    def spread_of_spreads(unevenness):
        north, *_ = ratio(sky, background_grain=0.05, background_unevenness=unevenness)
        return np.log([part.std() for part in np.array_split(np.log(north), 40)]).std()

    assert spread_of_spreads(1.0) > spread_of_spreads(0.0) + 0.1


def test_without_options_counts_are_those_of_the_model(sky):
    north, *_ = ratio(sky)
    assert abs(north.mean() - 1) < 1e-4
