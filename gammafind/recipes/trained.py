"""A training and the test of its outcome, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gammafind.training.history import Row
from gammafind.training.loop import Loss, Samples, TrainingOptions, evaluate, train

if TYPE_CHECKING:
    import keras

__all__ = ["Trained", "train_and_test"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training left.

    Attributes
    ----------
    weights : Path
        Folder of weights, for the option ``weights`` of the plugin that was trained.
    history : list of Row
        One row an epoch.
    test_loss : float or None
        Of the weights that are kept, on the catalogues of the test.
    n_made : int
        Catalogues that were not there before.
    seconds : float
        Wall-clock time of this run.
    """

    weights: Path
    history: list[Row]
    test_loss: float | None
    n_made: int
    seconds: float


def train_and_test(
    network: keras.Model,
    batches: Mapping[str, Samples | None],
    *,
    folder: Path,
    options: TrainingOptions,
    loss: Loss,
    resume: bool,
) -> tuple[list[Row], float | None]:
    """Train a network, as `gammafind.training.loop.train` does, and test it.

    Parameters
    ----------
    network : keras.Model
    batches : mapping of str to Samples or None
        ``train``, ``validation`` and, unless there is none, ``test``.
    folder : Path
    options : TrainingOptions
    loss : callable
    resume : bool

    Returns
    -------
    history : list of Row
    test_loss : float or None
    """
    history = train(
        network,
        batches["train"],
        batches["validation"],
        folder=folder,
        options=options,
        loss=loss,
        resume=resume,
    )
    test = batches.get("test")
    return history, None if test is None else evaluate(network, test, loss)
