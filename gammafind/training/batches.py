"""Batches of training data, drawn again each time they are used."""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.training.options import at_least
from gammafind.utils.streams import stream

Batch = tuple[tuple[np.ndarray, ...], np.ndarray]
"""Inputs of a network (one array each) and targets of some samples."""

_CHOICE, _DRAW = 0, 1
"""Streams of random numbers: which samples an epoch sees, and what is drawn in them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batches(abc.ABC):
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    What a kind of samples adds: how some of them are drawn.

    Parameters
    ----------
    data : sized
        The samples.
    per_epoch : int
        Samples an epoch, rounded down to whole batches; 0 for each of them once. If there are
        more than the data hold, all are used equally often.
    batch_size : int
        Samples a batch.
    seed : int or tuple of int
    fixed : bool
        Whether all epochs are the same, as validation needs.
    threads : int
        How many batches are prepared at once, in parallel to the training.
    """

    samples: ClassVar[str]
    """What they are, for messages."""

    data: Sized
    per_epoch: int = 0
    batch_size: int
    seed: int | tuple[int, ...] = 0
    fixed: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads"):
            at_least(name, getattr(self, name), 1)
        if self.n_seen < self.batch_size:
            raise OptionError(
                f"an epoch of {self.n_seen} {self.samples} holds no batch of {self.batch_size}",
                remedy=f"Take more {self.samples}, or smaller batches.",
            )

    def __len__(self) -> int:
        return self.n_seen // self.batch_size

    @property
    def n_seen(self) -> int:
        """Samples an epoch."""
        return self.per_epoch or len(self.data)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, prepared by threads that run ahead.

        Parameters
        ----------
        number : int
            From 0.
        """
        number = 0 if self.fixed else number
        rows = self.rows(number)
        return _ahead(
            lambda i: self.drawn(rows[i], stream(self.seed, _DRAW, number, i)),
            len(self),
            self.threads,
        )

    def rows(self, epoch: int) -> np.ndarray:
        """Which samples are in each batch of an epoch, shape (len(self), batch_size)."""
        rng, n = stream(self.seed, _CHOICE, epoch), len(self.data)
        wanted = len(self) * self.batch_size
        rows = np.concatenate([rng.permutation(n) for _ in range(-(-wanted // n))])
        return rows[:wanted].reshape(len(self), self.batch_size)

    @abc.abstractmethod
    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Draw the batch of some samples."""


def turn_choices(n: int, rng: np.random.Generator) -> np.ndarray:
    """Whether each of n images is transposed, then flipped in y, then in x; bool, shape (n, 3)."""
    return rng.integers(0, 2, (n, 3)).astype(bool)


def turned_truth(truth: np.ndarray, choices: np.ndarray, width: int) -> np.ndarray:
    """Sources of patches of some width, turned as by `turned_stack`."""
    transposed, flip_y, flip_x = choices[truth["patch"]].T
    truth = truth.copy()
    x = np.where(transposed, truth["y"], truth["x"])
    y = np.where(transposed, truth["x"], truth["y"])
    truth["x"] = np.where(flip_x, width - 1 - x, x)
    truth["y"] = np.where(flip_y, width - 1 - y, y)
    return truth


def turned_stack(array: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """Images, shape (n, width, width) or with channels behind, turned by `turn_choices`."""
    result = np.empty_like(array)
    for target, patch, (transposed, flip_y, flip_x) in zip(result, array, choices, strict=True):
        patch = patch.swapaxes(0, 1) if transposed else patch
        target[...] = patch[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return result


def _ahead(make: Callable[[int], Batch], n: int, threads: int) -> Iterator[Batch]:
    """Yield ``make(0)``, ``make(1)`` and so on, each started before it is needed."""
    with ThreadPoolExecutor(threads, thread_name_prefix="batches") as pool:
        waiting = deque(pool.submit(make, i) for i in range(min(n, threads + 1)))
        try:
            for i in range(n):
                batch = waiting.popleft().result()
                if i + threads + 1 < n:
                    waiting.append(pool.submit(make, i + threads + 1))
                yield batch
        finally:
            for future in waiting:
                future.cancel()
