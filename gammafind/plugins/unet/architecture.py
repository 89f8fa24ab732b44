"""What a trained network is: layers, the patches that it takes, and what its scores mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, WeightsError
from gammafind.learning.features import FeatureSpec, feature_shapes
from gammafind.learning.weights import read_record, write_record
from gammafind.plugins.unet.networks import Network, build_network
from gammafind.plugins.unet.peaks import sigmoid
from gammafind.plugins.unet.ranking import Ranking
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.patches import Patches, PatchGrid
from gammafind.units import degrees

__all__ = ["Architecture", "Calibration"]

_SIZE_TOLERANCE = 1e-3
_R68_OVER_SIGMA = float(np.sqrt(-2 * np.log(0.32)))
"""68 % containment radius of a two-dimensional Gaussian over its standard deviation (1.51)."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How probable a detection is, by its score; found on skies whose sources are known.

    Parameters
    ----------
    logits : tuple of float
        Rising scores of the network, as logits.
    probabilities : tuple of float
        Share of the detections of each such score that are sources, rising, between 0 and 1.
        Between the scores, the logits of the probabilities are interpolated; beyond them they
        keep their distance from the scores. Without a table, scores are taken as they are.
    error_scale : float
        True position errors over those that the network tells.
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
                remedy="As many of each, both rising; probabilities lie between 0 and 1.",
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


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Everything about a trained network but its weights.

    Parameters
    ----------
    network : str
        Name of the network, as for `build_network`.
    bands : tuple of Band
        Of the patches.
    widths : tuple of int
        Pixels a side of the patches, one number a band.
    size : Quantity
        Side of the patches.
    features : FeatureSpec
        What the network sees of them.
    options : mapping
        Of the network.
    calibration : Calibration
    ranking : Ranking, optional
        How fitted fluxes enter the score.
    checksums : mapping of str to str
        SHA-256 of the files that belong to it.
    """

    network: str
    bands: tuple[Band, ...]
    widths: tuple[int, ...]
    size: Quantity
    features: FeatureSpec
    options: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration = Calibration()
    ranking: Ranking | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        degrees(self.size, name="the size of the patches")

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Width and channels of each input."""
        return feature_shapes(self.widths, self.features)

    def build(self) -> Network:
        """Return the network with random weights, as `build_network` does."""
        widths, channels = zip(*self.shapes, strict=True)
        return build_network(self.network, widths, channels, **self.options)

    def r68_of_sigma(self, grid: PatchGrid) -> float:
        """68 % position error in degrees of what the network tells as one pixel."""
        return grid.pixel_size(max(self.widths)) * _R68_OVER_SIGMA * self.calibration.error_scale

    def fits(self, patches: Patches) -> bool:
        """Whether the network takes such patches."""
        return not self._differences(patches)

    def check(self, patches: Patches, path: str | PathLike) -> None:
        """Refuse patches of other bands, widths or sizes than the network was trained for.

        Parameters
        ----------
        patches : Patches
        path : path-like
            The weights, for the message.

        Raises
        ------
        WeightsError
        """
        differences = self._differences(patches)
        if differences:
            raise WeightsError(
                f"the weights were trained for other patches: {'; '.join(differences)}",
                path=path,
                remedy="Use the weights of this preset, or train some for it.",
            )

    def _differences(self, patches: Patches) -> list[str]:
        theirs, width = patches.bands, patches.grid.pixel_size(1)
        differences = []
        if not same_edges(self.bands, theirs):
            differences.append(f"bands of {_edges(self.bands)}, not {_edges(theirs)}")
        if tuple(self.widths) != patches.n_pixels:
            differences.append(f"{list(self.widths)} pixels wide, not {list(patches.n_pixels)}")
        if abs(width / degrees(self.size) - 1) > _SIZE_TOLERANCE:
            differences.append(f"of {self.size}, not {width:g} deg")
        return differences

    def write(self, path: str | PathLike, *, overwrite: bool = False) -> None:
        """Write as JSON.

        Raises
        ------
        OutputError
            As `gammafind.files.check_output`.
        """
        record = {
            "network": self.network,
            "options": dict(self.options),
            "widths": self.widths,
            "size": str(self.size),
            "features": asdict(self.features),
            "calibration": asdict(self.calibration),
            "ranking": None if self.ranking is None else asdict(self.ranking),
            "checksums": dict(self.checksums),
        }
        write_record(path, self.bands, record, overwrite=overwrite)

    @classmethod
    def read(cls, path: str | PathLike) -> Architecture:
        """Read what `write` wrote.

        Raises
        ------
        MissingFileError, TruncatedFileError
            If there is no such file, or it is empty.
        WeightsError
            If it is not what `write` writes.
        """
        return read_record(path, cls._of, what="network")

    @classmethod
    def _of(cls, bands: tuple[Band, ...], record: dict[str, Any]) -> Architecture:
        calibration, ranking = record.pop("calibration"), record.pop("ranking", None)
        return cls(
            bands=bands,
            widths=tuple(record.pop("widths")),
            size=Quantity(record.pop("size")),
            features=FeatureSpec(**record.pop("features")),
            calibration=Calibration(**_tuples(calibration)),
            ranking=None if ranking is None else Ranking(**_tuples(ranking)),
            **record,
        )


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a dataclass from JSON, which knows no tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}


def _edges(bands: Sequence[Band]) -> str:
    return ", ".join(f"{band.low.value:g}-{band.high}" for band in bands)
