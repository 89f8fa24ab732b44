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
    [draw]                    # TurnOptions, or what a localiser has in their place
    [loss]                    # LossOptions
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammafind.errors import ConfigError
from gammafind.networks.folder import (
    ARCHITECTURE,
    Runner,
    export_network,
    onnx_runner,
    read_architecture,
    read_network,
)
from gammafind.networks.trained import LocaliserNetwork
from gammafind.roles.trainer import Learned
from gammafind.training.batches import Batches
from gammafind.training.card import model_card
from gammafind.training.draws import TurnOptions
from gammafind.training.fit_ranking import check_ranking_fitter
from gammafind.training.loop import Loss
from gammafind.training.losses import LossOptions, loss_function
from gammafind.training.network import NetworkOptions, NetworkTraining
from gammafind.training.options import at_least
from gammafind.training.targets import TargetOptions

if TYPE_CHECKING:
    import keras


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
class StartOptions:
    """Where a training begins.

    Parameters
    ----------
    start : str
        Folder of weights of the same network; where it is empty they are random.
    """

    start: str = ""


@dataclass(frozen=True, kw_only=True)
class LocaliserOptions(NetworkOptions):
    """What recipes of all networks that localise have.

    Parameters
    ----------
    network, network_options, training : see `NetworkOptions`
        Of all networks.
    begin : StartOptions
    batches : BatchOptions
    targets : TargetOptions
    draw : TurnOptions
    loss : LossOptions
    """

    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "training": ("begin", "batches", "training"),
        **{name: (name,) for name in ("targets", "draw", "loss")},
    }

    begin: StartOptions
    batches: BatchOptions
    targets: TargetOptions
    draw: TurnOptions
    loss: LossOptions

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        settings = super().settings
        begun = settings.pop("begin")
        return {**settings, **(begun if self.begin.start else {})}


@dataclass(frozen=True, eq=False, kw_only=True)
class LocaliserTraining(NetworkTraining):
    """One stage of the training of a network that localises sources.

    Parameters
    ----------
    recipe, folder : see `NetworkTraining`
    options : LocaliserOptions
    """

    reads: ClassVar[type[LocaliserOptions]] = LocaliserOptions

    options: LocaliserOptions

    @abc.abstractmethod
    def architecture(self) -> LocaliserNetwork:
        """Return the network that is trained."""

    @abc.abstractmethod
    def of_set(self, indices: range, **common: Any) -> Batches:
        """Return the batches of some catalogues.

        Parameters
        ----------
        indices : range
        **common
            Parameters of all batches, and ``targets`` and ``draw``.
        """

    @abc.abstractmethod
    def calibrated(self, run: Runner, architecture: LocaliserNetwork) -> LocaliserNetwork:
        """Learn from the validation what the scores of the trained network mean."""

    def check(self, before: Self | None) -> None:
        """Refuse as all networks do, and where the library is missing that fits rankings."""
        super().check(before)
        check_ranking_fitter()

    @property
    def loss(self) -> Loss:
        """Loss of the recipe."""
        return loss_function(self.options.loss)

    def drawn(self, split: str, **common: Any) -> Batches:
        """Batches of a set; only those of the training vary as ``draw`` says."""
        options, in_training = self.options, split == "train"
        sizes = options.batches
        return self.of_set(
            self.recipe.data.splits[split],
            per_epoch=sizes.patches_per_epoch if in_training else sizes.validation_patches,
            batch_size=sizes.batch_size,
            targets=options.targets,
            draw=options.draw if in_training else type(options.draw)(turns=False),
            **common,
        )

    def looked_at(self, batches: Batches) -> list[np.ndarray]:
        """Inputs of the first patches of the training."""
        n = min(len(batches), -(-_LOOKED_AT // batches.batch_size))
        some = [inputs for inputs, _ in itertools.islice(batches.epoch(0), n)]
        return [np.concatenate(arrays) for arrays in zip(*some, strict=True)]

    def begin(self, network: keras.Model) -> bool:
        """Bring the network to the weights in the folder ``start``, where there is one."""
        if not self.options.begin.start:
            return False
        folder = Path(self.recipe.source).parent / self.options.begin.start
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
        card = model_card(learned, test_loss, _card_rows(learned))
        exported = export_network(weights, network, self.architecture(), card=card)
        known = self.calibrated(onnx_runner(weights, exported), exported)
        known.write(weights / ARCHITECTURE, overwrite=True)


def _card_rows(learned: Learned) -> dict[str, Any]:
    """Rows of the card that those of localisers have."""
    epochs = sum(len(rows) for _, rows in learned.stages)
    stages = f" of {len(learned.stages)} stages" if len(learned.stages) > 1 else ""
    vary = learned.stages[-1][0].get("vary", {}).items()
    return {
        **{f"varying {role}": _ranges(options) for role, options in vary},
        "begun with": learned.stages[0][0].get("start", "random weights"),
        "patches seen": f"{_patches(learned):,} in {epochs} epochs{stages}",
    }


def _patches(learned: Learned) -> int:
    """Patches or tiles that were seen in all stages."""
    parts = ((settings["batches"], len(rows)) for settings, rows in learned.stages)
    return sum(
        epochs * (each["patches_per_epoch"] // each["batch_size"]) * each["batch_size"]
        for each, epochs in parts
    )


def _ranges(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {low} to {high}" for name, (low, high) in options.items())
