"""Exposure maps: averaged over a band, brought to the pixels of a map."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

import gammafind.plugins.fermi_lat
from gammafind.errors import EnergyEdgesError, FileFormatError, InputDataError
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_exposure
from gammafind.sky.fits.exposure import band_weights
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from tests.sky.fits.builders import N_PIXELS, image_wcs, skymap, write

BANDS = energy_bands([1, 2, 8] * u.GeV)


def energies(values, unit="MeV") -> fits.BinTableHDU:
    column = fits.Column("Energy", "D", unit=unit, array=values)
    return fits.BinTableHDU.from_columns([column], name="ENERGIES")


def gtexpcube(path, levels, nodes, *, unit="cm^2 s", shape=None):
    """A flat exposure of one level a node."""
    maps = np.outer(levels, np.ones(N_PIXELS) if shape is None else shape)
    table = skymap(maps, prefix="ENERGY", name="HPXEXPOSURES")
    for i in range(len(levels)):
        table.columns[i].unit = unit
    return write(path, table, energies(nodes))


def test_weights_are_those_of_a_power_law():
    """Against the closed form of the mean of ln E over E^-index."""
    nodes = np.exp([0.0, 3.0]) * u.GeV
    band = energy_bands(np.exp([0.5, 2.0]) * u.GeV)[0]
    for index in (1.0, 2.2, 3.0):
        slope = 1 - index
        low, high = 0.5, 2.0
        if slope == 0:
            mean = (low + high) / 2
        else:
            integral = [(x / slope - 1 / slope**2) * np.exp(slope * x) for x in (low, high)]
            norm = (np.exp(slope * high) - np.exp(slope * low)) / slope
            mean = (integral[1] - integral[0]) / norm
        weights = band_weights(nodes, band, index=index)
        np.testing.assert_allclose(weights, [1 - mean / 3, mean / 3], atol=2e-5)


def test_a_flat_exposure_stays_flat(tmp_path):
    path = gtexpcube(tmp_path / "exp.fits", [2e10] * 4, [900, 2000, 4000, 9000])
    sky = read_exposure(path, bands=BANDS)
    np.testing.assert_allclose(sky.values, 2e10)
    assert sky.kind == "exposure"
    assert sky.pixels[0] == HealpixPixels(4)


def test_a_rising_exposure_lies_between_its_nodes(tmp_path):
    path = gtexpcube(tmp_path / "exp.fits", [1e10, 2e10, 4e10], [1000, 2000, 8000])
    soft, hard = (values[0] for values in read_exposure(path, bands=BANDS).values)
    assert 1e10 < soft < 1.5e10  # below the middle: the spectrum is steep
    assert 2e10 < hard < 3e10


def test_maps_are_interpolated_to_the_pixels_asked_for(tmp_path):
    shape = 1 + 0.5 * HealpixPixels(4).vectors[:, 2]
    path = gtexpcube(tmp_path / "exp.fits", [1e10], [3000], shape=shape)
    target = HealpixPixels(16)
    sky = read_exposure(path, bands=energy_bands([2, 8] * u.GeV), pixels=[target])
    expected = 1e10 * (1 + 0.5 * target.vectors[:, 2])
    np.testing.assert_allclose(sky.values[0], expected, rtol=0.04)
    assert sky.valid[0].all()


def test_pixels_outside_the_cube_are_not_valid(tmp_path):
    wcs = image_wcs()
    cube = fits.PrimaryHDU(np.full((1, 6, 8), 3e10), header=wcs.to_header())
    path = write(tmp_path / "exp.fits", cube, energies([3000]))
    band = energy_bands([2, 8] * u.GeV)
    sky = read_exposure(path, bands=band, pixels=[HealpixPixels(64)])
    assert 0 < sky.valid[0].sum() < 100
    np.testing.assert_allclose(sky.values[0][sky.valid[0]], 3e10)
    assert not sky.values[0][~sky.valid[0]].any()
    finer = image_wcs(step=0.5)
    finer.wcs.crpix = [8.5, 6.5]
    sky = read_exposure(path, bands=band, pixels=[WcsPixels(finer, (12, 16))])
    assert sky.valid[0].all()
    np.testing.assert_allclose(sky.values[0], 3e10)


def test_maps_without_energies_stand_for_the_bands(tmp_path):
    maps = np.outer([1e10, 2e10], np.ones(N_PIXELS))
    path = write(tmp_path / "exp.fits", skymap(maps, prefix="MAP"))
    sky = read_exposure(path, bands=BANDS)
    assert [values[0] for values in sky.values] == [1e10, 2e10]
    with pytest.raises(EnergyEdgesError, match=r"exp\.fits: 2 maps without energies for 1 bands"):
        read_exposure(path, bands=BANDS[:1])


def test_units(tmp_path):
    metres = gtexpcube(tmp_path / "m.fits", [1e6], [3000], unit="m2 s")
    sky = read_exposure(metres, bands=energy_bands([2, 8] * u.GeV))
    np.testing.assert_allclose(sky.values[0], 1e10)
    counts = gtexpcube(tmp_path / "c.fits", [1e6], [3000], unit="count")
    with pytest.raises(FileFormatError, match=r"c\.fits: the exposure is in 'count'"):
        read_exposure(counts, bands=energy_bands([2, 8] * u.GeV))


def test_a_band_beyond_the_energies_is_refused(tmp_path):
    path = gtexpcube(tmp_path / "exp.fits", [1e10, 1e10], [100, 500])
    with pytest.raises(EnergyEdgesError, match=r"exp\.fits: .*0\.1 to 0\.5 GeV.*1-2 GeV"):
        read_exposure(path, bands=BANDS)


@pytest.mark.parametrize("nodes", [[2000, 1000], [-1, 1000], [1000, np.nan]])
def test_energies_out_of_order_are_refused(tmp_path, nodes):
    path = gtexpcube(tmp_path / "exp.fits", [1e10, 1e10], nodes)
    with pytest.raises(EnergyEdgesError, match="not positive and increasing"):
        read_exposure(path, bands=BANDS)


def test_negative_exposures_are_refused(tmp_path):
    path = gtexpcube(tmp_path / "exp.fits", [-1.0], [3000])
    with pytest.raises(InputDataError, match=r"exp\.fits: exposures are negative"):
        read_exposure(path, bands=energy_bands([2, 8] * u.GeV))


def test_the_embedded_exposure():
    path = f"{gammafind.plugins.fermi_lat.__path__[0]}/data/exposure_2-20GeV_psf3.fits.gz"
    sky = read_exposure(path, bands=energy_bands([2, 20] * u.GeV))
    assert sky.values[0].mean() == pytest.approx(8.93e10, rel=1e-3)


def test_gtexpcube2_cube_of_the_crab(shared):
    folder = shared / "fermi/reference/fermitools_crab_1day"
    path = folder / "binned_expmap.fits.gz"
    nodes = fits.getdata(path, "ENERGIES")["Energy"].astype(float)
    at_node = energy_bands([nodes[10] * 0.9999, nodes[10] * 1.0001] * u.MeV)
    sky = read_exposure(path, bands=at_node)
    np.testing.assert_allclose(sky.values[0], fits.getdata(path)[10], rtol=2e-4)
