"""What a training leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gammafind.learning.history import Row

__all__ = ["Trained"]


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
