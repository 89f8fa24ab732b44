"""Places on the real sky around M 87."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.testing import assert_allclose

import gammafind
from gammafind.catalogue.io import read_table, write_table
from gammafind.errors import OptionError, TableError
from gammafind.pipeline.probe import PROBED, probe

M87 = (187.706, 12.391)
PLACES = SkyCoord([M87[0], 187.9, 190.0, 83.6], [M87[1], 12.75, 14.0, 22.0], unit="deg")


@pytest.fixture(scope="module")
def sky():
    return gammafind.demo_sky("M 87")


@pytest.fixture(scope="module")
def catalogue(sky):
    return gammafind.detect(sky, localiser="likelihood").catalogue


@pytest.fixture(scope="module")
def probed(sky, catalogue):
    return probe(sky, PLACES, catalogue=catalogue)


def test_every_place_has_a_row_with_all_columns(probed):
    assert probed.colnames == [column.name for column in PROBED]
    assert_allclose(probed["ra"].value, PLACES.ra.deg)
    assert list(probed["name"][:2]) == ["J1230.8+1223", "J1231.6+1245"]
    assert probed["flux_limit"].unit == "cm-2 s-1"


def test_a_place_in_a_source_is_that_source(probed, catalogue):
    source = catalogue[np.argmax(catalogue["TS"])]
    assert list(probed["flag"]) == ["in source", "", "", "outside"]
    assert probed["near"][0] == source["Source_Name"]
    assert_allclose(probed["flux"][0].value, source["Flux"].value, rtol=0.05)
    assert probed["flux_limit"][0] > probed["flux"][0]


def test_a_place_next_to_a_bright_source_is_not_that_source(probed):
    assert probed["near"][1] == probed["near"][0]
    assert 0.3 < probed["separation"][1].value < 0.5
    assert probed["ts"][1] < 9
    assert probed["flux_limit"][1] < 0.3 * probed["flux"][0]


def test_probabilities_follow_from_ts(probed):
    assert probed["p_value"][0] < 1e-30
    dark = probed[probed["ts"] == 0]
    assert np.all(dark["p_value"] == 1)
    assert np.all(dark["flux_limit"] > 0)


def test_a_place_outside_has_no_numbers(probed):
    for name in ("ts", "p_value", "npred", "flux", "flux_err", "flux_limit"):
        assert np.isnan(probed[name][3])
    assert probed["separation"][3].value > 20


def test_the_search_gives_the_sources_where_there_is_no_catalogue(sky, probed):
    found = probe(sky, PLACES)
    assert list(found["flag"]) == list(probed["flag"])
    assert_allclose(found["flux_limit"][:3].value, probed["flux_limit"][:3].value, rtol=0.02)
    assert found.meta["catalogue"]["found by"] == "likelihood"
    assert [used["role"] for used in found.meta["plugins"]] == ["renderer", "localiser"]


def test_names_of_a_table_are_kept_and_the_result_can_be_written(sky, catalogue, tmp_path):
    table = QTable({"name": ["one", ""], "ra": PLACES.ra[:2], "dec": PLACES.dec[:2]})
    found = probe(sky, table, catalogue=catalogue)
    assert list(found["name"]) == ["one", "J1231.6+1245"]
    for suffix in (".ecsv", ".fits", ".vot", ".csv"):
        path = tmp_path / f"probed{suffix}"
        write_table(found, path)
        assert list(read_table(path)["flag"]) == ["in source", ""]


def test_a_softer_source_gives_another_limit_in_several_bands_only(sky, catalogue, probed):
    found = probe(sky, PLACES[:3], catalogue=catalogue, index=3.0)
    assert_allclose(found["flux_limit"].value, probed["flux_limit"][:3].value, rtol=1e-6)
    assert found.meta["index"] == 3.0


def test_a_sky_without_known_sources_can_be_probed(sky):
    elsewhere = QTable({"ra": PLACES.ra[3:], "dec": PLACES.dec[3:]})
    (row,) = probe(sky, PLACES[2], catalogue=elsewhere)
    assert (row["near"], row["flag"]) == ("", "")
    assert np.isnan(row["separation"])
    assert row["flux_limit"] > row["flux"]


def test_without_places_or_positions_nothing_is_measured(sky):
    with pytest.raises(OptionError, match="no place"):
        probe(sky, SkyCoord([], [], unit="deg"))
    with pytest.raises(TableError, match="no positions"):
        probe(sky, QTable({"flux": [1.0]}))


def test_residuals_are_mapped_and_written(sky, tmp_path):
    from astropy.io import fits

    from gammafind.pipeline.products import Products

    result = gammafind.detect(sky, localiser="likelihood", residuals=True)
    ps = result.residuals.ps
    assert ps.valid[0].sum() == sky.valid[0].sum()
    assert np.mean(np.abs(ps.values[0][ps.valid[0]]) >= 3) < 0.02
    scores = result.scores
    brightest = SkyCoord(result.catalogue["RAJ2000"], result.catalogue["DEJ2000"])[0]
    assert scores.values[0].argmax() == scores.pixels[0].pixel_of(brightest)
    assert scores.values[0].max() == pytest.approx(result.catalogue["TS"][0], rel=0.5)
    path = tmp_path / "residuals.fits"
    products = Products(residuals=path, report=tmp_path / "page")
    products.check()
    products.write(result)
    table = fits.getdata(path, "SKYMAP")
    assert table.names == ["RESIDUAL", "PS"]
    assert np.sum(table["PS"] > -1e30) == sky.valid[0].sum()
    assert len(result.plot_residuals().axes) == 4
    assert "have an absolute PS" in (tmp_path / "page" / "index.html").read_text()
