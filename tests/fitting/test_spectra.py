from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import in_parts, photon_shares, sky_data
from gammafind.fitting.photons.spectra import fit_spectra, fluxes, n_energies
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf_stamps import point_source_map
from tests.fitting.skies import EXPOSURE, directions, gaussian_psf, observe


def two_bands(index):
    """Expected counts of sources of one photon index in two bands, their positions and shares."""
    pixels, psf = HealpixPixels(32), gaussian_psf(2.5)
    vectors = directions(10, rng=np.random.default_rng(2))
    flat = np.full(pixels.shape, 1.0)
    background = [flat, flat], [pixels] * 2, [psf] * 2
    edges = [band.edges for band in sky_data(observe([flat, flat], *background), index=2.3).bands]
    shares = photon_shares(edges, index)
    sources = [point_source_map(vectors, np.full(10, 400.0 * s), pixels, psf) for s in shares]
    sky = observe([flat + one for one in sources], *background)
    return sky_data(sky, index=2.3), vectors, shares


def test_the_index_of_a_source_is_chosen():
    data, vectors, shares = two_bands(3.0)
    fit = fit_spectra(data, vectors, np.full((10, 2), 1e-9))
    assert_allclose(in_parts(fit.counts), np.tile(shares, (10, 1)), atol=0.02)
    assert_allclose(fit.counts.sum(axis=1), 400, rtol=0.1)
    assert np.all((fit.error > 0.03) & (fit.error < 0.2))


def test_fluxes_do_not_depend_on_the_spectrum_that_was_searched():
    data, vectors, shares = two_bands(3.0)
    found = fluxes(data, vectors, 400.0 * np.tile(shares, (10, 1)))
    assert_allclose(found, 400 / EXPOSURE, rtol=1e-6)


def test_bands_of_the_same_energies_are_one_in_a_spectrum():
    assert n_energies(two_bands(2.0)[0]) == 2
