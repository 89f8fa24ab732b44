"""Losses, against numbers worked out by hand, on the backend that is there."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.networks.backend import BACKENDS, load_keras
from gammafind.training.losses import (
    LossOptions,
    cross_entropy,
    dice,
    offset_loss,
    position_loss,
    total_loss,
)


@pytest.fixture(scope="module")
def tensor():
    for name in BACKENDS:
        try:
            __import__(name)
        except ImportError:
            continue
        return load_keras().ops.convert_to_tensor
    pytest.skip(f"needs {' or '.join(BACKENDS)}")


def number(value):
    return float(load_keras().ops.convert_to_numpy(value))


def maps(rng, channels, n=2, width=5):
    return rng.normal(size=(n, width, width, channels)).astype(np.float32)


@pytest.fixture
def target(tensor):
    rng = np.random.default_rng(1)
    values = maps(rng, 4)
    values[..., 0] = rng.uniform(0, 1, values.shape[:3])
    values[..., 3] = rng.uniform(0, 1, values.shape[:3])
    return values


def test_the_plain_part_is_the_cross_entropy(tensor, target):
    logit = maps(np.random.default_rng(2), 1)[..., 0]
    score = 1 / (1 + np.exp(-logit.astype(float)))
    truth = target[..., 0]
    entropy = -(truth * np.log(score) + (1 - truth) * np.log(1 - score))
    plain = cross_entropy(tensor(truth), tensor(logit), LossOptions(focal=0))
    assert number(plain) == pytest.approx(entropy.mean(), rel=1e-5)
    both = cross_entropy(tensor(truth), tensor(logit), LossOptions(focal=3, gamma=2))
    weighted = (1 + 3 * (truth - score) ** 2) * entropy
    assert number(both) == pytest.approx(weighted.mean(), rel=1e-5)


def test_extreme_logits_have_finite_losses(tensor):
    truth, logit = np.zeros((1, 2, 2), "f4"), np.full((1, 2, 2), 1000, "f4")
    loss = number(cross_entropy(tensor(truth), tensor(logit), LossOptions(focal=0)))
    assert loss == pytest.approx(1000)
    assert number(cross_entropy(tensor(1 - truth), tensor(logit), LossOptions())) == 0


def test_dice_is_nothing_for_the_same_mask_and_one_for_the_opposite(tensor):
    mask = np.zeros((1, 40, 40), "f4")
    mask[:, :20] = 1
    sure = 60 * (2 * mask - 1)
    assert number(dice(tensor(mask), tensor(sure))) == pytest.approx(0, abs=1e-6)
    assert number(dice(tensor(mask), tensor(-sure))) == pytest.approx(1, abs=1e-3)


def test_offsets_count_by_their_weight(tensor, target):
    output = maps(np.random.default_rng(3), 4)
    square = ((target[..., 1:3] - output[..., 1:3]) ** 2).sum(axis=-1)
    expected = (target[..., 3] * square).mean()
    assert number(offset_loss(tensor(target), tensor(output))) == pytest.approx(expected, rel=1e-5)


def test_the_position_loss_is_least_where_the_errors_are_true(tensor):
    rng = np.random.default_rng(4)
    target = np.zeros((1, 200, 200, 4), "f4")
    target[..., 1:3] = rng.normal(0, 0.3, (1, 200, 200, 2))
    target[..., 3] = 1

    def loss(error):
        output = np.zeros_like(target)
        output[..., 3] = np.log(error)
        return number(position_loss(tensor(target), tensor(output)))

    errors = np.linspace(0.2, 0.4, 41)
    best = errors[np.argmin([loss(error) for error in errors])]
    assert best == pytest.approx(0.3, abs=0.006)
    assert loss(0.3) == pytest.approx(1 + 2 * np.log(0.3), abs=0.02)


def test_the_total_takes_the_parts_that_the_outputs_allow_for(tensor, target):
    output = maps(np.random.default_rng(5), 4)
    options = LossOptions(dice=0.5, position=2, offset=3)
    scores = cross_entropy(tensor(target[..., 0]), tensor(output[..., 0]), options)
    overlap = dice(tensor(target[..., 0]), tensor(output[..., 0]))
    of_scores = number(scores) + 0.5 * number(overlap)
    alone = total_loss(tensor(target), tensor(output[..., :1]), options)
    assert number(alone) == pytest.approx(of_scores, rel=1e-5)
    position = number(position_loss(tensor(target), tensor(output)))
    offset = number(offset_loss(tensor(target), tensor(output)))
    whole = number(total_loss(tensor(target), tensor(output), options))
    assert whole == pytest.approx(of_scores + 2 * position + 3 * offset, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [{"gamma": -1}, {"position": np.nan}, {"cross_entropy": 0, "focal": 0}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        LossOptions(**options)
