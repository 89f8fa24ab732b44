"""A list of an hour holds the photons that the LAT would see of some sources."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from scipy import stats

from gammafind.pipeline.inspect import inspect
from gammafind.plugins.fermi_lat.events import EVENT_TYPES, PARTITIONS
from gammafind.plugins.fermi_lat.photons.ft1 import class_bits
from gammafind.sky.fits import read_events, read_selections
from gammafind.sky.projection import unit_vectors
from tests.plugins.fermi_lat.photons.skies import POSITIONS, draw, renderer, sources

pytestmark = pytest.mark.usefixtures("flat_emission")

OFFICIAL = (
    "ENERGY RA DEC L B THETA PHI ZENITH_ANGLE EARTH_AZIMUTH_ANGLE TIME EVENT_ID RUN_ID "
    "RECON_VERSION CALIB_VERSION EVENT_CLASS EVENT_TYPE CONVERSION_TYPE LIVETIME "
    "DIFRSP0 DIFRSP1 DIFRSP2 DIFRSP3 DIFRSP4"
)
OFFICIAL_SPACECRAFT = (
    "START STOP SC_POSITION LAT_GEO LON_GEO RAD_GEO RA_ZENITH DEC_ZENITH B_MCILWAIN L_MCILWAIN "
    "GEOMAG_LAT LAMBDA IN_SAA RA_SCZ DEC_SCZ RA_SCX DEC_SCX RA_NPOLE DEC_NPOLE ROCK_ANGLE "
    "LAT_MODE LAT_CONFIG DATA_QUAL LIVETIME QSJ_1 QSJ_2 QSJ_3 QSJ_4 RA_SUN DEC_SUN"
)


def photons_of(folder):
    return fits.getdata(folder / "ft1.fits", "EVENTS")


def craft_of(folder):
    return fits.getdata(folder / "ft2.fits", "SC_DATA")


def test_columns_are_those_of_the_official_files(hour):
    folder, _ = hour
    assert photons_of(folder).columns.names == [*OFFICIAL.split(), "MC_SRC_ID", "MC_ENERGY"]
    assert craft_of(folder).columns.names == OFFICIAL_SPACECRAFT.split()
    found = inspect([folder / "ft1.fits", folder / "ft2.fits", folder / "exposure.fits"])
    kinds = ["photon list", "spacecraft file", "exposure maps"]
    assert [kind.split(" of ")[0] for kind in found.table["kind"]] == kinds


def test_our_reader_bins_the_photons_to_the_maps_that_were_returned(hour):
    lat, (folder, drawn) = renderer(), hour
    events = read_events(folder / "ft1.fits")
    np.testing.assert_array_equal(lat.bin_events(events).values[0], drawn.counts.values[0])
    assert drawn.counts.values[0].sum() == len(events)
    assert lat.accepts([read_selections(folder / "ft1.fits")])


def test_numbers_are_poisson_draws_of_what_is_expected(hour):
    folder, drawn = hour
    source = photons_of(folder)["MC_SRC_ID"]
    seen = {
        "sources": np.sum(source >= 0),
        "interstellar": np.sum(source == -1),
        "isotropic": np.sum(source == -2),
    }
    for name, number in seen.items():
        (mean,) = drawn.expected[name]
        assert abs(number - mean) < 4 * np.sqrt(mean) + 1, name
    assert seen["sources"] > 50


def test_photons_come_in_the_order_of_time_within_good_intervals_and_cuts(hour):
    folder, _ = hour
    photons = photons_of(folder)
    good = fits.getdata(folder / "ft1.fits", "GTI")
    assert np.all(np.diff(photons["TIME"]) >= 0)
    inside = (photons["TIME"][:, None] >= good["START"]) & (
        photons["TIME"][:, None] <= good["STOP"]
    )
    assert inside.any(axis=1).all()
    assert photons["ZENITH_ANGLE"].max() < 90.001
    assert photons["ENERGY"].min() >= 2000
    assert photons["ENERGY"].max() < 20000
    header = fits.getheader(folder / "ft1.fits", "EVENTS")
    assert header["DSVAL4"] == "2000:20000"
    assert (header["DSVAL5"], header["DSREF6"]) == ("0:90", ":GTI")


def test_angles_of_photons_are_those_of_the_spacecraft_file(hour):
    folder, _ = hour
    photons, craft = photons_of(folder), craft_of(folder)
    row = np.searchsorted(craft["START"], photons["TIME"], side="right") - 1
    vectors = unit_vectors(photons["RA"].astype(float), photons["DEC"].astype(float))
    for name, column in (("SCZ", "THETA"), ("ZENITH", "ZENITH_ANGLE")):
        axis = unit_vectors(craft[f"RA_{name}"].astype(float), craft[f"DEC_{name}"].astype(float))
        apart = np.degrees(np.arccos(np.sum(vectors * axis[row], axis=1)))
        # The satellite goes on by 1.9 deg in the 30 s of a row.
        assert np.median(np.abs(apart - photons[column])) < 1.5, name
    galactic = SkyCoord(photons["RA"], photons["DEC"], unit="deg").galactic
    np.testing.assert_allclose(galactic.b.deg, photons["B"], atol=1e-3)


def test_photons_of_a_source_are_spread_by_its_psf(tmp_path):
    lat = renderer()
    draw(tmp_path, lat=lat, table=sources(flux=2e-4))
    photons = photons_of(tmp_path)
    for row, position in enumerate(POSITIONS):
        chosen = photons[photons["MC_SRC_ID"] == row]
        apart = SkyCoord(chosen["RA"], chosen["DEC"], unit="deg").separation(position)
        psf = lat.psfs()[0]
        if len(chosen) > 50:
            law = stats.kstest(apart.rad, lambda r, psf=psf: psf.containment(r * u.rad))
            assert law.pvalue > 0.001


def test_a_seed_gives_the_same_files(hour, tmp_path):
    names = ["exposure.fits", "ft1.fits", "ft2.fits"]
    draw(tmp_path / "same")
    draw(tmp_path / "other", seed=2)
    assert sorted(path.name for path in hour[0].iterdir()) == names
    for name in names:
        first = (hour[0] / name).read_bytes()
        assert (tmp_path / "same" / name).read_bytes() == first
        assert ((tmp_path / "other" / name).read_bytes() == first) == (name != "ft1.fits")


def test_each_photon_has_one_type_of_each_group_and_all_containing_classes(hour):
    folder, _ = hour
    events = read_events(folder / "ft1.fits")
    for types in PARTITIONS:
        bits = [(events.event_type & EVENT_TYPES[name]) != 0 for name in types]
        np.testing.assert_array_equal(np.sum(bits, axis=0), 1)
    assert np.all(events.event_type & EVENT_TYPES["PSF3"])
    assert np.all(events.event_class == 16 + 64 + 128 + 256 + 512 + 1024)
    assert class_bits("P8R3_SOURCE_V3") == 16 + 64 + 128
    assert class_bits("P8R3_SOURCEVETO_V3") == 16 + 64 + 128 + 2048
    assert class_bits("MINE") == 0


def test_livetime_is_missing_in_the_anomaly_only(tmp_path):
    draw(tmp_path, duration=1 * u.day)
    craft = craft_of(tmp_path)
    seconds = craft["STOP"] - craft["START"]
    np.testing.assert_allclose(craft["LIVETIME"], np.where(craft["IN_SAA"], 0, 0.91 * seconds))
    assert 0.1 < craft["IN_SAA"].mean() < 0.3
    on = fits.getheader(tmp_path / "ft1.fits", "GTI")["ONTIME"]
    assert craft["LIVETIME"].sum() == pytest.approx(0.91 * on)


def test_a_source_without_flux_in_that_year_has_no_photons(hour, tmp_path):
    history = np.ones((2, 10))
    history[0, 1], history[1, 1] = 0, 2
    drawn = draw(tmp_path, table=sources(flux_history=history))
    _, steady = hour
    source = photons_of(tmp_path)["MC_SRC_ID"]
    assert np.sum(source == 0) == 0
    assert drawn.expected["sources"] != steady.expected["sources"]


def test_channels_have_photons_and_exposures_of_their_own(tmp_path):
    lat = renderer(event_types=("PSF0+PSF1", "PSF3"))
    drawn = draw(tmp_path, lat=lat)
    assert (tmp_path / "exposure_PSF0+PSF1.fits").exists()
    assert (tmp_path / "exposure_PSF3.fits").exists()
    binned = lat.bin_events(read_events(tmp_path / "ft1.fits"))
    for one, other in zip(binned.values, drawn.counts.values, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("ratio", "inside"), [(1.0, 4.0), (0.5, 4.0)])
def test_photons_of_a_disc_fill_it(tmp_path, flat_emission, ratio, inside):
    disc = sources(flux=2e-4, extension_model=["disc", ""])
    disc["extension_radius"] = [inside, 0] * u.deg
    disc["extension_ratio"] = ratio
    draw(tmp_path, table=disc)
    photons = photons_of(tmp_path)
    chosen = photons[photons["MC_SRC_ID"] == 0]
    apart = SkyCoord(chosen["RA"], chosen["DEC"], unit="deg").separation(POSITIONS[0]).deg
    assert np.mean(apart < 1.05 * inside) > 0.97
    # Half of a round disc is within 0.71 of its radius; a narrow one is nearer to the centre.
    assert np.median(apart) / inside == pytest.approx(0.71 if ratio == 1 else 0.53, abs=0.08)
