"""What the scores and position errors of a trained network mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.logits import sigmoid


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Probability of a detection as a function of its score, measured on simulated skies.

    Parameters
    ----------
    logits : tuple of float
        Rising scores of the network, as logits.
    probabilities : tuple of float
        Share of the detections of each such score that are sources, rising, between 0 and 1.
        Between the scores, the logits of the probabilities are interpolated; beyond them they
        keep their distance from the scores. Without a table, scores stay unchanged.
    error_scale : float
        Ratio of true position errors to those that the network predicts.
    """

    logits: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    error_scale: float = 1.0

    def __post_init__(self) -> None:
        logits, shares = np.asarray(self.logits), np.asarray(self.probabilities)
        rising = logits.shape == shares.shape and np.all(np.diff([logits, shares]) > 0)
        if not (rising and np.all(np.isfinite(logits)) and np.all((shares > 0) & (shares < 1))):
            raise OptionError(
                f"logits {self.logits} with the probabilities {self.probabilities}",
                remedy="As many of each, both rising; probabilities are between 0 and 1.",
            )
        if not (np.isfinite(self.error_scale) and self.error_scale > 0):
            raise OptionError(
                f"error_scale is {self.error_scale}", remedy="It must be a number above 0."
            )

    def probability(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of detections with these scores."""
        return sigmoid(np.asarray(logits) + self._shift(np.asarray(logits), self.logits))

    def logit(self, probability: np.ndarray | float) -> np.ndarray | float:
        """Scores at which detections have these probabilities."""
        calibrated = np.log(probability / (1 - np.asarray(probability)))
        return calibrated - self._shift(calibrated, self._calibrated)

    @property
    def _calibrated(self) -> np.ndarray:
        shares = np.asarray(self.probabilities)
        return np.log(shares / (1 - shares))

    def _shift(self, at: np.ndarray | float, knots: Sequence[float]) -> np.ndarray | float:
        """Calibrated less raw logit, where one of them is ``at`` and its table ``knots``."""
        if not self.logits:
            return 0.0
        return np.interp(at, knots, self._calibrated - np.asarray(self.logits))
