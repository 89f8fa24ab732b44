"""From a recipe to a trained network: shards, training, test, weights to use."""

from __future__ import annotations

import itertools
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gammafind.errors import ConfigError
from gammafind.networks.backend import load_keras
from gammafind.networks.trained import TrainedNetwork
from gammafind.networks.unet import standardise
from gammafind.plugins.unet.export import export_network
from gammafind.plugins.unet.folder import read_architecture, read_network
from gammafind.recipes.card import card
from gammafind.recipes.common import at_least, of_recipe
from gammafind.recipes.data import data_of
from gammafind.recipes.folders import (
    begun,
    built,
    check_libraries,
    finished,
    training_record,
    whole,
    write_record,
)
from gammafind.recipes.recipe import Recipe
from gammafind.recipes.trained import Trained, train_and_test
from gammafind.training.history import best_row
from gammafind.training.loop import Samples
from gammafind.training.losses import loss_function
from gammafind.training.shards import make_shards
from gammafind.utils.files import named_folder
from gammafind.utils.progress import stage

if TYPE_CHECKING:
    import keras

__all__ = ["train_localiser"]

_LOOKED_AT = 512
"""Patches from which the mean and the spread of each input are taken."""


def train_localiser(
    recipe: Recipe,
    folder: str | PathLike,
    *,
    resume: bool = False,
    workers: int = 1,
    command: str = "",
) -> Trained:
    """Make the training data that are missing, train a network, and write its weights.

    What its scores mean is then learned from whole skies or images of the validation.

    Parameters
    ----------
    recipe : Recipe
    folder : path-like
        Made if it is not there.
    resume : bool
        Go on from the last checkpoint in the folder, if there is one.
    workers : int
        Processes that render catalogues, and threads that draw batches. What comes out does not
        depend on it.
    command : str
        Command line, for the record.

    Returns
    -------
    Trained

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    ConfigError, OptionError
        If plugins or networks have no such options.
    OutputError
        If the folder holds a training already and ``resume`` is false, or one of other settings.
    """
    start = perf_counter()
    folder = named_folder(folder)
    at_least("workers", workers, 1)
    keras = load_keras()
    check_libraries()
    with of_recipe(recipe.source):
        data = data_of(recipe, folder)
        architecture = data.architecture()
        keras.utils.set_random_seed(recipe.seed)
        network = built(architecture, recipe.training.policy)
        if recipe.start:
            _start(network, architecture, Path(recipe.source).parent / recipe.start)
    record = training_record(
        {**recipe.settings, **data.maker.settings},
        preset=recipe.preset.name,
        used=data.used,
        seed=recipe.seed,
        command=command,
    )
    with of_recipe(recipe.source), begun(folder, record, resume):
        splits = recipe.data.splits
        made = make_shards(data.maker, list(itertools.chain(*splits.values())), workers=workers)
        batches = {name: data.batches(name, workers) for name in splits}
        if not recipe.start:
            with stage("looking at the data"):
                standardise(network, _sample(batches["train"]))
        history, test_loss = train_and_test(
            network,
            batches,
            folder=folder,
            options=recipe.training,
            loss=loss_function(recipe.loss),
            resume=resume,
        )
        result = {"best_epoch": best_row(history)["epoch"], "test_loss": test_loss}
        network = whole(network, architecture)
        text = card(record, history, test_loss)

        def finish(part: Path) -> None:
            export_network(part, network, architecture, card=text)
            data.calibrate(part)
            write_record(folder, {**record, **result})

        weights = finished(folder / "weights", finish)
    return Trained(
        weights=weights,
        history=history,
        test_loss=test_loss,
        n_made=made,
        seconds=perf_counter() - start,
    )


def _start(network: keras.Model, architecture: TrainedNetwork, folder: Path) -> None:
    """Bring a network to the weights in a folder."""
    given = read_architecture(folder)
    for name in ("network", "shapes", "options"):
        theirs, ours = (getattr(one, name, None) for one in (given, architecture))
        if theirs != ours:
            raise ConfigError(
                f"the weights to start from have {name} {theirs}, the recipe {ours}",
                path=folder,
                remedy="Change the recipe, or leave start out.",
            )
    network.set_weights(read_network(folder).get_weights())


def _sample(batches: Samples) -> list[np.ndarray]:
    """Features of some patches."""
    n = min(len(batches), -(-_LOOKED_AT // batches.batch_size))
    some = [inputs for inputs, _ in itertools.islice(batches.epoch(0), n)]
    return [np.concatenate(arrays) for arrays in zip(*some, strict=True)]
