"""A trained network at work on patches: from their counts to detections in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack

from gammafind.catalogue.schema import PATCH_DETECTIONS, empty_table
from gammafind.errors import OptionError, WeightsError
from gammafind.networks.features import features
from gammafind.networks.folder import Runner
from gammafind.networks.peaks import PeakFinder
from gammafind.networks.tiers import BandResolution, spectral_shares, tier_inputs
from gammafind.networks.views import averaged
from gammafind.plugins.unet.architecture import Architecture
from gammafind.sky.patches import Patches
from gammafind.utils.progress import track


@dataclass(frozen=True, kw_only=True)
class PatchNetwork:
    """A trained network, and how it is used.

    Parameters
    ----------
    run : Runner
        From the inputs of the network to its output.
    architecture : Architecture
    peaks : PeakFinder
        Makes detections of the output.
    batch_size : int
        Patches that are processed together.
    views : int
        Ways of turning and flipping each patch over which its scores are averaged.
    source : path-like
        The weights, for messages.
    """

    run: Runner
    architecture: Architecture
    peaks: PeakFinder
    batch_size: int = 32
    views: int = 4
    source: str | PathLike = ""

    def find(self, patches: Patches) -> QTable:
        """Detections in each patch, schema PATCH_DETECTIONS."""
        found = joined([self.detections(*part, patches) for part in self.outputs(patches)])
        finer = patches.score_width / self.architecture.score_width
        for name in ("x", "y"):
            found[name] = (found[name] + 0.5 * u.pix) * finer - 0.5 * u.pix
        return found

    def outputs(self, patches: Patches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows of some patches, and the output for them.

        Parameters
        ----------
        patches : Patches

        Raises
        ------
        WeightsError
            If the output is not finite.
        """
        starts = range(0, len(patches), self.batch_size)
        for start in track(starts, "scores of patches"):
            rows = np.arange(start, min(start + self.batch_size, len(patches)))
            output = averaged(self.run, self._inputs(patches, rows), self.views)
            if not np.all(np.isfinite(output)):
                raise WeightsError(
                    f"scores of the patches {rows[0]} to {rows[-1]} are not finite",
                    path=self.source or None,
                    remedy="Are the counts those of this preset?",
                )
            yield rows, output

    def detections(self, rows: np.ndarray, output: np.ndarray, patches: Patches) -> QTable:
        """Detections in some patches, where there are data.

        Parameters
        ----------
        rows : ndarray of int
            Of these patches.
        output : ndarray, shape (n, w, w, k)
            For them.
        patches : Patches
            All of them.
        """
        peaks = self.peaks(output, self.architecture.calibration)
        table = QTable(
            {
                "patch": rows[peaks.patch],
                "x": peaks.x * u.pix,
                "y": peaks.y * u.pix,
                "score": peaks.score,
            }
        )
        if peaks.sigma is not None:
            scale = self.architecture.r68_of_sigma(patches.grid)
            table["pos_err"] = peaks.sigma * scale * u.deg
        return table[_on_data(table, patches, self.architecture.score_width)]

    def _inputs(self, patches: Patches, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """What the network sees of some patches."""
        if self.architecture.features.tiers:
            return tiers_of(patches, rows)

        def some(arrays: tuple[np.ndarray, ...] | None) -> tuple[np.ndarray, ...] | None:
            return None if arrays is None else tuple(array[rows] for array in arrays)

        return features(
            some(patches.counts),
            some(patches.background),
            some(patches.exposure),
            self.architecture.features,
        )


def tiers_of(patches: Patches, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """What a network for any bands sees of some patches.

    Raises
    ------
    OptionError
        If background, PSFs or exposures of the patches are not known.
    """
    known = (patches.background, patches.psfs, patches.map_pixels, patches.mean_exposure)
    if any(one is None for one in known):
        raise OptionError(
            "a network for any bands needs the background, PSFs and exposures of the patches",
            remedy="Cut them from an observation, or use a network for these bands.",
        )
    resolution = BandResolution.of(patches.psfs, patches.map_pixels, patches.grid.pixel_size(1))
    shares = spectral_shares(patches.bands, np.array([patches.mean_exposure]))
    return tier_inputs(
        [array[rows] for array in patches.counts],
        [array[rows] for array in patches.background],
        np.repeat(shares, len(rows), axis=0),
        resolution,
    )


def joined(tables: list[QTable]) -> QTable:
    """Detections of several batches of patches, schema PATCH_DETECTIONS."""
    return vstack(tables) if tables else empty_table(PATCH_DETECTIONS)


def _on_data(table: QTable, patches: Patches, width: int) -> np.ndarray:
    """Which detections, in patches of a width, are on a pixel with data in the finest band."""
    finest = patches.valid[int(np.argmax(patches.n_pixels))]
    last = finest.shape[1] - 1
    part = width / (last + 1)
    column, row = (
        np.rint((table[name].to_value(u.pix) + 0.5) / part - 0.5).astype(int) for name in ("x", "y")
    )
    return finest[table["patch"], np.clip(row, 0, last), np.clip(column, 0, last)]
