"""Labelled detections for the training of a classifier, in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gammafind.errors import OptionError
from gammafind.training.batches import Batch
from gammafind.utils.streams import stream

__all__ = ["LabelledBatches", "LabelledCutouts"]

_CHOICE, _DRAW = 0, 1
_IMAGES = ("counts", "background", "epoch_counts", "epoch_background", "excess", "flags", "psf")
_SCORES = ("score", "pos_err")
_TRANSPOSE = 1


@dataclass(frozen=True, eq=False)
class LabelledCutouts:
    """Cut-outs of detections whose class is known.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        As of `gammafind.fitting.photons.cutouts.Cutouts`; ``score`` is among them.
    label : ndarray of int, shape (n,)
        Place of the class among those of the classifier.
    """

    arrays: Mapping[str, np.ndarray]
    label: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, rows: np.ndarray) -> LabelledCutouts:
        """Some of the detections."""
        some = {name: array[rows] for name, array in self.arrays.items()}
        return LabelledCutouts(some, self.label[rows])

    @classmethod
    def joined(cls, parts: Sequence[LabelledCutouts]) -> LabelledCutouts:
        """All detections of several sets."""
        arrays = {
            name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays
        }
        return cls(arrays, np.concatenate([part.label for part in parts]))


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledBatches:
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    cutouts : LabelledCutouts
    features : callable
        From arrays of cut-outs to the inputs of the network, a tuple of arrays.
    n_classes : int
    batch_size : int
    seed : int or tuple of int
    turns : bool
        Turn each cut-out by a random number of quarters, and flip half of them.
    upright : bool
        With ``turns``, flip in each direction, but let columns be columns.
    hidden_scores : float
        Share of the detections whose score and position error are hidden, so that the network
        learns to do without.
    fixed : bool
        Whether all epochs are the same, as validation needs.
    """

    cutouts: LabelledCutouts
    features: Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, ...]]
    n_classes: int
    batch_size: int = 256
    seed: int | tuple[int, ...] = 0
    turns: bool = False
    upright: bool = False
    hidden_scores: float = 0.0
    fixed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= len(self.cutouts):
            raise OptionError(
                f"batches of {self.batch_size} of {len(self.cutouts)} detections",
                remedy="Take smaller batches, or more catalogues.",
            )
        if not 0 <= self.hidden_scores <= 1:
            raise OptionError(
                f"hidden_scores is {self.hidden_scores}", remedy="It must be between 0 and 1."
            )

    def __len__(self) -> int:
        return len(self.cutouts) // self.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0."""
        number = 0 if self.fixed else number
        order = stream(self.seed, _CHOICE, number).permutation(len(self.cutouts))
        for index in range(len(self)):
            rows = order[index * self.batch_size : (index + 1) * self.batch_size]
            yield self._batch(self.cutouts[rows], stream(self.seed, _DRAW, number, index))

    def _batch(self, some: LabelledCutouts, rng: np.random.Generator) -> Batch:
        if self.turns:
            some = replace(some, arrays=_turned(some.arrays, rng, upright=self.upright))
        if self.hidden_scores:
            hidden = rng.random(len(some)) < self.hidden_scores
            scores = {name: np.where(hidden, np.nan, some.arrays[name]) for name in _SCORES}
            some = replace(some, arrays={**some.arrays, **scores})
        target = np.eye(self.n_classes, dtype=np.float32)[some.label]
        return self.features(some.arrays), target


def _turned(
    arrays: Mapping[str, np.ndarray], rng: np.random.Generator, *, upright: bool
) -> dict[str, np.ndarray]:
    """Turn and flip all images of each detection alike: each of eight ways, or of four."""
    way = rng.integers(0, 8, len(arrays["score"]))
    if upright:
        way &= ~_TRANSPOSE
    turned = dict(arrays)
    for name in _IMAGES:
        if name not in arrays:
            continue
        images = np.array(arrays[name])
        for bit, change in enumerate((_transposed, _flipped_y, _flipped_x)):
            rows = (way >> bit & 1).astype(bool)
            images[rows] = change(images[rows])
        turned[name] = images
    return turned


def _transposed(images: np.ndarray) -> np.ndarray:
    return images.swapaxes(-1, -2)


def _flipped_y(images: np.ndarray) -> np.ndarray:
    return images[..., ::-1, :]


def _flipped_x(images: np.ndarray) -> np.ndarray:
    return images[..., ::-1]
