from __future__ import annotations

import importlib
import sys
from itertools import product
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import OptionError, ResponseError
from gammafind.plugins.fermi_lat.events import PARTITIONS
from gammafind.plugins.fermi_lat.irf import (
    EMBEDDED_RESPONSES,
    load_response,
    read_response,
    survey_profile,
)
from gammafind.plugins.fermi_lat.irf.folder import response_files
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.psf import RadialPsf

P8R3 = "P8R3_ULTRACLEANVETO_V3"
TABLES = {
    "psfs": ("parameters", "scaling"),
    "areas": ("area", "efficiency"),
    "dispersions": ("parameters", "scaling"),
}
ALL = [(irf, name) for irf, types in EMBEDDED_RESPONSES.items() for name in types]
BANDS = energy_bands([0.3, 0.5, 1, 2, 7, 20, 500] * u.GeV)
GALACTIC_CENTRE = survey_profile(declination=-29 * u.deg)


@pytest.fixture(scope="module")
def front():
    return load_response(P8R3, "FRONT")


@pytest.mark.parametrize(
    ("energy", "r68"),
    [(0.39, 1.19), (0.71, 0.70), (1.4, 0.39), (3.7, 0.19), (12, 0.095), (50, 0.070)],
)
def test_r68_of_front_as_published(front, energy, r68):
    radius = front.psf(energy * u.GeV).containment_radius(0.68)
    assert radius.to_value("deg") == pytest.approx(r68, rel=0.02)


@pytest.mark.parametrize(
    ("event_type", "r68"),
    [
        ("FRONT", [1.2162, 0.7348, 0.4066, 0.2194, 0.1044, 0.0731]),
        ("BACK", [2.2890, 1.4429, 0.8321, 0.4489, 0.2172, 0.1478]),
        ("PSF3", [0.9575, 0.5659, 0.3112, 0.1686, 0.0775, 0.0450]),
        ("FRONT+BACK", [1.6963, 1.0549, 0.5980, 0.3173, 0.1511, 0.1048]),
    ],
)
def test_golden_r68_of_the_bands(event_type, r68):
    response = load_response(P8R3, event_type)
    ours = [response.band_psf(band).containment_radius(0.68).value for band in BANDS]
    np.testing.assert_allclose(ours, r68, rtol=1e-3)


@pytest.mark.parametrize(
    ("event_type", "area"),
    [("FRONT", [1082, 1370, 1693, 1827, 1835, 1844]), ("PSF3", [618, 772, 906, 918, 840, 817])],
)
def test_golden_mean_area_of_the_bands(event_type, area):
    response = load_response(P8R3, event_type)
    ours = [response.band_effective_area(band).to_value("cm2") for band in BANDS]
    np.testing.assert_allclose(ours, area, rtol=1e-3)


def test_all_partitions_of_the_events_have_one_effective_area():
    energy, cosine = np.geomspace(0.3, 300, 9) * u.GeV, [0.5, 0.8, 0.95]
    sides = load_response(P8R3, "FRONT+BACK").effective_area(energy, cosine)
    assert sides.shape == (9, 3)
    for kind in ("PSF", "EDISP"):
        quartiles = load_response(P8R3, "+".join(f"{kind}{i}" for i in range(4)))
        area = quartiles.effective_area(energy, cosine)
        np.testing.assert_allclose(sides.value, area.value, rtol=0.01)


def test_sum_of_event_types_lies_between_them_by_effective_area(front):
    both, back = load_response(P8R3, "FRONT+BACK"), load_response(P8R3, "BACK")
    energy = 1 * u.GeV
    a, b = (response.mean_effective_area(energy) for response in (front, back))
    theta = np.radians([0.1, 0.5, 2, 8])
    expected = (a * front.psf(energy)(theta) + b * back.psf(energy)(theta)) / (a + b)
    np.testing.assert_allclose(both.psf(energy)(theta), expected, rtol=1e-9)


def test_a_narrow_band_is_one_energy(front):
    band = Band("narrow", 1.999 * u.GeV, 2.001 * u.GeV)
    theta = np.radians([0, 0.1, 0.5, 2])
    np.testing.assert_allclose(front.band_psf(band)(theta), front.psf(2 * u.GeV)(theta), rtol=1e-3)
    assert front.band_effective_area(band).value == pytest.approx(
        front.mean_effective_area(2 * u.GeV).value, rel=1e-3
    )


def test_a_softer_spectrum_has_a_wider_psf(front):
    soft, hard = (
        front.band_psf(BANDS[3], index=index).containment_radius(0.68) for index in (3.5, 1.5)
    )
    assert soft > 1.1 * hard


def test_band_psf_is_the_count_weighted_sum_of_energies(front):
    energy = np.geomspace(1, 2, 2001)
    energy = np.sqrt(energy[1:] * energy[:-1])
    area = front.mean_effective_area(energy * u.GeV).value
    step = slice(None, None, 50)
    counts = (energy**-1.3 * area)[step]
    theta = np.radians(0.3)
    densities = [float(front.psf(value * u.GeV)(theta)) for value in energy[step]]
    expected = np.average(densities, weights=counts)
    assert front.band_psf(BANDS[2])(theta) == pytest.approx(expected, rel=0.01)


def test_profiles_reach_far_and_are_fine_near_the_centre(front):
    psf = front.band_psf(BANDS[0])
    assert psf.theta[-1] >= np.radians(30)
    assert np.diff(psf.theta)[psf.theta[:-1] < np.radians(0.4)].max() <= np.radians(0.005)
    beyond = 1 - psf.containment([10, 30] * u.deg)
    assert 1e-3 < beyond[0] < 0.05
    assert beyond[1] < 0.01


