"""Expected counts of the diffuse emission."""

from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import BandError, ExtrapolationWarning, GammafindError, InputDataError
from gammafind.plugins.fermi_lat import embedded
from gammafind.plugins.fermi_lat.cells import cell_means
from gammafind.plugins.fermi_lat.diffuse import (
    interstellar_at_pixels,
    interstellar_index,
    interstellar_intensity,
    isotropic_intensity,
    seen_intensity,
)
from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.weighted import plane_integral
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from gammafind.sky.projection import north_up
from tests.fitting.skies import gaussian_psf, image

HOME = HealpixPixels(32)


def bands(*edges):
    return energy_bands(edges * u.GeV)


def test_neighbouring_bands_of_the_embedded_emission_add_up():
    home, (low, high, whole) = interstellar_intensity("embedded", [*bands(2, 3, 20), *bands(2, 20)])
    assert home.nside == 256
    assert_allclose(low + high, whole, rtol=1e-3)


@pytest.mark.parametrize("edges", [(0.05, 0.1), (0.3, 0.5), (3, 11), (500, 2000)])
def test_the_embedded_emission_has_the_means_of_its_cells(edges):
    (band,) = bands(*edges)
    energy, cells, _ = embedded.load_interstellar()
    home, (intensity,) = interstellar_intensity("embedded", [band])
    low, high = band.edges.to_value(u.MeV)
    ratio = cell_means(intensity, home) / plane_integral(energy, cells.__getitem__, low, high)
    assert abs(ratio.mean() - 1) < 1e-4
    assert ratio.std() < 2e-3


def test_a_weight_of_one_in_the_band_gives_the_band():
    (band,) = bands(1, 7)
    weight = (np.array([1000.0, 7000.0]), np.ones(2))
    _, (plain,) = interstellar_intensity("embedded", [band])
    _, (weighted,) = interstellar_intensity("embedded", [band], [weight])
    assert_allclose(weighted, plain, rtol=1e-3)


def test_bands_below_the_embedded_emission_are_refused():
    with pytest.raises(BandError, match=r"0\.03-0\.1 GeV is outside.*from 50 MeV up"):
        interstellar_intensity("embedded", bands(0.03, 0.1))


def test_the_emission_is_soft_above_a_gev_and_hard_below():
    indices = [interstellar_index(band) for band in bands(0.1, 0.3, 2, 20)]
    assert_allclose(indices, [1.47, 2.04, 2.57], atol=0.05)


def test_a_cube_that_leaves_part_of_the_sky_open_is_refused(shared):
    cube = shared / "fermi/diffuse/gll_iem_v07_gc_cutout.fits.gz"
    with pytest.raises(InputDataError, match=r"gll_iem_v07_gc_cutout.*whole sky"):
        interstellar_intensity(str(cube), bands(2, 20))


def test_a_cut_out_serves_the_pixels_inside_it(shared):
    cube = str(shared / "fermi/diffuse/gll_iem_v07_gc_cutout.fits.gz")
    wcs = north_up(["GLON-TAN", "GLAT-TAN"], [0, 0], (20, 40), 0.4)
    pixels = WcsPixels(wcs, (20, 40))
    found = interstellar_at_pixels(cube, bands(2, 20)[0], gaussian_psf(0.2), pixels)
    assert np.isfinite(found[:, 10:30]).all()
    assert np.isnan(found[:, :5]).all()
    renderer = FermiLatRenderer(energies=(2, 20), nsides=(64,), interstellar=cube)
    valid = renderer.background()["interstellar"].valid[0]
    assert 60 < valid.sum() < 130  # of 119 pixels in 10 x 10 deg


def test_a_cube_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GammafindError, match=r"nowhere\.fits"):
        interstellar_intensity(str(tmp_path / "nowhere.fits"), bands(2, 20))


def test_one_event_type_has_its_own_isotropic_spectrum():
    response = load_response("P8R3_ULTRACLEANVETO_V3", "PSF3")
    (found,) = isotropic_intensity("embedded", response, bands(2, 20), index=2.3)
    spectrum = embedded.load_isotropic("P8R3_ULTRACLEANVETO_V3", "PSF3")
    intensity = spectrum.band_intensity(2 * u.GeV, 20 * u.GeV).value
    exact, seen = (r.band_effective_area(bands(2, 20)[0]) for r in (response.undispersed, response))
    assert_allclose(found, intensity * exact / seen, rtol=2e-3)


