"""Training of a network of keras, from its data to its folder of weights."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

import numpy as np

from gammafind.errors import ConfigError
from gammafind.networks.backend import load_keras, load_weights
from gammafind.networks.layers import standardise
from gammafind.networks.trained import TrainedNetwork
from gammafind.presets.preset import build
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import describe_plugin
from gammafind.roles.trainer import Learned, Row
from gammafind.training.batches import Batches
from gammafind.training.folders import built, check_libraries, whole
from gammafind.training.loop import WEIGHTS, Loss, TrainingOptions, evaluate, train
from gammafind.training.options import STREAMS
from gammafind.training.recipe import Recipe
from gammafind.training.sets import Maker, make_shards
from gammafind.utils.progress import stage

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """What recipes of all networks have; a subclass adds dataclasses of plain options.

    Parameters
    ----------
    network : str
    network_options : mapping
    training : TrainingOptions
    """

    default: ClassVar[str] = "gammafind"
    """Network, where the recipe names none."""
    tables: ClassVar[Mapping[str, tuple[str, ...]]]
    """Fields that each table of a recipe holds."""

    network: str
    network_options: Mapping[str, Any]
    training: TrainingOptions

    @classmethod
    def read(cls, recipe: Recipe) -> Self:
        """Read them from a recipe."""
        types, values = get_type_hints(cls), {}
        for table, names in cls.tables.items():
            read = recipe.options(table, *(types[name] for name in names))
            values.update(zip(names, read, strict=True))
        network, options = recipe.named("network", cls.default)
        return cls(network=network, network_options=options, **values)

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        parts = {one.name: getattr(self, one.name) for one in fields(self)}
        network = {"name": self.network, **self.network_options}
        tables = {name: asdict(part) for name, part in parts.items() if is_dataclass(part)}
        return {"network": network, **tables}


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkTraining(abc.ABC):
    """One stage of the training of a network; a `gammafind.roles.trainer.Training`.

    The class itself is the `gammafind.roles.trainer.Trainer`. What a plugin adds: how its data are
    made, what is trained, in which batches, and how it is published.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the whole training.
    options : NetworkOptions
    """

    sections: ClassVar[tuple[str, ...]]
    reads: ClassVar[type[NetworkOptions]]
    """What is read of the recipe."""
    roles: ClassVar[tuple[str, ...]] = ("population", "renderer")
    """Plugins that make the data."""

    recipe: Recipe
    folder: Path
    options: NetworkOptions

    @classmethod
    def prepare(cls, recipe: Recipe, folder: Path) -> Self:
        """Return the training of one stage.

        Raises
        ------
        ConfigError, OptionError
            If the recipe cannot be.
        """
        return cls(recipe=recipe, folder=folder, options=cls.reads.read(recipe))

    @cached_property
    def used(self) -> dict[str, Plugin]:
        """Plugins that make the data, by role."""
        return {role: build(getattr(self.recipe.preset, role)) for role in self.roles}

    @property
    def described(self) -> dict[str, Any]:
        """The same as JSON."""
        return {role: describe_plugin(role, plugin) for role, plugin in self.used.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        return {**self.recipe.settings, **self.options.settings, **self.described}

    @property
    @abc.abstractmethod
    def maker(self) -> Maker:
        """Makes the data of one catalogue after the other."""

    @property
    @abc.abstractmethod
    def loss(self) -> Loss:
        """What is made small."""

    @abc.abstractmethod
    def architecture(self) -> TrainedNetwork:
        """Return the network that is trained."""

    def batches(self, split: str, workers: int) -> Batches | None:
        """Batches of ``train``, ``validation`` or ``test``, None where the set is empty.

        Those of validation and test are always the same.
        """
        if not self.recipe.data.splits[split]:
            return None
        seed = (self.recipe.seed, STREAMS[split])
        return self.drawn(split, seed=seed, fixed=split != "train", threads=workers)

    @abc.abstractmethod
    def drawn(self, split: str, **common: Any) -> Batches:
        """Return the batches of a set.

        Parameters
        ----------
        split : str
        **common
            Parameters of all `Batches`.
        """

    @abc.abstractmethod
    def looked_at(self, batches: Batches) -> Sequence[np.ndarray]:
        """Return the inputs from which the mean and the spread of each channel are taken."""

    @abc.abstractmethod
    def publish(
        self, weights: Path, network: keras.Model, learned: Learned, test_loss: float | None
    ) -> None:
        """Write the folder of weights, with what the outputs of the network mean, and its card.

        Parameters
        ----------
        weights : Path
        network : keras.Model
            With the weights of the lowest validation loss, all in 32 bits.
        learned : Learned
        test_loss : float or None
        """

    def begin(self, network: keras.Model) -> bool:
        """Bring a network to weights that the recipe names; return whether it names any."""
        return False

    def check(self, before: NetworkTraining | None) -> None:
        """Refuse all that would fail later, before anything is made.

        Raises
        ------
        MissingBackendError
            If keras does not run on torch, or onnx or onnxruntime is not installed.
        ConfigError, OptionError
            If the network has no such options, or is not that of the stage before.
        """
        load_keras()
        check_libraries()
        ours = built(self.architecture(), self.options.training.policy)
        if before is None:
            self.begin(ours)
        elif _shapes(ours) != _shapes(built(before.architecture(), before.options.training.policy)):
            raise ConfigError(
                "the network is not that of the stage before",
                path=self.recipe.source,
                remedy="Stages have the same inputs and the same [network].",
            )

    def make_data(self, workers: int) -> int:
        """Make the data that are missing; return how many sets were made."""
        indices = list(itertools.chain(*self.recipe.data.splits.values()))
        return make_shards(self.maker, indices, workers=workers)

    def learn(
        self, folder: Path, *, before: Path | None, resume: bool, workers: int
    ) -> Sequence[Row]:
        """Train the network, from its weights of the lowest loss in the stage before."""
        load_keras().utils.set_random_seed(self.recipe.seed)
        network = built(self.architecture(), self.options.training.policy)
        training, validation = (self.batches(name, workers) for name in ("train", "validation"))
        if before is not None:
            load_weights(network, before / WEIGHTS)
        elif not self.begin(network):
            with stage("looking at the data"):
                inputs = self.looked_at(training)
                standardise(network, dict(zip(self.architecture().shapes, inputs, strict=True)))
        return train(
            network,
            training,
            validation,
            folder=folder,
            options=self.options.training,
            loss=self.loss,
            resume=resume,
        )

    def finish(self, weights: Path, learned: Learned, *, workers: int) -> Mapping[str, Any]:
        """Test the weights that are kept, and publish them."""
        network = built(self.architecture(), self.options.training.policy)
        load_weights(network, learned.folder / WEIGHTS)
        test = self.batches("test", workers)
        test_loss = None if test is None else evaluate(network, test, self.loss)
        self.publish(weights, whole(network, self.architecture()), learned, test_loss)
        return {"test_loss": test_loss, "backend": load_keras().backend.backend()}


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in network.get_weights()]
