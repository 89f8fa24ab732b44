"""What a network for patches is: layers, the patches that it takes, and what its scores mean."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar

from astropy.units import Quantity

from gammafind.catalogue.merging import R68_OVER_SIGMA
from gammafind.errors import UntrainedWarning, WeightsError
from gammafind.networks.features import FeatureSpec, feature_shapes
from gammafind.networks.ranking import Ranking
from gammafind.networks.tiers import CHANNELS, TIERS
from gammafind.networks.trained import LocaliserNetwork
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import Pixels
from gammafind.units import degrees
from gammafind.utils.checks import require

_SIZE_TOLERANCE = 1e-3
_PIXEL_TOLERANCE = 0.1


@dataclass(frozen=True, kw_only=True)
class Architecture(LocaliserNetwork):
    """Everything about a network for patches but its weights.

    Parameters
    ----------
    network, bands, options, checksums, calibration, ranking : see `LocaliserNetwork`
        The bands are those of the patches.
    widths : tuple of int
        Pixels a side of the patches, one number a band.
    size : Quantity
        Side of the patches.
    features : FeatureSpec
        What the network sees of them.
    map_pixels : tuple of float
        Size in degrees of the pixels of the maps, one number a band; empty if it is not known.
    coarse_ranking : Ranking, optional
        Of a network for any bands, in place of ``ranking`` where the pixels of the maps are wider
        than the PSF: sources are fitted in another way there.
    """

    sees: ClassVar[str] = "patches of the sky"

    widths: tuple[int, ...]
    size: Quantity
    features: FeatureSpec
    map_pixels: tuple[float, ...] = ()
    coarse_ranking: Ranking | None = None

    def __post_init__(self) -> None:
        degrees(self.size, name="the size of the patches")
        for size in self.map_pixels:
            require("a size in map_pixels", size, size > 0, "It must be above 0 deg.")

    @property
    def inputs(self) -> tuple[tuple[int, int], ...]:
        """Width and channels of each input."""
        if self.features.tiers:
            return tuple((width, CHANNELS) for width in TIERS)
        return feature_shapes(self.widths, self.features)

    def ranking_of(self, observation: Observation) -> Ranking | None:
        """How a fit enters the score on the maps of an observation."""
        return (self.coarse_ranking if observation.is_coarse else None) or self.ranking

    @property
    def score_width(self) -> int:
        """Pixels a side of what the network answers."""
        return self.inputs[0][0]

    def r68_of_sigma(self, grid: PatchGrid) -> float:
        """68 % position error in degrees where the network predicts an error of one pixel."""
        return grid.pixel_size(self.score_width) * R68_OVER_SIGMA * self.calibration.error_scale

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

    def warn_of_other_maps(self, pixels: Sequence[Pixels]) -> None:
        """Warn of maps whose pixel width differs from that of the training.

        Parameters
        ----------
        pixels : sequence of Pixels
            Of the maps, one a band.
        """
        given = [one.pixel_size.to_value("deg") for one in pixels]
        pairs = zip(given, self.map_pixels, strict=False)
        if any(abs(size / known - 1) > _PIXEL_TOLERANCE for size, known in pairs):
            warnings.warn(
                f"the pixels of the maps are {_told(given)} deg wide, those that the network knows "
                f"{_told(self.map_pixels)} deg: probabilities and errors do not hold. Bin the "
                "photons as the preset does",
                UntrainedWarning,
                stacklevel=2,
            )

    def _differences(self, patches: Patches) -> list[str]:
        width = patches.grid.pixel_size(1)
        differences = [] if self.features.tiers else self._other_bands(patches)
        if abs(width / degrees(self.size) - 1) > _SIZE_TOLERANCE:
            differences.append(f"of {self.size}, not {width:g} deg")
        return differences

    def _other_bands(self, patches: Patches) -> list[str]:
        theirs, differences = patches.bands, []
        if not same_edges(self.bands, theirs):
            differences.append(f"bands of {_edges(self.bands)}, not {_edges(theirs)}")
        if tuple(self.widths) != patches.n_pixels:
            differences.append(f"{list(self.widths)} pixels wide, not {list(patches.n_pixels)}")
        return differences

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        own = {
            "widths": tuple(record["widths"]),
            "size": Quantity(record["size"]),
            "features": FeatureSpec(**record["features"]),
        }
        if record.get("coarse_ranking") is not None:
            own["coarse_ranking"] = Ranking.of_record(record["coarse_ranking"])
        return {**super()._fields(record), **own}


def _edges(bands: Sequence[Band]) -> str:
    return ", ".join(f"{band.low.value:g}-{band.high}" for band in bands)


def _told(sizes: Sequence[float]) -> str:
    return ", ".join(f"{size:.2g}" for size in sizes)
