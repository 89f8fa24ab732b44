"""The embedded tables: what they hold, where they come from, how near they are to the originals."""

from __future__ import annotations

import importlib
import re
import sys

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat import embedded
from gammafind.plugins.fermi_lat.irf import EMBEDDED_RESPONSES, load_response
from gammafind.plugins.fermi_lat.isotropic import read_isotropic

EDGES = [0.3, 0.5, 1, 2, 7, 20, 500] * u.GeV
FILES = sorted((embedded.demo_counts_path().parent).glob("*.fits.gz"))
MINE = (
    "4fgl_dr2", "counts_2-20GeV_psf3", "exposure_2-20GeV_psf3", "exposure_by_year",
    "interstellar", "isotropic", "counts_10-2000GeV",
)  # fmt: skip


def path_of(name):
    return embedded.demo_counts_path().parent / f"{name}.fits.gz"


@pytest.mark.parametrize("name", MINE)
def test_every_table_says_where_it_comes_from(name):
    header = fits.getheader(path_of(name))
    assert header["TITLE"]
    assert header["LICENCE"] in {"MIT", "BSD-3-Clause", "CC0-1.0"}
    assert "Cite:" in str(header["COMMENT"])
    history = "".join(str(header["HISTORY"]).split())
    assert re.search(r"sha256[0-9a-f]{64}", history)


@pytest.mark.parametrize("name", MINE)
def test_every_table_has_a_licence_file_and_no_time_stamp(root, name):
    licences = "".join(path.read_text() for path in (root / "licenses").glob("*.rst"))
    assert f"{name}.fits.gz" in licences
    assert path_of(name).read_bytes()[4:8] == bytes(4)


def test_the_tables_are_small():
    assert sum(path_of(name).stat().st_size for name in MINE) < 4e6
    assert sum(path.stat().st_size for path in FILES) < 5.5e6


def test_the_counts_are_read_by_healpy_and_are_whole():
    counts, header = hp.read_map(embedded.demo_counts_path(), h=True, dtype=np.int64)
    header = dict(header)
    assert counts.sum() == 1_988_886
    assert counts.max() == 31_055
    assert (header["ORDERING"], header["NSIDE"], header["COORDSYS"]) == ("RING", 128, "GAL")
    with fits.open(embedded.demo_counts_path()) as file:
        bounds = file["EBOUNDS"].data
        assert_allclose([bounds["E_MIN"][0], bounds["E_MAX"][0]], [2e6, 2e7])
        assert file["EBOUNDS"].columns["E_MIN"].unit == "keV"


def test_the_counts_are_the_real_ones(shared):
    real = np.load(shared / "fermi/sky/counts_573w_2-20GeV_UCV_PSF3_ns128_ring_gal.npy")
    assert np.array_equal(hp.read_map(embedded.demo_counts_path(), dtype=np.int64), real)


def test_the_brightest_pixels_are_vela_and_geminga():
    counts = hp.read_map(embedded.demo_counts_path(), dtype=float)
    for lon, lat in ((263.55, -2.79), (195.13, 4.27)):
        assert counts[hp.ang2pix(128, lon, lat, lonlat=True)] > 5000


def test_the_exposure_is_the_real_one(shared):
    real = np.load(shared / "fermi/sky/exposure_573w_2-20GeV_UCV_PSF3_ns128_ring_gal.npy")
    assert np.max(np.abs(embedded.load_psf3_exposure() / real - 1)) < 1e-3


def test_the_exposure_is_of_its_size():
    exposure = embedded.load_psf3_exposure()
    assert exposure.shape == (196608,)
    assert 7e10 < exposure.min() < exposure.max() < 1.3e11


def test_interstellar_cells_and_structure():
    energy, cells, structure = embedded.load_interstellar()
    assert_allclose(energy[[0, -1]], [50, 814_008], rtol=1e-5)
    assert cells.shape == (28, 131, 240)
    assert structure.shape == (196608,)
    assert np.all(cells[:, 65, 119:121].mean(axis=1) > 20 * cells[:, -1].mean(axis=1))


def test_interstellar_cells_are_those_of_the_model(shared):
    path = shared / "fermi/diffuse/gll_iem_v07_blockmean_1p5x1p375deg.fits.gz"
    _, cells, _ = embedded.load_interstellar()
    assert np.max(np.abs(cells / fits.getdata(path) - 1)) < 0.0011


def test_the_header_of_the_cells_has_the_middle_row_on_the_plane():
    header = fits.getheader(path_of("interstellar"), "CELLS")
    assert (header["CRPIX2"], header["CRVAL2"]) == (66, 0)


