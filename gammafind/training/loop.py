"""The training loop: a checkpoint after each epoch, from which it goes on as if never stopped."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.errors import OptionError, OutputError, TrainingError, TruncatedFileError
from gammafind.networks.backend import load_keras
from gammafind.roles.trainer import Row
from gammafind.training.batches import Batch, Batches
from gammafind.training.history import best_row, write_history
from gammafind.utils.files import atomic_output, file_checksum
from gammafind.utils.progress import track
from gammafind.utils.reading import reading

if TYPE_CHECKING:
    import keras


_log = logging.getLogger("gammafind")

CHECKPOINT = "checkpoint.npz"
"""State after the last epoch that ended."""
WEIGHTS = "best.weights.h5"
"""Weights of the epoch of the lowest validation loss."""

Loss = Callable[[Any, Any], Any]
"""From the targets and the outputs of a batch, both tensors, to one number."""

_HISTORY, _BEST = "history", "best"
"""Entries of the checkpoint that are texts."""
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        The learning rate falls along a cosine to nearly zero at the end of the last one.
    learning_rate : float
        Highest learning rate.
    warm_up : float
        Share of all steps in which the learning rate rises to its highest.
    weight_decay : float
        Of AdamW.
    clip_norm : float
        Largest norm of all gradients together.
    patience : int
        Stop after so many epochs without a lower validation loss.
    stop_after : int
        Stop after so many epochs, while the learning rate is still that of a training of
        ``epochs``; 0: after all of them.
    precision : {"float32", "bfloat16"}
        Of what flows through the layers while the network learns. Weights are of 32 bits always.
        On a CPU that multiplies bfloat16 the training is a third faster with it.
    """

    epochs: int = 40
    learning_rate: float = 2e-3
    warm_up: float = 0.02
    weight_decay: float = 1e-4
    clip_norm: float = 1.0
    patience: int = 10
    stop_after: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name in ("epochs", "patience"):
            self._require(name, getattr(self, name) >= 1, "1 or more")
        within = f"0 to the {self.epochs} epochs"
        self._require("stop_after", 0 <= self.stop_after <= self.epochs, within)
        for name in ("learning_rate", "clip_norm"):
            self._require(name, 0 < getattr(self, name) < np.inf, "above 0")
        self._require("weight_decay", 0 <= self.weight_decay < np.inf, "0 or more")
        self._require("warm_up", 0 <= self.warm_up < 1, "0 or more and below 1")
        self._require("precision", self.precision in _POLICIES, f"one of {', '.join(_POLICIES)}")

    @property
    def n_epochs(self) -> int:
        """Epochs that are trained, unless the loss levels off before."""
        return self.stop_after or self.epochs

    @property
    def policy(self) -> str:
        """Name of the precision in keras."""
        return _POLICIES[self.precision]

    def _require(self, name: str, fulfilled: bool, accepted: str) -> None:
        if not fulfilled:
            raise OptionError(
                f"{name} of the training is {getattr(self, name)}", remedy=f"It must be {accepted}."
            )


def train(
    network: keras.Model,
    training: Batches,
    validation: Batches,
    *,
    folder: Path,
    options: TrainingOptions,
    loss: Loss,
    resume: bool = False,
) -> list[Row]:
    """Train a network.

    After each epoch the folder holds ``checkpoint.npz`` (weights, state of the optimiser,
    history), ``history.ecsv`` and ``history.png``, and `WEIGHTS`. Batches depend on their seed
    and the number of the epoch alone, so that a training that was stopped and resumed gives what
    it would have given without a stop.

    Parameters
    ----------
    network : keras.Model
        Freshly made. It ends with the weights of the lowest validation loss.
    training, validation : Batches
    folder : Path
        Where to write; it must be there.
    options : TrainingOptions
    loss : callable
        As `Loss`.
    resume : bool
        Go on from the checkpoint, if there is one.

    Returns
    -------
    list of Row
        History, one row an epoch.

    Raises
    ------
    OutputError
        If the folder holds a training already and ``resume`` is false.
    TrainingError
        If the loss is not finite, or the checkpoint is not of this network.
    """
    _compile(network, options, loss, len(training))
    checkpoint = folder / CHECKPOINT
    history, best = _start(network, checkpoint, resume)
    while len(history) < options.n_epochs and not _levelled_off(history, options.patience):
        row = _epoch(network, training, validation, len(history))
        history.append(row)
        if best_row(history) is row:
            with atomic_output(folder / WEIGHTS, overwrite=True) as temporary:
                network.save_weights(temporary)
            best = file_checksum(folder / WEIGHTS)
        write_history(history, folder)
        _write_checkpoint(checkpoint, _state(network), history, best)
        _tell(row, options.epochs, best=best_row(history) is row)
    _load_best(network, folder / WEIGHTS, best)
    return history


def evaluate(network: keras.Model, batches: Batches, loss: Loss) -> float:
    """Mean loss of a network over an epoch of batches.

    Parameters
    ----------
    network : keras.Model
    batches : Batches
    loss : callable
        As `Loss`.

    Returns
    -------
    float
    """
    network.compile(loss=loss)
    return _mean_loss(network, network.test_on_batch, batches.epoch(0), len(batches), "test")


