"""Training of networks that localise sources: what those for patches and for images share.

The tables of a recipe, next to those of `gammafind.training.recipe`:

.. code-block:: toml

    [training]
    start = ""                # folder of weights, next to the recipe: go on from them
    patches_per_epoch = 19200
    validation_patches = 1536
    batch_size = 32
    epochs = 40               # and all else of TrainingOptions

    [network]
    name = "gammafind"        # and its options

    [targets]                 # TargetOptions
    [loss]                    # LossOptions
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gammafind.errors import ConfigError
from gammafind.networks.backend import load_keras
from gammafind.networks.folder import (
    ARCHITECTURE,
    Runner,
    export_network,
    onnx_runner,
    read_architecture,
    read_network,
)
from gammafind.networks.trained import LocaliserNetwork
from gammafind.networks.unet import standardise
from gammafind.roles.trainer import Learned
from gammafind.training.card import catalogues, hours, listed, model_card, outcome, plugin
from gammafind.training.fit_ranking import check_ranking_fitter
from gammafind.training.loop import Loss, Samples, TrainingOptions
from gammafind.training.losses import LossOptions, loss_function
from gammafind.training.network import NetworkTraining
from gammafind.training.options import at_least
from gammafind.training.recipe import Recipe
from gammafind.training.targets import TargetOptions

if TYPE_CHECKING:
    import keras

__all__ = ["BatchOptions", "LocaliserOptions", "LocaliserTraining", "localiser_card"]

_LOOKED_AT = 512
"""Patches from which the mean and the spread of each input are taken."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How many patches are seen.

    Parameters
    ----------
    patches_per_epoch, validation_patches : int
    batch_size : int
    """

    patches_per_epoch: int = 19200
    validation_patches: int = 1536
    batch_size: int = 32

    def __post_init__(self) -> None:
        at_least("batch_size", self.batch_size, 1)
        for name in ("patches_per_epoch", "validation_patches"):
            at_least(name, getattr(self, name), self.batch_size)


@dataclass(frozen=True, kw_only=True)
class _Start:
    start: str = ""


@dataclass(frozen=True, kw_only=True)
class LocaliserOptions:
    """What recipes of all networks that localise have.

    Parameters
    ----------
    network : str
    network_options : mapping
    batches : BatchOptions
    targets : TargetOptions
    loss : LossOptions
    training : TrainingOptions
    start : str
        Folder of weights of the same network that it begins with; by default they are random.
    """

    network: str
    network_options: Mapping[str, Any]
    batches: BatchOptions
    targets: TargetOptions
    loss: LossOptions
    training: TrainingOptions
    start: str

    @classmethod
    def read(cls, recipe: Recipe) -> Self:
        """Read them from a recipe."""
        start, batches, training = recipe.options("training", _Start, BatchOptions, TrainingOptions)
        network, options = recipe.named("network", "gammafind")
        (targets,) = recipe.options("targets", TargetOptions)
        (loss,) = recipe.options("loss", LossOptions)
        return cls(
            network=network,
            network_options=options,
            batches=batches,
            targets=targets,
            loss=loss,
            training=training,
            start=start.start,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        parts = {name: asdict(getattr(self, name)) for name in ("batches", "targets", "loss")}
        begun = {"start": self.start} if self.start else {}
        network = {"name": self.network, **self.network_options}
        return {"network": network, **begun, **parts, "training": asdict(self.training)}


class LocaliserTraining(NetworkTraining):
    """One stage of the training of a network that localises sources.

    Attributes
    ----------
    options : LocaliserOptions
    """

    options: LocaliserOptions

    @abc.abstractmethod
    def architecture(self) -> LocaliserNetwork:
        """Return the network that is trained."""

    def check(self, before: Self | None) -> None:
        """Refuse as all networks do, and where the library is missing that fits rankings."""
        super().check(before)
        check_ranking_fitter()

    @abc.abstractmethod
    def calibrated(self, run: Runner, architecture: LocaliserNetwork) -> LocaliserNetwork:
        """Learn from the validation what the scores of the trained network mean."""

    @property
    def training(self) -> TrainingOptions:
        """How the network is trained."""
        return self.options.training

    @property
    def loss(self) -> Loss:
        """Loss of the recipe."""
        return loss_function(self.options.loss)

    def standardise(self, network: keras.Model, batches: Samples) -> None:
        """Let the network see each channel with mean 0 and standard deviation 1."""
        n = min(len(batches), -(-_LOOKED_AT // batches.batch_size))
        some = [inputs for inputs, _ in itertools.islice(batches.epoch(0), n)]
        standardise(network, [np.concatenate(arrays) for arrays in zip(*some, strict=True)])

    def begin(self, network: keras.Model) -> bool:
        """Bring the network to the weights in the folder ``start``, where there is one."""
        if not self.options.start:
            return False
        folder = Path(self.recipe.source).parent / self.options.start
        given = read_architecture(folder, type(self.architecture()))
        for name in ("network", "shapes", "options"):
            theirs, ours = (getattr(one, name) for one in (given, self.architecture()))
            if theirs != ours:
                raise ConfigError(
                    f"the weights to start from have {name} {theirs}, the recipe {ours}",
                    path=folder,
                    remedy="Change the recipe, or leave start out.",
                )
        network.set_weights(read_network(folder, given).get_weights())
        return True

    def publish(
        self, weights: Path, network: keras.Model, learned: Learned, test_loss: float | None
    ) -> None:
        """Write the folder of weights, with what scores mean."""
        card = localiser_card(learned, test_loss)
        exported = export_network(weights, network, self.architecture(), card=card)
        known = self.calibrated(onnx_runner(weights, exported), exported)
        known.write(weights / ARCHITECTURE, overwrite=True)


def localiser_card(learned: Learned, test_loss: float | None) -> str:
    """Card of a trained network that localises.

    Parameters
    ----------
    learned : Learned
    test_loss : float or None

    Returns
    -------
    str
    """
    settings = learned.stages[-1][0]
    epochs = sum(len(rows) for _, rows in learned.stages)
    stages = f" of {len(learned.stages)} stages" if len(learned.stages) > 1 else ""
    vary = settings.get("vary", {}).items()
    optional = {name: listed(settings[name]) for name in ("features", "draw") if name in settings}
    rows = {
        "network": listed(settings["network"]),
        "preset": settings["preset"],
        "population": plugin(settings["population"]),
        "renderer": plugin(settings["renderer"]),
        **{f"varying {role}": _ranges(options) for role, options in vary},
        "catalogues": catalogues(settings),
        "seed": settings["seed"],
        "begun with": learned.stages[0][0].get("start", "random weights"),
        "patches seen": f"{_patches(learned):,} in {epochs} epochs{stages}",
        "hours": f"{hours(learned)}, on {load_keras().backend.backend()}",
        **optional,
        "targets": listed(settings["targets"]),
        "loss": listed(settings["loss"]),
        "training": listed(settings["training"]),
        **outcome(learned, test_loss),
    }
    title = f"{settings['network']['name']}, trained for {settings['preset']}"
    return model_card(title, rows, learned)


def _patches(learned: Learned) -> int:
    """Patches or tiles that were seen in all stages."""
    parts = ((settings["batches"], len(rows)) for settings, rows in learned.stages)
    return sum(
        epochs * (each["patches_per_epoch"] // each["batch_size"]) * each["batch_size"]
        for each, epochs in parts
    )


def _ranges(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {low} to {high}" for name, (low, high) in options.items())
