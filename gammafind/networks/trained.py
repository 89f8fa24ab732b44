"""What all trained networks have in common, and what those of localisers have."""

from __future__ import annotations

import abc
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from astropy.units import Quantity

from gammafind.errors import FileFormatError, WeightsError
from gammafind.networks.calibration import Calibration
from gammafind.networks.logits import sigmoid
from gammafind.networks.ranking import Ranking
from gammafind.networks.unet import build_network, input_name
from gammafind.sky.bands import Band
from gammafind.utils.files import atomic_output, check_input
from gammafind.utils.kinds import annotated_kind, convert

if TYPE_CHECKING:
    import keras


ARCHITECTURE = "architecture.json"
"""Name of the file in a folder of weights."""

_FORMAT = 1


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
        record = {"format": _FORMAT, "sees": self.sees, **self._record()}
        with atomic_output(path, overwrite) as temporary:
            text = json.dumps(record, indent=2, default=_plain)
            temporary.write_text(f"{text}\n", encoding="utf-8")

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
        path = check_input(path)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record.pop("format") != _FORMAT:
                raise WeightsError("is of another format")
            sees = record.pop("sees", cls.sees)
            if sees != cls.sees:
                raise WeightsError(
                    f"the weights were trained for {sees}, not for {cls.sees}",
                    remedy="Use the weights of this preset, or train some for it.",
                )
            return cls(**cls._checked(cls._fields(_tuples(record))))
        except FileFormatError as error:
            raise WeightsError(error.fault, path=path, remedy=error.remedy) from error
        except Exception as error:  # A JSON of another shape leads to errors of any kind.
            raise WeightsError(
                f"does not describe a network for {cls.sees} ({error})",
                path=path,
                remedy=f"It must be the {ARCHITECTURE} of a weights folder.",
            ) from error

    @classmethod
    def _checked(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fields whose values are of the types of their annotations."""
        known = {one.name: one for one in fields(cls)}
        owners = {
            name: next(c for c in cls.__mro__ if name in vars(c).get("__annotations__", {}))
            for name in known
        }
        return {
            name: convert(
                value,
                annotated_kind(known[name].type, owners[name].__module__),
                name,
                default=known[name].default,
            )
            for name, value in values.items()
        }

    def _record(self) -> dict[str, Any]:
        """What the JSON holds: all fields."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        """Fields of the network, of what its JSON holds: numbers, text, mappings and tuples."""
        bands = [
            (one["name"], Quantity(one["low"]), Quantity(one["high"])) for one in record["bands"]
        ]
        return {**record, "bands": tuple(Band(*one) for one in bands)}


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

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        own = super()._fields(record)
        if own["calibration"] is not None:
            known = {one.name: own["calibration"][one.name] for one in fields(Calibration)}
            own["calibration"] = Calibration(**_tuples({**own["calibration"], **known}))
        if own.get("ranking") is not None:
            own["ranking"] = Ranking.of_record(own["ranking"])
        return own


def _plain(value: Any) -> Any:
    """What JSON can hold of a field."""
    if isinstance(value, Ranking):
        return value.record()
    return asdict(value) if is_dataclass(value) else str(value)


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass from JSON, which knows no tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}
