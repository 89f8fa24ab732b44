"""The weights that come with the package.

``data/bright_detections.npz`` holds the cut-outs of 40 detections, eight of each class, of a
simulated sky of the preset ``fermi-lat`` (seed 3000, index 15), on which no weights were trained.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gammafind.errors import WeightsError
from gammafind.networks.folder import CARD, read_architecture
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.classifier import Cnn, shipped_folder
from gammafind.plugins.cnn.features import without_times
from gammafind.plugins.cnn.networks import CLASSES
from gammafind.presets.preset import build, load_preset

pytest.importorskip("onnxruntime")

DATA = Path(__file__).parent / "data" / "bright_detections.npz"
OF_EPOCHS = ("epoch_counts", "epoch_background", "light_curve", "light_curve_err")


@pytest.fixture(scope="module")
def detections():
    """Cut-outs and labels."""
    with np.load(DATA) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, arrays.pop("label")


def named_rightly(arrays, label):
    told = Cnn(balanced=1.0, abstain=0, weights=str(folder_for(arrays))).classify(arrays)
    return np.asarray(CLASSES)[label] == np.asarray(told["class_label"])


def folder_for(arrays):
    n_epochs = arrays["light_curve"].shape[1] if "light_curve" in arrays else 0
    return shipped_folder("gammafind", arrays["spectrum"].shape[1], n_epochs=n_epochs)


def test_bright_sources_are_named(detections):
    arrays, label = detections
    right = named_rightly(arrays, label)
    assert np.mean(right) >= 0.7
    assert np.mean(right[label <= 1]) >= 0.8


def test_without_years_other_weights_are_taken(detections):
    arrays, label = detections
    timeless = {name: array for name, array in arrays.items() if name not in OF_EPOCHS}
    assert read_architecture(folder_for(timeless), CnnArchitecture).n_epochs == 0
    assert np.mean(named_rightly(timeless, label)) >= 0.6


def test_time_tells_blazars_apart(detections):
    arrays, label = detections
    blazars = {name: array[label <= 1] for name, array in arrays.items()}
    steady = without_times(blazars, rng=np.random.default_rng(0))
    told = [np.asarray(Cnn().classify(one)["prob_FSRQ"]) for one in (blazars, steady)]
    assert told[0][label[label <= 1] == 1].mean() > told[1][label[label <= 1] == 1].mean()


@pytest.mark.parametrize("preset", ["fermi-lat", "fermi-lat-psf3-2-20"])
def test_there_are_weights_without_years_for_each_preset(preset):
    bands = build(load_preset(preset).renderer).bands
    folder = shipped_folder("gammafind", bands, n_epochs=0)
    assert (folder / CARD).read_text().startswith(f"# gammafind, trained for {preset}\n")


def test_there_are_none_for_other_bands():
    bands = build(load_preset("fermi-lat").renderer).bands
    with pytest.raises(WeightsError, match="Shipped are gammafind"):
        shipped_folder("gammafind", bands[:2], n_epochs=0)
