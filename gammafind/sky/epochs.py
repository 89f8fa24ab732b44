"""Parts of the observing time: the counts of each, and its share of the exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import BandError, InputDataError, ShapeError
from gammafind.sky.bands import same_edges
from gammafind.sky.pixels import same_pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.workers import in_threads

_TOLERANCE = 0.01
"""Largest difference, as a share of all counts: allows rebinned maps, refuses a missing epoch."""


@dataclass(frozen=True, eq=False)
class Epochs:
    """Counts of a sky in each epoch, such as a year.

    Parameters
    ----------
    counts : sequence of SkyMap
        Counts of each epoch, all in the same bands and on the same pixels.
    exposure : sequence of SkyMap
        Exposure of each epoch, on pixels of any size; it is interpolated.

    Raises
    ------
    ShapeError
        If there are not as many exposures as epochs.
    BandError
        If bands or pixels differ.
    """

    counts: tuple[SkyMap, ...]
    exposure: tuple[SkyMap, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", tuple(self.counts))
        object.__setattr__(self, "exposure", tuple(self.exposure))
        if len(self.counts) != len(self.exposure) or not self.counts:
            raise ShapeError(
                f"{len(self.counts)} maps of counts for {len(self.exposure)} epochs",
                remedy="Give the counts of each epoch, in order.",
            )
        first = self.counts[0]
        for number, sky in enumerate(self.counts, 1):
            if not same_edges(sky.bands, first.bands):
                raise BandError(f"the bands of epoch {number} are not those of epoch 1")
            if not all(map(same_pixels, sky.pixels, first.pixels)):
                raise BandError(f"the pixels of epoch {number} are not those of epoch 1")

    def __len__(self) -> int:
        return len(self.counts)

    def shares(self, positions: SkyCoord) -> np.ndarray:
        """Share of each epoch in the exposure at positions, shape (n_epochs, n_bands, n)."""
        return exposure_shares(self.exposure, positions)

    def check_sum(self, whole: SkyMap) -> None:
        """Check that the epochs add up to the map of the whole time.

        Parameters
        ----------
        whole : SkyMap
            Counts of the whole observing time.

        Raises
        ------
        BandError
            If bands or pixels differ.
        InputDataError
            If the counts of the epochs do not add up to those of the whole time: summed over the
            pixels, the absolute differences exceed 1 % of all counts.
        """
        first = self.counts[0]
        if not same_edges(first.bands, whole.bands):
            raise BandError("the bands of the epochs are not those of the whole time")
        if not all(map(same_pixels, first.pixels, whole.pixels)):
            raise BandError("the pixels of the epochs are not those of the whole time")

        def sums(band: int) -> tuple[float, float, float]:
            seen = whole.values[band].astype(float)
            parts = np.zeros_like(seen)
            for sky in self.counts:
                parts += sky.values[band]
            return seen.sum(), parts.sum(), np.abs(parts - seen).sum()

        for band, (seen, parts, off) in zip(
            whole.bands, in_threads(sums, range(whole.n_bands)), strict=True
        ):
            if off > _TOLERANCE * max(seen, 1):
                raise InputDataError(
                    f"band {band.name}: the {len(self)} epochs have {parts:.0f} counts in total, "
                    f"the whole time {seen:.0f}; pixel by pixel {off:.0f} differ",
                    remedy="Give one map for each epoch, all from the same photons.",
                )


def exposure_shares(exposure: Sequence[SkyMap], positions: SkyCoord) -> np.ndarray:
    """Share of each epoch in the exposure.

    Parameters
    ----------
    exposure : sequence of SkyMap
        One per epoch.
    positions : SkyCoord, shape (n,)

    Returns
    -------
    ndarray, shape (n_epochs, n_bands, n)
        The sum over the epochs is 1; equal shares where the exposure is zero.
    """
    values = np.array(
        [
            [p.interpolate(v, positions) for p, v in zip(sky.pixels, sky.values, strict=True)]
            for sky in exposure
        ]
    )
    values = np.nan_to_num(values)
    total = values.sum(axis=0)
    return np.where(total > 0, values / np.where(total > 0, total, 1), 1 / len(exposure))
