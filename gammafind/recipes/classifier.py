"""From a recipe to a trained classifier: detections on simulated skies, training, weights."""

from __future__ import annotations

import itertools
from dataclasses import replace
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from gammafind.errors import OptionError
from gammafind.networks.backend import load_keras
from gammafind.networks.classifiers import Architecture, export_classifier
from gammafind.networks.layers import standardise
from gammafind.recipes.card import classifier_card
from gammafind.recipes.classifier_kinds import KINDS, Kind
from gammafind.recipes.classifier_recipe import ClassifierRecipe
from gammafind.recipes.common import at_least, of_recipe
from gammafind.recipes.detections import TOLD, DetectionMaker, read_detections
from gammafind.recipes.folders import (
    begun,
    built,
    check_libraries,
    finished,
    training_record,
    whole,
    write_record,
)
from gammafind.recipes.trained import Trained, train_and_test
from gammafind.training.history import best_row
from gammafind.training.labelled import LabelledBatches, LabelledCutouts
from gammafind.training.shards import make_shards
from gammafind.utils.files import named_folder
from gammafind.utils.progress import stage

if TYPE_CHECKING:
    import keras

__all__ = ["fit_temperature", "train_classifier"]

_LOOKED_AT = 16384
"""Detections from which the mean and the spread of each input are taken."""
_TEMPERATURES = (0.2, 5.0)
_AT_ONCE = 2048


def train_classifier(
    recipe: ClassifierRecipe,
    folder: str | PathLike,
    *,
    resume: bool = False,
    workers: int = 1,
    command: str = "",
) -> Trained:
    """Make the detections that are missing, train a network, and write its weights.

    Its temperature is then learned from the catalogues of the validation.

    Parameters
    ----------
    recipe : ClassifierRecipe
    folder : path-like
        Made if it is not there.
    resume : bool
        Go on from the last checkpoint in the folder, if there is one.
    workers : int
        Processes that simulate and search skies. What comes out does not depend on it.
    command : str
        Command line, for the record.

    Returns
    -------
    Trained

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed, or none from which networks can be exported.
    ConfigError, OptionError
        If plugins or networks have no such options, or the renderer knows no epochs.
    OutputError
        If the folder holds a training already and ``resume`` is false, or one of other settings.
    """
    start = perf_counter()
    folder = named_folder(folder)
    at_least("workers", workers, 1)
    keras = load_keras()
    check_libraries()
    kind = KINDS[recipe.classifier]
    with of_recipe(recipe.source):
        maker = kind.maker(recipe, folder)
        architecture = kind.architecture(recipe, maker)
        keras.utils.set_random_seed(recipe.seed)
        network = built(architecture, recipe.training.policy)
    record = training_record(
        {**recipe.settings, **maker.settings},
        preset=recipe.preset.name,
        used={
            "population": maker.population,
            "renderer": maker.renderer,
            "localiser": maker.localiser,
        },
        seed=recipe.seed,
        command=command,
    )
    with of_recipe(recipe.source), begun(folder, record, resume):
        splits = recipe.data.splits
        made = make_shards(maker, list(itertools.chain(*splits.values())), workers=workers)
        with stage("reading detections"):
            data = {n: _data(recipe, kind, maker, n) for n, rows in splits.items() if len(rows)}
        architecture = kind.known(architecture, data["train"])
        batches = {n: _batches(recipe, kind, architecture, n, some) for n, some in data.items()}
        with stage("looking at the data"):
            standardise(network, _sample(architecture, data["train"]))
        history, test_loss = train_and_test(
            network,
            batches,
            folder=folder,
            options=recipe.training,
            loss=_cross_entropy,
            resume=resume,
        )
        result = {"best_epoch": best_row(history)["epoch"], "test_loss": test_loss}
        network = whole(network, architecture)
        known = data["validation"]
        temperature = fit_temperature(_output(network, architecture, known), known.label)
        shares = _shares(kind, known, maker.localiser.published_score)
        architecture = replace(architecture, temperature=temperature, shares=shares)
        numbers = _numbers(kind, data["train"].label)
        text = classifier_card(record, history, test_loss, numbers, temperature)

        def finish(part: Path) -> None:
            export_classifier(part, network, architecture, card=text)
            write_record(folder, {**record, **result})

        weights = finished(folder / "weights", finish)
    return Trained(
        weights=weights,
        history=history,
        test_loss=test_loss,
        n_made=made,
        seconds=perf_counter() - start,
    )


