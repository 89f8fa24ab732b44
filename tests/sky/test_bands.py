from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import BandError
from gammafind.sky.bands import Band, check_bands, energy_bands, same_edges


def test_adjoining_bands_are_named_after_their_edges():
    bands = energy_bands([300, 500, 1000] * u.MeV)
    assert [band.name for band in bands] == ["0.3-0.5 GeV", "0.5-1 GeV"]
    assert bands[0].high == bands[1].low
    np.testing.assert_allclose(bands[1].edges.to_value(u.GeV), [0.5, 1])


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (2 * u.GeV, 1 * u.GeV),
        (1 * u.GeV, 1 * u.GeV),
        (1, 2),
        (1 * u.s, 2 * u.s),
        (1 * u.eV, 2 * u.um),
    ],
)
def test_edges_must_be_spectral_and_ordered(low, high):
    with pytest.raises(BandError):
        Band("band", low, high)


def test_names_are_unique():
    band = Band("r", 500 * u.nm, 600 * u.nm)
    assert check_bands([band]) == (band,)
    with pytest.raises(BandError, match="not unique: r, r"):
        check_bands([band, band])
    with pytest.raises(BandError, match="no band"):
        check_bands([])


def test_edges_are_compared_in_any_spectral_unit():
    bands = energy_bands([1, 2, 4] * u.eV)
    wavelengths = [Band(band.name, *np.sort(band.edges.to(u.nm, u.spectral()))) for band in bands]
    assert same_edges(bands, wavelengths)
    assert same_edges(wavelengths, bands)
    assert same_edges(bands, energy_bands([1000.5, 2000, 4000] * u.meV))
    assert not same_edges(bands, energy_bands([1.002, 2, 4] * u.eV))
    assert not same_edges(bands, bands[:1])
