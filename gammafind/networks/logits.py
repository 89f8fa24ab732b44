"""Probabilities and their logits."""

from __future__ import annotations

import numpy as np


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """Probability of a logit."""
    return 0.5 * (1 + np.tanh(logit / 2))


def logit(probability: np.ndarray, *, least: float = 1e-6) -> np.ndarray:
    """Logit of a probability that is taken to be no nearer to 0 or 1 than ``least``."""
    clipped = np.clip(probability, least, 1 - least)
    return np.log(clipped / (1 - clipped))
