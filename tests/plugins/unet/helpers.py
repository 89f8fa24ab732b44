"""Networks of known weights, and patches for them."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import MissingBackendError
from gammafind.networks.backend import load_keras
from gammafind.networks.calibration import Calibration
from gammafind.networks.features import FeatureSpec
from gammafind.networks.folder import export_network
from gammafind.networks.onnx_file import check_exporter
from gammafind.plugins.unet.architecture import Architecture
from gammafind.sky.bands import energy_bands
from gammafind.testing import toy_patches

MANY = Architecture(
    network="gammafind",
    bands=energy_bands([0.5, 1, 2, 7, 20, 500] * u.GeV),
    widths=(8, 8, 16, 32, 32),
    size=3.2 * u.deg,
    features=FeatureSpec(background=True),
    options={"filters": [4, 6, 8], "working_width": 16},
    calibration=Calibration(),
)
"""A tiny network for five bands of three widths, taken in by a stride of two."""

TOY = Architecture(
    network="gammafind",
    bands=toy_patches().bands,
    widths=(64,),
    size=toy_patches().grid.size,
    features=FeatureSpec(),
    options={"filters": [2], "working_width": 64},
    calibration=Calibration(error_scale=2.0),
)
"""For the patches of `toy_patches`."""

LOG_ERROR = -0.5
OFFSET = (0.25, -0.25)


def torch_keras():
    """Keras on torch; the test is skipped where it or onnx is not to be had."""
    try:
        check_exporter()
    except MissingBackendError as error:
        pytest.skip(str(error))
    return load_keras()


def random_network(architecture, seed=1):
    """Network with random weights of the size of trained ones, each of which matters."""
    torch_keras()
    network = architecture.build()
    rng = np.random.default_rng(seed)
    for variable in network.weights:
        kind, shape = variable.path.rpartition("/")[2], variable.shape
        size = np.sqrt(2 / np.prod(shape[:-1])) if kind == "kernel" else 0.3
        noise = rng.normal(0, size, shape)
        variable.assign(np.exp(noise) if kind == "moving_variance" else noise)
    return network


def matched_filter():
    """Network for `TOY` whose score is a Gaussian mean of the counts, above the background."""
    torch_keras()
    network = TOY.build()
    offset = np.arange(-1, 2)
    kernel = np.exp(-(offset[:, None] ** 2 + offset**2) / 4)
    first, second, heads = (layer for layer in network.layers if "Conv2D" in type(layer).__name__)
    for layer in (first, second):
        weights = np.zeros(layer.kernel.shape)
        weights[:, :, 0, 0] = kernel / kernel.sum()
        layer.set_weights([weights, np.zeros(layer.bias.shape)])
    weights = np.zeros(heads.kernel.shape)
    weights[0, 0, 0, 0] = 4.0
    heads.set_weights([weights, np.array([-20.0, *OFFSET, LOG_ERROR])])
    return network


def features_of(architecture, n=3, seed=2):
    """Random features for a network."""
    rng = np.random.default_rng(seed)
    return tuple(
        (2 * np.sqrt(rng.poisson(3.0, (n, w, w, c)) + 0.375)).astype(np.float32)
        for w, c in architecture.inputs
    )


def write(folder, network, architecture):
    """Write a folder of weights."""
    return export_network(folder, network, architecture, card="# A network of the tests\n")