def _compile(network: keras.Model, options: TrainingOptions, loss: Loss, steps: int) -> None:
    """Give a network its optimiser and its loss."""
    keras = load_keras()
    total = options.epochs * steps
    warm_up = int(options.warm_up * total)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warm_up else options.learning_rate,
        decay_steps=total - warm_up,
        warmup_target=options.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=options.weight_decay, global_clipnorm=options.clip_norm
    )
    network.compile(optimizer, loss=loss)
    optimizer.build(network.trainable_variables)


def _start(network: keras.Model, checkpoint: Path, resume: bool) -> tuple[list[Row], str]:
    """History so far, and the checksum of the best weights; the network is brought to there."""
    if not checkpoint.exists():
        return [], ""
    if not resume:
        raise OutputError(
            "a training has begun here already",
            path=checkpoint.parent,
            remedy="Go on with --resume (resume in Python), or choose another folder.",
        )
    arrays, history, best = _read_checkpoint(checkpoint)
    variables = _variables(network)
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise TrainingError(
            "the checkpoint is of another network or optimiser",
            path=checkpoint,
            remedy="Go on with the settings with which it was made, or choose another folder.",
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return history, best


def _load_best(network: keras.Model, path: Path, checksum: str) -> None:
    """Give a network its best weights, which must be as they were written.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If they are not there or damaged.
    """
    remedy = "Remove the folder and begin again."
    with reading(path, "the weights are damaged", kind=TruncatedFileError, remedy=remedy):
        if checksum and file_checksum(path) != checksum:
            raise ValueError("their SHA-256 is not that of the checkpoint")
        network.load_weights(path)


def _state(network: keras.Model) -> list[np.ndarray]:
    keras = load_keras()
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(network)]


def _variables(network: keras.Model) -> list[keras.Variable]:
    """All that a step of training changes: weights, seeds of layers, state of the optimiser."""
    return [*network.variables, *network.optimizer.variables]


def _tell(row: Row, epochs: int, *, best: bool) -> None:
    _log.info(
        "epoch %d of %d: loss %.5f, validation %.5f%s, %.0f patches/s",
        row["epoch"],
        epochs,
        row["loss"],
        row["val_loss"],
        " (lowest so far)" if best else "",
        row["patches_per_second"],
    )


def _levelled_off(history: list[Row], patience: int) -> bool:
    return bool(history) and history[-1]["epoch"] - best_row(history)["epoch"] >= patience


def _epoch(network: keras.Model, training: Batches, validation: Batches, number: int) -> Row:
    """Train for an epoch, and look how well it went."""
    keras = load_keras()
    start = perf_counter()
    name = f"epoch {number + 1}"
    batches = training.epoch(number)
    loss = _mean_loss(network, network.train_on_batch, batches, len(training), name)
    seconds = perf_counter() - start
    of_validation = validation.epoch(number)
    val_loss = _mean_loss(
        network, network.test_on_batch, of_validation, len(validation), f"{name}: validation"
    )
    return {
        "epoch": number + 1,
        "learning_rate": float(keras.ops.convert_to_numpy(network.optimizer.learning_rate)),
        "loss": loss,
        "val_loss": val_loss,
        "seconds": round(perf_counter() - start, 3),
        "patches_per_second": round(len(training) * training.batch_size / seconds, 3),
    }


def _mean_loss(
    network: keras.Model,
    step: Callable[..., dict],
    batches: Iterable[Batch],
    n_batches: int,
    what: str,
) -> float:
    """Mean of the losses that ``step`` returns for all batches."""
    losses = []
    for inputs, target in track(batches, what, total=n_batches):
        network.reset_metrics()
        losses.append(float(step(list(inputs), target, return_dict=True)["loss"]))
        if not np.isfinite(losses[-1]):
            raise TrainingError(
                f"{what}: the loss is {losses[-1]} in batch {len(losses)}",
                remedy="Lower the learning rate, or look for values that are not finite.",
            )
    return float(np.mean(losses))


def _write_checkpoint(
    path: Path, arrays: Sequence[np.ndarray], history: Sequence[Row], best: str
) -> None:
    """Write the state of a training, in place of the one before.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``.
    arrays : sequence of ndarray
    history : sequence of Row
    best : str
        SHA-256 of the best weights.
    """
    named = {f"array_{i}": array for i, array in enumerate(arrays)}
    texts = {_HISTORY: json.dumps(list(history)), _BEST: best}
    with atomic_output(path, overwrite=True) as temporary:
        np.savez(temporary, **{name: np.array(text) for name, text in texts.items()}, **named)


def _read_checkpoint(path: Path) -> tuple[list[np.ndarray], list[Row], str]:
    """Read what `_write_checkpoint` wrote, to the bit; earlier versions wrote no checksum.

    Raises
    ------
    TruncatedFileError
        If the file is damaged.
    """
    remedy = "Remove it and start again."
    with reading(path, "the checkpoint is damaged", kind=TruncatedFileError, remedy=remedy):
        with path.open("rb") as stream, np.load(stream) as file:
            history = json.loads(str(file[_HISTORY]))
            best = str(file[_BEST]) if _BEST in file.files else ""
            n_arrays = len(file.files) - len({_HISTORY, _BEST} & {*file.files})
            arrays = [file[f"array_{i}"] for i in range(n_arrays)]
        if not all(np.isfinite([row["loss"], row["val_loss"]]).all() for row in history):
            raise ValueError("its losses are no numbers")
        return arrays, list(history), best
