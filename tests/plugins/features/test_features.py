"""Columns, measures and the classifier of catalogues."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gammafind
from gammafind.errors import (
    MissingFileError,
    OptionError,
    TableError,
    TruncatedFileError,
    WeightsError,
)
from gammafind.plugins.features.classifier import MODEL, SHIPPED, Features
from gammafind.plugins.features.columns import columns_of
from gammafind.plugins.features.measures import NAMES, matrix_of, measures_of
from gammafind.plugins.features.model import CLASSES, Model
from tests.plugins.features.helpers import toy_catalogue


@pytest.fixture
def columns():
    return columns_of(toy_catalogue())


def test_units_are_converted_and_photons_are_plain_numbers(columns):
    other = toy_catalogue()
    other["Pivot_Energy"] = (other["Pivot_Energy"].value * u.MeV).to(u.GeV)
    other["Flux1000"] = other["Flux1000"].value * u.ph / u.cm**2 / u.s
    other["Flux_Band"] = (np.asarray(other["Flux_Band"]) / u.cm**2 / u.s).to(u.m**-2 / u.s)
    for name, values in columns_of(other).items():
        assert_allclose(values, columns[name], rtol=1e-12, err_msg=name)


def test_the_last_two_of_eight_bands_are_one_of_seven():
    table = toy_catalogue(n_bands=8)
    columns = columns_of(table)
    assert columns["Flux_Band"].shape == (60, 7)
    assert_allclose(columns["Flux_Band"][:, 6], table["Flux_Band"][:, 6:].sum(axis=1))
    assert_allclose(columns["Sqrt_TS_Band"][:, 6], 50**0.5)


def test_other_bands_and_columns_that_lack_are_missing_values():
    table = toy_catalogue(n_bands=4)
    table.remove_columns(["LP_beta", "Flux_History"])
    measures = measures_of(columns_of(table))
    for name in ("hardness_2_3", "LP_beta", "scatter", "log_variability"):
        assert np.all(np.isnan(measures[name])), name
    assert np.all(np.isfinite(measures["PL_Index"]))
    assert np.all(np.isfinite(Features().classify(columns_of(table))["prob_PSR"]))


def test_a_steady_source_has_no_scatter_however_many_years():
    for n_years in (8, 16):
        columns = columns_of(toy_catalogue(3000, n_years=n_years))
        measures = measures_of(columns)
        assert abs(np.mean(10 ** measures["log_variability"]) - 1) < 0.05
        assert abs(np.median(measures["scatter"])) < 0.1


def test_each_measure_has_a_name(columns):
    assert matrix_of(columns).shape == (60, len(NAMES))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.remove_column("PL_Index"), "lacks the column PL_Index"),
        (lambda t: t.remove_rows(slice(None)), "has no rows"),
        (lambda t: t.remove_columns(["RAJ2000", "DEJ2000"]), "position"),
        (lambda t: t.replace_column("PL_Index", ["soft"] * 60), "PL_Index cannot be used"),
        (lambda t: t.replace_column("PL_Index", np.ones((60, 2))), "it has 2 dimensions"),
        (lambda t: t.replace_column("Pivot_Energy", np.ones(60) * u.s), "Pivot_Energy cannot"),
        (lambda t: t.replace_column("Flux_Band", np.ones((60, 7)) * u.s), "Flux_Band cannot"),
    ],
)
def test_what_is_no_catalogue_like_4fgl_is_one_named_error(change, message):
    table = toy_catalogue()
    change(table)
    with pytest.raises(TableError, match=message):
        gammafind.classify_catalogue(table)


def test_labels_are_as_fine_as_they_are_probable(columns):
    found = Features(abstain=0.9).classify(columns)
    chance = np.column_stack([found[f"prob_{name}"] for name in CLASSES])
    assert_allclose(chance.sum(axis=1), 1)
    stated = np.asarray(found["class_probability"])
    for row, label in enumerate(found["class_label"].tolist()):
        members = Features.groups.get(label, (label,))
        expected = 0 if label == "UNK" else sum(found[f"prob_{name}"][row] for name in members)
        assert_allclose(stated[row], expected)
    assert np.all((stated == 0) | (stated >= 0.9))
    assert_array_equal(found["class_label"] == "UNK", found["Class_Flags"] > 0)


def test_sources_outside_the_training_or_without_a_spectrum_have_no_label():
    table = toy_catalogue()
    table["PL_Index"][0], table["PL_Index"][1] = 9.0, np.nan
    found = Features(abstain=0).classify(columns_of(table))
    assert found["class_label"][:2].tolist() == ["UNK", "UNK"]
    assert found["Class_Flags"][0] & 2
    assert found["Class_Flags"][1] & 4
    assert_array_equal(found["class_probability"][:2], 0)


def test_a_blazar_of_the_catalogue_is_taken_for_one():
    table = toy_catalogue()
    table["CLASS1"] = np.full(60, "", dtype="U4")
    before = gammafind.classify_catalogue(table)
    table["CLASS1"] = np.full(60, "bcu")
    after = gammafind.classify_catalogue(table)
    agn, known = (found["prob_BLL"] + found["prob_FSRQ"] for found in (before, after))
    assert np.all(known > agn)
    assert_allclose(before["prob_BLL"] / agn, after["prob_BLL"] / known)


def test_maps_are_refused():
    with pytest.raises(OptionError, match="takes a catalogue, not maps"):
        Features().for_sky([], 0)
    cnn = gammafind.create("classifier", "cnn")
    with pytest.raises(OptionError, match="cnn sees maps, not catalogues"):
        gammafind.classify_catalogue(toy_catalogue(), classifier=cnn)


def test_weights_that_cannot_be_used_are_named_errors(tmp_path, columns):
    with pytest.raises(MissingFileError):
        Features(weights=str(tmp_path / "none")).classify(columns)
    path = tmp_path / MODEL
    path.touch()
    with pytest.raises(TruncatedFileError):
        Features(weights=str(tmp_path)).classify(columns)
    for content in (b"no model", (SHIPPED / MODEL).read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="no model of the classifier features"):
            Features(weights=str(tmp_path)).classify(columns)


def test_a_pickle_is_not_loaded(tmp_path, columns):
    path = tmp_path / MODEL
    with path.open("wb") as file:
        np.savez(file, names=np.array([print], dtype=object))
    with pytest.raises(WeightsError, match="allow_pickle"):
        Features(weights=str(tmp_path)).classify(columns)


def test_nodes_that_run_in_circles_are_refused(tmp_path):
    with np.load(SHIPPED / MODEL, allow_pickle=False) as file:
        arrays = dict(file)
    arrays["kind_left"] = np.zeros_like(arrays["kind_left"])
    with (tmp_path / MODEL).open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(WeightsError, match="do not form trees"):
        Model.read(tmp_path / MODEL)


def test_the_shipped_model_is_small_and_knows_well_known_sources():
    assert (SHIPPED / MODEL).stat().st_size < 1e6
    table = gammafind.read_catalogue("4fgl-dr2")
    likely = {"Mkn 421": "BLL", "3C 273": "FSRQ", "PSR J0633+1746": "PSR"}
    rows = [table["ASSOC1"].tolist().index(name) for name in likely]
    found = gammafind.classify_catalogue(table[rows])
    chance = np.column_stack([found[f"prob_{name}"] for name in CLASSES])
    assert [CLASSES[best] for best in chance.argmax(axis=1)] == list(likely.values())
    assert found["CLASS1"][0] == "BLL"
    assert found["CLASS1_given"].tolist() == table["CLASS1"][rows].tolist()
    assert set(found.meta["class_purity"]) == set(found["CLASS1"].tolist()) - {"UNK"}


def test_a_catalogue_that_was_classified_gives_the_same_again():
    once = gammafind.classify_catalogue(toy_catalogue())
    twice = gammafind.classify_catalogue(once)
    assert twice.colnames == once.colnames
    for name in ("CLASS1", "CLASS1_given", "prob_BLL", "prob_PSR"):
        assert_array_equal(twice[name], once[name], err_msg=name)
