"""The classifier of catalogues: measured columns in, class probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError
from gammafind.plugins.features.columns import REQUIRED, columns_of
from gammafind.plugins.features.measures import matrix_of
from gammafind.plugins.features.model import CLASSES, Model
from gammafind.roles.base import Sees
from gammafind.roles.classifier import CLASS_PROBABILITY, UNKNOWN, Classifier
from gammafind.roles.levels import stated_labels
from gammafind.sky.bands import Band

MODEL = "model.npz"
"""File of the trained model in a folder of weights."""
SHIPPED = Path(__file__).parent / "weights" / "4fgl-dr2"
"""Weights that come with the package."""

BLAZARS = ("BLL", "FSRQ")
OPEN, OUTSIDE, MISSING = 1, 2, 4
"""Bits of ``Class_Flags``: no level is probable enough; a measure is outside the range of the
training; the spectrum was not measured."""


@dataclass(frozen=True, kw_only=True)
class Features(Classifier):
    """Boosted trees over the measured columns of a catalogue like 4FGL.

    Parameters
    ----------
    weights : str
        Folder of a trained model; the shipped one where it is empty.
    abstain : float
        Least probability of the class or the group of classes that is named; where none has it, the
        label is `gammafind.roles.classifier.UNKNOWN`.

    References
    ----------
    Ackermann et al. 2012, ApJ 753, 83 (classes of unassociated sources); Saerens et al. 2002,
    Neural Computation 14, 21 (shares of the classes)
    """

    name: ClassVar[str] = "features"
    classes: ClassVar[tuple[str, ...]] = CLASSES
    sees: ClassVar[Sees | Literal["catalogue"]] = "catalogue"
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "BCU": BLAZARS,
        "GALACTIC": ("PSR", "OTHER"),
    }

    weights: str = ""
    abstain: float = 0.9

    @property
    def further_files(self) -> tuple[Path, ...]:
        """The trained model."""
        return (self._path,)

    @property
    def _path(self) -> Path:
        return (Path(self.weights) if self.weights else SHIPPED) / MODEL

    @property
    def label_weights(self) -> np.ndarray:
        """One over the share of each class that the probabilities assume."""
        return 1 / Model.read(self._path).shares()

    def for_sky(self, bands: Sequence[Band], n_epochs: int) -> Self:
        """Refuse maps: it takes catalogues.

        Raises
        ------
        OptionError
            Always.
        """
        raise OptionError(
            f"the classifier {self.name} takes a catalogue, not maps",
            remedy="Run gammafind classify on a catalogue of measured sources.",
        )

    def columns_of(self, catalogue: QTable, *, what: str = "the catalogue") -> Mapping:
        """Take the measured columns from a catalogue.

        Raises
        ------
        TableError
            If it has no rows, lacks a column, or a column cannot be used.
        """
        return columns_of(catalogue, what=what)

    def classify(self, cutouts: Mapping[str, np.ndarray]) -> QTable:
        """Class probabilities of each source, and why it has no label.

        Parameters
        ----------
        cutouts : mapping of str to ndarray
            From `columns_of`.

        Returns
        -------
        QTable
            As of `gammafind.roles.classifier.Classifier.classify`, with ``Class_Flags``: the sum of
            1 where no level is probable enough, 2 where a measure is outside the range of the
            training, and 4 where the spectrum was not measured. Where 2 or 4 is set the label
            is `gammafind.roles.classifier.UNKNOWN` too.

        Raises
        ------
        MissingFileError, WeightsError
            If there is no model, or it is damaged.
        """
        table = super().classify(cutouts)
        model, matrix = Model.read(self._path), matrix_of(dict(cutouts))
        self._keep_to_both(table, model.probability(matrix, cutouts["is_blazar"], later=False))
        outside = model.outside(matrix)
        missing = ~np.all([np.isfinite(cutouts[name]) for name in REQUIRED], axis=0)
        named = np.asarray(table["class_label"]) != UNKNOWN
        flags = OPEN * ~named + OUTSIDE * outside + MISSING * missing
        hidden = outside | missing
        table["class_label"] = np.where(hidden, UNKNOWN, table["class_label"])
        table[CLASS_PROBABILITY] = np.where(hidden, 0.0, table[CLASS_PROBABILITY])
        table["Class_Flags"] = flags.astype(int)
        return table

    def _keep_to_both(self, table: QTable, other: np.ndarray) -> None:
        """Name the group where the class depends on which shares of the classes are assumed."""
        levels = {"least": self.abstain, "unknown": UNKNOWN}
        labels, stated = stated_labels(other, self.classes, self.groups, **levels)
        label = np.asarray(table["class_label"]).astype(object)
        moot = (label != labels) & (np.isin(label, BLAZARS) | np.isin(labels, BLAZARS))
        together = other[:, np.isin(self.classes, BLAZARS)].sum(axis=1)
        label[moot] = "BCU"
        table["class_label"] = label.astype(str)
        least = np.minimum(table[CLASS_PROBABILITY], stated)
        table[CLASS_PROBABILITY] = np.where(moot, together, least)

    def _classify(self, cutouts: Mapping[str, np.ndarray]) -> np.ndarray:
        matrix = matrix_of(dict(cutouts))
        return Model.read(self._path).probability(matrix, cutouts["is_blazar"])
