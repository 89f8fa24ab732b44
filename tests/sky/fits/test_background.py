"""Maps of expected background: models, and source maps of the Fermitools."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import EnergyEdgesError, InputDataError
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_background
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from tests.sky.fits.builders import cube, ebounds, image_wcs, write

BANDS = energy_bands([1, 2, 7] * u.GeV)
PIXELS = WcsPixels(image_wcs(), (6, 8))


def source_maps(path, *, flat=1e-4):
    """Counts, and two components in counts per MeV that fall as a power law of index 2."""
    energy = np.array([1e3, 2e3, 7e3])[:, None, None]
    values = 5 * (energy / 1e3) ** -2.0 * np.ones((1, 6, 8))
    header = image_wcs().to_header()
    return write(
        path,
        cube(),
        ebounds(),
        fits.ImageHDU(1e-3 * values, header, name="galdiff"),
        fits.ImageHDU(flat * np.ones((3, 6, 8)), header, name="isodiff"),
    )


def test_source_maps_are_components_integrated_over_the_bins(tmp_path):
    path = source_maps(tmp_path / "srcmap.fits")
    found = read_background(path, bands=BANDS, pixels=[PIXELS] * 2)
    assert list(found) == ["GALDIFF", "ISODIFF"]
    for values, (low, high) in zip(found["GALDIFF"].values, ((1, 2), (2, 7)), strict=True):
        np.testing.assert_allclose(values, 5 * (1 / low - 1 / high))
    np.testing.assert_allclose(found["ISODIFF"].values[0], 0.1)


def test_a_source_map_without_its_spectrum_takes_the_one_given(tmp_path):
    path = source_maps(tmp_path / "srcmap.fits", flat=1e9)
    with pytest.raises(InputDataError, match="ISODIFF lacks its spectrum"):
        read_background(path, bands=BANDS, pixels=[PIXELS] * 2)
    spectra = {"isodiff": lambda energy: 1e-13 * np.ones_like(energy)}
    found = read_background(path, bands=BANDS, pixels=[PIXELS] * 2, spectra=spectra)
    np.testing.assert_allclose(found["ISODIFF"].values[0], 0.1)


def test_a_model_on_other_pixels_keeps_its_counts_per_solid_angle(tmp_path):
    finer = image_wcs(step=0.5)
    finer.wcs.crpix = [8.5, 6.5]
    model = fits.PrimaryHDU(np.full((2, 6, 8), 4.0), image_wcs().to_header())
    path = write(tmp_path / "model.fits", model, ebounds())
    target = WcsPixels(finer, (12, 16))
    found = read_background(path, bands=BANDS, pixels=[target, HealpixPixels(64)])["model"]
    np.testing.assert_allclose(found.values[0], 1.0, rtol=2e-3)
    assert found.valid[0].all()
    assert 0 < found.valid[1].sum() < 100


def test_bins_that_do_not_make_the_bands_are_refused(tmp_path):
    path = source_maps(tmp_path / "srcmap.fits")
    with pytest.raises(EnergyEdgesError, match="add up to 1-3 GeV"):
        read_background(path, bands=energy_bands([1, 3] * u.GeV), pixels=[PIXELS])


def test_source_maps_of_the_crab_add_up_to_the_model_without_it(shared):
    folder = shared / "fermi/reference/fermitools_crab_1day"
    header = fits.getheader(folder / "modmap.fits.gz")
    from gammafind.plugins.fermi_lat.isotropic import read_isotropic
    from gammafind.sky.fits.image import celestial_wcs

    pixels = WcsPixels(celestial_wcs(header, folder), (100, 100))
    band = energy_bands([0.2, 20] * u.GeV)
    iso = read_isotropic(folder / "iso_P8R2_SOURCE_V6_v06.txt")
    spectra = {"Extragal_diffuse": lambda energy: iso.differential(energy * u.MeV).value}
    parts = read_background(folder / "srcmap.fits.gz", bands=band, pixels=[pixels], spectra=spectra)
    (model,) = read_background(folder / "modmap.fits.gz", bands=band, pixels=[pixels]).values()
    crab = model.values[0] - sum(part.values[0] for part in parts.values())
    assert crab.min() > 0
    assert np.unravel_index(crab.argmax(), crab.shape) == pytest.approx((49.5, 49.5), abs=1)
