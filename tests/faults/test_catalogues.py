"""Catalogue by fault: what shows or writes one ends well, or in one line of ours."""

from __future__ import annotations

import json
import os

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn

from gammafind import HealpixPixels, SkyMap, export
from gammafind.errors import GammafindError, OptionError, OutputError
from gammafind.evaluation.against import summarise
from gammafind.pipeline.epoch_spans import epoch_spans
from gammafind.sky.bands import energy_bands
from gammafind.testing import new_plugin
from gammafind.views.page import build_page
from gammafind.views.page_data import marks_of, page_data
from gammafind.views.rows import rows_of
from tests.catalogue.measured import measured_catalogue

LONG = bool(os.environ.get("GAMMAFIND_LONG_FAULTS"))
"""Whether all kinds of columns and files are tried."""
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 1e300 squared is no number.
PIXELS = HealpixPixels(4)
SKY = SkyMap(
    bands=energy_bands([2, 20] * u.GeV),
    pixels=(PIXELS,),
    values=(np.ones(PIXELS.shape, dtype=np.int64),),
)
NAMES = ["n" * 5_000, "</script><script>alert(1)\u202e", "$x_{$", "a\rcircle(1,2,3)"]
ODD = {
    "two in a row": np.ones((4, 2)),
    "none in a row": np.ones((4, 0)),
    "texts": np.array(NAMES),
    "two texts in a row": np.array([["x", "y"]] * 4),
    "truths": np.array([True] * 4),
    "nan": np.full(4, np.nan),
    "infinite": np.full(4, np.inf),
    "large": np.full(4, 1e300),
    "whole": np.full(4, 2**62),
    "lengths": np.ones(4) * u.m,
    "masked": MaskedColumn(np.ones(4, dtype=int), mask=[True] * 4),
    "bytes": np.array([b"\xff\xfe"] * 4),
    "objects": np.array([None, {}, [], 1], dtype=object),
}
META = ["x", 5, [], {}, [1, "a"], [[2, 1]], [[1, 2, 3]], [{"name": 1, "inputs": 5}], "3/5-1"]
KEYS = ["energy_edges_mev", "epoch_edges_met", "epoch_spans_met", "searched", "steps", "plugins"]
KEYS += ["inputs", "software", "creator"]
SUFFIXES = [".reg", ".model.xml", ".sed", ".moc.fits", ".prov.json"]
SUFFIXES += [".yaml", ".fits", ".vot"] if LONG else []


def show(catalogue, _folder):
    summary = summarise(catalogue, None, radius=1 * u.deg, counts=SKY)
    rows = rows_of(catalogue, None, summary, pixels=PIXELS)
    data = page_data(catalogue, None, SKY, rows)
    json.dumps(data, allow_nan=False)
    html = build_page(
        title=" ".join(NAMES),
        summary=summary,
        provenance=catalogue.meta,
        figures=[],
        data=data,
        texts={},
        marks=marks_of(rows),
    )
    assert "<script>alert" not in html
    assert "\u202e" not in html


def write_all(catalogue, folder):
    for suffix in SUFFIXES:
        path = folder / f"a{suffix}"
        try:
            export(catalogue, path)
        except GammafindError as error:
            message = str(error)
        else:
            message = ""
        assert len(message) <= 500
        assert path.exists() == (not message)
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


USES = {"page": show, "export": write_all}


def assert_good_or_in_one_line(use, catalogue, folder):
    try:
        USES[use](catalogue, folder)
    except GammafindError as error:
        message = str(error)
    else:
        message = ""
    assert len(message) <= 500
    assert not message or message.isprintable()


COLUMNS = ["Source_Name", "RAJ2000", "Conf_95_SemiMajor", "Flux_Band", "Unc_Flux_Band", "Flags"]
COLUMNS += ["nuFnu_Band", "SpectrumType", "PL_Index", "Flux_History", "CLASS1", "Signif_Avg"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("column", COLUMNS)
def test_columns_of_any_type_are_shown_and_written_or_refused(tmp_path, column, use):
    whole = measured_catalogue()
    for number, values in enumerate(list(ODD.values())[:: 1 if LONG else 2]):
        catalogue = whole.copy()
        catalogue[column] = values
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_good_or_in_one_line(use, catalogue, folder)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("key", KEYS)
def test_metadata_of_any_type_are_shown_and_written_or_refused(tmp_path, key, use):
    catalogue = measured_catalogue()
    for number, value in enumerate(META):
        catalogue.meta[key] = value
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_good_or_in_one_line(use, catalogue, folder)


@pytest.mark.parametrize("use", USES)
def test_a_catalogue_without_rows_is_shown_and_written_or_refused(tmp_path, use):
    assert_good_or_in_one_line(use, measured_catalogue()[:0], tmp_path)


@pytest.mark.parametrize(
    "epochs", ["²", "--5", "9" * 5000, "nan d", "inf d", "1e-300 d", "n" * 300, "5 m / s", "\x00"]
)
def test_epochs_that_are_none_are_refused(epochs):
    with pytest.raises(GammafindError) as caught:
        epoch_spans(epochs, np.array([[0.0, 1e6]]))
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\n", b"nan\ninf\n", b"1\n" * 5000, b"1 2 3\n", b"x" * 2_000_000]
)
def test_a_file_that_is_no_list_of_epochs_is_named(tmp_path, content):
    path = tmp_path / "epochs.txt"
    path.write_bytes(content)
    with pytest.raises(GammafindError, match=r"epochs\.txt"):
        epoch_spans(path, np.array([[0.0, 1e6]]))


@pytest.mark.parametrize("name", ["", "x" * 300, "none", "true", "9x", "a/b", "..", "é", "x\n"])
def test_a_plugin_of_an_impossible_name_is_not_begun(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="name of the plugin"):
        new_plugin(name, "clusterer")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "role"), [("unet", "localiser"), ("disk", "clusterer"), ("fermi-lat", "renderer")]
)
def test_a_plugin_is_not_begun_under_the_name_of_a_built_in_one(tmp_path, name, role):
    with pytest.raises(OptionError, match=f"a built-in {role} is called {name}"):
        new_plugin(name, role, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["n" * 300, "file/x", "loop", "file"])
def test_a_plugin_is_not_begun_where_no_folder_can_be(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError) as caught:
        new_plugin("x-ray", "clusterer", tmp_path / name)
    assert len(str(caught.value)) <= 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]