def test_inclined_photons_widen_the_psf(front):
    on_axis = front.with_livetime(front.profile.within(30 * u.deg))
    energy = 2 * u.GeV
    assert on_axis.psf(energy).containment_radius(0.68) < front.psf(energy).containment_radius(0.68)
    assert on_axis.mean_effective_area(energy) < front.effective_area(energy, 0.99)


def test_scalars_give_scalars(front):
    assert front.effective_area(1 * u.GeV, 0.9).shape == ()
    assert front.effective_area([1, 2] * u.GeV, 0.9).shape == (2,)
    assert front.mean_effective_area(1 * u.GeV).shape == ()


@pytest.mark.parametrize(("irf", "event_type"), ALL)
def test_every_embedded_response_loads(irf, event_type):
    response = load_response(irf, event_type)
    assert response.irf == irf
    assert response.event_types == (event_type,)
    parts = (response.psfs, response.areas, response.dispersions)
    assert [part.event_type for (part,) in parts] == [event_type] * 3


def test_energy_dispersion_is_unknown_without_its_file(embedded):
    assert read_response(embedded, embedded, "FRONT").dispersions == ()


def test_one_of_several_event_types_keeps_its_tables():
    both = load_response(P8R3, "FRONT+BACK")
    back = both.only("BACK")
    assert back.event_types == ("BACK",)
    assert back.dispersions == both.dispersions[1:]


@pytest.mark.parametrize(
    ("event_type", "fault"),
    [
        ("SIDE", "there is no type 'SIDE'"),
        ("FRONT+SIDE", "there is no type 'SIDE'"),
        ("", "there is no type ''"),
        ("FRONT+FRONT", "occurs twice"),
        ("FRONT+PSF3", "share photons"),
        ("PSF3+EDISP3", "share photons"),
    ],
)
def test_event_types_that_do_not_add_up_are_refused(event_type, fault):
    with pytest.raises(OptionError, match=f"{fault}.*PSF0 to PSF3"):
        load_response(P8R3, event_type)


def test_files_of_two_responses_are_refused(embedded):
    other = embedded.with_name("response_P8R2_ULTRACLEANVETO_V6.fits.gz")
    with pytest.raises(ResponseError, match=r"effective area is of P8R2_ULTRAC.*, the PSF of P8R3"):
        read_response(embedded, other, "FRONT")
    with pytest.raises(ResponseError, match=r"dispersion is of P8R2_ULTRAC.*, the PSF of P8R3"):
        read_response(embedded, embedded, "FRONT", edisp_path=other)


@pytest.mark.parametrize("energy", [1 * u.MeV, 10 * u.TeV])
def test_energies_beyond_the_response_are_refused(front, energy):
    with pytest.raises(OptionError, match=r"covers 5\.623 to 3\.162e\+06 MeV"):
        front.psf(energy)


def test_energy_needs_a_unit_and_one_value(front):
    with pytest.raises(OptionError, match="no unit"):
        front.psf(1000.0)
    with pytest.raises(OptionError, match="shape"):
        front.psf([1, 2] * u.GeV)


@pytest.mark.parametrize(
    ("file", "irf", "event_type"),
    [
        ("gtpsf_P8R2_SOURCE_V6_FB_gc.fits.gz", "P8R2_SOURCE_V6_FB", "FRONT+BACK"),
        ("gtpsf_P8R3_CLEAN_V3_PSF3_gc.fits", "P8R3_CLEAN_V3_PSF", "PSF3"),
    ],
)
def test_containment_agrees_with_gtpsf(shared, file, irf, event_type):
    folder = shared / "fermi/irf"
    response = read_response(folder / f"psf_{irf}.fits", folder / f"aeff_{irf}.fits", event_type)
    response = response.with_livetime(GALACTIC_CENTRE.within(70 * u.deg))
    with fits.open(shared / "fermi/reference" / file) as hdus:
        theta = np.radians(hdus["THETA"].data["Theta"].astype(float))
        table = hdus["PSF"].data
        energies, exposures, official = table["Energy"], table["Exposure"], table["Psf"]
        official = [RadialPsf(theta, values) for values in official.astype(float)]
    for energy, reference in zip(energies, official, strict=True):
        ours = response.psf(energy * u.MeV)
        ours = RadialPsf(theta, ours(theta))
        for fraction, tolerance in ((0.68, 0.01), (0.95, 0.015)):
            ratio = ours.containment_radius(fraction) / reference.containment_radius(fraction)
            assert ratio.value == pytest.approx(1, abs=tolerance), energy
    ratio = exposures / response.mean_effective_area(energies * u.MeV).value
    np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=0.01)


@pytest.mark.parametrize("irf", EMBEDDED_RESPONSES)
def test_embedded_tables_are_those_of_the_official_files(shared, irf):
    for group in PARTITIONS:
        if not set(group) <= set(EMBEDDED_RESPONSES[irf]):
            continue
        psf, aeff, edisp = response_files(shared / "fermi/irf", irf, group)
        official = read_response(psf, aeff, "+".join(group), edisp_path=edisp)
        embedded = load_response(irf, "+".join(group))
        for kind, names in TABLES.items():
            pairs = zip(getattr(embedded, kind), getattr(official, kind), strict=True)
            for (one, other), name in product(pairs, names):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_tool_derives_the_embedded_tables(shared, embedded, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[4] / "tools")
    tool = importlib.import_module("derive_responses")
    monkeypatch.setattr("provenance.DATA", tmp_path)
    tool.derive(shared / "fermi/irf", P8R3, EMBEDDED_RESPONSES[P8R3])
    with fits.open(tmp_path / embedded.name) as new, fits.open(embedded) as old:
        assert fits.FITSDiff(new, old).identical
        assert "sha256" in str(old[0].header["HISTORY"])
    for name in ("derive_responses", "provenance"):
        del sys.modules[name]
