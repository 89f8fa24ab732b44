"""The renderer under the conditions of one day at the Crab, against gtsrcmaps and gtmodel."""

from __future__ import annotations

import importlib

import numpy as np
import pytest


@pytest.fixture(scope="module")
def fermitools(root):
    """The measurements of benchmarks/fermitools.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "benchmarks")
        yield importlib.import_module("fermitools")


@pytest.fixture(scope="module")
def reference(fermitools, shared):
    return fermitools.Reference(shared / "fermi/reference/fermitools_crab_1day")


@pytest.fixture(scope="module")
def renderer(fermitools, shared):
    return fermitools.day_renderer(shared / "fermi")


@pytest.fixture(scope="module")
def unit(fermitools, renderer, reference):
    return fermitools.unit_crab(renderer, reference.pixels)


@pytest.mark.parametrize("way", ["recover", "fit_photons"])
def test_the_crab_is_that_of_gtmodel(fermitools, reference, unit, way):
    # source_model.xml holds the values that gtlike started from, not those of gtmodel.
    parameters = getattr(fermitools, way)(unit, reference)
    total, each = fermitools.crab_deviation(parameters, unit, reference)
    assert abs(total) < 0.02
    assert each.size > 500
    assert np.abs(each).max() < 0.05


def test_the_whole_model_is_that_of_gtmodel(fermitools, reference, unit):
    parameters = fermitools.recover(unit, reference)
    ours = fermitools.expected(parameters, unit, reference).sum(axis=0)
    np.testing.assert_allclose(ours, reference.model, rtol=0.015)


def test_the_parameters_of_the_photons_are_those_of_the_model(fermitools, reference, unit):
    # gtlike stopped 0.04 below the largest likelihood: closer than these it was not.
    photons = fermitools.fit_photons(unit, reference)
    np.testing.assert_allclose(photons, fermitools.recover(unit, reference), rtol=0.05)


def test_the_isotropic_emission_is_that_of_its_source_map(fermitools, renderer, reference):
    ours = fermitools.isotropic_map(renderer, reference)
    assert abs(ours.sum() / reference.isotropic.sum() - 1) < 0.01
    assert np.abs(fermitools.source_map_totals(renderer, reference)).max() < 0.01
    off = np.abs(fermitools.source_map_deviation(renderer, reference))
    assert np.mean(off < 0.01) > 0.97
    flat = fermitools.away_from_steps(renderer, reference)
    assert flat.sum() > 2000
    assert np.mean(off[:, flat] < 0.01) > 0.999
