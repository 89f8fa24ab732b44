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
from gammafind.testing.common import check_plugin, check_schema, rules_of, same
from gammafind.testing.toys import toy_image, toy_patches

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
    must = rules_of(localiser)
    must(
        localiser.sees in _SEES,
        f"it sees {localiser.sees!r}, not one of {', '.join(_SEES)}",
        f"it sees one of {', '.join(_SEES)}",
    )
    must(
        isinstance(localiser.scores_are_probabilities, bool),
        f"scores_are_probabilities is {localiser.scores_are_probabilities!r}",
        "it says whether its scores are probabilities",
    )
    must(
        isinstance(localiser.score_name, str) and bool(localiser.score_name.strip()),
        f"the name of its scores is {localiser.score_name!r}",
        "its scores have a name",
    )
    must(
        isinstance(localiser.published_score, int | float)
        and not np.isnan(localiser.published_score),
        f"the lowest score published is {localiser.published_score!r}, no number",
        "the lowest score that it publishes is a number",
    )


def _check_on_patches(localiser: Localiser, patches: Patches) -> None:
    must = rules_of(localiser)
    dark = dataclasses.replace(patches, counts=tuple(np.zeros_like(c) for c in patches.counts))
    nothing = localiser.localise(dark)
    must(
        len(nothing) == 0,
        f"no counts give {len(nothing)} detections",
        "nothing is found without counts",
    )
    check_schema(nothing, PATCH_DETECTIONS, must)
    before = copy.deepcopy(patches.counts)
    found, again = localiser.localise(patches), localiser.localise(patches)
    _check_found(localiser, found, again, patches.counts, before)
    check_schema(found, PATCH_DETECTIONS, must)
    places = np.stack([found["x"].value, found["y"].value])
    must(
        np.all((places >= -0.5) & (places <= patches.score_width - 0.5)),
        "a detection is outside its patch",
        "detections are within their patch",
    )


def _check_on_image(localiser: Localiser, image: Observation) -> None:
    must = rules_of(localiser)
    counts = image.counts
    sky = dataclasses.replace(counts, values=image.total_background().values)
    nothing = localiser.localise_sky(dataclasses.replace(image, counts=sky))
    must(
        len(nothing) == 0,
        f"an empty sky gives {len(nothing)} detections",
        "nothing is found on an empty sky",
    )
    check_schema(nothing, DETECTIONS, must)
    before = copy.deepcopy(counts.values)
    found, again = localiser.localise_sky(image), localiser.localise_sky(image)
    _check_found(localiser, found, again, counts.values, before)
    check_schema(found, DETECTIONS, must)


def _check_found(
    localiser: Localiser, found: QTable, again: QTable, *counts: tuple[np.ndarray, ...]
) -> None:
    """Check two results of one sky; ``counts`` are those after and before the search."""
    must = rules_of(localiser)
    alike = all(np.array_equal(a, b) for a, b in zip(*counts, strict=True))
    must(alike, "the counts are changed", "the counts stay as they are")
    must(same(found, again), "one sky gives two results", "one sky gives one result")
    must(len(found) > 0, "a bright source is not found", "a bright source is found")
    score = np.asarray(found["score"])
    possible = not localiser.scores_are_probabilities or np.all((score >= 0) & (score <= 1))
    must(
        possible,
        "its scores are probabilities, and one is not between 0 and 1",
        "scores that are probabilities are between 0 and 1",
    )
