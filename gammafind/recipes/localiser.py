"""From a recipe to a trained network: shards, training, test, weights to use."""

from __future__ import annotations

import itertools
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from gammafind.catalogue.io import read_table
from gammafind.config import build
from gammafind.errors import ConfigError
from gammafind.learning.backend import load_keras
from gammafind.learning.batches import Batches, DrawOptions
from gammafind.learning.history import best_row
from gammafind.learning.losses import loss_function
from gammafind.learning.shard_set import ShardSet
from gammafind.learning.shards import ShardMaker, make_shards
from gammafind.learning.training import evaluate, train
from gammafind.learning.weights import ARCHITECTURE
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.export import export_network
from gammafind.plugins.unet.folder import read_architecture, read_network
from gammafind.plugins.unet.networks import standardise
from gammafind.progress import stage
from gammafind.provenance import describe_plugin
from gammafind.recipes.calibrate import KnownSky, calibrate
from gammafind.recipes.card import card
from gammafind.recipes.distortion import distorted
from gammafind.recipes.folders import (
    built,
    data_folder,
    export_once,
    prepare_folder,
    training_record,
    whole,
    write_record,
)
from gammafind.recipes.recipe import Recipe
from gammafind.recipes.trained import Trained
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.stacks import PatchStacks
from gammafind.units import degrees

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

    What its scores mean is then learned from whole skies of the catalogues of the validation,
    where the instrument has HEALPix maps.

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
    folder = Path(folder)
    keras = load_keras()
    maker = _maker(recipe, folder)
    architecture = _architecture(recipe, maker)
    keras.utils.set_random_seed(recipe.seed)
    network = built(architecture, recipe.training.policy)
    record = training_record(
        {**recipe.settings, **maker.settings},
        preset=recipe.preset.name,
        used={"population": maker.population, "renderer": maker.renderer},
        seed=recipe.seed,
        command=command,
    )
    prepare_folder(folder, record, resume)
    splits = recipe.data.splits
    made = make_shards(maker, list(itertools.chain(*splits.values())), workers=workers)
    batches = {
        name: _batches(recipe, name, ShardSet(maker.folder, indices), workers)
        for name, indices in splits.items()
    }
    if recipe.start:
        _start(network, architecture, Path(recipe.source).parent / recipe.start)
    else:
        with stage("looking at the data"):
            standardise(network, _sample(batches["train"]))
    loss = loss_function(recipe.loss)
    history = train(
        network,
        batches["train"],
        batches["validation"],
        folder=folder,
        options=recipe.training,
        loss=loss,
        resume=resume,
    )
    test_loss = evaluate(network, batches["test"], loss) if splits["test"] else None
    result = {"best_epoch": best_row(history)["epoch"], "test_loss": test_loss}
    write_record(folder, {**record, **result})
    network = whole(network, architecture)
    is_new = not (folder / "weights" / ARCHITECTURE).exists()
    text = card(record, history, test_loss)
    weights = export_once(
        folder / "weights", lambda path: export_network(path, network, architecture, card=text)
    )
    if is_new and all(isinstance(pixels, HealpixPixels) for pixels in maker.renderer.pixels):
        calibrate(weights, _known_skies(recipe, maker), radius=recipe.preset.match_radius)
    return Trained(
        weights=weights,
        history=history,
        test_loss=test_loss,
        n_made=made,
        seconds=perf_counter() - start,
    )


def _maker(recipe: Recipe, folder: Path) -> ShardMaker:
    """Renders the catalogues of a recipe."""
    renderer, population = build(recipe.preset.renderer), build(recipe.preset.population)
    layout = recipe.preset.patches
    return ShardMaker(
        folder=data_folder(recipe.source, recipe.data.folder, folder / "shards"),
        renderer=renderer,
        population=population,
        settings={
            "renderer": describe_plugin("renderer", renderer),
            "population": describe_plugin("population", population),
        },
        seed=recipe.data.seed,
        nside=layout.nside,
        size=layout.size,
        n_pixels=layout.widths(len(renderer.bands)),
        exposure=recipe.features.exposure,
        spread=recipe.features.spread,
    )


def _batches(recipe: Recipe, split: str, shards: ShardSet, threads: int) -> Batches | None:
    """Batches of a set; those of validation and test are always the same."""
    if not len(shards):
        return None
    streams = {"train": 0, "validation": 1, "test": 2}
    in_training = split == "train"
    options = recipe.batches
    n = options.patches_per_epoch if in_training else options.validation_patches
    return Batches(
        shards=shards,
        n_patches=n,
        batch_size=options.batch_size,
        seed=(recipe.seed, streams[split]),
        spec=recipe.features,
        targets=recipe.targets,
        draw=recipe.draw if in_training else DrawOptions(turns=False),
        fixed=not in_training,
        threads=threads,
    )


def _architecture(recipe: Recipe, maker: ShardMaker) -> Architecture:
    return Architecture(
        network=recipe.network,
        bands=maker.renderer.bands,
        widths=maker.widths,
        size=maker.size,
        features=recipe.features,
        options=recipe.network_options,
    )


def _known_skies(recipe: Recipe, maker: ShardMaker) -> list[KnownSky]:
    """Whole skies of the catalogues of the validation.

    Where the background varied in the training, each comes once more with a background that is
    off by as much.
    """
    renderer, layout = maker.renderer, recipe.preset.patches
    grid = PatchGrid.healpix(layout.nside, size=layout.size, frame=renderer.pixels[0].frame)
    skies = []
    for index in recipe.data.splits["validation"]:
        sources = read_table(maker.place(index) / "sources.fits")
        rng = np.random.default_rng((recipe.seed, index))
        with stage("skies of the calibration"):
            sky = simulated_sky(renderer, maker.population, seed=maker.seed, index=index)
            seen = [sky.observation]
            if recipe.draw.background_waves or recipe.draw.background_grain:
                size = degrees(layout.size, name="the size of the patches")
                seen.append(
                    distorted(sky.observation, sky.expected, recipe.draw, size=size, rng=rng)
                )
        skies += [
            KnownSky(PatchStacks(one, grid, maker.widths, rng, maker.spread), sources)
            for one in seen
        ]
    return skies


def _start(network: keras.Model, architecture: Architecture, folder: Path) -> None:
    """Bring a network to the weights in a folder."""
    given = read_architecture(folder)
    for name in ("network", "widths", "features", "options"):
        theirs, ours = (getattr(one, name) for one in (given, architecture))
        if theirs != ours:
            raise ConfigError(
                f"the weights to start from have {name} {theirs}, the recipe {ours}",
                path=folder,
                remedy="Change the recipe, or leave start out.",
            )
    network.set_weights(read_network(folder).get_weights())


def _sample(batches: Batches) -> list[np.ndarray]:
    """Features of some patches."""
    n = min(len(batches), -(-_LOOKED_AT // batches.batch_size))
    some = [inputs for inputs, _ in itertools.islice(batches.epoch(0), n)]
    return [np.concatenate(arrays) for arrays in zip(*some, strict=True)]
