"""Systematic errors next to the statistical ones."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose

from gammafind.fitting.photons.systematics import weights_of_fit
from gammafind.pipeline.systematics import with_systematics
from gammafind.plugins.fermi_lat.systematics import effective_area_error, psf_error
from gammafind.sky.psf import RadialPsf
from gammafind.sky.systematics import Systematics
from tests.cli.toy import EXPOSURE, Toy, toy_counts

STATED = Systematics(exposure=(0.03,), background=(0.03,), psf=(0.05,), position=0.0079)
SIGMA = 0.01
THETA = np.linspace(0, 0.1, 2000)
GAUSSIAN = RadialPsf(THETA, np.exp(-0.5 * (THETA / SIGMA) ** 2))


@pytest.fixture
def sky():
    return Toy().observe(toy_counts())


def catalogue(*counts: float) -> QTable:
    n = len(counts)
    table = QTable({"RAJ2000": np.linspace(10, 50, n) * u.deg, "DEJ2000": np.full(n, 5.0) * u.deg})
    table["Flux"] = np.array(counts) / EXPOSURE * u.Unit("cm-2 s-1")
    table["Conf_95_SemiMajor"] = np.full(n, 0.1) * u.deg
    table["TS"] = np.full(n, 100.0)
    return table


def test_the_effective_area_is_known_best_from_100_mev_to_100_gev():
    energy = np.array([10**1.5, 100, 1e3, 1e5, 1e6])
    assert_allclose(effective_area_error(energy), [0.10, 0.03, 0.03, 0.03, 0.15])
    without = effective_area_error(energy, dispersion=False)
    assert_allclose(without, [0.15, 0.05, 0.05, 0.05, 0.15])
    assert_allclose(psf_error(np.array([1e2, 1e4, 1e6])), [0.05, 0.05, 0.25])


def test_a_faint_source_has_the_weights_of_its_psf():
    background = np.array([1e9])
    share, information = weights_of_fit(GAUSSIAN, background, np.array([1.0]), 1e-9)
    assert_allclose(share, 1, rtol=1e-3)
    of_psf = 1 / (4 * np.pi * SIGMA**2)
    assert_allclose(information * background, of_psf, rtol=0.03)


def test_a_bright_source_has_the_error_of_its_counts():
    share, information = weights_of_fit(GAUSSIAN, np.array([1e-3]), np.array([1e4]), 1e-9)
    assert share < 1e-3
    assert_allclose(information, 1e-4, rtol=1e-3)


def test_a_wrong_background_moves_a_fit_as_stated():
    """The shift of a weighted fit of the rings, with a background that is 10 % too high."""
    background, counts = 2e4, 30.0
    from gammafind.fitting.photons.systematics import _profile

    area, density = _profile(GAUSSIAN, 1e-9)
    seen = area * (background + counts * density)
    weight = density / (background + counts * density)
    fitted = np.sum(weight * (seen - 1.1 * background * area)) / np.sum(weight * density * area)
    share, information = weights_of_fit(GAUSSIAN, np.array([background]), np.array([counts]), 1e-9)
    assert_allclose(counts - fitted, 0.1 * share / information, rtol=1e-6)


def test_errors_of_all_causes_stand_next_to_the_flux(sky):
    found = with_systematics(catalogue(1e5, 50.0), sky, STATED)
    flux = found["Flux"].value
    assert_allclose(found["Sys_Aeff_Flux"].value / flux, 0.03)
    share = found["Sys_Diffuse_Flux"].value / flux
    assert share[0] < 1e-3 < share[1]
    width = found["Sys_PSF_Flux"].value / flux
    assert width[0] < width[1] < 0.05
    parts = [found[f"Sys_{cause}_Flux"].value for cause in ("Aeff", "Diffuse", "PSF")]
    assert_allclose(found["Sys_Flux"].value, np.sqrt(np.sum(np.square(parts), axis=0)))
    assert_allclose(found["Sys_TS"], 2 * share * 100)
    assert_allclose(found["Sys_Conf_95"].to_value("deg"), 0.0079)
    assert found["Sys_Flux"].info.meta["ucd"].startswith("stat.error.sys")


def test_bands_have_errors_of_their_own(sky):
    table = catalogue(1000.0, 0.0)
    table["Flux_Band"] = table["Flux"].reshape(-1, 1)
    found = with_systematics(table, sky, STATED)
    assert found["Sys_Flux_Band"].shape == (2, 1)
    assert_allclose(found["Sys_Flux_Band"][0, 0], found["Sys_Flux"][0])
    assert found["Sys_Diffuse_Flux_Band"][1, 0] > 0


def test_a_flux_that_is_not_known_has_no_error(sky):
    table = catalogue(100.0)
    table["Flux"] = np.nan * table["Flux"].unit
    table["Conf_95_SemiMajor"] = np.nan * u.deg
    found = with_systematics(table, sky, STATED)
    assert np.isnan(found["Sys_Flux"]).all()
    assert np.isnan(found["Sys_Conf_95"]).all()


def test_without_stated_errors_a_catalogue_stays_as_it_is(sky):
    table = catalogue(100.0)
    assert with_systematics(table, sky, None) is table
    assert with_systematics(table[:0], sky, STATED).colnames == table.colnames
    table.remove_column("Flux")
    assert with_systematics(table, sky, STATED) is table


def test_the_lat_states_errors_for_each_band():
    from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer

    stated = FermiLatRenderer().systematics
    assert len(stated.exposure) == len(FermiLatRenderer().bands) == len(stated.psf)
    assert replace(stated, position=0.0).background == (0.03,) * 6
