"""Labelled detections for the training of a classifier, in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.training.batches import Batch, Batches

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
class LabelledBatches(Batches):
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    data, per_epoch, batch_size, seed, fixed, threads : see `Batches`
        The data are `LabelledCutouts`.
    features : callable
        From arrays of cut-outs to the inputs of the network, a tuple of arrays.
    n_classes : int
    turns : bool
        Turn each cut-out by a random number of quarters, and flip half of them.
    upright : bool
        With ``turns``, flip in each direction, but let columns be columns.
    hidden_scores : float
        Share of the detections whose score and position error are hidden, so that the network
        learns to do without.
    """

    samples: ClassVar[str] = "detections"

    data: LabelledCutouts
    features: Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, ...]]
    n_classes: int
    turns: bool = False
    upright: bool = False
    hidden_scores: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.hidden_scores <= 1:
            raise OptionError(
                f"hidden_scores is {self.hidden_scores}", remedy="It must be between 0 and 1."
            )

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Turn some cut-outs, and hide some of their scores."""
        some = self.data[rows]
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
