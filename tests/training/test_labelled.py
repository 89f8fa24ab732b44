from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gammafind.errors import OptionError
from gammafind.training.labelled import LabelledBatches, LabelledCutouts
from tests.plugins.cnn.helpers import toy_arrays


def seen(arrays):
    return arrays["counts"], arrays["epoch_counts"], arrays["score"]


@pytest.fixture
def cutouts():
    return LabelledCutouts(toy_arrays(50), np.arange(50) % 5)


def batches_of(cutouts, **changes):
    settings = {"features": seen, "n_classes": 5, "batch_size": 16, "seed": 3}
    return LabelledBatches(data=cutouts, **{**settings, **changes})


def test_an_epoch_sees_each_detection_once(cutouts):
    batches = batches_of(cutouts)
    assert len(batches) == 3
    scores = np.concatenate([inputs[2] for inputs, _ in batches.epoch(0)])
    assert len(np.unique(scores)) == 48


def test_labels_stay_with_their_cut_outs(cutouts):
    for (_, _, score), target in batches_of(cutouts).epoch(1):
        rows = [int(np.flatnonzero(cutouts.arrays["score"] == one)[0]) for one in score]
        assert_array_equal(target.argmax(axis=1), cutouts.label[rows])


def test_epochs_differ_unless_they_are_fixed(cutouts):
    def first(number, **changes):
        return next(iter(batches_of(cutouts, turns=True, **changes).epoch(number)))[0][0]

    assert_array_equal(first(0), first(0))
    assert not np.array_equal(first(0), first(1))
    assert_array_equal(first(0, fixed=True), first(1, fixed=True))


def test_turns_keep_the_photons_and_turn_all_images_alike(cutouts):
    cutouts.arrays["epoch_counts"][:, :2] = cutouts.arrays["counts"]
    before = np.sort(cutouts.arrays["counts"].sum(axis=(1, 2, 3)))[::-1]
    turned, _ = next(batches_of(cutouts, turns=True, batch_size=50).epoch(0))
    assert_array_equal(np.sort(turned[0].sum(axis=(1, 2, 3)))[::-1], before)
    assert_array_equal(turned[0], turned[1][:, :2])


def test_scores_are_hidden(cutouts):
    (_, _, score), _ = next(iter(batches_of(cutouts, hidden_scores=1.0).epoch(0)))
    assert np.isnan(score).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 51}, "50 detections holds no batch of 51"),
        ({"hidden_scores": 2.0}, "hidden_scores is 2"),
    ],
)
def test_what_cannot_be_is_refused(cutouts, changes, message):
    with pytest.raises(OptionError, match=message):
        batches_of(cutouts, **changes)


def test_sets_are_joined(cutouts):
    both = LabelledCutouts.joined([cutouts, cutouts[np.arange(7)]])
    assert len(both) == 57
    assert both.arrays["counts"].shape == (57, 2, 7, 7)


def test_upright_cut_outs_are_flipped_and_not_turned(cutouts):
    rows = np.broadcast_to(np.arange(7.0)[:, None], (7, 7))
    cutouts.arrays["counts"][:] = rows
    (flipped, _, _), _ = next(batches_of(cutouts, turns=True, upright=True, batch_size=50).epoch(0))
    assert_array_equal(flipped, np.broadcast_to(flipped[..., :1], flipped.shape))
    assert len(np.unique(flipped[:, 0, 0, 0])) == 2
