"""Photons are drawn from the tables of the response."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from scipy import stats

from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeProfile
from gammafind.plugins.fermi_lat.photons.tables import (
    area_of_each,
    draw_deviation,
    draw_energy,
    largest_area,
)

RESPONSE = load_response("P8R3_SOURCE_V3", "FRONT")
N = 4000


@pytest.mark.parametrize("energy", [120.0, 1500.0, 4e4])
def test_angles_follow_the_psf(energy):
    cosine = 0.63
    at = LivetimeProfile(np.array([cosine]), np.ones(1))
    psf = RESPONSE.with_livetime(at).psf(energy * u.MeV)
    drawn = draw_deviation(
        RESPONSE.psfs[0], np.full(N, energy), np.full(N, cosine), rng=np.random.default_rng(1)
    )
    assert stats.kstest(drawn, lambda r: psf.containment(r * u.rad)).pvalue > 0.01


@pytest.mark.parametrize("energy", [120.0, 1500.0, 4e4])
def test_energies_follow_the_dispersion(energy):
    cosine = 0.63
    edges = np.linspace(0.01, 3, 3000) * energy
    middle = (edges[1:] + edges[:-1]) / 2
    density = RESPONSE.dispersions[0].density(middle * u.MeV, energy * u.MeV, cosine).value
    below = np.concatenate([[0], np.cumsum(density * np.diff(edges))])
    drawn = draw_energy(
        RESPONSE.dispersions[0], np.full(N, energy), np.full(N, cosine),
        rng=np.random.default_rng(2),
    )  # fmt: skip
    assert below[-1] == pytest.approx(1, abs=0.01)
    assert stats.kstest(drawn, lambda e: np.interp(e, edges, below / below[-1])).pvalue > 0.01


def test_the_area_of_each_photon_is_that_of_the_table_and_below_the_largest():
    area = RESPONSE.areas[0]
    energy, cosine = np.array([150.0, 900.0, 5e4]), np.array([0.1, 0.5, 0.97])
    offset, slope = area.livetime_factors(energy)
    expected = np.diag(area.value(energy, cosine)) * (offset + 0.91 * slope)
    np.testing.assert_allclose(area_of_each(area, energy, cosine), expected)
    rng = np.random.default_rng(3)
    many = area_of_each(area, rng.uniform(1e3, 2e3, N), rng.uniform(0, 1, N))
    assert many.max() < largest_area(area, 1e3, 2e3) < 1.2 * many.max()
