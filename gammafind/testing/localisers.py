"""The contract of localisers, as a check to run."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, get_args

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import DETECTIONS, PATCH_DETECTIONS
from gammafind.roles.base import Sees
from gammafind.roles.localiser import Localiser
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches
from gammafind.testing.common import check_plugin, check_schema, require, same
from gammafind.testing.toys import toy_image, toy_patches

__all__ = ["check_localiser"]

_SEES = (*get_args(Sees), "both")


def check_localiser(
    plugin: type[Localiser],
    *,
    patches: Patches | None = None,
    image: Observation | None = None,
    **options: Any,
) -> None:
    """Check a localiser on a bright source, and on the same place without one.

    Parameters
    ----------
    plugin : type
    patches : Patches, optional
        For localisers that take certain bands and sizes only; by default those of
        `toy_patches`. They must hold a source that is found.
    image : Observation, optional
        The same for localisers that take only images; by default that of `toy_image`.
    **options

    Raises
    ------
    ConformanceError

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import check_localiser
    >>> check_localiser(gammafind.get_plugin("localiser", "likelihood"))
    """
    check_plugin(plugin, Localiser)
    localiser = plugin(**options)
    _check_attributes(localiser)
    if localiser.sees == "image":
        _check_on_image(localiser, toy_image() if image is None else image)
    else:
        _check_on_patches(localiser, toy_patches() if patches is None else patches)


def _check_attributes(localiser: Localiser) -> None:
    name = localiser.name
    require(
        localiser.sees in _SEES,
        f"{name}: it sees {localiser.sees!r}, not one of {', '.join(_SEES)}",
    )
    require(
        isinstance(localiser.scores_are_probabilities, bool),
        f"{name}: scores_are_probabilities is {localiser.scores_are_probabilities!r}",
    )
    require(
        isinstance(localiser.score_name, str) and bool(localiser.score_name.strip()),
        f"{name}: the name of its scores is {localiser.score_name!r}",
    )
    require(
        isinstance(localiser.published_score, int | float)
        and not np.isnan(localiser.published_score),
        f"{name}: the lowest score published is {localiser.published_score!r}, no number",
    )


def _check_on_patches(localiser: Localiser, patches: Patches) -> None:
    dark = dataclasses.replace(patches, counts=tuple(np.zeros_like(c) for c in patches.counts))
    nothing = localiser.localise(dark)
    require(len(nothing) == 0, f"{localiser.name}: no counts give {len(nothing)} detections")
    check_schema(nothing, PATCH_DETECTIONS, localiser.name)
    before = copy.deepcopy(patches.counts)
    found, again = localiser.localise(patches), localiser.localise(patches)
    _check_unchanged(localiser, patches.counts, before)
    _check_found(localiser, found, again)
    check_schema(found, PATCH_DETECTIONS, localiser.name)
    places = np.stack([found["x"].value, found["y"].value])
    require(
        bool(np.all((places >= -0.5) & (places <= patches.score_width - 0.5))),
        f"{localiser.name}: a detection is outside its patch",
    )


def _check_on_image(localiser: Localiser, image: Observation) -> None:
    counts = image.counts
    sky = dataclasses.replace(counts, values=image.total_background().values)
    nothing = localiser.localise_sky(dataclasses.replace(image, counts=sky))
    require(len(nothing) == 0, f"{localiser.name}: an empty sky gives {len(nothing)} detections")
    check_schema(nothing, DETECTIONS, localiser.name)
    before = copy.deepcopy(counts.values)
    found, again = localiser.localise_sky(image), localiser.localise_sky(image)
    _check_unchanged(localiser, counts.values, before)
    _check_found(localiser, found, again)
    check_schema(found, DETECTIONS, localiser.name)


def _check_unchanged(
    localiser: Localiser, counts: tuple[np.ndarray, ...], before: tuple[np.ndarray, ...]
) -> None:
    require(
        all(np.array_equal(a, b) for a, b in zip(counts, before, strict=True)),
        f"{localiser.name}: the counts are changed",
    )


def _check_found(localiser: Localiser, found: QTable, again: QTable) -> None:
    require(same(found, again), f"{localiser.name}: one sky gives two results")
    require(len(found) > 0, f"{localiser.name}: a bright source is not found")
    score = np.asarray(found["score"])
    require(
        not localiser.scores_are_probabilities or bool(np.all((score >= 0) & (score <= 1))),
        f"{localiser.name}: its scores are probabilities, and one is not between 0 and 1",
    )
