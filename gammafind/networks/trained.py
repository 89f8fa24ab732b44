"""What all trained networks have in common, and what those of localisers have."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammafind.errors import WeightsError
from gammafind.networks.calibration import Calibration
from gammafind.networks.logits import sigmoid
from gammafind.networks.ranking import Ranking
from gammafind.networks.record import read_record, write_record
from gammafind.networks.unet import build_network, input_name
from gammafind.sky.bands import Band

if TYPE_CHECKING:
    import keras

__all__ = ["LocaliserNetwork", "TrainedNetwork"]


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork(abc.ABC):
    """A trained network, but for its weights.

    Parameters
    ----------
    network : str
        Name of the network.
    bands : tuple of Band
        Bands of its inputs; empty if it is valid for any band.
    options : mapping
        Of the network.
    checksums : mapping of str to str
        SHA-256 of the files that belong to it.
    """

    sees: ClassVar[str]
    """Kind of input of such networks; an entry of the JSON."""

    network: str
    bands: tuple[Band, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    @abc.abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name of each input of the network, and its shape without the number of samples."""

    @abc.abstractmethod
    def build(self) -> keras.Model:
        """Return the network with random weights."""

    @abc.abstractmethod
    def probability(self, output: np.ndarray) -> np.ndarray:
        """What the output of the network says, between 0 and 1."""

    def write(self, path: str | PathLike, *, overwrite: bool = False) -> None:
        """Write as JSON.

        Raises
        ------
        OutputError
            As `gammafind.utils.files.check_output`.
        """
        record = {
            "sees": self.sees,
            "network": self.network,
            "options": dict(self.options),
            **self._record(),
            "checksums": dict(self.checksums),
        }
        write_record(path, self.bands, record, overwrite=overwrite)

    @classmethod
    def read(cls, path: str | PathLike) -> Self:
        """Read what `write` wrote.

        Raises
        ------
        MissingFileError, TruncatedFileError
            If there is no such file, or it is empty.
        WeightsError
            If it is not what `write` writes, or the network has another kind of input.
        """
        return read_record(path, cls._of, what=f"network for {cls.sees}")

    @classmethod
    def _of(cls, bands: tuple[Band, ...], record: dict[str, Any]) -> Self:
        sees = record.pop("sees", cls.sees)
        if sees != cls.sees:
            raise WeightsError(
                f"the weights were trained for {sees}, not for {cls.sees}",
                remedy="Use the weights of this preset, or train some for it.",
            )
        return cls(bands=bands, **cls._fields(record))

    @abc.abstractmethod
    def _record(self) -> dict[str, Any]:
        """What the JSON holds of the fields that not all networks have."""

    @classmethod
    @abc.abstractmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        """Fields of the network, of all that its JSON holds but the bands."""


@dataclass(frozen=True, kw_only=True)
class LocaliserNetwork(TrainedNetwork):
    """A U-Net that finds sources, but for its weights.

    Parameters
    ----------
    network, bands, options, checksums : see `TrainedNetwork`
        Of all networks; this one is made by `build_network`.
    calibration : Calibration, optional
        What its scores mean; None before that was learned.
    ranking : Ranking, optional
        How a fit enters the score.
    """

    calibration: Calibration | None = None
    ranking: Ranking | None = None

    @property
    @abc.abstractmethod
    def inputs(self) -> tuple[tuple[int, int], ...]:
        """Width and channels of each input."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name of each input of the network, and its shape without the number of samples."""
        return {input_name(width): (width, width, n) for width, n in self.inputs}

    def build(self) -> keras.Model:
        """Return the network with random weights, as `build_network` does."""
        widths, channels = zip(*self.inputs, strict=True)
        return build_network(self.network, widths, channels, **self.options)

    def probability(self, output: np.ndarray) -> np.ndarray:
        """Score of each pixel, as the network says it: without its calibration."""
        return sigmoid(output[..., 0])

    def check_calibrated(self, path: str | PathLike) -> None:
        """Refuse a network whose scores are not calibrated.

        Parameters
        ----------
        path : path-like
            The weights, for the message.

        Raises
        ------
        WeightsError
        """
        if self.calibration is None:
            raise WeightsError(
                "the network has no calibration: its scores are not probabilities yet",
                path=path,
                remedy="Finish its training: gammafind train RECIPE -o FOLDER --resume.",
            )

    def _record(self) -> dict[str, Any]:
        return {
            "calibration": None if self.calibration is None else asdict(self.calibration),
            "ranking": None if self.ranking is None else self.ranking.record(),
        }

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        calibration, ranking = record.pop("calibration"), record.pop("ranking", None)
        return {
            **record,
            "calibration": None if calibration is None else Calibration(**_tuples(calibration)),
            "ranking": None if ranking is None else Ranking.of_record(ranking),
        }


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass from JSON, which knows no tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
