"""The catalogue, its stored fit, and one synthetic catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import QTable

from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.population.fit import PopulationFit
from gammafind.plugins.fermi_lat.population.plugin import FermiPopulation


@pytest.fixture(scope="session")
def catalogue() -> QTable:
    """4FGL-DR2."""
    return load_4fgl_dr2()


@pytest.fixture(scope="session")
def fit() -> PopulationFit:
    """The stored fit."""
    return FermiPopulation().fit


@pytest.fixture(scope="session")
def sources() -> QTable:
    """One catalogue of the default population."""
    return FermiPopulation().sample(rng=np.random.default_rng(1))
