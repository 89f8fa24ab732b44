"""Options of the renderer from the headers of files."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest

import gammafind
from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.derive import derive_options
from gammafind.plugins.fermi_lat.good_time import GOOD_TIMES, time_scale
from gammafind.plugins.fermi_lat.grouping import bands_between, group_bins, nsides_of
from gammafind.plugins.fermi_lat.regions import common_region, region_pixels
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import write_counts
from gammafind.sky.fits.facts import FileFacts, PhotonFacts
from gammafind.sky.fits.selections import Circle
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap

YEAR = 3.156e7
SOURCE = ("BIT_MASK(EVENT_CLASS,128,P8R3) = 1:1", "BIT_MASK(EVENT_TYPE,3,P8R3) = 1:1")
FIELD = "POS(RA,DEC) = CIRCLE(83.6,22.0,15) deg"


def facts(kind="photons", *, cuts=SOURCE, more=(), good=((0, YEAR),), **given):
    """Facts of one file."""
    return FileFacts(
        path=Path(given.pop("name", f"{kind}.fits")),
        kind=kind,
        hdus=(),
        selections=(*cuts, *more),
        good_times=None if good is None else np.array(good, dtype=float),
        **given,
    )


def bins(low, high, n):
    """Logarithmic bins in GeV, as gtbin makes them."""
    edges = np.geomspace(low, high, n + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1) * u.GeV


def test_a_photon_list_of_a_region_is_searched_on_images_of_it():
    found = derive_options([facts(more=(FIELD, "ENERGY = 1000:100000 MeV"))])
    assert found.options["irf"] == "P8R3_SOURCE_V3"
    assert found.options["event_types"] == ("FRONT+BACK",)
    assert found.options["energies"] == (1, 3, 10, 30, 100)
    assert found.options["region"] == (83.6, 22.0, 15)
    assert not found.obstacles
    lat = gammafind.create("renderer", "fermi-lat", **found.options)
    assert all(isinstance(pixels, gammafind.WcsPixels) for pixels in lat.pixels)
    assert len(lat.pixels) == 4


@pytest.mark.parametrize("energies", ["1000000:100000000 keV", "1:100 GeV", "0.001:0.1 TeV"])
def test_the_unit_of_a_cut_makes_no_difference(energies):
    same = derive_options([facts(more=(FIELD, "ENERGY = 1000:100000 MeV"))])
    found = derive_options([facts(more=(FIELD, f"ENERGY = {energies}"))])
    assert found.options == same.options


def test_the_bins_of_count_maps_are_grouped_at_their_own_edges():
    edges = group_bins(bins(0.1, 1000, 64))
    assert len(edges) - 1 <= 8
    assert edges[0] == pytest.approx(0.1)
    assert edges[-1] == pytest.approx(1000)
    every = np.geomspace(0.1, 1000, 65)
    assert all(np.min(np.abs(every / edge - 1)) < 1e-5 for edge in edges)
    assert group_bins(bins(2, 20, 1)) == (2, 20)


def test_bands_of_photons_have_round_edges_and_none_is_narrow():
    assert bands_between(0.1, 500) == (0.1, 0.3, 1, 3, 10, 30, 100, 500)
    assert bands_between(0.9, 1.2) == (0.9, 1.2)
    assert bands_between(50, 2000) == (50, 100, 2000)


def test_pixels_are_no_wider_than_they_should_be():
    assert nsides_of(np.array([0.5, 0.1, 0.001, 10])) == (128, 512, 512, 64)


def test_event_types_in_several_files_are_channels():
    types = ("BIT_MASK(EVENT_TYPE,4,P8R3) = 1:1", "BIT_MASK(EVENT_TYPE,8,P8R3) = 1:1")
    files = [
        facts("counts", cuts=("BIT_MASK(EVENT_CLASS,2048,P8R3) = 1:1", one), bins=bins(1, 10, 4))
        for one in types
    ]
    found = derive_options(files)
    assert found.options["irf"] == "P8R3_SOURCEVETO_V3"
    assert found.options["event_types"] == ("PSF0", "PSF1")
    assert not found.obstacles


def test_all_that_is_in_the_way_is_named_at_once():
    files = [
        facts("counts", name="a.fits", good=None),
        facts("counts", name="b.fits", cuts=("BIT_MASK(EVENT_CLASS,16,P8R3) = 1:1",)),
    ]
    found = derive_options(files)
    faults = [one.fault for one in found.obstacles]
    assert any("a.fits does not say its energies" in fault for fault in faults)
    assert any("b.fits does not say its energies" in fault for fault in faults)
    assert any("event class" in fault for fault in faults)
    assert all(one.remedy for one in found.obstacles)


def test_what_headers_leave_open_is_assumed_and_doubtful():
    found = derive_options([facts("counts", cuts=(), good=None, bins=bins(1, 100, 8))])
    assert found.options["irf"] == "P8R3_SOURCE_V3"
    assert any("do not give the release" in doubt for doubt in found.doubts)
    assert found.options["exposure_error"] == np.inf
    assert any("fluxes are not known" in doubt for doubt in found.doubts)


def test_an_exposure_file_gives_exposure_and_response():
    exposure = facts("exposure", name="e.fits", more=("IRF_VERSION = P8R2_SOURCE_V6",))
    found = derive_options([facts("counts", cuts=(), bins=bins(1, 100, 8)), exposure])
    assert found.options["irf"] == "P8R2_SOURCE_V6"
    assert "exposure_error" not in found.options
    assert found.doubts == ()
    assert any("the exposure is that of e.fits" in note for note in found.used)


def test_files_without_photons_or_counts_are_not_for_the_lat():
    assert derive_options([facts("spacecraft")]) is None


def test_energies_outside_all_models_are_named():
    found = derive_options([facts("counts", bins=bins(1e-3, 1e-2, 3))])
    assert found.obstacles[0].fault == "the energies are 0.001 to 0.01 GeV"


def test_a_long_observation_is_known_better_than_a_day():
    year, day = (time_scale([facts(good=((0, days * 86400),))]) for days in (365, 1))
    assert year.error == pytest.approx(0.036, abs=0.002)
    assert day.error == pytest.approx(0.18, abs=0.01)
    assert year.seconds == 365 * 86400


def test_the_times_of_photons_count_where_a_list_keeps_the_intervals_of_years():
    seen = PhotonFacts(number=100, times=(10 * 86400.0, 17 * 86400.0), energies=(1e3, 1e4))
    week = time_scale([facts(good=((0, 5 * YEAR),), photons=seen)])
    assert week.seconds == 7 * 86400


def test_without_intervals_start_and_end_give_a_rough_time():
    rough = time_scale([facts(good=None, span=(0.0, YEAR))])
    assert rough.seconds == pytest.approx(0.83 * YEAR)
    assert rough.error > 0.1
    assert time_scale([facts(good=None)]).error == np.inf


def test_the_embedded_exposure_is_scaled_to_the_good_time():
    half = GOOD_TIMES["ten-years"] / 2
    lat = gammafind.create("renderer", "fermi-lat", energies=[2, 20], nsides=[8])
    scaled, text = lat.for_files([facts(good=((0, half),))])
    assert "scaled to" in text
    ratio = scaled.exposure().values[0] / lat.exposure().values[0]
    assert ratio == pytest.approx(0.5, rel=1e-6)
    assert scaled.epochs == ()
    same, text = lat.for_files([facts(good=((0, 1.01 * GOOD_TIMES["ten-years"]),))])
    assert same is lat
    assert text == ""


def test_the_region_of_several_lists_holds_them_all():
    one, other = (facts(more=(f"POS(RA,DEC) = CIRCLE({ra},0,5) deg",)) for ra in (10, 14))
    region = common_region([one, other])
    assert region.ra == pytest.approx(12)
    assert region.radius == pytest.approx(7, abs=1e-6)
    assert common_region([one, facts()]) is None
    far = facts(more=("POS(RA,DEC) = CIRCLE(190,0,5) deg",))
    assert common_region([one, far]) is None


def test_images_of_a_region_hold_it():
    (image,) = region_pixels(Circle(83.6, 22.0, 5), [0.2])
    assert image.shape == (51, 51)
    assert image.frame == "galactic"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"region": [1, 2]}, "region is"),
        ({"region": [1, 95, 3]}, "region is"),
        ({"good_time": -1.0}, "good_time is -1"),
        ({"good_time": 1e6, "exposure_source": "mine.fits"}, "good_time is given"),
    ],
)
def test_options_that_cannot_be_are_refused(options, fault):
    with pytest.raises(OptionError, match=fault):
        gammafind.create("renderer", "fermi-lat", **options)


def test_a_map_without_time_gives_a_catalogue_without_fluxes(tmp_path):
    pixels = HealpixPixels(16)
    band = energy_bands([10, 100] * u.GeV)
    counts = np.zeros(pixels.shape, dtype=int)
    counts[100] = 600
    path = write_counts(SkyMap(band, (pixels,), (counts,)), tmp_path / "counts.fits")
    result = gammafind.detect(path)
    assert result.preset.name == "from-files"
    assert "Flux" not in result.catalogue.colnames
    assert any("fluxes are not known" in doubt for doubt in result.catalogue.meta["doubts"])
    result.write(tmp_path / "out")
    assert (tmp_path / "out" / "catalogue.ecsv").is_file()