def test_several_event_types_have_the_mean_weighted_with_their_areas():
    names = ("FRONT", "BACK")
    both = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT+BACK")
    responses = [load_response("P8R3_ULTRACLEANVETO_V3", name) for name in names]
    band = bands(1, 2)
    alone = [isotropic_intensity("embedded", r, band, index=2.3)[0] for r in responses]
    area = [r.band_effective_area(band[0]).value for r in responses]
    assert_allclose(
        isotropic_intensity("embedded", both, band, index=2.3)[0], np.average(alone, weights=area)
    )


def test_a_band_beyond_the_isotropic_spectrum_is_named():
    response = load_response("P8R2_ULTRACLEANVETO_V6", "FRONT")
    with pytest.warns(ExtrapolationWarning, match=r"to 877\.\d GeV: in the bands from 20 to 1000"):
        isotropic_intensity("embedded", response, bands(20, 500, 1000), index=2.3)


def test_an_isotropic_file_of_ones_own_is_used(tmp_path):
    path = tmp_path / "iso.txt"
    energy = np.geomspace(100, 1e6, 30)
    np.savetxt(path, np.column_stack([energy, 1e-2 * energy**-2.0]))
    renderer = FermiLatRenderer(
        energies=(2, 20), nsides=(16,), isotropic=str(path), dispersion=False
    )
    counts = renderer.background()["isotropic"].values[0]
    intensity = 1e-2 * (1 / 2000 - 1 / 20_000)
    expected = intensity * renderer.exposure().values[0] * 4 * np.pi / 3072
    assert_allclose(counts, expected, rtol=3e-3)


def test_a_flat_sky_is_seen_flat():
    flat = np.full(HOME.shape, 3.0)
    for width in (0.1, 1.0, 5.0):
        seen = seen_intensity(flat, HOME, gaussian_psf(width))
        assert_allclose(seen, 3.0, rtol=1e-6)


def test_a_spot_is_seen_as_the_psf():
    spot = np.zeros(HOME.shape)
    pixel = HOME.containing(np.array([[0.6, 0.64, 0.48]]))[0]
    spot[pixel] = 1
    psf = gaussian_psf(6.0)
    seen = seen_intensity(spot, HOME, psf)
    distance = np.arccos(np.clip(HOME.vectors @ HOME.vectors[pixel], -1, 1))
    expected = psf(distance) * HOME.pixel_area.value
    assert_allclose(seen, expected, atol=0.01 * expected.max())


def test_convolved_emission_agrees_with_healpy():
    home, (intensity,) = interstellar_intensity("embedded", bands(2, 7))
    psf = gaussian_psf(0.5)
    alm = hp.map2alm(intensity, lmax=3 * home.nside - 1, iter=3, pol=False)
    expected = hp.alm2map(hp.almxfl(alm, psf.window(3 * home.nside - 1)), home.nside)
    assert_allclose(seen_intensity(intensity, home, psf), expected, rtol=0.02)


def test_emission_on_an_image_is_that_of_the_sky_and_not_negative():
    (band,) = bands(7, 20)
    home, (intensity,) = interstellar_intensity("embedded", [band])
    pixels = image(24, step=0.5, lon=80.0, lat=3.0)
    psf = gaussian_psf(0.2)
    seen = interstellar_at_pixels("embedded", band, psf, pixels)
    whole = seen_intensity(intensity, home, psf)
    assert seen.shape == (24, 24)
    assert_allclose(seen, home.interpolate(whole, pixels.centres()), rtol=1e-6)
    assert whole.min() > 0


def test_a_large_pixel_holds_the_mean_of_the_emission_in_it():
    (band,), psf = bands(2, 7), gaussian_psf(0.2)
    fine, coarse = (
        interstellar_at_pixels("embedded", band, psf, HealpixPixels(nside)) for nside in (256, 32)
    )
    assert_allclose(coarse, hp.ud_grade(fine, 32), rtol=1e-5)
