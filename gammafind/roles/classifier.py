"""The role of classifiers."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError, ShapeError
from gammafind.roles.base import Plugin, Sees
from gammafind.roles.deprecated import renamed
from gammafind.roles.levels import stated_labels
from gammafind.roles.trainer import Trainer
from gammafind.sky.bands import Band
from gammafind.sky.cutouts import CutoutLayout
from gammafind.utils.checks import require

UNKNOWN = "UNK"
"""Label of a source whose class is too uncertain."""
CLASS_PROBABILITY = "class_probability"
"""Column with the probability of the label, where labels have levels."""

_SUM_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Classifier(Plugin):
    """Names the class of each source from its cut-outs.

    Parameters
    ----------
    abstain : float
        Sources whose most probable class is less probable than this are called `UNKNOWN`; 0 for
        none.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from gammafind import Classifier
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Coin(Classifier):
    ...     name = "coin"
    ...     classes = ("heads", "tails")
    ...
    ...     def _classify(self, cutouts):
    ...         return np.tile([0.6, 0.4], (len(cutouts["counts"]), 1))
    >>> print(Coin().classify({"counts": np.zeros((1, 1, 7, 7))})["class_label"][0])
    heads
    """

    classes: ClassVar[tuple[str, ...]]
    fakes: ClassVar[tuple[str, ...]] = ()
    """Classes of detections that are no sources; empty where there is none."""
    sees: ClassVar[Sees | Literal["catalogue"]] = "maps"
    """Whether its cut-outs are made of maps of the sky, or of the image of a camera; or whether its
    inputs are the columns of a catalogue."""
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Groups of classes, the finest first. Where there are some, the label is that of the finest
    level, a class or a group, whose probability is at least `abstain`."""

    _old_names: ClassVar = {"looks_at": renamed("looks_at", "sees")}

    abstain: float = 0.0

    def __post_init__(self) -> None:
        require("abstain", self.abstain, 0 <= self.abstain <= 1, "It must be between 0 and 1.")

    @classmethod
    def trainer(cls) -> Trainer | None:
        """Return how the classifier learns from a recipe, None where it does not."""
        return None

    @property
    def layout(self) -> CutoutLayout:
        """Size of the cut-outs that it takes."""
        return CutoutLayout()

    @property
    def n_epochs(self) -> int:
        """Number of epochs that it uses; 0 for none."""
        return 0

    @property
    def label_weights(self) -> np.ndarray:
        """Weights of the probabilities when the label is chosen, one a class; ones by default."""
        return np.ones(len(self.classes))

    def for_sky(self, bands: Sequence[Band], n_epochs: int) -> Self:
        """Return the classifier for a sky of these bands; itself by default.

        Parameters
        ----------
        bands : sequence of Band
        n_epochs : int
            Number of epochs with separate counts; 0 for none.

        Raises
        ------
        InputFileError
            If it cannot classify sources on this sky; the message says what is missing.
        """
        return self

    def columns_of(
        self, catalogue: QTable, *, what: str = "the catalogue"
    ) -> Mapping[str, np.ndarray]:
        """Take the inputs of `classify` from a catalogue.

        Parameters
        ----------
        catalogue : QTable
            n rows.
        what : str
            Name of the catalogue, for messages.

        Returns
        -------
        mapping of str to ndarray
            Each of shape (n, ...).

        Raises
        ------
        OptionError
            If the classifier sees maps or images, as by default.
        TableError
            If the catalogue lacks what it needs.
        """
        raise OptionError(
            f"the classifier {self.name} sees {self.sees}, not catalogues",
            remedy="The classifier features takes catalogues like 4FGL.",
        )

    def classify(self, cutouts: Mapping[str, np.ndarray]) -> QTable:
        """Class probabilities of each source.

        Parameters
        ----------
        cutouts : mapping of str to ndarray
            Inputs by name, each of shape (n_sources, ...).

        Returns
        -------
        QTable
            ``prob_<class>`` that sum to one, and ``class_label``: the class of the largest
            probability, weighted by `label_weights`, or `UNKNOWN`; with `groups`, the finest level
            that is probable enough, and ``class_probability``. Where several classes are no
            sources, the label is one of those if they are more probable together, and
            ``real_probability`` is the probability that it is a source.

        Raises
        ------
        ShapeError
            If the inputs differ in number, or the plugin returns another number of rows.
        OptionError
            If the plugin returns no probabilities.
        """
        lengths = {name: len(array) for name, array in cutouts.items()}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"the cut-outs hold {lengths} sources", remedy="Numbers must agree.")
        expected = (next(iter(lengths.values())), len(self.classes))
        probability = np.asarray(self._classify(cutouts), dtype=float)
        if probability.shape != expected:
            raise ShapeError(
                f"{self.name} returned probabilities of shape {probability.shape} "
                f"for {expected[0]} sources and {expected[1]} classes"
            )
        if not np.all((probability >= 0) & (probability <= 1 + _SUM_TOLERANCE)):
            raise OptionError(f"the probabilities of {self.name} are not between 0 and 1")
        if not np.allclose(probability.sum(axis=1), 1, atol=_SUM_TOLERANCE):
            raise OptionError(f"the probabilities of {self.name} do not sum to one")
        table = QTable({f"prob_{c}": probability[:, i] for i, c in enumerate(self.classes)})
        most = probability.max(axis=1, initial=0)
        weighted = probability * self.label_weights
        if len(self.fakes) > 1:
            real = ~np.isin(self.classes, self.fakes)
            table["real_probability"] = probability[:, real].sum(axis=1)
            table["real_probability"].info.description = "Probability of being a source"
            likely = weighted[:, real].sum(axis=1) >= weighted[:, ~real].sum(axis=1)
            weighted = np.where(likely[:, None] == real, weighted, 0)
        label = np.asarray(self.classes)[weighted.argmax(axis=1)]
        table["class_label"] = np.where(most >= self.abstain, label, UNKNOWN)
        if self.groups:
            levels = {"least": self.abstain, "unknown": UNKNOWN}
            labels, stated = stated_labels(probability, self.classes, self.groups, **levels)
            table["class_label"], table[CLASS_PROBABILITY] = labels, stated
            table[CLASS_PROBABILITY].info.description = "Probability of the label, 0 for none"
        return table

    @abc.abstractmethod
    def _classify(self, cutouts: Mapping[str, np.ndarray]) -> np.ndarray: ...
