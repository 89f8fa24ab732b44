"""Training of a network of keras, from its data to its folder of weights."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gammafind.errors import ConfigError
from gammafind.networks.backend import load_keras, load_weights
from gammafind.roles.base import Plugin
from gammafind.roles.trainer import Learned, Row
from gammafind.training.folders import Buildable, built, check_libraries, whole
from gammafind.training.loop import WEIGHTS, Loss, Samples, TrainingOptions, evaluate, train
from gammafind.training.recipe import Recipe
from gammafind.training.shards import Maker, make_shards
from gammafind.utils.progress import stage

if TYPE_CHECKING:
    import keras

__all__ = ["NetworkTraining"]


class NetworkTraining(abc.ABC):
    """One stage of the training of a network; a `gammafind.roles.trainer.Training`.

    What a plugin adds: how its data are made, what is trained, in which batches, and how it is
    published.

    Attributes
    ----------
    recipe : Recipe
    training : TrainingOptions
    """

    recipe: Recipe
    training: TrainingOptions

    @property
    @abc.abstractmethod
    def maker(self) -> Maker:
        """Makes the data of one catalogue after the other."""

    @property
    @abc.abstractmethod
    def used(self) -> Mapping[str, Plugin]:
        """Plugins that make the data, by role."""

    @property
    @abc.abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """All that decides what comes out; JSON."""

    @property
    @abc.abstractmethod
    def loss(self) -> Loss:
        """What is made small."""

    @abc.abstractmethod
    def architecture(self) -> Buildable:
        """Return the network that is trained."""

    @abc.abstractmethod
    def batches(self, split: str, workers: int) -> Samples | None:
        """Batches of ``train``, ``validation`` or ``test``, None where the set is empty."""

    @abc.abstractmethod
    def standardise(self, network: keras.Model, batches: Samples) -> None:
        """Let a network see each input with mean 0 and standard deviation 1."""

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
        ours = built(self.architecture(), self.training.policy)
        if before is None:
            self.begin(ours)
        elif _shapes(ours) != _shapes(built(before.architecture(), before.training.policy)):
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
        network = built(self.architecture(), self.training.policy)
        training, validation = (self.batches(name, workers) for name in ("train", "validation"))
        if before is not None:
            load_weights(network, before / WEIGHTS)
        elif not self.begin(network):
            with stage("looking at the data"):
                self.standardise(network, training)
        return train(
            network,
            training,
            validation,
            folder=folder,
            options=self.training,
            loss=self.loss,
            resume=resume,
        )

    def finish(self, weights: Path, learned: Learned, *, workers: int) -> Mapping[str, Any]:
        """Test the weights that are kept, and publish them."""
        network = built(self.architecture(), self.training.policy)
        load_weights(network, learned.folder / WEIGHTS)
        test = self.batches("test", workers)
        test_loss = None if test is None else evaluate(network, test, self.loss)
        self.publish(weights, whole(network, self.architecture()), learned, test_loss)
        return {"test_loss": test_loss, "backend": load_keras().backend.backend()}


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(array.shape) for array in network.get_weights()]
