"""The role of localisers."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable, vstack

from gammafind.catalogue.merging import merge_detections
from gammafind.catalogue.schema import DETECTIONS, PATCH_DETECTIONS, conform, empty_table
from gammafind.errors import OptionError
from gammafind.roles.base import Plugin
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.trainer import Trainer
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches, PatchGrid, patch_widths
from gammafind.sky.stacks import PatchStacks

__all__ = ["Localiser", "no_detections"]


@dataclass(frozen=True, kw_only=True)
class Localiser(Plugin):
    """Finds sources."""

    score_name: ClassVar[str] = "score"
    """What scores are called on pages, in figures and on the screen, such as TS or probability.

    It may be a property where it depends on the options, as may `published_score`.
    """

    published_score: ClassVar[float] = -np.inf
    """Lowest score that is published where nobody says another; by default all are published."""

    clusterer: Clusterer | None = None
    """Makes detections of score maps; None for the localiser's own default."""

    @classmethod
    def trainer(cls) -> Trainer | None:
        """Return how the localiser learns from a recipe, None where it does not."""
        return None

    def localise(self, patches: Patches) -> QTable:
        """Find the sources of each patch.

        Returns
        -------
        QTable
            ``patch, x, y, score`` and, where known, ``pos_err``; pixels of the finest band.
        """
        return conform(
            self._localise(patches), PATCH_DETECTIONS, what=f"the detections of {self.name}"
        )

    def localise_sky(
        self,
        observation: Observation,
        *,
        grid: PatchGrid | None = None,
        n_pixels: Sequence[int] | None = None,
        rng: np.random.Generator | None = None,
    ) -> QTable:
        """Find the sources of a sky, each once.

        Parameters
        ----------
        observation : Observation
        grid : PatchGrid, optional
            The 768 patches of the paper by default.
        n_pixels : sequence of int, optional
            Pixels a side of a patch in each band; by default those that the localiser was trained
            for, or the least power of two that is as fine as the pixels of the map.
        rng : numpy.random.Generator, optional
            Lays photons within HEALPix pixels; seed 0 by default.

        Returns
        -------
        QTable
            ``ra, dec, glon, glat, score`` and what the localiser measures, highest score first.
        """
        rng = rng or np.random.default_rng(0)
        grid = grid or PatchGrid.healpix(frame=observation.counts.pixels[0].frame)
        found = self._localise_sky(observation, grid, n_pixels, rng)
        table = conform(found, DETECTIONS, what=f"the detections of {self.name}")
        table.sort("score", reverse=True)
        return table

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        self._refuse_image(observation)
        widths = tuple(n_pixels or patch_widths(observation.counts.pixels, grid))
        return self._merged(PatchStacks(observation, grid, widths, rng))

    def _refuse_image(self, observation: Observation) -> None:
        """Raise an error where maps of the sky are wanted, and an image of a camera is given."""
        if observation.is_image:
            raise OptionError(
                f"{self.name} looks at maps of the sky, and this is an image of a camera",
                remedy="Search with --localiser unet, sep or daofind.",
            )

    def _merged(self, stacks: PatchStacks) -> QTable:
        """Detections of all patches, each source once."""
        found = []
        for start, patches in stacks:
            detections = self.localise(patches)
            detections["patch"] += start
            found.append(detections)
        return merge_detections(vstack(found), stacks.grid, max(stacks.n_pixels))

    @abc.abstractmethod
    def _localise(self, patches: Patches) -> QTable: ...


def no_detections() -> QTable:
    """Return what `Localiser.localise_sky` returns where nothing is found."""
    return empty_table(DETECTIONS)
