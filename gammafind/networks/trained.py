"""What all trained networks of the localiser have in common."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any, ClassVar, Self

from gammafind.networks.calibration import Calibration
from gammafind.networks.unet import Network, build_network
from gammafind.networks.weights import read_record, write_record
from gammafind.sky.bands import Band

__all__ = ["TrainedNetwork", "tuples"]


@dataclass(frozen=True, kw_only=True)
class TrainedNetwork(abc.ABC):
    """A trained network, but for its weights.

    Parameters
    ----------
    network : str
        Name of the network, as for `build_network`.
    bands : tuple of Band
        Of what it sees.
    options : mapping
        Of the network.
    calibration : Calibration
    checksums : mapping of str to str
        SHA-256 of the files that belong to it.
    """

    sees: ClassVar[str]
    """What such networks look at; stands in the JSON."""

    network: str
    bands: tuple[Band, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    @abc.abstractmethod
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Width and channels of each input."""

    def build(self) -> Network:
        """Return the network with random weights, as `build_network` does."""
        widths, channels = zip(*self.shapes, strict=True)
        return build_network(self.network, widths, channels, **self.options)

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
            "calibration": asdict(self.calibration),
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
            If it is not what `write` writes.
        """
        return read_record(path, cls.of_record, what="network")

    @classmethod
    @abc.abstractmethod
    def of_record(cls, bands: tuple[Band, ...], record: dict[str, Any]) -> Self:
        """Make the network of the bands and of all else that its JSON holds."""

    @abc.abstractmethod
    def _record(self) -> dict[str, Any]:
        """What the JSON holds beside all that networks have in common."""


def tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass from JSON, which knows no tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
