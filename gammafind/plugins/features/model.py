"""The trained model: trees of two stages, their calibration, and the range of the training.

The first stage says what kind a source is: an active galaxy, a pulsar, or another Galactic source.
The second one separates flat-spectrum radio quasars from BL Lacs among active galaxies.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Self

import numpy as np

from gammafind.errors import WeightsError
from gammafind.plugins.features.measures import NAMES
from gammafind.plugins.features.trees import Trees
from gammafind.utils.files import atomic_output, check_input

CLASSES = ("BLL", "FSRQ", "PSR", "OTHER")
"""BL Lacs, flat-spectrum radio quasars, pulsars, and other Galactic sources."""
_REALLY_BLAZARS = 0.99
"""Share of active galaxies among the blazars of uncertain type of a catalogue: more than 99 % of
those of 4FGL-DR1 that have a class in DR2 are."""
_NUMBERS = ("scale", "offset", "prior", "later")


@dataclass(frozen=True, eq=False)
class Stage:
    """Trees whose scores become probabilities.

    Attributes
    ----------
    trees : Trees
        Scores of k classes, trained as if all were equally frequent. With one score, k is 2 and the
        score is that of the second class.
    scale : float
        Of the scores.
    offset : ndarray, shape (k,)
        Added to the scaled scores.
    prior : ndarray, shape (k,)
        Share of each class among the sources without a class.
    later : ndarray, shape (k,)
        Share of each class among those of them that get a class later.
    """

    trees: Trees
    scale: float
    offset: np.ndarray
    prior: np.ndarray
    later: np.ndarray

    def evidence(self, matrix: np.ndarray) -> np.ndarray:
        """Logarithms of the likelihoods of the classes, up to a constant, shape (n, k)."""
        return self.scale * scores_of_all(self.trees.scores(matrix)) + self.offset

    def probability(self, matrix: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Probabilities of the classes with these shares, shape (k,) or (n, k); shape (n, k)."""
        return softmax(self.evidence(matrix) + np.log(shares))


@dataclass(frozen=True, eq=False)
class Model:
    """What the classifier learned.

    Attributes
    ----------
    kind : Stage
        Active galaxy, pulsar, other.
    blazar : Stage
        BLL, FSRQ.
    lower, upper : ndarray, shape (n_measures,)
        Range of each measure in the training.
    """

    kind: Stage
    blazar: Stage
    lower: np.ndarray
    upper: np.ndarray

    def probability(
        self, matrix: np.ndarray, is_blazar: np.ndarray, *, later: bool = True
    ) -> np.ndarray:
        """Probabilities of `CLASSES`, shape (n, 4).

        Parameters
        ----------
        matrix : ndarray, shape (n, n_measures)
        is_blazar : ndarray, shape (n,)
            Whether the catalogue has found a blazar of uncertain type at the position.
        later : bool
            Whether the shares of the classes are those of sources that get a class later, or those
            of all sources without a class.
        """
        kind, blazar = (one.later if later else one.prior for one in (self.kind, self.blazar))
        others = kind[1:] * (1 - _REALLY_BLAZARS) / kind[1:].sum()
        known = np.append(_REALLY_BLAZARS, others)
        kinds = np.where(is_blazar[:, None] > 0, known, kind)
        return _joined(
            self.kind.probability(matrix, kinds), self.blazar.probability(matrix, blazar)
        )

    def shares(self, *, later: bool = True) -> np.ndarray:
        """Shares of `CLASSES` that `probability` assumes, shape (4,)."""
        stages = (self.kind, self.blazar)
        return _joined(*((one.later if later else one.prior)[None] for one in stages))[0]

    def outside(self, matrix: np.ndarray) -> np.ndarray:
        """Which sources have a measure outside its range in the training, shape (n,)."""
        with np.errstate(invalid="ignore"):
            return np.any((matrix < self.lower) | (matrix > self.upper), axis=1)

    def write(self, path: str | PathLike) -> None:
        """Write plain arrays, without objects.

        Raises
        ------
        OutputError
            If the file exists or cannot be written.
        """
        stages = {"kind": self.kind, "blazar": self.blazar}
        arrays = {"names": np.array(NAMES), "lower": self.lower, "upper": self.upper}
        for name, stage in stages.items():
            arrays |= stage.trees.arrays(name)
            arrays |= {f"{name}_{key}": getattr(stage, key) for key in _NUMBERS}
        with atomic_output(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def read(cls, path: str | PathLike) -> Self:
        """Read what `write` has written; nothing in the file is executed.

        Raises
        ------
        MissingFileError, TruncatedFileError
            If there is no such file, or it is empty.
        WeightsError
            If it is damaged, or was trained on other measures.
        """
        path = check_input(path)
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = dict(file)
            if tuple(arrays["names"].tolist()) != NAMES:
                raise ValueError("it was trained on other measures")
            kind, blazar = (_stage(arrays, name) for name in ("kind", "blazar"))
            return cls(kind=kind, blazar=blazar, lower=arrays["lower"], upper=arrays["upper"])
        except Exception as error:  # Those of numpy and zipfile have no other common class.
            raise WeightsError(
                f"this is no model of the classifier features ({error})",
                path=path,
                remedy="Train it again by tools/train_features.py.",
            ) from error


def scores_of_all(scores: np.ndarray) -> np.ndarray:
    """Scores of all classes, shape (n, k); that of the first of two classes is 0."""
    if scores.shape[1] > 1:
        return scores
    return np.column_stack([np.zeros(len(scores)), scores])


def softmax(values: np.ndarray) -> np.ndarray:
    """Probabilities of logarithms of odds, shape (n, k)."""
    odds = np.exp(values - values.max(axis=1, keepdims=True, initial=-np.inf))
    return odds / odds.sum(axis=1, keepdims=True)


def _joined(kind: np.ndarray, blazar: np.ndarray) -> np.ndarray:
    """Probabilities of the four classes of those of the two stages."""
    return np.column_stack([kind[:, :1] * blazar, kind[:, 1:]])


def _stage(arrays: dict[str, np.ndarray], name: str) -> Stage:
    return Stage(
        trees=Trees.of_arrays(arrays, name),
        scale=float(arrays[f"{name}_scale"]),
        offset=arrays[f"{name}_offset"],
        prior=arrays[f"{name}_prior"],
        later=arrays[f"{name}_later"],
    )
