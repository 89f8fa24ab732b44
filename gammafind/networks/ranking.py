"""Probability and position error of a detection, from more evidence than the network's score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.logits import sigmoid

Layer = tuple[np.ndarray, np.ndarray]
"""Weights, shape (n_in, n_out), and biases, shape (n_out,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Probability by a small network of what is known.

    Parameters
    ----------
    mean, scale : ndarray, shape (k,)
        Each entry of the evidence enters less its mean, over its scale.
    layers : sequence of Layer
        From k entries to one logit, with hyperbolic tangents between the layers.
    error_scale, error_slope : float
        True position errors over those of the network at a TS of 100, and the power of TS with
        which this changes.
    """

    mean: np.ndarray
    scale: np.ndarray
    layers: Sequence[Layer]
    error_scale: float = 1.0
    error_slope: float = 0.0

    def __post_init__(self) -> None:
        widths = [(len(self.mean),), *(weights.shape[1:] for weights, _ in self.layers)]
        fits = all(
            weights.shape == (*before, *after) and bias.shape == after
            for (weights, bias), before, after in zip(self.layers, widths, widths[1:], strict=False)
        )
        numbers = [self.mean, self.scale, [self.error_scale, self.error_slope]]
        numbers += [array.ravel() for layer in self.layers for array in layer]
        if not (
            fits
            and self.layers
            and widths[-1] == (1,)
            and np.shape(self.scale) == np.shape(self.mean)
            and np.all(np.isfinite(np.concatenate(numbers)))
            and np.all(np.append(self.scale, self.error_scale) > 0)
        ):
            raise OptionError("the numbers of the ranking do not belong together")

    def probability(self, entries: np.ndarray) -> np.ndarray:
        """Probability that each detection is a source.

        Parameters
        ----------
        entries : ndarray, shape (n, k)
            The evidence.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        OptionError
            If it was learned from other evidence.
        """
        if entries.shape[1] != len(self.mean):
            raise OptionError(
                f"the weights predict probabilities from {len(self.mean)} numbers per "
                f"detection, but there are {entries.shape[1]}",
                remedy="They are of another version of gammafind: train them again.",
            )
        values = (entries - self.mean) / self.scale
        for weights, bias in self.layers[:-1]:
            values = np.tanh(values @ weights + bias)
        weights, bias = self.layers[-1]
        return sigmoid((values @ weights + bias)[:, 0])

    def error_factor(self, ts: np.ndarray) -> np.ndarray:
        """True position errors over those of the network, of detections of fitted TS."""
        return self.error_scale * relative_ts(ts) ** self.error_slope

    def record(self) -> dict[str, Any]:
        """Return what JSON can hold; seven digits of each number."""
        return {
            "mean": _plain(self.mean),
            "scale": _plain(self.scale),
            "layers": [
                {"weights": [_plain(row) for row in weights], "bias": _plain(bias)}
                for weights, bias in self.layers
            ],
            "error_scale": self.error_scale,
            "error_slope": self.error_slope,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Make the ranking of what `record` gives."""
        layers = [
            (np.array(layer["weights"], dtype=float), np.array(layer["bias"], dtype=float))
            for layer in record["layers"]
        ]
        arrays = {name: np.array(record[name], dtype=float) for name in ("mean", "scale")}
        return cls(**{**record, **arrays, "layers": layers})


def relative_ts(ts: np.ndarray) -> np.ndarray:
    """TS over 100, between 0.1 and 1000."""
    return np.clip(np.asarray(ts) / 100, 0.1, 1000)


def _plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.7g}") for value in values]
