"""The training loop: it learns, stops, and goes on to the bit where it was stopped."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import (
    InputFileError,
    OptionError,
    OutputError,
    TrainingError,
    TruncatedFileError,
)
from gammafind.networks.backend import load_keras
from gammafind.training.history import best_row
from gammafind.training.loop import WEIGHTS, TrainingOptions, evaluate, train
from gammafind.training.losses import LossOptions, loss_function
from gammafind.training.patches import PatchBatches
from gammafind.training.sets import make_shards
from gammafind.training.shard_set import ShardSet
from tests.training.toy import toy_batches, toy_maker

pytest.importorskip("torch")

OPTIONS = TrainingOptions(epochs=4, learning_rate=5e-3)


def tiny_network(channels=4, dropout=0.2, batch_norm=True):
    """Network of the toy sky; its dropout draws random numbers of its own."""
    keras = load_keras()
    keras.utils.set_random_seed(7)
    layers = keras.layers
    fine, coarse = keras.Input((32, 32, 1)), keras.Input((16, 16, 1))
    x = layers.Concatenate()([fine, layers.UpSampling2D(2)(coarse)])
    x = layers.BatchNormalization()(x) if batch_norm else x
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Dropout(dropout, seed=1)(x)
    return keras.Model([fine, coarse], layers.Conv2D(channels, 1)(x))


def weights(network):
    return [np.array(array) for array in network.get_weights()]


class Killed(PatchBatches):
    """Batches that stop the training in the middle of the third epoch."""

    def epoch(self, number):
        for i, batch in enumerate(super().epoch(number)):
            if number == 2 and i == 3:
                raise KeyboardInterrupt
            yield batch


@pytest.fixture
def run(shards, tmp_path):
    def start(name="run", network=None, options=OPTIONS, kind=PatchBatches, **changes):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        network = network or tiny_network()
        toy = toy_batches(shards)
        training = kind(**vars(toy))
        validation = toy_batches(shards, seed=9, per_epoch=8, fixed=True)
        history = train(
            network,
            training,
            validation,
            folder=folder,
            options=options,
            loss=loss_function(LossOptions()),
            **changes,
        )
        return network, history, folder

    return start


def test_a_training_makes_the_loss_small(run):
    _, history, _ = run(options=TrainingOptions(epochs=8, learning_rate=2e-2))
    losses = [row["loss"] for row in history]
    assert losses[-1] < 0.5 * losses[0]
    assert history[-1]["val_loss"] < history[0]["val_loss"]


def test_a_resumed_training_is_the_unbroken_one_to_the_bit(run):
    whole, history, _ = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("broken", kind=Killed)
    resumed, again, folder = run("broken", network=tiny_network(), resume=True)
    for one, other in zip(weights(whole), weights(resumed), strict=True):
        np.testing.assert_array_equal(one, other)
    losses = [[(row["loss"], row["val_loss"]) for row in rows] for rows in (history, again)]
    assert losses[0] == losses[1]
    assert len((folder / "history.ecsv").read_text().splitlines()) > 4


def test_the_checkpoint_holds_the_state_of_the_optimiser(run):
    """Without it the first step after a pause would differ."""
    _, _, folder = run("first")
    with np.load(folder / "checkpoint.npz") as file:
        n_arrays = len([name for name in file.files if name.startswith("array_")])
    assert n_arrays > 2 * len(weights(tiny_network()))


def test_the_best_weights_are_kept(run):
    network, history, folder = run(options=TrainingOptions(epochs=6, learning_rate=0.1))
    other = tiny_network()
    other.load_weights(folder / WEIGHTS)
    for one, same in zip(weights(network), weights(other), strict=True):
        np.testing.assert_array_equal(one, same)
    assert best_row(history)["val_loss"] == min(row["val_loss"] for row in history)


def test_a_training_stops_when_it_has_levelled_off(run):
    still = TrainingOptions(epochs=9, learning_rate=1e-12, weight_decay=0, patience=2)
    _, history, _ = run(options=still, network=tiny_network(batch_norm=False))
    epochs = len(history)
    assert epochs < 9
    assert epochs - best_row(history)["epoch"] == 2


def test_a_finished_training_is_not_trained_again(run):
    _, history, _ = run()
    _, again, _ = run(resume=True)
    assert again == history


def test_patches_of_one_width_are_taken(tmp_path):
    maker = toy_maker(tmp_path / "shards", n_pixels=(32, 32))
    make_shards(maker, [0])
    batches = toy_batches(ShardSet(maker.folder, [0]), per_epoch=8)
    keras = load_keras()
    only = keras.Input((32, 32, 2))
    network = keras.Model([only], keras.layers.Conv2D(1, 1)(only))
    options = TrainingOptions(epochs=1)
    history = train(
        network,
        batches,
        batches,
        folder=tmp_path,
        options=options,
        loss=loss_function(LossOptions()),
    )
    assert len(history) == 1


def test_the_learning_rate_rises_and_falls(run):
    _, history, _ = run(options=TrainingOptions(epochs=4, learning_rate=1e-3, warm_up=0.25))
    rates = [row["learning_rate"] for row in history]
    assert rates[0] == pytest.approx(1e-3, rel=1e-3)
    assert rates[2] == pytest.approx(0.25e-3, rel=1e-3)
    assert rates[3] == pytest.approx(0, abs=1e-9)


def test_a_folder_with_a_training_is_not_overwritten(run):
    run()
    with pytest.raises(OutputError, match="a training has begun here already"):
        run()


def test_a_checkpoint_of_another_network_is_refused(run):
    run()
    with pytest.raises(TrainingError, match="another network"):
        run(network=tiny_network(channels=1), resume=True)


def test_a_damaged_checkpoint_is_named(run):
    _, _, folder = run()
    path = folder / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(TruncatedFileError, match="checkpoint is damaged"):
        run(resume=True)


@pytest.mark.parametrize("fault", ["gone", "flipped"])
def test_best_weights_that_are_damaged_are_named(run, fault):
    _, _, folder = run()
    path = folder / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content) if fault == "flipped" else path.unlink()
    with pytest.raises(InputFileError, match=WEIGHTS):
        run(resume=True)


def test_a_loss_that_is_not_finite_stops_the_training(run):
    network = tiny_network()
    network.layers[-1].bias.assign(np.full(4, np.nan))
    with pytest.raises(TrainingError, match="epoch 1: the loss is nan in batch 1"):
        run(network=network)


def test_evaluation_is_the_validation_loss(run, shards):
    network, history, _ = run(network=tiny_network(channels=1))
    validation = toy_batches(shards, seed=9, per_epoch=8, fixed=True)
    found = evaluate(network, validation, loss_function(LossOptions()))
    assert found == pytest.approx(best_row(history)["val_loss"], rel=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"patience": 0},
        {"learning_rate": 0.0},
        {"clip_norm": np.inf},
        {"weight_decay": -1.0},
        {"warm_up": 1.0},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        TrainingOptions(**options)
