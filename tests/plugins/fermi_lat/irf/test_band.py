"""Photons of each true energy that are measured in a band, and the PSFs of spectra."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.plugins.fermi_lat.irf import load_response, psfs_of_indices, psfs_of_photons
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.psf import RadialPsf

BANDS = energy_bands([0.5, 1, 2, 7, 20, 500] * u.GeV)
EVERYTHING = Band("all", 0.02 * u.GeV, 1000 * u.GeV)


@pytest.fixture(scope="module")
def front():
    return load_response("P8R3_ULTRACLEANVETO_V3", "FRONT")


def test_every_photon_is_measured_in_one_of_the_bands(front):
    parts = [front.band(band) for band in BANDS]
    energy = np.array([3.0, 10.0]) * 1e3
    dispersion = front.dispersions[0]
    cosine = np.array([0.5, 0.9])
    total = sum(dispersion.probability(b.low, b.high, energy, cosine) for b in parts)
    assert_allclose(total, 1, atol=2e-3)


def test_the_probability_of_a_band_is_the_integral_of_the_density(front):
    dispersion = front.dispersions[0]
    measured = np.linspace(800, 1300, 2001) * u.MeV
    density = dispersion.density(measured, 1.1 * u.GeV, 0.77).value
    found = dispersion.probability(800, 1300, np.array([1100.0]), np.array([0.77]))
    assert found[0, 0] == pytest.approx(np.trapezoid(density, measured.value), abs=1e-4)


def test_without_dispersion_only_photons_of_the_band_are_seen(front):
    band = front.undispersed.band(BANDS[1])
    assert band.energy.min() > 1000
    assert band.energy.max() < 2000
    assert band.photons(2.3).sum() == pytest.approx(1, rel=1e-4)
    area = front.mean_effective_area(band.energy * u.MeV).to_value("cm2")
    assert_allclose(band.area, area)


def test_photons_beyond_the_grid_do_not_count(front):
    near = front.band_effective_area(BANDS[2], index=2.3).value
    parts = front.band(BANDS[2])
    wide = np.geomspace(100, 1e6, 4001)
    weight = wide[:, None] ** -1.3 * front.areas[0].value(wide, front.profile.cos_theta)
    chance = front.dispersions[0].probability(parts.low, parts.high, wide, front.profile.cos_theta)
    livetime = front.profile.livetime / front.profile.livetime.sum()
    total = np.trapezoid((weight * chance) @ livetime, np.log(wide))
    in_band = (parts.low**-1.3 - parts.high**-1.3) / 1.3
    assert near == pytest.approx(total / in_band, rel=1e-3)


def test_a_soft_source_is_seen_in_a_band_where_it_has_no_photons(front):
    band = front.band(BANDS[2])

    def line(energy):
        width = np.log(energy / (1.8 * u.GeV)) / 0.02
        return np.exp(-(width**2) / 2) / u.MeV

    photons = band.photons_of(line)
    counts = photons @ band.area
    assert 0.02 < counts / (photons.sum() * 1800) < 0.5


@pytest.mark.parametrize("index", [1.6, 2.0, 2.3, 2.9, 4.5])
@pytest.mark.parametrize("band", BANDS)
def test_r68_of_a_power_law_is_right(front, band, index):
    here = front.band(band)
    photons = here.photons(index)
    mixed = psfs_of_photons(here, photons[None])
    found = mixed.of_kind(mixed.kind[0]).containment_radius(0.68)
    expected = here.psf(photons).containment_radius(0.68)
    assert float(found / expected) == pytest.approx(1, abs=0.01)


def test_a_source_without_counts_has_a_psf(front):
    here = front.band(BANDS[0])
    none = psfs_of_photons(here, np.zeros((2, len(here.energy))))
    assert isinstance(none.of_kind(none.kind[0]), RadialPsf)
    assert np.array_equal(none.kind, psfs_of_indices(here, 2.3, 2).kind)
