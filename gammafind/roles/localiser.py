"""The role of localisers."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack

from gammafind.catalogue.merging import merge_detections
from gammafind.catalogue.schema import (
    DETECTIONS,
    PATCH_DETECTIONS,
    conform,
    empty_table,
    in_flux_unit,
)
from gammafind.errors import OptionError
from gammafind.roles.base import Plugin, Sees
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.deprecated import adopt_probabilities, sight_unsaid
from gammafind.roles.trainer import Trainer
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid, patch_widths
from gammafind.sky.patches import Patches
from gammafind.sky.skymap import SkyMap
from gammafind.sky.stacks import PatchStacks
from gammafind.utils.progress import track

SCORE_MAP = "score_map"
"""Entry of the ``meta`` of the table of ``_localise_sky``: the `SkyMap` of `SkyFindings.scores`."""


class SkyFindings(NamedTuple):
    """What a localiser finds on a sky.

    Attributes
    ----------
    detections : QTable
        Schema DETECTIONS.
    scores : SkyMap or None
        Score at each place, of one band and perhaps coarse, where the localiser makes such a map.
    """

    detections: QTable
    scores: SkyMap | None = None


@dataclass(frozen=True, kw_only=True)
class Localiser(Plugin):
    """Finds sources.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from astropy.table import QTable
    >>> from gammafind import Localiser
    >>> from gammafind.testing import toy_patches
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Brightest(Localiser):
    ...     name = "brightest"
    ...
    ...     def _localise(self, patches):
    ...         counts = patches.counts[0]
    ...         patch = np.arange(len(counts))
    ...         y, x = np.unravel_index(counts.reshape(len(counts), -1).argmax(1), counts.shape[1:])
    ...         return QTable(
    ...             {"patch": patch, "x": x * u.pix, "y": y * u.pix, "score": counts[patch, y, x]}
    ...         )
    >>> found = Brightest().localise(toy_patches())
    >>> float(found["x"][0].value), float(found["y"][0].value)
    (37.0, 27.0)
    """

    sees: ClassVar[Sees | Literal["both"]] = "maps"
    """What it can search: maps of the sky, the image of a camera, or both."""

    scores_are_probabilities: ClassVar[bool] = False
    """Whether a score is the probability that there is a source.

    It may be a property where it depends on the options, as may the two that follow.
    """

    score_name: ClassVar[str] = "score"
    """What scores are called on pages, in figures and on the screen, such as TS: a label."""

    fits_finer: ClassVar[bool] = False
    """Whether it searches on pixels as wide as the PSF and fits photons on finer ones, which the
    counts of an observation then hold (`SkyMap.finer`)."""

    published_score: ClassVar[float] = -np.inf
    """Lowest score that is published where nobody says another; by default all are published."""

    _old_names: ClassVar = {"score_name": adopt_probabilities}

    clusterer: Clusterer | None = None
    """Makes detections of score maps; None for the localiser's own default."""

    def cannot_search(self, observation: Observation) -> str:
        """Why it cannot search such a sky, for people to read; empty if it can, as by default.

        Parameters
        ----------
        observation : Observation

        Returns
        -------
        str
        """
        return ""

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
        """Find the sources of a sky, without duplicates.

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
            ``ra, dec, glon, glat, score`` and what the localiser measures, highest score first;
            fluxes are in the ``flux_unit`` of the observation. Where the localiser knows it, the
            entry ``expected_false_by_score`` of ``meta`` maps scores, as text, to the expected
            number of false detections with at least that score.

        Raises
        ------
        OptionError
            If the observation is not what the localiser `sees`.
        """
        return self.search_sky(observation, grid=grid, n_pixels=n_pixels, rng=rng).detections

    def search_sky(
        self,
        observation: Observation,
        *,
        grid: PatchGrid | None = None,
        n_pixels: Sequence[int] | None = None,
        rng: np.random.Generator | None = None,
    ) -> SkyFindings:
        """Find the sources of a sky as `localise_sky` does, and keep the map of scores.

        Parameters
        ----------
        observation : Observation
        grid, n_pixels, rng : object
            As for `localise_sky`.

        Returns
        -------
        SkyFindings
            With a map where ``_localise_sky`` puts one into the entry `SCORE_MAP` of the ``meta``
            of its table.

        Raises
        ------
        OptionError
            If the observation is not what the localiser `sees`.
        """
        self._check_sight(observation)
        rng = rng or np.random.default_rng(0)
        grid = grid or PatchGrid.healpix(frame=observation.counts.pixels[0].frame)
        found = self._localise_sky(observation, grid, n_pixels, rng)
        scores = found.meta.pop(SCORE_MAP, None)
        schema = in_flux_unit(DETECTIONS, observation.flux_unit)
        table = conform(found, schema, what=f"the detections of {self.name}")
        table.sort("score", reverse=True)
        return SkyFindings(table, scores)

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        widths = tuple(n_pixels or patch_widths(observation.counts.pixels, grid))
        return self._merged(PatchStacks(observation, grid, widths, rng))

    def _check_sight(self, observation: Observation) -> None:
        """Raise an error where the observation is not what the localiser sees."""
        if self.sees == "both" or (self.sees == "image") == observation.is_image:
            return
        if self.sees == "image":
            raise OptionError(
                f"{self.name} takes images of a camera, and these are maps of the sky",
                remedy="Search with --localiser unet or likelihood.",
            )
        if not sight_unsaid(type(self), Localiser):
            raise OptionError(
                f"{self.name} takes maps of the sky, and this is an image of a camera",
                remedy="Search with --localiser image-unet, sep or daofind.",
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


def patch_by_patch(
    patches: Patches,
    find: Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    what: str = "patches",
) -> QTable:
    """Table of the detections in each patch.

    Parameters
    ----------
    patches : Patches
    find : callable
        Takes the index of a patch, and returns columns and rows in pixels, and scores.
    what : str
        Shown next to the progress bar.

    Returns
    -------
    QTable
        ``patch, x, y, score``.
    """
    rows = [np.zeros((0, 4))]
    for index in track(range(len(patches)), what):
        found = find(index)
        rows.append(np.column_stack([np.full(len(found[0]), index), *found]))
    patch, x, y, score = np.concatenate(rows).T
    return QTable({"patch": patch.astype(int), "x": x * u.pix, "y": y * u.pix, "score": score})
