"""Sources of catalogues, measured on the real sky around M 87."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

import gammafind
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.errors import OptionError, OutputError, TableError
from gammafind.fitting.sources.forms import POWER_LAW
from gammafind.pipeline.groups import clear
from gammafind.pipeline.measure import measure, measure_on
from gammafind.pipeline.measured import with_measured
from gammafind.pipeline.prepare import prepare
from gammafind.sky.skymap import SkyMap
from tests.fitting.skies import aside
from tests.fitting.test_goodness import positions
from tests.fitting.test_sources import CENTRE, RESPONSES, counts_of, sky_of
from tests.pipeline.test_classify import files_of
from tests.simulation.fixtures import two_years
from tests.simulation.toy_sky import TwoYears

__all__ = ["two_years"]

PLACES = QTable(
    {
        "name": ["M 87", "far away", "empty"],
        "ra": [187.706, 83.6, 190.0] * u.deg,
        "dec": [12.391, 22.0, 14.0] * u.deg,
        "note": ["a", "b", "c"],
    }
)


@pytest.fixture(scope="module")
def sky():
    return gammafind.demo_sky("M 87")


@pytest.fixture(scope="module")
def measured(sky):
    return measure(sky, PLACES)


def same(one, other):
    """Make sure that two tables hold the same numbers."""
    assert one.colnames == other.colnames
    for name in one.colnames:
        assert_array_equal(np.asarray(one[name]), np.asarray(other[name]), err_msg=name)
        if one[name].dtype.kind == "f":
            assert np.asarray(one[name]).tobytes() == np.asarray(other[name]).tobytes(), name


def test_rows_stay_in_order_with_the_columns_of_the_lat(measured):
    assert measured["Source_Name"].tolist() == PLACES["name"].tolist()
    assert measured["note"].tolist() == ["a", "b", "c"]
    assert {"RAJ2000", "Flux1000", "PL_Index", "Conf_95_PosAng"} <= set(measured.colnames)
    assert "ra" not in measured.colnames
    assert measured["Unc_Flux_Band"].shape == (3, 1, 2)
    assert measured.meta["energy_edges_mev"] == [[2000.0, 20000.0]]


def test_a_source_is_measured(measured):
    row = measured[0]
    assert row["Signif_Avg"] > 10
    assert 5e-10 < row["Flux"].value < 2e-9
    assert_allclose(row["Flux"].value, row["Flux_Band"][0].value, rtol=0.02)
    assert row["Offset"] < row["Conf_95_SemiMajor"]
    assert row["PL_Index"] == 2.3
    assert np.isnan(row["LP_beta"])


def test_a_row_without_data_has_a_flag_and_its_own_position(measured):
    row = measured[1]
    assert has_flag(row["Flags"], Flag.NOT_MEASURED)
    assert np.isnan(row["Flux1000"].value)
    assert_allclose(row["RAJ2000"].to_value("deg"), 83.6)


def test_the_index_of_one_band_is_given(sky):
    assert measure(sky, PLACES[:1], index=2.0)["PL_Index"][0] == 2.0


def test_the_result_does_not_depend_on_the_workers(sky, measured, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.measure.GROUP", 1)
    same(measure(sky, PLACES, workers=2), measured)


def test_an_interrupted_measurement_continues(sky, measured, tmp_path, monkeypatch):
    monkeypatch.setattr("gammafind.pipeline.measure.GROUP", 1)
    folder = tmp_path / "parts"
    measure(sky, PLACES, folder=folder)
    kept = sorted(path.name for path in folder.iterdir())
    assert kept == ["sources-0000.ecsv", "sources-0001.ecsv", "sources-0002.ecsv"]
    (folder / kept[2]).unlink()
    same(measure(sky, PLACES, folder=folder), measured)
    monkeypatch.setattr("gammafind.pipeline.measure.fitted_sky", None)
    same(measure(sky, PLACES, folder=folder), measured)
    clear(folder)
    assert not folder.exists()


def test_groups_of_other_settings_are_not_taken(sky, tmp_path):
    measure(sky, PLACES[:1], folder=tmp_path)
    with pytest.raises(OutputError, match="other settings: index"):
        measure(sky, PLACES[:1], folder=tmp_path, index=2.1)
    again = measure(sky, PLACES[:1], folder=tmp_path, index=2.1, overwrite=True)
    assert again["PL_Index"][0] == 2.1


def test_a_catalogue_may_be_empty_or_have_sources_twice(sky):
    assert len(measure(sky, PLACES[:0])) == 0
    twice = measure(sky, PLACES[[0, 0]])
    assert np.all(np.asarray(twice["Flags"]) & Flag.CONFUSED)


def test_extended_sources_keep_their_shapes_in_the_catalogue(sky):
    shell = QTable(
        {
            "name": ["shell"],
            "ra": PLACES["ra"][:1],
            "dec": PLACES["dec"][:1],
            "extension_model": ["disc"],
            "extension_radius": [1.0] * u.deg,
        }
    )
    table = QTable({**PLACES, "Extended_Source_Name": ["shell", "", ""]})
    made = measure(sky, table, extended=shell)
    assert made["extension_model"].tolist() == ["disc", "", ""]
    assert_array_equal(made["extension_radius"].to_value("deg"), [1.0, np.nan, np.nan])


def test_rows_that_share_a_name_have_a_flag(sky):
    table = PLACES.copy()
    table["name"] = ["same", "far", "same"]
    flags = measure(sky, table)["Flags"]
    assert has_flag(flags, Flag.REPEATED_NAME).tolist() == [True, False, True]


def test_where_nothing_was_exposed_nothing_is_measured(sky):
    prepared = prepare(sky)
    observation = prepared.observation
    dark = replace(observation.exposure, values=(observation.exposure.values[0] * 0,))
    table = measure_on(
        replace(observation, exposure=dark, extended=None), prepared.renderer, PLACES[:1]
    )
    assert table["Flags"][0] == Flag.NOT_MEASURED


def test_detections_keep_the_values_of_their_search(sky):
    plain = gammafind.detect(sky, localiser="likelihood", measure=False).catalogue
    both = gammafind.detect(sky, localiser="likelihood").catalogue
    of_search = [name for name in plain.colnames if not name.startswith("Sys_")]
    assert both.colnames[: len(of_search)] == of_search
    for name in of_search:
        if name != "Flags":
            assert_array_equal(np.asarray(both[name]), np.asarray(plain[name]))
    assert np.all(np.isfinite(both["Flux_Band"].value))
    empty = with_measured(plain[:0], prepare(sky).observation, prepare(sky).renderer)
    assert set(of_search) <= set(empty.colnames)
    assert {"Flux_Band", "nuFnu_Band"} <= set(empty.colnames)


def test_ellipses_are_circles_where_only_radii_are_known(sky):
    table = gammafind.detect(sky, localiser="likelihood").catalogue
    for share in (68, 95):
        assert_array_equal(table[f"Conf_{share}_SemiMinor"], table[f"Conf_{share}_SemiMajor"])
        assert not table[f"Conf_{share}_PosAng"].value.any()


def test_impossible_requests_are_refused(sky):
    with pytest.raises(OptionError, match="workers"):
        measure(sky, PLACES, workers=0)
    with pytest.raises(OptionError, match="index"):
        measure(sky, PLACES, index=np.nan)
    with pytest.raises(TableError, match="no positions"):
        measure(sky, QTable({"name": ["x"]}))


def test_positions_of_a_search_move_where_pixels_are_narrow():
    given = aside(CENTRE, 0.06, 1.0)
    sky = sky_of([CENTRE], [counts_of(POWER_LAW, 2e-12, 2.1)])
    place = positions(np.array([given])).icrs
    plain = QTable(
        {
            "Source_Name": ["one"],
            "RAJ2000": place.spherical.lon.to(u.deg),
            "DEJ2000": place.spherical.lat.to(u.deg),
            "Conf_95_SemiMajor": [1.0] * u.deg,
            "Flux": [1.0] * u.Unit("cm-2 s-1"),
        }
    )
    seen = SimpleNamespace(
        bands=sky.counts.bands, psfs=lambda: sky.psfs, spectral_responses=lambda: RESPONSES
    )
    both = with_measured(plain, sky, seen)
    there = SkyCoord(both["RAJ2000"], both["DEJ2000"], frame="icrs")
    true = positions(np.array([CENTRE])).icrs
    assert there.separation(true)[0] < 0.01 * u.deg < place.separation(true)[0]
    assert both["Conf_95_SemiMajor"][0] < 0.5 * u.deg
    assert both["Flux"][0].value == 1.0
    assert both["Flux_Band"].shape == (1, 3)


def test_maps_of_each_year_give_light_curves(two_years, tmp_path):
    renderer = TwoYears()
    places = QTable({"name": ["one"], "ra": [40.0] * u.deg, "dec": [10.0] * u.deg})
    at = [pixels.pixel_of(SkyCoord(places["ra"], places["dec"])) for pixels in renderer.pixels]
    skies = [sky_of_counts(renderer, at, bright) for bright in (100, 300)]
    whole = replace(skies[0], values=tuple(map(np.add, *(one.values for one in skies))))
    files = [files_of(one, tmp_path / str(i)) for i, one in enumerate([whole, *skies])]
    table = measure(files[0], places, preset="two-years", epochs=files[1:])
    flux = table["Flux_History"][0].value
    assert 2.7 < flux[1] / flux[0] < 3.3
    assert table["Variability_Index"][0] > 50
    assert len(table.meta["inputs"]) == 6
    with pytest.raises(OptionError, match="counts of 1 epochs"):
        measure(files[0], places, preset="two-years", epochs=files[1:2])


def sky_of_counts(renderer, at, bright):
    """A flat year with one source in a pixel of each band."""
    values = [np.full(pixels.shape, 4) for pixels in renderer.pixels]
    for one, pixel in zip(values, at, strict=True):
        one[pixel] += bright
    return SkyMap(renderer.bands, renderer.pixels, tuple(values))
