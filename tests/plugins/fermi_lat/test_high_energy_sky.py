"""The embedded sky above 10 GeV: photons, exposure, and the preset that searches it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.testing import assert_allclose

from gammafind.errors import EnergyEdgesError
from gammafind.plugins.fermi_lat import embedded
from gammafind.plugins.fermi_lat.good_time import GOOD_TIMES
from gammafind.plugins.fermi_lat.planes import counts_to_planes, from_planes
from gammafind.presets.choose import choose_preset, fitting_preset, select_preset
from gammafind.presets.preset import build, load_preset
from gammafind.sky.fits import read_exposure
from gammafind.sky.fits.facts import FileFacts
from gammafind.sky.fits.selections import cut_range
from gammafind.sky.pixels import HealpixPixels

FOLDER = embedded.demo_counts_path().parent
PRESET = "fermi-lat-10-2000"
EDGES = [10, 30, 100, 2000]
CUTS = ("BIT_MASK(EVENT_CLASS,128,P8R2) = 1:1", "BIT_MASK(EVENT_TYPE,3,P8R2) = 1:1")
BINS = np.stack([EDGES[:-1], EDGES[1:]], axis=1) * u.GeV
AT_PLACES = [[3.3517e11, 3.6322e11], [3.4541e11, 3.7390e11], [3.3543e11, 3.6299e11]]
"""Exposure in cm2 s of each band at the Galactic pole and at the Galactic centre."""


def facts(kind, *, cuts=CUTS, **given):
    return FileFacts(path=Path("a.fits"), kind=kind, hdus=(), selections=cuts, **given)


@pytest.fixture(scope="module")
def sky():
    return embedded.load_high_energy_sky()


@pytest.fixture(scope="module")
def lat():
    return build(load_preset(PRESET).renderer)


def test_all_photons_are_in_their_bands(sky, lat):
    assert [int(counts.sum()) for counts in sky.values] == [657_117, 134_471, 27_521]
    assert sky.bands == lat.bands
    assert sky.pixels == lat.pixels == (HealpixPixels(1024),) * 3


def test_the_photons_are_those_of_the_response(sky, lat):
    assert lat.accepts([sky.meta["selections"]])
    assert cut_range(sky.meta["selections"], "ZENITH_ANGLE") == (0, 105)
    assert [entry["name"] for entry in sky.meta["inputs"]] == ["counts_10-2000GeV.fits.gz"]


def test_the_brightest_pixels_are_vela_and_the_crab(sky):
    for band, (lon, lat) in enumerate([(263.55, -2.79), (184.56, -5.78), (184.56, -5.78)]):
        brightest = hp.pix2vec(1024, int(np.argmax(sky.values[band])))
        apart = hp.rotator.angdist(brightest, hp.ang2vec(lon, lat, lonlat=True))
        assert np.degrees(apart) < 0.1


def test_the_photons_are_the_real_ones(sky, shared):
    path = shared / "fermi/highenergy/energy_100_2000.fits.gz"
    assert np.array_equal(hp.read_map(path, dtype=np.int64), sky.values[2])


def test_the_tool_derives_the_table(shared, root, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(root / "tools")
    tool = importlib.import_module("derive_high_energy_sky")
    monkeypatch.setattr("provenance.DATA", tmp_path)
    monkeypatch.setattr("sys.argv", ["derive", str(shared / "fermi")])
    tool.main()
    name = "counts_10-2000GeV.fits.gz"
    with fits.open(tmp_path / name) as new, fits.open(FOLDER / name) as old:
        assert fits.FITSDiff(new, old).identical
    for module in ("derive_high_energy_sky", "derive_sky", "provenance"):
        del sys.modules[module]


def test_counts_that_do_not_fit_into_16_bits_are_refused():
    packed = counts_to_planes({"COUNTS": np.array([0, 1, 65_535])}, name="C")
    assert from_planes(packed)["COUNTS"].tolist() == [0, 1, 65_535]
    for wrong in (-1, 65_536):
        with pytest.raises(ValueError, match="COUNTS does not fit"):
            counts_to_planes({"COUNTS": np.array([wrong])}, name="C")


def test_the_exposure_is_that_of_98_months(lat):
    assert_allclose(GOOD_TIMES["98-months"], 214.908e6, rtol=1e-4)
    pixels = HealpixPixels(32)
    places = SkyCoord([192.86, 266.4], [27.13, -28.94], unit="deg")
    exposure = [band[pixels.pixel_of(places)] for band in lat.exposure([pixels] * 3).values]
    assert_allclose(exposure, AT_PLACES, rtol=1e-3)


def test_the_exposure_is_near_that_of_the_fermitools(lat, shared):
    path = shared / "fermi/highenergy/fermi_hgps_exposure_hpx.fits.gz"
    given = read_exposure(path, bands=lat.bands, frame="galactic", index=2.3)
    given, own = lat.seen_exposure(given), lat.exposure(given.pixels)
    for mine, theirs in zip(own.values, given.values, strict=True):
        assert_allclose(np.median(mine / theirs), 1, atol=0.01)
        assert np.std(mine / theirs) < 0.035
        assert_allclose(mine / theirs, 1, atol=0.11)


def test_files_never_choose_the_preset_by_their_bands():
    with pytest.raises(EnergyEdgesError, match="no preset fits"):
        choose_preset(EDGES * u.GeV, selections=[CUTS])
    assert fitting_preset([facts("counts", bins=BINS)]) is None
    assert fitting_preset([facts("photons", cuts=(*CUTS, "ENERGY = 10000:2000000 MeV"))]) is None


def test_maps_with_these_bands_make_a_preset_of_their_own():
    made = select_preset([facts("counts", cuts=(), bins=BINS)])
    assert made.name == "from-files"
    assert made.renderer.options["irf"] == "P8R3_SOURCE_V3"


def test_files_of_another_time_scale_the_exposure_of_the_preset(lat):
    half = np.array([[0, GOOD_TIMES["98-months"] / 2]])
    scaled, text = lat.for_files([facts("photons", good_times=half)])
    assert "that of 98 months, scaled to" in text
    assert scaled.exposure_error > lat.exposure_error
    pixels = [HealpixPixels(4)] * 3
    ratio = scaled.exposure(pixels).values[0] / lat.exposure(pixels).values[0]
    assert_allclose(ratio, 0.5, rtol=1e-6)