def fit_temperature(output: np.ndarray, label: np.ndarray) -> float:
    """Temperature with which probabilities are true.

    Parameters
    ----------
    output : ndarray, shape (n, n_classes)
        Logarithms of probabilities, of detections that the network was not trained on.
    label : ndarray of int, shape (n,)

    Returns
    -------
    float
        Of the least cross-entropy; between 0.2 and 5.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.
    """

    def loss(logarithm: float) -> float:
        scaled = output / np.exp(logarithm)
        norm = np.logaddexp.reduce(scaled, axis=1)
        return float(np.mean(norm - scaled[np.arange(len(label)), label]))

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _data(
    recipe: ClassifierRecipe, kind: Kind, maker: DetectionMaker, split: str
) -> LabelledCutouts:
    """Detections of a set."""
    indices = recipe.data.splits[split]
    data = read_detections(maker.folder, indices, everywhere=kind.everything)
    seen = kind.seen(recipe, split, data)
    if not len(seen):
        raise OptionError(
            f"nothing was detected in the catalogues for {split}",
            remedy="Lower min_score of the detections, or take more catalogues.",
        )
    return seen


def _batches(
    recipe: ClassifierRecipe,
    kind: Kind,
    architecture: Architecture,
    split: str,
    data: LabelledCutouts,
) -> LabelledBatches:
    """Batches of a set; those of validation and test are always the same."""
    in_training = split == "train"
    options = recipe.samples
    return LabelledBatches(
        cutouts=data,
        features=architecture.features,
        n_classes=len(kind.classifier.classes),
        batch_size=min(options.batch_size, len(data)),
        seed=(recipe.seed, ("train", "validation", "test").index(split)),
        turns=options.turns and in_training,
        upright=kind.upright,
        hidden_scores=options.hidden_scores if in_training and kind.scores_matter else 0.0,
        fixed=not in_training,
    )


def _sample(architecture: Architecture, data: LabelledCutouts) -> dict[str, np.ndarray]:
    """Inputs of the network, of some detections."""
    rows = np.linspace(0, len(data) - 1, min(_LOOKED_AT, len(data))).astype(int)
    return dict(zip(architecture.shapes, architecture.features(data[rows].arrays), strict=True))


def _cross_entropy(target: Any, output: Any) -> Any:
    """Mean of the negative logarithm of the probability of the true class."""
    from keras import ops

    return -ops.mean(ops.sum(target * output, axis=-1))


def _output(network: keras.Model, architecture: Architecture, data: LabelledCutouts) -> np.ndarray:
    """What the network returns for all detections of a set."""
    parts = [
        data[np.arange(start, min(start + _AT_ONCE, len(data)))]
        for start in range(0, len(data), _AT_ONCE)
    ]
    return np.concatenate(
        [network.predict_on_batch(list(architecture.features(part.arrays))) for part in parts]
    ).astype(float)


def _shares(kind: Kind, data: LabelledCutouts, published: float) -> tuple[float, ...]:
    """Share of each class among published detections, or all, none of them zero."""
    chosen = kind.everything | (data.arrays[TOLD] >= published)
    numbers = np.array(list(_numbers(kind, data.label[chosen]).values())) + 1
    return tuple((numbers / numbers.sum()).tolist())


def _numbers(kind: Kind, label: np.ndarray) -> dict[str, int]:
    """How many detections there are of each class."""
    classes = kind.classifier.classes
    return dict(zip(classes, np.bincount(label, minlength=len(classes)).tolist(), strict=True))
