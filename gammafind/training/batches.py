"""Batches of training data, drawn again each time: Poisson counts, turns, varied backgrounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.features import FeatureSpec, features
from gammafind.training.draws import DrawOptions, drawn_counts
from gammafind.training.shard_set import Expected, ShardSet
from gammafind.training.targets import TargetOptions, target_maps
from gammafind.utils.streams import stream

__all__ = [
    "Batches",
    "ahead",
    "epoch_rows",
    "turned_stack",
    "turned_truth",
]

Batch = tuple[tuple[np.ndarray, ...], np.ndarray]
"""Features (one array for each width) and targets of some patches."""

_CHOICE, _DRAW = 0, 1
"""Streams of random numbers: which patches an epoch sees, and what is drawn in them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batches:
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    shards : ShardSet
    n_patches : int
        Patches per epoch, rounded down to whole batches. If there are more than the shards hold,
        all are used equally often.
    batch_size : int
        Patches a batch.
    seed : int or tuple of int
    spec : FeatureSpec
    targets : TargetOptions
    draw : DrawOptions
    fixed : bool
        Whether all epochs are the same, as validation needs.
    threads : int
        How many batches are prepared at once, in parallel to the training.
    """

    shards: ShardSet
    n_patches: int
    batch_size: int = 32
    seed: int | tuple[int, ...] = 0
    spec: FeatureSpec
    targets: TargetOptions
    draw: DrawOptions
    fixed: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("batch_size", "threads"):
            if getattr(self, name) < 1:
                raise OptionError(
                    f"{name} is {getattr(self, name)}", remedy="It must be 1 or more."
                )
        if self.n_patches < self.batch_size:
            raise OptionError(
                f"an epoch of {self.n_patches} patches holds no batch of {self.batch_size}",
                remedy="Take more patches, or smaller batches.",
            )
        if not len(self.shards):
            raise OptionError(
                "there are no shards to draw from", remedy="Take a catalogue or more."
            )

        if self.targets.margin > self.shards.margin:
            raise OptionError(
                f"targets reach {self.targets.margin:g} pixels",
                remedy=f"The shards list sources up to {self.shards.margin:g} pixels beyond the "
                "border: take a smaller sigma or radius.",
            )

    def __len__(self) -> int:
        return self.n_patches // self.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, prepared by threads that run ahead.

        Parameters
        ----------
        number : int
            From 0.
        """
        number = 0 if self.fixed else number
        rows = self._rows(number)
        return ahead(lambda i: self._batch(number, i, rows[i]), len(self), self.threads)

    def _rows(self, epoch: int) -> np.ndarray:
        """Patches of each batch, shape (len(self), batch_size)."""
        rng = stream(self.seed, _CHOICE, epoch)
        return epoch_rows(len(self.shards), len(self), self.batch_size, rng=rng)

    def _batch(self, epoch: int, index: int, rows: np.ndarray) -> Batch:
        rng = stream(self.seed, _DRAW, epoch, index)
        expected = self.shards.read(rows, exposure=self.spec.exposure)
        counts = drawn_counts(expected, self.draw, self.shards.faintest, rng=rng)
        if self.draw.turns:
            choices = rng.integers(0, 2, (len(rows), 3)).astype(bool)
            expected = turned(expected, choices)
            counts = tuple(turned_stack(array, choices) for array in counts)
        seen = features(counts, expected.background, expected.exposure, self.spec)
        width = max(self.shards.widths)
        return seen, target_maps(expected.truth, len(rows), width, self.targets)


def epoch_rows(n: int, n_batches: int, batch_size: int, *, rng: np.random.Generator) -> np.ndarray:
    """Which of n samples are in each batch of an epoch, all of them equally often.

    Returns
    -------
    ndarray of int, shape (n_batches, batch_size)
    """
    wanted = n_batches * batch_size
    rounds = -(-wanted // n)
    rows = np.concatenate([rng.permutation(n) for _ in range(rounds)])
    return rows[:wanted].reshape(n_batches, batch_size)


def turned(expected: Expected, choices: np.ndarray) -> Expected:
    """Turn and flip patches.

    Parameters
    ----------
    expected : Expected
    choices : ndarray of bool, shape (n, 3)
        Whether each patch is transposed, then flipped in y, then flipped in x: all eight ways.

    Returns
    -------
    Expected
        With its truth at the new places.
    """
    width = max(array.shape[-1] for array in expected.sources)

    def turn(arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(turned_stack(array, choices) for array in arrays)

    return replace(
        expected,
        sources=turn(expected.sources),
        background=turn(expected.background),
        exposure=expected.exposure and turn(expected.exposure),
        truth=turned_truth(expected.truth, choices, width),
    )


def turned_truth(truth: np.ndarray, choices: np.ndarray, width: int) -> np.ndarray:
    """Sources of patches of some width, where they are after `turned`."""
    transposed, flip_y, flip_x = choices[truth["patch"]].T
    truth = truth.copy()
    x = np.where(transposed, truth["y"], truth["x"])
    y = np.where(transposed, truth["x"], truth["y"])
    truth["x"] = np.where(flip_x, width - 1 - x, x)
    truth["y"] = np.where(flip_y, width - 1 - y, y)
    return truth


def turned_stack(array: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """Images, shape (n, width, width) or with channels behind, turned as by `turned`."""
    result = np.empty_like(array)
    for target, patch, (transposed, flip_y, flip_x) in zip(result, array, choices, strict=True):
        patch = patch.swapaxes(0, 1) if transposed else patch
        target[...] = patch[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return result


def ahead(make: Callable[[int], Batch], n: int, threads: int) -> Iterator[Batch]:
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
