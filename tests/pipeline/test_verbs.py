"""The verbs take what a person has, and give back what a person can use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Column, QTable, Table

import gammafind
from gammafind.catalogue.io import write_table
from gammafind.errors import (
    ConfigError,
    EnergyEdgesError,
    MissingFileError,
    OptionError,
    OutputError,
    TableError,
)
from gammafind.evaluation.brightness import MinFlux
from tests.cli.fixtures import toy
from tests.cli.toy import BANDS, Bright, toy_counts, toy_file, toy_truth

__all__ = ["toy"]

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return toy_file(tmp_path / "counts.fits")


@pytest.fixture
def result() -> gammafind.Result:
    return gammafind.detect(toy_counts(), preset="toy", reference=toy_truth())


def same(one: QTable, other: QTable) -> bool:
    return all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one.colnames
    )


@pytest.mark.parametrize("kind", [str, Path, lambda path: [path], lambda path: (str(path),)])
def test_counts_are_given_as_one_path_or_several(path, kind):
    assert len(gammafind.detect(kind(path))) == 3


def test_counts_in_memory_are_searched_like_those_of_a_file(path):
    of_file = gammafind.detect(path).catalogue
    sky = gammafind.read_counts(path)
    assert same(gammafind.detect(sky).catalogue, of_file)
    observation = gammafind.create("renderer", "toy").observe(sky)
    assert same(gammafind.detect(observation, preset="toy").catalogue, of_file)


@pytest.mark.parametrize(
    ("counts", "fault"),
    [
        ([], "no file of counts is given"),
        ("", "the name of a file of counts is empty"),
        (3.0, "the counts are a float"),
        ([3], "the counts are a int"),
    ],
)
def test_what_are_no_counts_is_refused(counts, fault):
    with pytest.raises(OptionError, match=fault):
        gammafind.detect(counts)


def test_a_file_that_is_missing_is_named_whole():
    with pytest.raises(MissingFileError, match="nowhere/counts"):
        gammafind.detect("nowhere/counts.fits")


def test_a_map_in_memory_has_bands_of_its_own():
    with pytest.raises(OptionError, match="has bands of its own"):
        gammafind.detect(toy_counts(), bands=BANDS)
    other = gammafind.SkyMap(
        [gammafind.Band("1-3 GeV", 1 * BANDS[0].low.unit, 3 * BANDS[0].low.unit)],
        toy_counts().pixels,
        toy_counts().values,
    )
    with pytest.raises(EnergyEdgesError, match="no preset fits"):
        gammafind.detect(other)
    with pytest.raises(EnergyEdgesError, match="not those of the preset toy"):
        gammafind.detect(other, preset="toy")


def test_a_localiser_is_given_by_name_or_as_an_instance():
    by_name = gammafind.detect(
        toy_counts(), localiser="bright", options={"localiser": {"threshold": 50}}
    )
    instance = gammafind.detect(toy_counts(), localiser=Bright(threshold=50.0))
    assert len(by_name) == 2
    assert same(by_name.catalogue, instance.catalogue)
    used = {one["role"]: one for one in instance.catalogue.meta["plugins"]}
    assert used["localiser"]["options"]["threshold"] == 50


def test_options_of_an_instance_are_checked_like_those_of_a_name():
    options = {"localiser": {"threshold": 50}}
    found = gammafind.detect(toy_counts(), localiser=Bright(), options=options)
    assert len(found) == 2
    with pytest.raises(ConfigError, match="bright has no option 'treshold'"):
        gammafind.detect(toy_counts(), localiser=Bright(), options={"localiser": {"treshold": 50}})


def test_a_reference_is_a_table_or_its_file(tmp_path, result):
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    for reference in (tmp_path / "truth.ecsv", str(tmp_path / "truth.ecsv")):
        other = gammafind.detect(toy_counts(), reference=reference)
        assert same(other.catalogue, result.catalogue)


def test_fluxes_of_a_reference_may_count_photons(result, tmp_path):
    truth = Table(toy_truth())
    truth["Flux1000"] = Column(np.full(len(truth), 1e-8), unit="ph cm-2 s-1")
    truth["name"] = truth["name"].astype(object)
    bright = [MinFlux.parse(f"Flux1000=1e-9 {unit}") for unit in ("cm-2 s-1", "ph cm-2 s-1")]
    metrics = gammafind.evaluate(result, truth, min_fluxes=bright)
    brighter = metrics["at_purity"]["all"]["brighter"]
    assert [one["n_found"] for one in brighter.values()] == [3, 3]
    assert metrics["flux"]["unit"] == "1 / (s cm2)"
    found = gammafind.detect(toy_counts(), reference=truth)
    gammafind.report(found.catalogue, toy_counts(), tmp_path / "page", reference=truth)
    assert same(found.catalogue, result.catalogue)


def test_others_search_the_same_sky_for_comparison():
    found = gammafind.detect(toy_counts(), beside=["probable"])
    assert [one.preset.localiser.name for one in found.beside] == ["probable"]
    assert [one.localiser for one in found.searches] == ["bright", "probable"]


def test_a_result_shows_itself(result):
    assert repr(result) == "<Result: 3 sources in 2-20 GeV, found by bright>"
    shown = result._repr_html_()
    assert shown.startswith("<p>3 sources in 2-20 GeV, found by bright</p><div>")
    assert "Source_Name" in shown
    more = len(result.catalogue.colnames) - shown.partition("</tr>")[0].count("<th>")
    assert f"has 0 more rows and {more} more columns" in shown
    picture, size = result.plot()._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert size == {"width": 880, "height": 528}
    assert len(result.regions) == len(result) == 3
    assert result.plot().axes


def test_a_result_is_written_as_a_folder_a_table_or_regions(result, tmp_path):
    written = result.write(tmp_path / "out")
    assert sorted(path.name for path in written) == [
        f"catalogue.{suffix}" for suffix in ("ecsv", "fits", "reg", "vot")
    ]
    assert all(path.exists() for path in written)
    for name in ("mine.csv", "mine.reg"):
        assert result.write(tmp_path / name) == (tmp_path / name,)
        with pytest.raises(OutputError, match="exists"):
            result.write(tmp_path / name)
    assert len(result.write(tmp_path / "mine.csv", overwrite=True)) == 1


@pytest.mark.parametrize("suffix", ["ecsv", "fits", "vot", "csv"])
def test_a_catalogue_is_of_the_same_types_in_memory_and_from_a_file(result, tmp_path, suffix):
    (path,) = result.write(tmp_path / f"catalogue.{suffix}")
    read = gammafind.read_catalogue(path)
    assert read.meta.keys() >= result.catalogue.meta.keys()
    assert type(read) is type(result.catalogue)
    assert read.colnames == result.catalogue.colnames
    for name in read.colnames:
        assert type(read[name]) is type(result.catalogue[name]), name
        kinds = [table[name].dtype.kind for table in (read, result.catalogue)]
        assert kinds[0] == kinds[1], name


def test_a_report_is_a_page(result, tmp_path):
    page = result.report(tmp_path / "page")
    assert page == tmp_path / "page" / "index.html"
    assert page.exists()
    summary = gammafind.report(
        result.catalogue, toy_counts(), tmp_path / "again", reference=toy_truth()
    )
    assert summary.n_matched == 3


def test_a_catalogue_is_evaluated_in_memory_or_from_its_file(result, tmp_path):
    metrics = gammafind.evaluate(result, toy_truth())
    assert metrics["at_cut"]["n_found"] == 3
    (path,) = result.write(tmp_path / "found.ecsv")
    assert json.dumps(gammafind.evaluate(path, toy_truth())) == json.dumps(metrics)
    with pytest.raises(OptionError, match="min_latitude is 95"):
        gammafind.evaluate(result, toy_truth(), min_latitude=95 * result.catalogue["GLAT"].unit)
    with pytest.raises(TableError, match="no positions"):
        gammafind.evaluate(result, QTable({"flux": [1.0]}))


def test_localisers_are_compared_on_a_map_in_memory():
    done = gammafind.compare(toy_counts(), toy_truth(), localisers=["bright", "probable"])
    assert list(done.table["localiser"]) == ["bright", "probable"]


def test_a_sky_in_memory_needs_one_catalogue_and_no_files():
    with pytest.raises(OptionError, match="without an output folder"):
        gammafind.simulate("toy", catalogues=2)
    with pytest.raises(OptionError, match="seed is -1"):
        gammafind.simulate("toy", seed=-1)
    with pytest.raises(ConfigError, match="names no population"):
        gammafind.simulate("toy")


def test_a_sky_of_given_sources_is_simulated_in_memory():
    truth = toy_truth()
    truth["class_label"] = "BLL"
    sky = gammafind.simulate("toy", sources=truth, seed=2)
    assert repr(sky) == "<SimulatedSky: 4 sources in 2-20 GeV>"
    assert sky.counts.values[0].sum() > 0
    again = gammafind.simulate("toy", sources=truth, seed=2)
    assert np.array_equal(again.counts.values[0], sky.counts.values[0])


def test_plugins_and_presets_are_listed():
    assert list(gammafind.list_plugins("localiser")["name"]) == ["bright", "probable"]
    presets = gammafind.list_presets()
    assert list(presets["name"]) == ["toy"]
    assert list(presets["bands"]) == ["2-20 GeV"]


def test_files_are_inspected(path, tmp_path):
    found = gammafind.inspect([path])
    assert found.preset == "toy"
    assert "counts.fits: count maps" in repr(found)
    assert "2-20 GeV" in repr(found)
    other = gammafind.SkyMap(
        [gammafind.Band("1-3 GeV", 1 * BANDS[0].low.unit, 3 * BANDS[0].low.unit)],
        toy_counts().pixels,
        toy_counts().values,
    )
    lost = gammafind.inspect(toy_file(tmp_path / "other.fits", other))
    assert lost.preset == ""
    assert "no preset fits" in repr(lost)


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
def test_sources_where_nothing_was_searched_do_not_count(suffix, tmp_path):
    counts = toy_counts()
    north = counts.pixels[0].vectors[:, 2] > 0
    part = replace(counts, valid=(north,))
    found = gammafind.detect(part, preset="toy")
    path = tmp_path / f"found{suffix}"
    found.write(path)
    metrics = gammafind.evaluate(path, toy_truth())
    there = metrics["searched"]
    assert there["n_sources"] == metrics["at_cut"]["n_sources"] == len(found)
    assert there["n_sources"] + there["n_outside"] == len(toy_truth())
    assert there["sky_share"] == pytest.approx(0.5, abs=0.05)


def test_without_a_region_all_sources_count(result, caplog):
    bare = QTable(result.catalogue, copy=True)
    del bare.meta["searched"]
    with caplog.at_level("INFO", "gammafind"):
        metrics = gammafind.evaluate(bare, toy_truth())
    assert metrics["searched"] is None
    assert "does not say which part" in caplog.text
