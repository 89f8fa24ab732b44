"""Options of all localisers that are networks, and how they read their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.folder import BACKENDS, read_architecture
from gammafind.networks.peaks import PeakFinder
from gammafind.networks.trained import LocaliserNetwork
from gammafind.networks.unet import NETWORKS
from gammafind.networks.views import VIEWS
from gammafind.roles.localiser import Localiser

_PUBLISHED = 0.8
"""Four to one that there is a source."""

Network = TypeVar("Network", bound=LocaliserNetwork)


@dataclass(frozen=True, kw_only=True)
class NetworkLocaliser(Localiser):
    """Finds sources with a trained network whose scores are probabilities.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Makes detections of the score map, each pixel between 0 and 1, instead of the local maxima.
        Scores are then those of the clusterer, which are not probabilities.
    network : {"gammafind", "paper"}
        Which of the shipped weights are used.
    weights : str
        Folder of trained weights; if empty, shipped weights are used.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    batch_size : int
        Patches or tiles that are processed together.
    views : int
        Ways of turning and flipping over which scores are averaged: 1 to 8.
    fluxes : bool
        Include the results of the fit in the scores.
    threshold : float
        Least probability of a detection by the network alone.
    separation : float
        A detection has the highest score within this radius, in pixels; at least 1.
    """

    network: str = "gammafind"
    weights: str = ""
    backend: str = "onnxruntime"
    batch_size: int = 32
    views: int = 4
    fluxes: bool = True
    threshold: float = 0.05
    separation: float = 2.0

    def __post_init__(self) -> None:
        _check("network", self.network, self.network in NETWORKS, _one_of(NETWORKS))
        _check("backend", self.backend, self.backend in BACKENDS, _one_of(BACKENDS))
        _check("batch_size", self.batch_size, self.batch_size >= 1, "It must be 1 or more.")
        _check("views", self.views, self.views in range(1, len(VIEWS) + 1), "It is 1 to 8.")
        _check("threshold", self.threshold, 0 < self.threshold < 1, "It must be between 0 and 1.")
        _check(
            "separation",
            self.separation,
            1 <= self.separation < np.inf,
            "It must be 1 pixel or more.",
        )

    @property
    def scores_are_probabilities(self) -> bool:
        """Whether they are, which those of a clusterer are not."""
        return self.clusterer is None

    @property
    def score_name(self) -> str:
        """Probability, but for the scores of a clusterer."""
        return "probability" if self.scores_are_probabilities else "score"

    @property
    def published_score(self) -> float:
        """Four to one that there is a source; of a clusterer, all that it finds."""
        return _PUBLISHED if self.scores_are_probabilities else -np.inf

    def _calibrated(self, folder: Path, kind: type[Network]) -> Network:
        """Network of a folder of weights, which must have a calibration."""
        architecture = read_architecture(folder, kind)
        architecture.check_calibrated(folder)
        return architecture

    def _at_work(self, folder: Path, architecture: LocaliserNetwork) -> dict[str, Any]:
        """Network of a folder with the options of the localiser, as searches take it."""
        return {
            "run": BACKENDS[self.backend](folder, architecture),
            "architecture": architecture,
            "peaks": PeakFinder(
                threshold=self.threshold, separation=self.separation, clusterer=self.clusterer
            ),
            "batch_size": self.batch_size,
            "views": self.views,
        }


def _check(name: str, value: object, accepted: bool, remedy: str) -> None:
    if not accepted:
        raise OptionError(f"{name} is {value!r}", remedy=remedy)


def _one_of(names: Iterable[str]) -> str:
    return f"It is one of {', '.join(names)}."
