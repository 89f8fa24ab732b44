"""What a trained classifier of images is: layers, the stamps that it takes, and its temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.errors import InputDataError, OptionError, WeightsError
from gammafind.networks.classifiers import check_probabilities, class_probabilities
from gammafind.networks.weights import ARCHITECTURE, existing_folder, read_record, write_record
from gammafind.plugins.image_cnn.features import ARRAYS, SCORE, features
from gammafind.plugins.image_cnn.network import CLASSES, build_network, input_shapes
from gammafind.sky.bands import Band

if TYPE_CHECKING:
    import keras

__all__ = ["StampArchitecture", "read_architecture"]


@dataclass(frozen=True, kw_only=True)
class StampArchitecture:
    """Everything about a trained classifier of images but its weights.

    Parameters
    ----------
    network : str
        Name of the network, as for `gammafind.plugins.image_cnn.network.build_network`.
    n_pixels : int
        Side of the stamps.
    scores : bool
        Whether it looks at the probability that the localiser tells.
    fwhm : tuple of float
        Least and largest width of the PSF in the training, in pixels.
    options : mapping
        Of the network.
    temperature : float
        By which logarithms of probabilities are divided, so that they are true.
    shares : tuple of float
        Of the classes among the detections of the training.
    checksums : mapping of str to str
        SHA-256 of the files that belong to it.
    """

    network: str = "stamps"
    n_pixels: int = 25
    scores: bool = False
    fwhm: tuple[float, float] = (0.0, np.inf)
    options: Mapping[str, Any] = field(default_factory=dict)
    temperature: float = 1.0
    shares: tuple[float, ...] = (1 / len(CLASSES),) * len(CLASSES)
    checksums: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.n_pixels % 2 == 0 or self.n_pixels < 9:
            raise OptionError(
                f"n_pixels is {self.n_pixels}", remedy="It is an odd number of 9 or more."
            )
        check_probabilities(self.temperature, self.shares, len(CLASSES))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each input of the network."""
        return input_shapes(self.n_pixels, scores=self.scores)

    def build(self) -> keras.Model:
        """Return the network with random weights."""
        return build_network(self.network, self.n_pixels, scores=self.scores, **self.options)

    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """What the network sees of stamps, as `gammafind.plugins.image_cnn.features.features`."""
        return features(arrays, scores=self.scores)

    def check(self, arrays: Mapping[str, np.ndarray], path: str | PathLike) -> None:
        """Refuse stamps that the network cannot look at.

        Parameters
        ----------
        arrays : mapping of str to ndarray
        path : path-like
            The weights, for messages.

        Raises
        ------
        WeightsError
            If there are no stamps, or of another side.
        InputDataError
            If they hold values that are not finite.
        """
        wanted = (*ARRAYS, SCORE) if self.scores else ARRAYS
        missing = [name for name in wanted if name not in arrays]
        if missing:
            raise WeightsError(
                f"the weights look at {', '.join(missing)}, which the cut-outs lack",
                path=path,
                remedy="Make them by gammafind.fitting.image.stamps.make_stamps.",
            )
        side = (self.n_pixels, self.n_pixels)
        for name in wanted:
            array, shape = arrays[name], side if name in ARRAYS[:3] else ()
            if array.shape[1:] != shape:
                raise WeightsError(
                    f"the weights take {name} of shape {shape} for each source, not "
                    f"{array.shape[1:]}",
                    path=path,
                    remedy="Make stamps of the layout of the classifier.",
                )
            if name == SCORE and not np.all(np.isfinite(array)):
                raise WeightsError(
                    "the weights look at the probabilities of a localiser, which are not known",
                    path=path,
                    remedy="Leave weights out: others are shipped for localisers without.",
                )
            if not np.all(np.isfinite(array)):
                raise InputDataError(
                    f"{name} of the stamps holds values that are not finite",
                    remedy="Mask pixels without data instead.",
                )

    def probability(self, output: np.ndarray) -> np.ndarray:
        """Class probabilities, (n, n_classes), of what the network returns."""
        return class_probabilities(output, self.temperature)

    def write(self, path: str | PathLike, *, overwrite: bool = False) -> None:
        """Write as JSON.

        Raises
        ------
        OutputError
            As `gammafind.utils.files.check_output`.
        """
        write_record(path, (), asdict(self), overwrite=overwrite)

    @classmethod
    def read(cls, path: str | PathLike) -> StampArchitecture:
        """Read what `write` wrote.

        Raises
        ------
        MissingFileError, TruncatedFileError
            If there is no such file, or it is empty.
        WeightsError
            If it is not what `write` writes.
        """
        return read_record(path, cls._of, what="classifier of images")

    @classmethod
    def _of(cls, bands: tuple[Band, ...], record: dict[str, Any]) -> StampArchitecture:
        fwhm, shares = (tuple(record.pop(name)) for name in ("fwhm", "shares"))
        return cls(fwhm=fwhm, shares=shares, **record)


def read_architecture(folder: str | PathLike) -> StampArchitecture:
    """Read what a folder of weights is for.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no architecture in it.
    WeightsError
        If the architecture cannot be read.
    """
    return StampArchitecture.read(existing_folder(folder) / ARCHITECTURE)
