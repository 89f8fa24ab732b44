from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gammafind.errors import (
    MissingFileError,
    OptionError,
    TruncatedFileError,
    UntrainedWarning,
    WeightsError,
)
from gammafind.networks.calibration import Calibration
from gammafind.networks.logits import sigmoid
from gammafind.plugins.unet.architecture import Architecture
from gammafind.sky.pixels import HealpixPixels
from tests.plugins.unet.helpers import MANY

TABLE = Calibration(logits=(-2.0, 0.0, 3.0), probabilities=(0.05, 0.2, 0.99))


def test_what_is_written_is_read(tmp_path):
    architecture = Architecture(**{**vars(MANY), "calibration": TABLE, "checksums": {"a": "b"}})
    architecture.write(tmp_path / "one.json")
    again = Architecture.read(tmp_path / "one.json")
    assert vars(again) == vars(architecture)
    assert again.inputs == ((32, 4), (16, 2), (8, 4))
    assert again.shapes["width_16"] == (16, 16, 2)


def test_a_network_without_calibration_says_so_in_its_file(tmp_path):
    replace(MANY, calibration=None).write(tmp_path / "one.json")
    assert json.loads((tmp_path / "one.json").read_text())["calibration"] is None
    again = Architecture.read(tmp_path / "one.json")
    assert again.calibration is None
    with pytest.raises(WeightsError, match=r"net: the network has no calibration"):
        again.check_calibrated("net")


def test_probabilities_are_those_of_the_table():
    assert_allclose(TABLE.probability(np.array(TABLE.logits)), TABLE.probabilities)


def test_without_a_table_scores_are_probabilities():
    assert_allclose(Calibration().probability(np.array([-1.0, 2.0])), sigmoid(np.array([-1, 2])))


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=20, unique=True))
def test_a_higher_score_is_never_less_probable(logits):
    found = TABLE.probability(np.sort(logits))
    assert np.all(np.diff(found) >= 0)
    assert np.all((found > 0) & (found <= 1))


@given(st.floats(0.001, 0.999))
def test_logit_and_probability_are_inverse(probability):
    for table in (TABLE, Calibration()):
        assert_allclose(table.probability(table.logit(probability)), probability, rtol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"logits": (0.0, 1.0), "probabilities": (0.5,)},
        {"logits": (1.0, 0.0), "probabilities": (0.1, 0.5)},
        {"logits": (0.0, 1.0), "probabilities": (0.5, 0.1)},
        {"logits": (0.0, 1.0), "probabilities": (0.0, 0.5)},
        {"logits": (0.0, np.inf), "probabilities": (0.1, 0.5)},
        {"error_scale": 0.0},
        {"error_scale": np.nan},
    ],
)
def test_calibrations_that_cannot_be_are_refused(wrong):
    with pytest.raises(OptionError):
        Calibration(**wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"widths": None},
        {"size": "3.2 GeV"},
        {"bands": [{"name": "a"}]},
        {"bands": [{"name": "a", "low": "2 GeV", "high": "1 GeV"}]},
        {"features": {"colour": True}},
        {"calibration": {"logits": [0.0], "probabilities": [2.0], "error_scale": 1.0}},
        {"calibration": {}},
        {"calibration": {"logits": [[0.0], [1.0]], "probabilities": [0.5], "error_scale": 1.0}},
        {"map_pixels": [0]},
        {"map_pixels": "wide"},
        {"checksums": None},
        {"extra": 1},
    ],
)
def test_damaged_descriptions_are_named(tmp_path, change):
    path = tmp_path / "architecture.json"
    MANY.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsError, match=r"architecture\.json"):
        Architecture.read(path)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, MissingFileError),
        ("", TruncatedFileError),
        ("{", WeightsError),
        ("[]", WeightsError),
        ("[" * 100_000, WeightsError),
    ],
)
def test_what_is_no_description_is_named(tmp_path, text, error):
    path = tmp_path / "architecture.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=r"architecture\.json"):
        Architecture.read(path)


def test_maps_of_other_pixels_are_warned_of():
    architecture = Architecture(**{**vars(MANY), "map_pixels": (0.9, 0.9, 0.46, 0.23, 0.23)})
    pixels = [HealpixPixels(nside) for nside in (64, 64, 128, 256, 256)]
    architecture.warn_of_other_maps(pixels)
    MANY.warn_of_other_maps(pixels[:1])
    with pytest.warns(UntrainedWarning, match=r"0.46, 0.46, 0.46, 0.23, 0.23 deg wide"):
        architecture.warn_of_other_maps([HealpixPixels(128)] * 2 + pixels[2:])
