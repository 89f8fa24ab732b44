from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import OptionError, ShapeError
from gammafind.networks.layers import standardise
from gammafind.networks.unet import NETWORKS, build_network
from tests.plugins.unet.helpers import torch_keras

FERMI = ((128, 64, 32, 16), (2, 1, 1, 2))
CHANNELS = {"gammafind": 4, "paper": 1}


@pytest.fixture(autouse=True)
def keras():
    return torch_keras()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shapes", [FERMI, ((32,), (1,)), ((256, 64), (1, 2))])
def test_any_widths_give_a_map_of_the_largest(name, shapes):
    options = {"filters": (4, 4, 4, 4)}
    network = build_network(name, *shapes, **options)
    width = shapes[0][0]
    assert network.output_shape == (None, width, width, CHANNELS[name])
    expected = [(None, w, w, c) for w, c in zip(*shapes, strict=True)]
    assert [tuple(tensor.shape) for tensor in network.inputs] == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_half_a_million_parameters(name):
    assert 4e5 < build_network(name, *FERMI).count_params() < 6e5


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("band", range(4))
def test_each_input_is_seen_where_it_is(name, band):
    # A network with weights of one sign lets all through: a count of a pixel must raise the score
    # there and leave the far corner as it was.
    network = build_network(name, *FERMI, filters=(3, 3, 3, 3))
    for variable in network.trainable_weights:
        variable.assign(np.full(variable.shape, 0.1))
    inputs = [np.zeros((1, w, w, c), dtype=np.float32) for w, c in zip(*FERMI, strict=True)]
    dark = np.asarray(network.predict_on_batch(inputs))[0, ..., 0]
    width = FERMI[0][band]
    row, column = width // 4, 3 * width // 4 - 1
    inputs[band][0, row, column] = 1.0
    rise = np.asarray(network.predict_on_batch(inputs))[0, ..., 0] - dark
    # The widest pixels are 8 x 8 of the score.
    size = 128 // width
    peak = np.unravel_index(rise.argmax(), rise.shape)
    reached = np.abs(np.array(peak) - (np.array([row, column]) + 0.5) * size)
    assert np.all(reached <= 8 + size)
    assert rise[row * size, column * size] > 0
    assert rise[-1, 0] == 0


def test_the_shuffled_output_keeps_its_place_and_its_channels():
    # Only the heads have weights here: channel k of sub-pixel (i, j) tells 100 k + 10 i + j.
    network = build_network("gammafind", *FERMI, filters=(2, 2, 2, 2))
    heads = network.get_layer("heads")
    bias = [100 * k + 10 * i + j for i in range(2) for j in range(2) for k in range(4)]
    heads.set_weights([np.zeros(heads.kernel.shape), np.array(bias, dtype=np.float32)])
    inputs = [np.zeros((1, w, w, c), dtype=np.float32) for w, c in zip(*FERMI, strict=True)]
    output = np.asarray(network.predict_on_batch(inputs))
    row, column, channel = np.indices((128, 128, 4))
    assert_allclose(output[0], 100 * channel + 10 * (row % 2) + column % 2)


def test_standardised_inputs_have_mean_zero_and_deviation_one(keras):
    network = build_network("gammafind", *FERMI, filters=(2, 2, 2, 2))
    rng = np.random.default_rng(1)
    inputs = [
        rng.normal(7 + np.arange(c), 3 + np.arange(c), (50, w, w, c)).astype(np.float32)
        for w, c in zip(*FERMI, strict=True)
    ]
    standardise(network, {f"width_{array.shape[1]}": array for array in inputs})
    for array in inputs:
        layer = network.get_layer(f"standard_width_{array.shape[1]}")
        for training in (False, True):
            seen = keras.ops.convert_to_numpy(layer(array, training=training)).astype(float)
            assert_allclose(seen.mean(axis=(0, 1, 2)), 0, atol=1e-4)
            assert_allclose(seen.std(axis=(0, 1, 2)), 1, atol=1e-4)


def test_an_untrained_network_sees_no_sources():
    network = build_network("gammafind", *FERMI)
    rng = np.random.default_rng(2)
    inputs = [
        rng.normal(0, 1, (1, w, w, c)).astype(np.float32) for w, c in zip(*FERMI, strict=True)
    ]
    assert np.asarray(network.predict_on_batch(inputs))[..., 0].max() < -2


def test_unknown_networks_and_options_are_named():
    with pytest.raises(OptionError, match=r"'resnet'.*Known are gammafind, paper"):
        build_network("resnet", *FERMI)
    with pytest.raises(OptionError, match=r"no option working_width.*accepts filters"):
        build_network("paper", *FERMI, working_width=64)
    with pytest.raises(OptionError, match="whole numbers above 0"):
        build_network("paper", *FERMI, filters=(8, 0))


@pytest.mark.parametrize(
    ("widths", "channels"),
    [((), ()), ((16, 32), (1, 1)), ((96, 64), (1, 1)), ((32,), (1, 1)), ((32,), (0,))],
)
def test_widths_that_do_not_fit_together_are_refused(widths, channels):
    with pytest.raises(ShapeError):
        build_network("paper", widths, channels)


@pytest.mark.parametrize(("widths", "filters"), [((128, 16), (4, 4)), ((12,), (4, 4, 4, 4))])
def test_too_few_or_too_many_tiers_are_refused(widths, filters):
    with pytest.raises(OptionError, match="tiers"):
        build_network("paper", widths, (1,) * len(widths), filters=filters)
