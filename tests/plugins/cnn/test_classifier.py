from __future__ import annotations

import json
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import (
    InputDataError,
    MissingFileError,
    OptionError,
    OutputError,
    WeightsError,
)
from gammafind.networks.folder import read_architecture
from gammafind.networks.layers import build_network, standardise
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.classifier import Cnn
from gammafind.plugins.cnn.networks import CLASSES, INPUTS, NETWORKS
from gammafind.sky.bands import energy_bands
from gammafind.testing import check_classifier
from tests.plugins.cnn.helpers import BANDS, toy_architecture, toy_arrays, write

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random weights that look at three epochs."""
    path = tmp_path_factory.mktemp("cnn") / "weights"
    write(path, toy_architecture(shares=(0.5, 0.2, 0.15, 0.1, 0.05)))
    return path


@pytest.fixture(scope="module")
def timeless(tmp_path_factory):
    """Random weights that look at no epochs."""
    path = tmp_path_factory.mktemp("cnn") / "timeless"
    write(path, toy_architecture(n_epochs=0))
    return path


def test_it_keeps_the_contract(folder):
    check_classifier(Cnn, toy_arrays(), weights=str(folder))


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_return_logarithms_of_probabilities(network):
    architecture = toy_architecture(network=network)
    built = architecture.build()
    output = np.asarray(built.predict_on_batch(list(architecture.features(toy_arrays()))))
    assert output.shape == (20, len(CLASSES))
    assert_allclose(np.exp(output).sum(axis=1), 1, rtol=1e-5)
    assert built.count_params() < 200_000


def test_inputs_are_standardised():
    architecture = toy_architecture()
    network = architecture.build()
    inputs = architecture.features(toy_arrays(500))
    standardise(network, dict(zip(INPUTS, inputs, strict=True)))
    layer = network.get_layer("standard_numbers")
    assert_allclose(layer.moving_mean, inputs[1].mean(axis=0), rtol=1e-4, atol=1e-4)


def test_keras_and_onnxruntime_agree(folder):
    one, other = (
        Cnn(weights=str(folder), backend=backend).classify(toy_arrays())
        for backend in ("onnxruntime", "keras")
    )
    for name in CLASSES:
        assert_allclose(one[f"prob_{name}"], other[f"prob_{name}"], atol=1e-5)


def test_a_temperature_flattens_and_keeps_the_order():
    logs = np.log([[0.7, 0.1, 0.1, 0.05, 0.05]])
    cold, warm = (replace(toy_architecture(), temperature=t).probability(logs) for t in (1.0, 2.0))
    assert_allclose(cold, np.exp(logs))
    assert warm[0, 0] < 0.7
    assert_allclose(warm.sum(), 1)


def test_balanced_labels_favour_rare_classes(folder):
    arrays = toy_arrays(200)
    most, balanced = (
        Cnn(weights=str(folder), balanced=one, abstain=0).classify(arrays) for one in (0, 1)
    )
    assert_allclose(most["prob_FAKE"], balanced["prob_FAKE"])
    assert np.sum(balanced["class_label"] == "FAKE") >= np.sum(most["class_label"] == "FAKE")


def test_who_is_not_sure_abstains(folder):
    table = Cnn(weights=str(folder), abstain=0.99).classify(toy_arrays())
    assert set(table["class_label"]) == {"UNK"}


def test_labels_are_the_finest_level_that_is_probable_enough(folder, monkeypatch):
    rows = [[0.5, 0.4, 0.1, 0, 0], [0.9, 0.1, 0, 0, 0], [0, 0, 0.5, 0.4, 0.1]]
    rows += [[0.3, 0.2, 0.3, 0.1, 0.1], [0.2, 0.1, 0.2, 0.1, 0.4], [0, 0.1, 0, 0, 0.9]]
    monkeypatch.setattr(Cnn, "_classify", lambda *_: np.array(rows))
    table = Cnn(weights=str(folder), abstain=0.8).classify(toy_arrays(6))
    assert table["class_label"].tolist() == ["BCU", "BLL", "GALACTIC", "REAL", "UNK", "FAKE"]
    assert_allclose(table["class_probability"], [0.9, 0.9, 0.9, 0.9, 0, 0.9])


def test_who_does_not_abstain_names_the_most_probable_class(folder):
    table = Cnn(weights=str(folder), abstain=0).classify(toy_arrays())
    probability = np.stack([table[f"prob_{name}"] for name in CLASSES], axis=1)
    assert table["class_label"].tolist() == [CLASSES[i] for i in probability.argmax(axis=1)]
    assert_allclose(table["class_probability"], probability.max(axis=1))


@pytest.mark.parametrize("balanced", [0.5, 1])
def test_balanced_labels_are_classes(folder, balanced):
    table = Cnn(weights=str(folder), balanced=balanced, abstain=0).classify(toy_arrays(200))
    assert set(table["class_label"]) <= set(CLASSES)


def test_an_architecture_is_read_as_it_was_written(folder):
    architecture = read_architecture(folder, CnnArchitecture)
    assert architecture.bands == BANDS
    assert architecture.layout.widths == (4.0, 2.0)
    assert architecture.shares == (0.5, 0.2, 0.15, 0.1, 0.05)
    assert sorted(architecture.checksums) == ["network.onnx"]


def test_weights_are_not_written_over(folder):
    with pytest.raises(OutputError):
        write(folder, toy_architecture())


class TestMissing:
    def test_epochs(self, folder):
        with pytest.raises(WeightsError, match="need epoch_counts, epoch_background"):
            Cnn(weights=str(folder)).classify(toy_arrays(n_epochs=0))

    def test_years(self, folder):
        with pytest.raises(WeightsError, match=r"epoch_counts of shape \(3, 7, 7\).*\(2, 7, 7\)"):
            Cnn(weights=str(folder)).classify(toy_arrays(n_epochs=2))

    def test_epochs_before_any_work(self, folder):
        with pytest.raises(WeightsError, match="need 3 epochs, and there are counts of none"):
            Cnn(weights=str(folder)).for_sky(BANDS, 0)

    def test_weights(self, tmp_path):
        with pytest.raises(MissingFileError, match="no such folder"):
            Cnn(weights=str(tmp_path / "none")).classify(toy_arrays())

    def test_shipped_weights(self):
        with pytest.raises(WeightsError, match="no weights of the classifier gammafind"):
            Cnn().for_sky(energy_bands([3, 4] * u.GeV), 0)

    @pytest.mark.parametrize("balanced", [-0.1, 1.1, float("nan")])
    def test_balance_out_of_range(self, balanced):
        with pytest.raises(OptionError, match="balanced is"):
            Cnn(balanced=balanced)

    def test_shares_of_balanced_labels(self):
        with pytest.raises(OptionError, match="balanced labels need"):
            _ = Cnn(balanced=1.0).label_weights


def test_epochs_are_not_needed_by_all(timeless):
    classifier = Cnn(weights=str(timeless)).for_sky(BANDS, 10)
    assert classifier.n_epochs == 0
    assert len(classifier.classify(toy_arrays(n_epochs=0))) == 20


def test_other_bands_are_refused(folder):
    with pytest.raises(WeightsError, match="trained for the bands 1-2 GeV, 2-20 GeV, not 3-4 GeV"):
        Cnn(weights=str(folder)).for_sky(energy_bands([3, 4] * u.GeV), 3)


@pytest.mark.parametrize("name", ["counts", "spectrum", "light_curve"])
def test_nan_is_named(folder, name):
    arrays = toy_arrays()
    arrays[name][3] = np.nan
    with pytest.raises(InputDataError, match=f"{name} of the cut-outs"):
        Cnn(weights=str(folder)).classify(arrays)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "none"}, "network is 'none'"),
        ({"backend": "none"}, "backend is 'none'"),
        ({"abstain": 1.5}, "abstain is 1.5"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        Cnn(**options)


def test_networks_without_such_an_option_say_so():
    with pytest.raises(OptionError, match="no option colour"):
        build_network("paper", NETWORKS, {}, {"colour": 1})
    with pytest.raises(OptionError, match="no network 'other'"):
        build_network("other", NETWORKS, {}, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 9}, "another format"),
        ({"temperature": 0}, "temperature is 0"),
        ({"time": "sometimes"}, "time is 'sometimes'"),
        ({"shares": [1.0]}, "shares of the classes"),
        ({"colour": "red"}, "does not describe a network for cut-outs"),
    ],
)
def test_a_damaged_architecture_is_named(tmp_path, change, message):
    path = tmp_path / "architecture.json"
    toy_architecture().write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WeightsError, match=message):
        CnnArchitecture.read(path)
