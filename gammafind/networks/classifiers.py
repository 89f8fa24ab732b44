"""Networks that classify: what they are, and the probabilities that they give."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from gammafind.errors import InputDataError, OptionError, WeightsError
from gammafind.networks.folder import BACKENDS
from gammafind.networks.layers import build_network
from gammafind.networks.trained import TrainedNetwork

if TYPE_CHECKING:
    import keras


_BATCH = 1024
"""Detections that are processed together."""


@dataclass(frozen=True, kw_only=True)
class ClassifierNetwork(TrainedNetwork):
    """A trained classifier, but for its weights.

    Parameters
    ----------
    network, bands, options, checksums : see `TrainedNetwork`
        Of all networks.
    temperature : float
        By which logarithms of probabilities are divided, so that they are true.
    shares : tuple of float
        Of the classes among detections; alike where they are not known.

    Raises
    ------
    OptionError
        If the temperature or the shares cannot be.
    """

    classes: ClassVar[tuple[str, ...]]
    """In the order of the outputs."""
    networks: ClassVar[Mapping[str, Callable]]
    """Layers of each network, by name."""
    unsure: ClassVar[tuple[str, ...]] = ()
    """Arrays whose values need not be finite."""

    temperature: float = 1.0
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.classes)
        if not self.shares:
            object.__setattr__(self, "shares", (1 / n,) * n)
        if not 0 < self.temperature < np.inf:
            raise OptionError(
                f"the temperature is {self.temperature}", remedy="It must be above 0."
            )
        if len(self.shares) != n or not all(0 < one <= 1 for one in self.shares):
            raise OptionError(
                f"the shares of the classes are {list(self.shares)}",
                remedy=f"Give {n} numbers above 0 and up to 1.",
            )

    def build(self) -> keras.Model:
        """Return the network with random weights."""
        return build_network(self.network, self.networks, self.shapes, self.options)

    @abc.abstractmethod
    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return what the network sees of cut-outs."""

    @property
    @abc.abstractmethod
    def wanted(self) -> dict[str, tuple[int, ...]]:
        """Arrays of cut-outs that the network needs, and their shape for one detection."""

    @property
    @abc.abstractmethod
    def advice(self) -> tuple[str, str]:
        """What to do where arrays are missing, and where they have another shape."""

    def check(self, arrays: Mapping[str, np.ndarray], path: str | PathLike) -> None:
        """Refuse cut-outs that the network cannot process.

        Parameters
        ----------
        arrays : mapping of str to ndarray
        path : path-like
            The weights, for messages.

        Raises
        ------
        WeightsError
            If arrays are missing, or their shape is not that of the training.
        InputDataError
            If they hold values that are not finite.
        """
        wanted = self.wanted
        missing = [name for name in wanted if name not in arrays]
        if missing:
            raise WeightsError(
                f"the weights need {', '.join(missing)}, which the cut-outs lack",
                path=path,
                remedy=self.advice[0],
            )
        for name, shape in wanted.items():
            array = arrays[name]
            if array.shape[1:] != shape:
                raise WeightsError(
                    f"the weights take {name} of shape {shape} for each source, not "
                    f"{array.shape[1:]}",
                    path=path,
                    remedy=self.advice[1],
                )
            if name not in self.unsure and not np.all(np.isfinite(array)):
                raise InputDataError(
                    f"{name} of the {self.sees} holds values that are not finite",
                    remedy="Mask pixels without data instead.",
                )

    def probability(self, output: np.ndarray) -> np.ndarray:
        """Class probabilities, (n, n_classes), of what the network returns."""
        return class_probabilities(output, self.temperature)


def class_probabilities(output: np.ndarray, temperature: float) -> np.ndarray:
    """Class probabilities, (n, n_classes), of the logarithms that a network returns.

    Parameters
    ----------
    output : ndarray, shape (n, n_classes)
    temperature : float
        By which they are divided, so that probabilities are true.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.
    """
    scaled = np.asarray(output, dtype=float) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True)


def classified(
    folder: str | PathLike,
    architecture: ClassifierNetwork,
    cutouts: Mapping[str, np.ndarray],
    *,
    backend: str,
) -> np.ndarray:
    """Class probabilities of detections by the network of a folder.

    Parameters
    ----------
    folder : path-like
    architecture : ClassifierNetwork
        Of the folder.
    cutouts : mapping of str to ndarray, shape (n, ...)
    backend : str
        A key of `gammafind.networks.folder.BACKENDS`.

    Returns
    -------
    ndarray, shape (n, n_classes)

    Raises
    ------
    MissingBackendError, MissingFileError, TruncatedFileError, WeightsError
        If the network cannot be run, or needs other cut-outs.
    InputDataError
        If the cut-outs hold values that are not finite.
    """
    architecture.check(cutouts, folder)
    run = BACKENDS[backend](folder, architecture)
    found = [np.zeros((0, len(architecture.classes)))]
    for part in _in_batches(cutouts):
        found.append(architecture.probability(run(architecture.features(part))))
    return np.concatenate(found)


def _in_batches(arrays: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the arrays of all detections, some detections at a time."""
    n = len(next(iter(arrays.values()))) if arrays else 0
    for start in range(0, n, _BATCH):
        yield {name: array[start : start + _BATCH] for name, array in arrays.items()}
