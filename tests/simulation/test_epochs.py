from __future__ import annotations

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose, assert_array_equal

from gammafind import HealpixPixels, RadialPsf
from gammafind.errors import OptionError
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import simulated_sky
from tests.simulation.toy_sky import EXPOSURE, FLUX, Few
from tests.training.toy import Counting


@dataclass(frozen=True, kw_only=True)
class Varying(Counting):
    """Counts of each source in each year, on pixels finer than the PSF."""

    @property
    def pixels(self):
        return (HealpixPixels(16), HealpixPixels(32))

    def psfs(self):
        theta = np.linspace(0, 0.4, 400)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / 0.06) ** 2)),) * 2

    def source_counts(self, sources):
        flux = sources["flux"].to_value(FLUX)
        if self.year:
            flux = flux * sources["flux_history"][:, self.year - 1]
        return np.repeat(0.5 * EXPOSURE * self._time * flux[:, None], 2, axis=1)


def bright_sky(renderer, seed=5):
    sky = simulated_sky(renderer, Few(n=8), seed=seed, index=0)
    sources = sky.sources
    sources["flux"] *= 1e3
    expected = renderer.render(sources)
    everything = [
        e + b for e, b in zip(expected.values, renderer.background()["flat"].values, strict=True)
    ]
    counts = tuple(np.random.default_rng(seed).poisson(one) for one in everything)
    counts = replace(sky.observation.counts, values=counts)
    return replace(sky, sources=sources, expected=expected, observation=renderer.observe(counts))


def test_the_photons_of_the_sky_stay():
    sky = bright_sky(Varying())
    epochs = draw_epochs(sky, Varying(), rng=np.random.default_rng(1))
    assert len(epochs) == 2
    for band, whole in enumerate(sky.observation.counts.values):
        parts = [one.values[band] for one in epochs.counts]
        assert all(part.min() >= 0 and part.dtype.kind == "i" for part in parts)
        assert_array_equal(np.sum(parts, axis=0), whole)


def test_sources_vary_as_their_histories_say():
    renderer = Varying()
    sky = bright_sky(renderer)
    epochs = draw_epochs(sky, renderer, rng=np.random.default_rng(1))
    here = SkyCoord(sky.sources["ra"], sky.sources["dec"])
    pixels = sky.observation.counts.pixels[1]
    at = pixels.pixel_of(here)
    others = (here[:, None].separation(here) < 40 * u.deg).sum(axis=1) - 1
    whole, first = sky.observation.counts.values[1][at], epochs.counts[0].values[1][at]
    share = 0.5 * np.asarray(sky.sources["flux_history"])[:, 0]
    clear = (others == 0) & (whole > 300)
    assert clear.sum() >= 3
    assert np.ptp(share[clear]) > 0.1
    assert_allclose(first[clear] / whole[clear], share[clear], atol=0.06)


def test_the_background_is_shared_out_as_the_exposure():
    renderer = Varying()
    sky = bright_sky(renderer)
    quiet = sky.expected.values[0] < 1e-2
    epochs = draw_epochs(sky, renderer, rng=np.random.default_rng(2))
    first = epochs.counts[0].values[0][quiet].sum()
    whole = sky.observation.counts.values[0][quiet].sum()
    assert abs(first - whole / 2) < 5 * np.sqrt(whole / 4)


def test_the_draw_depends_on_the_generator_alone():
    sky = bright_sky(Varying())
    one, again = (draw_epochs(sky, Varying(), rng=np.random.default_rng(3)) for _ in range(2))
    assert_array_equal(one.counts[0].values[1], again.counts[0].values[1])


def test_a_renderer_without_epochs_is_refused():
    sky = bright_sky(Varying())
    with pytest.raises(OptionError, match="counting has no epochs"):
        draw_epochs(sky, Varying(year=1), rng=np.random.default_rng(0))
