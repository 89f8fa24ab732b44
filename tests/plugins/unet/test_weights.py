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
from gammafind.networks import weights as weights_files
from gammafind.networks.weights import ONNX, WEIGHTS
from gammafind.plugins.unet import export
from gammafind.plugins.unet.folder import read_architecture, read_network
from gammafind.plugins.unet.runners import keras_runner, onnx_runner
from gammafind.utils.files import file_checksum
from tests.plugins.unet.helpers import MANY, features_of, random_network, write

RUN = """
import sys
import numpy as np
from gammafind.networks.backend import load_keras
from gammafind.plugins.unet.folder import read_architecture
from gammafind.plugins.unet.runners import keras_runner
folder, inputs, output = sys.argv[1:]
with np.load(inputs) as file:
    arrays = [file[name] for name in file.files]
np.save(output, keras_runner(folder, read_architecture(folder))(arrays))
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
    ours = onnx_runner(written / "many", read_architecture(written / "many"))(inputs)
    assert ours.std() > 0.5
    assert_allclose(theirs, ours, atol=1e-4)


@pytest.mark.parametrize("n", [1, 5])
def test_any_number_of_patches_is_run(written, n):
    run = onnx_runner(written / "many", read_architecture(written / "many"))
    whole = features_of(MANY, n=8)
    part = tuple(array[:n] for array in whole)
    assert_allclose(run(part), run(whole)[:n], atol=1e-5)


def test_weights_come_back_as_they_were(written):
    again = read_network(written / "many")
    for one, other in zip(again.weights, random_network(MANY).weights, strict=True):
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
        export.export_network(tmp_path / "new", network, MANY, card="")


def test_export_needs_onnx(tmp_path, monkeypatch):
    network = random_network(MANY)
    monkeypatch.setattr(weights_files, "find_spec", lambda name: None)
    with pytest.raises(MissingBackendError, match=r"onnx, which is not installed"):
        write(tmp_path / "new", network, MANY)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("name", "run"), [(ONNX, onnx_runner), (WEIGHTS, keras_runner)])
class TestDamage:
    def test_a_flipped_byte(self, many, name, run):
        content = bytearray((many / name).read_bytes())
        content[len(content) // 2] ^= 1
        (many / name).write_bytes(content)
        with pytest.raises(WeightsError, match=rf"{name}: the file is damaged"):
            run(many, read_architecture(many))

    def test_an_empty_file(self, many, name, run):
        (many / name).write_bytes(b"")
        with pytest.raises(TruncatedFileError, match=name):
            run(many, read_architecture(many))

    def test_a_missing_file(self, many, name, run):
        (many / name).unlink()
        with pytest.raises(MissingFileError, match=name):
            run(many, read_architecture(many))

    def test_a_file_that_is_something_else_by_its_own_checksum(self, many, name, run):
        (many / name).write_text("no network at all")
        self._trust(many, name)
        with pytest.raises(WeightsError, match=name):
            run(many, read_architecture(many))

    def test_a_file_of_another_architecture(self, written, many, name, run):
        (many / name).write_bytes((written / "toy" / name).read_bytes())
        self._trust(many, name)
        with pytest.raises(WeightsError, match=name):
            run(many, read_architecture(many))

    @staticmethod
    def _trust(folder, name):
        """Give a file the checksum that the architecture tells."""
        path = folder / "architecture.json"
        record = json.loads(path.read_text())
        record["checksums"][name] = file_checksum(folder / name)
        path.write_text(json.dumps(record))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere.*architecture\.json"):
        read_architecture(tmp_path / "nowhere")


def test_no_onnxruntime_is_named(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingBackendError, match="onnxruntime cannot be imported"):
        onnx_runner(written / "many", MANY)


def test_a_missing_keras_is_named(written, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None if name == "keras" else name)
    with pytest.raises(MissingBackendError, match=r"^Keras is not installed.*gammafind\[torch\]"):
        keras_runner(written / "many", read_architecture(written / "many"))


def test_no_backend_of_keras_is_named(written, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(MissingBackendError, match="pip install"):
        keras_runner(written / "many", read_architecture(written / "many"))


def test_other_options_than_those_of_the_weights_are_named(many):
    architecture = replace(read_architecture(many), options={"filters": [8, 8, 8]})
    architecture.write(many / "architecture.json", overwrite=True)
    with pytest.raises(WeightsError, match="do not fit the network gammafind"):
        keras_runner(many, read_architecture(many))
