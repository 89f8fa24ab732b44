"""Forms of spectra against gammapy, and integrals against closed forms."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad

from gammafind.errors import OptionError, ShapeError
from gammafind.plugins.fermi_lat.spectra import (
    DIFFERENTIAL_FLUX,
    SPECTRUM_TYPES,
    SourceSpectra,
    log_parabola,
    photon_flux,
    plec,
    plec4,
    power_law,
)

ENERGY = np.array([100.0, 800.0, 3e3, 2e4, 1e5])
F0, E0 = 2e-11, 800.0

# gammapy 2.1: values at ENERGY, photon flux and energy flux from 1 to 100 GeV. Its integrals
# are sums over a grid of the energy, good to some 1e-3.
GAMMAPY = {
    "PowerLaw": (
        (2.3, 0.0, 0.0),
        (2.388564458e-09, 2e-11, 9.566610228e-13, 1.218338521e-14, 3.007024494e-16),
        9.185469143989619e-09,
        4.787386902153783e-11,
    ),
    "LogParabola": (
        (2.1, 0.15, 0.0),
        (8.238166082e-10, 2e-11, 9.588594579e-13, 4.902150978e-15, 2.392423475e-17),
        9.111378484261744e-09,
        3.6063998526429823e-11,
    ),
    "PLSuperExpCutoff": (
        (1.4, 0.005, 0.6667),
        (5.078545661e-10, 2e-11, 1.709049799e-12, 8.523239561e-15, 7.45483961e-19),
        1.3381725820439908e-08,
        5.992856330510153e-11,
    ),
    "PLSuperExpCutoff4": (
        (1.9, 0.5, 0.6667),
        (5.081888574e-10, 2e-11, 8.916014984e-13, 1.010502117e-16, 1.454656767e-25),
        8.83246952807397e-09,
        2.7394084047009286e-11,
    ),
}


def spectra(*kinds: str) -> SourceSpectra:
    parameters = np.array([GAMMAPY[kind][0] for kind in kinds]).reshape(-1, 3)
    return SourceSpectra(
        kind=np.array(kinds, dtype="U20"),
        amplitude=np.full(len(kinds), F0) * DIFFERENTIAL_FLUX,
        pivot=np.full(len(kinds), E0) * u.MeV,
        index=parameters[:, 0],
        curvature=parameters[:, 1],
        exp_index=parameters[:, 2],
    )


@pytest.mark.parametrize("kind", SPECTRUM_TYPES)
def test_values_and_integrals_are_those_of_gammapy(kind):
    _, values, flux, energy_flux = GAMMAPY[kind]
    one = spectra(kind)
    found = one.differential(ENERGY * u.MeV)
    assert found.unit == DIFFERENTIAL_FLUX
    assert_allclose(found[0].value, values, rtol=1e-8)
    assert_allclose(one.flux(1 * u.GeV, 100 * u.GeV).to_value("cm-2 s-1"), flux, rtol=3e-3)
    assert_allclose(
        one.energy_flux(1 * u.GeV, 100 * u.GeV).to_value("erg cm-2 s-1"), energy_flux, rtol=3e-3
    )


def test_plec4_with_a_negative_exponent_is_that_of_gammapy():
    golden = [2.147036049e-10, 2e-11, 1.138651627e-12, 8.74732256e-15, 1.025394451e-16]
    assert_allclose(plec4(ENERGY, F0, E0, 1.9, 0.5, -0.5), golden, rtol=1e-8)


@given(
    index=st.floats(0, 3),
    expfactor=st.floats(-0.01, 0.05),
    exp_index=st.floats(0.2, 1.0),
    pivot=st.floats(300, 5000),
)
def test_both_cut_offs_are_one_family(index, expfactor, exp_index, pivot):
    slope = exp_index * expfactor * pivot**exp_index
    energy = np.geomspace(100, 1e4, 9)
    assert_allclose(
        plec4(energy, F0, pivot, index + slope, exp_index * slope, exp_index),
        plec(energy, F0, pivot, index, expfactor, exp_index),
        rtol=1e-9,
    )


def test_plec4_without_exponent_is_a_log_parabola():
    assert_allclose(
        plec4(ENERGY, F0, E0, 2.0, 0.4, 0.0), log_parabola(ENERGY, F0, E0, 2.0, 0.2), rtol=1e-13
    )


def test_plec4_is_continuous_where_its_series_ends():
    b = 1e-3 / np.log(ENERGY[-1] / E0) * (1 + np.array([-1e-9, 1e-9]))
    below, above = plec4(ENERGY[-1], F0, E0, 2.0, 0.4, b)
    assert_allclose(below, above, rtol=1e-9)


@pytest.mark.parametrize("index", [1.0, 1.7, 2.0, 3.5])
def test_fluxes_of_a_power_law_are_the_closed_forms(index):
    source = replace(spectra("PowerLaw"), index=np.array([index]))
    low, high = 300.0, 5e5

    def closed(power):
        if power == 0:
            return F0 * E0**index * np.log(high / low)
        return F0 * E0**index * (high**power - low**power) / power

    flux = source.flux(low * u.MeV, high * u.MeV).to_value("cm-2 s-1")
    energy_flux = source.energy_flux(low * u.MeV, high * u.MeV).to_value("MeV cm-2 s-1")
    assert_allclose(flux, closed(1 - index), rtol=1e-10)
    assert_allclose(energy_flux, closed(2 - index), rtol=1e-10)


@pytest.mark.parametrize("kind", SPECTRUM_TYPES)
def test_flux_of_any_form_is_that_of_adaptive_quadrature(kind):
    source = spectra(kind)

    def per_log_energy(x):
        energy = np.exp(x)
        return energy * source.differential(energy * u.MeV).value[0]

    expected, _ = quad(per_log_energy, np.log(100), np.log(1e6), epsabs=0, epsrel=1e-10, limit=200)
    flux = source.flux(100 * u.MeV, 1 * u.TeV).to_value("cm-2 s-1")
    assert_allclose(flux, expected, rtol=1e-7)


def test_flux_of_many_bands_is_that_of_each():
    many = spectra(*SPECTRUM_TYPES)
    edges = np.array([0.3, 0.5, 1, 2]) * u.GeV
    together = many.flux(edges[:-1], edges[1:])
    assert together.shape == (4, 3)
    one_by_one = [many.flux(a, b) for a, b in pairwise(edges)]
    assert_allclose(together.value, np.transpose([f.value for f in one_by_one]), rtol=1e-13)
    assert_allclose(together.sum(axis=1).value, many.flux(edges[0], edges[-1]).value, rtol=1e-9)


def test_mixed_forms_keep_their_order_and_can_be_selected():
    many = spectra("LogParabola", "PowerLaw", "PLSuperExpCutoff4", "PowerLaw", "PLSuperExpCutoff")
    values = many.differential(3 * u.GeV)
    assert_allclose(values.value, [GAMMAPY[kind][1][2] for kind in many.kind], rtol=1e-8)
    chosen = many[many.kind == "PowerLaw"]
    assert len(chosen) == 2
    assert_allclose(chosen.differential(3 * u.GeV).value, values.value[[1, 3]])


def test_no_source_has_no_flux():
    assert spectra().flux(1 * u.GeV, 2 * u.GeV).shape == (0,)


def test_differential_keeps_the_shape_of_the_energies():
    assert spectra("PowerLaw", "LogParabola").differential(np.ones((3, 4)) * u.GeV).shape == (
        2,
        3,
        4,
    )


def test_photon_flux_takes_any_function():
    flux = photon_flux(lambda e: power_law(e, 1.0, 1.0, 2.0), 1.0, 10.0)
    assert_allclose(flux, 0.9, rtol=1e-12)


def test_an_unknown_form_is_named():
    with pytest.raises(OptionError, match="BrokenPowerLaw"):
        replace(spectra("PowerLaw"), kind=np.array(["BrokenPowerLaw"]))


def test_parameters_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="index"):
        replace(spectra("PowerLaw"), index=np.ones(2))


def test_a_pivot_without_unit_is_refused():
    with pytest.raises(OptionError, match="pivot has no unit"):
        replace(spectra("PowerLaw"), pivot=np.array([1.0]))


@pytest.mark.parametrize(("low", "high"), [(2, 1), (1, 1), (0, 1)])
def test_edges_that_do_not_increase_are_refused(low, high):
    with pytest.raises(OptionError, match="low < high"):
        spectra("PowerLaw").flux(low * u.GeV, high * u.GeV)
