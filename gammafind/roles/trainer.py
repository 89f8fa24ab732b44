"""What a plugin that learns offers: how it is trained from a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from gammafind.roles.base import Plugin

Row = Mapping[str, float]
"""One epoch: ``epoch`` (from 1), ``loss``, ``val_loss``, ``seconds``, and what else is known."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the stages of a training left, once the last one has ended.

    Attributes
    ----------
    folder : Path
        Of the last stage, as `Training.learn` left it.
    record : mapping
        ``creator``, ``date``, ``command`` and versions; JSON.
    stages : sequence of tuple
        `Training.settings` and the rows of the history of each stage.
    """

    folder: Path
    record: Mapping[str, Any]
    stages: Sequence[tuple[Mapping[str, Any], Sequence[Row]]]


class Training(Protocol):
    """One stage of a training, which `gammafind train` takes through the methods in this order."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that determines the result; JSON. A training continues only if it is the same."""

    @property
    def used(self) -> Mapping[str, Plugin]:
        """Plugins that make the data, by role."""

    def check(self, before: Self | None) -> None:
        """Refuse all that would fail later, before anything is made.

        Parameters
        ----------
        before : Training or None
            The previous stage; this one continues from its result.
        """

    def make_data(self, workers: int) -> int:
        """Make the data that are missing; return how many sets were made."""

    def learn(
        self, folder: Path, *, before: Path | None, resume: bool, workers: int
    ) -> Sequence[Row]:
        """Learn, and leave in the folder what the next stage and `finish` need.

        Parameters
        ----------
        folder : Path
            Of this stage; it is there.
        before : Path or None
            Folder of the stage before.
        resume : bool
            Go on from what an interrupted run left in the folder.
        workers : int
            Processes or threads; what comes out does not depend on it.

        Returns
        -------
        sequence of Row
            At least one.
        """

    def finish(self, weights: Path, learned: Learned, *, workers: int) -> Mapping[str, Any]:
        """Write all that the plugin needs in use, and what its scores mean, to a new folder.

        The folder is that of the option ``weights`` of the plugin. It gets its name when this
        method has returned: what an interruption leaves is thrown away.

        Returns
        -------
        mapping
            Entries of the record of the training; JSON. ``test_loss`` is printed.
        """


class Trainer(Protocol):
    """How a plugin learns."""

    @property
    def sections(self) -> Sequence[str]:
        """Tables of a recipe that belong to the plugin, next to those of all recipes."""

    def prepare(self, recipe: Any, folder: Path) -> Training:
        """Read the plugin's part of a recipe; nothing is written or computed yet.

        Parameters
        ----------
        recipe : gammafind.training.recipe.Recipe
            One stage.
        folder : Path
            Of the whole training, where data are kept unless the recipe names a folder.

        Raises
        ------
        ConfigError, OptionError
            If a key is unknown, or a value is of the wrong type or out of range.
        """
