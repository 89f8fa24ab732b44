from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import (
    MissingBackendError,
    MissingFileError,
    OutputError,
    TruncatedFileError,
    WeightsError,
)
from gammafind.networks import backend
from gammafind.networks.folder import (
    ONNX,
    keras_runner,
    onnx_runner,
    read_architecture,
    read_network,
)
from gammafind.plugins.unet.architecture import Architecture
from gammafind.utils.files import file_checksum
from tests.plugins.unet.helpers import MANY, features_of, random_network, write

RUN = """
import sys
import numpy as np
from gammafind.networks.backend import load_keras
from gammafind.networks.folder import keras_runner, read_architecture
from gammafind.plugins.unet.architecture import Architecture
folder, inputs, output = sys.argv[1:]
with np.load(inputs) as file:
    arrays = [file[name] for name in file.files]
np.save(output, keras_runner(folder, read_architecture(folder, Architecture))(arrays))
print(load_keras().backend.backend())
"""


@pytest.mark.parametrize("name", backend.BACKENDS)
def test_scores_are_the_same_on_all_backends(name, written, tmp_path):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    inputs = features_of(MANY)
    np.savez(tmp_path / "inputs.npz", *inputs)
    done = subprocess.run(
        [sys.executable, "-c", RUN, written / "many", tmp_path / "inputs.npz", tmp_path / "out"],
        env={**os.environ, "KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == name
    theirs = np.load(tmp_path / "out.npy")
    ours = onnx_runner(written / "many", read_architecture(written / "many", Architecture))(inputs)
    assert ours.std() > 0.5
    assert_allclose(theirs, ours, atol=1e-4)


@pytest.mark.parametrize("n", [1, 5])
def test_any_number_of_patches_is_run(written, n):
    run = onnx_runner(written / "many", read_architecture(written / "many", Architecture))
    whole = features_of(MANY, n=8)
    part = tuple(array[:n] for array in whole)
    assert_allclose(run(part), run(whole)[:n], atol=1e-5)


def test_weights_come_back_as_they_were(written):
    again = read_network(written / "many", read_architecture(written / "many", Architecture))
    for one, other in zip(again.weights, random_network(MANY).weights, strict=True):
        assert_array_equal(one.numpy(), other.numpy())


def test_weights_that_the_exporter_folds_come_back_as_they_were(tmp_path):
    folding = replace(MANY, network="paper", options={"filters": [4, 6, 8], "batch_norm": True})
    network = random_network(folding)
    written = write(tmp_path / "new", network, folding)
    again = read_network(tmp_path / "new", written)
    for one, other in zip(again.weights, network.weights, strict=True):
        assert_array_equal(one.numpy(), other.numpy())


def test_a_folder_of_weights_is_not_overwritten(toy):
    with pytest.raises(OutputError, match="already exists"):
        write(toy, random_network(MANY), MANY)


def test_weights_that_are_not_finite_are_not_exported(tmp_path):
    network = random_network(MANY)
    network.weights[-1].assign(np.full(network.weights[-1].shape, np.nan))
    with pytest.raises(WeightsError, match="differ"):
        write(tmp_path / "new", network, MANY)
    assert not (tmp_path / "new" / "architecture.json").exists()


def test_export_needs_torch(tmp_path, monkeypatch):
    network = random_network(MANY)
    monkeypatch.setattr(backend.load_keras().backend, "backend", lambda: "jax")
    with pytest.raises(MissingBackendError, match=r"torch, not on jax.*KERAS_BACKEND"):
        write(tmp_path / "new", network, MANY)


def test_export_needs_onnx(tmp_path, monkeypatch):
    network = random_network(MANY)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingBackendError, match=r"onnx, which is not installed"):
        write(tmp_path / "new", network, MANY)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("run", [onnx_runner, keras_runner])
class TestDamage:
    def test_a_flipped_byte(self, many, run):
        content = bytearray((many / ONNX).read_bytes())
        content[len(content) // 2] ^= 1
        (many / ONNX).write_bytes(content)
        with pytest.raises(WeightsError, match=rf"{ONNX}: the file is damaged"):
            run(many, read_architecture(many, Architecture))

    def test_an_empty_file(self, many, run):
        (many / ONNX).write_bytes(b"")
        with pytest.raises(TruncatedFileError, match=ONNX):
            run(many, read_architecture(many, Architecture))

    def test_a_missing_file(self, many, run):
        (many / ONNX).unlink()
        with pytest.raises(MissingFileError, match=ONNX):
            run(many, read_architecture(many, Architecture))

    def test_a_file_that_is_something_else_by_its_own_checksum(self, many, run):
        (many / ONNX).write_text("no network at all")
        self._trust(many)
        with pytest.raises(WeightsError, match=ONNX):
            run(many, read_architecture(many, Architecture))

    def test_a_file_of_another_architecture(self, written, many, run):
        (many / ONNX).write_bytes((written / "toy" / ONNX).read_bytes())
        self._trust(many)
        with pytest.raises(WeightsError, match=ONNX):
            run(many, read_architecture(many, Architecture))

    @staticmethod
    def _trust(folder):
        """Give a file the checksum that the architecture tells."""
        path = folder / "architecture.json"
        record = json.loads(path.read_text())
        record["checksums"][ONNX] = file_checksum(folder / ONNX)
        path.write_text(json.dumps(record))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere.*architecture\.json"):
        read_architecture(tmp_path / "nowhere", Architecture)


def test_no_onnxruntime_is_named(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingBackendError, match="onnxruntime cannot be imported"):
        onnx_runner(written / "many", read_architecture(written / "many", Architecture))


def test_a_missing_keras_is_named(written, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None if name == "keras" else name)
    with pytest.raises(MissingBackendError, match=r"^Keras is not installed.*gammafind\[torch\]"):
        keras_runner(written / "many", read_architecture(written / "many", Architecture))


def test_no_backend_of_keras_is_named(written, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(MissingBackendError, match="pip install"):
        keras_runner(written / "many", read_architecture(written / "many", Architecture))


def test_other_options_than_those_of_the_weights_are_named(many):
    architecture = replace(read_architecture(many, Architecture), options={"filters": [8, 8, 8]})
    architecture.write(many / "architecture.json", overwrite=True)
    with pytest.raises(WeightsError, match="do not fit the network gammafind"):
        keras_runner(many, read_architecture(many, Architecture))
