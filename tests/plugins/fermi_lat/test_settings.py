"""Settings of the LAT that are drawn at random."""

from __future__ import annotations

import numpy as np

from gammafind.plugins.fermi_lat.settings import MOST_BANDS, drawn_options
from gammafind.presets.preset import build, load_preset


def test_bands_are_anywhere_and_not_narrow():
    drawn = [drawn_options(np.random.default_rng(seed)) for seed in range(300)]
    numbers = [len(one["energies"]) - 1 for one in drawn]
    assert min(numbers) == 1
    assert MOST_BANDS - 1 <= max(numbers) <= MOST_BANDS
    for one in drawn:
        edges = np.array(one["energies"])
        assert edges[0] >= 0.0999
        assert edges[-1] <= 2001
        assert np.all(edges[1:] / edges[:-1] > 1.14)
    assert min(one["energies"][0] for one in drawn) < 0.12
    years = [one["good_time"] / 26.11e6 for one in drawn]
    assert 0.1 <= min(years) < 0.15
    assert 13 < max(years) <= 16


def test_a_seed_gives_a_setting():
    renderer = build(load_preset("fermi-lat").renderer)
    first, again = (renderer.another(np.random.default_rng(4)) for _ in range(2))
    assert first == again
    assert first.bands != renderer.bands
    assert len(first.nsides) == len(first.bands)


def test_maps_are_fine_or_coarse_as_suits_the_psf():
    renderer = build(load_preset("fermi-lat").renderer)
    low = renderer.another(np.random.default_rng(0))
    assert max(low.nsides) <= 1024
    sizes = [pixels.pixel_size.to_value("deg") for pixels in low.pixels]
    r68 = [psf.containment_radius(0.68).to_value("deg") for psf in low.psfs()]
    assert np.all(np.diff(sizes) <= 0)
    assert np.all(np.diff(r68) < 0)


def test_an_instrument_without_settings_stays():
    renderer = build(load_preset("meerlicht").renderer)
    assert renderer.another(np.random.default_rng(1)) is renderer
