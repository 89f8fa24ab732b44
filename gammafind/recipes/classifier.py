"""From a recipe to a trained classifier: detections on simulated skies, training, weights."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from gammafind.config import build
from gammafind.errors import ConfigError
from gammafind.learning.backend import load_keras
from gammafind.learning.history import best_row
from gammafind.learning.labelled import LabelledBatches, LabelledCutouts
from gammafind.learning.shards import make_shards
from gammafind.learning.training import evaluate, train
from gammafind.learning.weights import check_exporter
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.classifier import Cnn
from gammafind.plugins.cnn.features import without_times
from gammafind.plugins.cnn.folder import export_classifier
from gammafind.plugins.cnn.networks import CLASSES, standardise
from gammafind.progress import stage
from gammafind.provenance import describe_plugin
from gammafind.recipes.card import classifier_card
from gammafind.recipes.classifier_recipe import ClassifierRecipe
from gammafind.recipes.detections import DetectionMaker, read_detections
from gammafind.recipes.folders import (
    built,
    data_folder,
    export_once,
    prepare_folder,
    training_record,
    whole,
    write_record,
)
from gammafind.recipes.trained import Trained

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
    folder = Path(folder)
    keras = load_keras()
    check_exporter()
    maker = _maker(recipe, folder)
    architecture = _architecture(recipe, maker)
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
    prepare_folder(folder, record, resume)
    splits = recipe.data.splits
    made = make_shards(maker, list(itertools.chain(*splits.values())), workers=workers)
    with stage("reading detections"):
        data = {name: _data(recipe, maker, name) for name, rows in splits.items() if len(rows)}
    batches = {name: _batches(recipe, architecture, name, some) for name, some in data.items()}
    with stage("looking at the data"):
        standardise(network, _sample(architecture, data["train"]))
    history = train(
        network,
        batches["train"],
        batches["validation"],
        folder=folder,
        options=recipe.training,
        loss=_cross_entropy,
        resume=resume,
    )
    test_loss = evaluate(network, batches["test"], _cross_entropy) if "test" in data else None
    write_record(folder, {**record, "best_epoch": best_row(history)["epoch"], "loss": test_loss})
    network = whole(network, architecture)
    known = data["validation"]
    temperature = fit_temperature(_output(network, architecture, known), known.label)
    shares = _shares(known, maker.localiser.published_score)
    architecture = replace(architecture, temperature=temperature, shares=shares)
    text = classifier_card(record, history, test_loss, _numbers(data), temperature)
    weights = export_once(
        folder / "weights", lambda path: export_classifier(path, network, architecture, card=text)
    )
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


def _maker(recipe: ClassifierRecipe, folder: Path) -> DetectionMaker:
    """Simulates and searches the skies of a recipe."""
    preset = recipe.preset
    renderer, population = build(preset.renderer), build(preset.population)
    localiser = build(preset.localiser)
    if recipe.samples.time != "no" and not renderer.epochs:
        raise ConfigError(
            f"{renderer.name} knows no epochs with the options of {preset.name}",
            path=recipe.source or None,
            remedy='Set time = "no", or choose an exposure that is given apart for each epoch.',
        )
    used = {"renderer": renderer, "population": population, "localiser": localiser}
    return DetectionMaker(
        folder=data_folder(recipe.source, recipe.data.folder, folder / "detections"),
        renderer=renderer,
        population=population,
        localiser=localiser,
        classes=CLASSES,
        fake=Cnn.fake,
        settings={role: describe_plugin(role, plugin) for role, plugin in used.items()},
        layout=recipe.layout.of(renderer.pixels),
        seed=recipe.data.seed,
        min_score=recipe.detections.min_score,
        random_fakes=recipe.detections.random_fakes,
        nside=preset.patches.nside,
        size=preset.patches.size,
        n_pixels=preset.patches.widths(len(renderer.bands)),
        radius=preset.match_radius,
    )


def _architecture(recipe: ClassifierRecipe, maker: DetectionMaker) -> CnnArchitecture:
    time = recipe.samples.time
    return CnnArchitecture(
        network=recipe.network,
        bands=maker.renderer.bands,
        layout=maker.layout,
        n_epochs=0 if time == "no" else len(maker.renderer.epochs),
        time=time,
        options=recipe.network_options,
    )


def _data(recipe: ClassifierRecipe, maker: DetectionMaker, split: str) -> LabelledCutouts:
    """Detections of a set; those that are only trained on hold positions at random too."""
    data = read_detections(maker.folder, recipe.data.splits[split])
    if split != "train":
        data = data[np.flatnonzero(np.isfinite(data.arrays["score"]))]
    if recipe.samples.time == "shuffled":
        rng = np.random.default_rng([recipe.seed, *split.encode()])
        data = replace(data, arrays=without_times(data.arrays, rng=rng))
    return data


def _batches(
    recipe: ClassifierRecipe, architecture: CnnArchitecture, split: str, data: LabelledCutouts
) -> LabelledBatches:
    """Batches of a set; those of validation and test are always the same."""
    in_training = split == "train"
    options = recipe.samples
    return LabelledBatches(
        cutouts=data,
        features=architecture.features,
        n_classes=len(CLASSES),
        batch_size=min(options.batch_size, len(data)),
        seed=(recipe.seed, ("train", "validation", "test").index(split)),
        turns=options.turns and in_training,
        hidden_scores=options.hidden_scores if in_training else 0.0,
        fixed=not in_training,
    )


def _sample(architecture: CnnArchitecture, data: LabelledCutouts) -> tuple[np.ndarray, ...]:
    rows = np.linspace(0, len(data) - 1, min(_LOOKED_AT, len(data))).astype(int)
    return architecture.features(data[rows].arrays)


def _cross_entropy(target: Any, output: Any) -> Any:
    """Mean of the negative logarithm of the probability of the true class."""
    from keras import ops

    return -ops.mean(ops.sum(target * output, axis=-1))


def _output(
    network: keras.Model, architecture: CnnArchitecture, data: LabelledCutouts
) -> np.ndarray:
    """What the network returns for all detections of a set."""
    parts = [
        data[np.arange(start, min(start + _AT_ONCE, len(data)))]
        for start in range(0, len(data), _AT_ONCE)
    ]
    return np.concatenate(
        [network.predict_on_batch(list(architecture.features(part.arrays))) for part in parts]
    ).astype(float)


def _shares(data: LabelledCutouts, published: float) -> tuple[float, ...]:
    """Share of each class among published detections, none of them zero."""
    numbers = np.bincount(data.label[data.arrays["score"] >= published], minlength=len(CLASSES)) + 1
    return tuple((numbers / numbers.sum()).tolist())


def _numbers(data: Mapping[str, LabelledCutouts]) -> dict[str, int]:
    """How many detections of each class are in the training."""
    return dict(
        zip(CLASSES, np.bincount(data["train"].label, minlength=len(CLASSES)).tolist(), strict=True)
    )