def test_exposure_by_year_sums_to_ten_years(shared):
    path = shared / "fermi/sky/exposure_573w_UCVFRONT_scaled_ns32_6bins.fits.gz"
    original = hp.read_map(path, field=None, dtype=np.float64)
    bands, exposure = embedded.load_exposure_by_year()
    assert len(bands) == 6
    assert exposure.shape == (6, 10, 12288)
    ten_years = original * 3652.5 / 4011
    assert_allclose(exposure.sum(axis=1, dtype=float), ten_years, rtol=6e-4)


def test_exposure_by_year_follows_the_good_time():
    good_time = [25.81, 26.46, 26.28, 26.02, 25.84, 26.14, 26.37, 26.48, 26.44, 24.77]
    _, exposure = embedded.load_exposure_by_year()
    years = exposure[3].mean(axis=1, dtype=float)
    assert_allclose(years / years.sum(), np.divide(good_time, sum(good_time)), rtol=1e-5)


@pytest.mark.parametrize("irf", EMBEDDED_RESPONSES)
def test_isotropic_spectra_are_the_originals(shared, irf):
    for event_type in ("FRONT+BACK", *EMBEDDED_RESPONSES[irf]):
        part = irf if event_type == "FRONT+BACK" else f"{irf}_{event_type}"
        (path,) = (shared / "fermi/diffuse").glob(f"iso_{part}_v[01]*.txt")
        original, found = read_isotropic(path), embedded.load_isotropic(irf, event_type)
        for name in ("energy", "intensity", "error"):
            assert_allclose(getattr(found, name).value, getattr(original, name).value, rtol=0)


def test_the_tool_derives_the_isotropic_spectra(shared, root, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(root / "tools")
    tool = importlib.import_module("derive_isotropic")
    monkeypatch.setattr("provenance.DATA", tmp_path)
    tool.derive(shared / "fermi/diffuse")
    with fits.open(tmp_path / "isotropic.fits.gz") as new, fits.open(path_of("isotropic")) as old:
        assert fits.FITSDiff(new, old).identical
    for name in ("derive_isotropic", "provenance"):
        del sys.modules[name]


@pytest.mark.parametrize("irf", EMBEDDED_RESPONSES)
def test_every_response_has_isotropic_spectra_of_the_same_order(irf):
    total = embedded.load_isotropic(irf, "FRONT+BACK").band_intensity(1 * u.GeV, 10 * u.GeV)
    for event_type in EMBEDDED_RESPONSES[irf]:
        one = embedded.load_isotropic(irf, event_type).band_intensity(1 * u.GeV, 10 * u.GeV)
        assert 0.5 < one / total < 2


@pytest.mark.parametrize("irf", EMBEDDED_RESPONSES)
def test_the_spectrum_of_all_events_is_the_mean_weighted_by_exposure(irf):
    total = embedded.load_isotropic(irf, "FRONT+BACK")
    both = load_response(irf, "FRONT+BACK")
    energy = np.array([0.1, 1, 10, 100]) * u.GeV
    parts = [embedded.load_isotropic(irf, name).differential(energy) for name in both.event_types]
    areas = [both.only(name).mean_effective_area(energy) for name in both.event_types]
    mean = sum(a * b for a, b in zip(parts, areas, strict=True)) / sum(areas)
    assert_allclose(mean / total.differential(energy), 1, atol=0.02)


def test_isotropic_intensity_is_that_of_the_sky():
    # Ackermann et al. 2015, ApJ 799, 86: 7.2e-6 ph/cm2/s/sr above 100 MeV with index 2.3, so
    # some 3.6e-7 above 1 GeV; the template holds residual cosmic rays as well.
    spectrum = embedded.load_isotropic("P8R3_ULTRACLEANVETO_V3", "FRONT")
    assert 2e-7 < spectrum.band_intensity(1 * u.GeV, 100 * u.GeV).value < 8e-7


@pytest.mark.parametrize(
    ("irf", "event_type", "known"),
    [("P7REP_SOURCE_V15", "FRONT", "P8R2_SOURCE_V6"), ("P8R2_SOURCE_V6", "EDISP0", "PSF3")],
)
def test_another_response_is_refused_by_name(irf, event_type, known):
    with pytest.raises(OptionError, match=rf"{irf} {event_type} is embedded.*{known}"):
        embedded.load_isotropic(irf, event_type)


def test_4fgl_dr2_is_a_copy_for_each_caller():
    first = embedded.load_4fgl_dr2()
    first["Flux1000"][0] = 0 * u.Unit("cm-2 s-1")
    assert embedded.load_4fgl_dr2()["Flux1000"][0] > 0
