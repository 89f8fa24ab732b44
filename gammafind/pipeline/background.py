"""A user's maps of the background in the place of the instrument's."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from gammafind.pipeline.coverage import check_coverage
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

_log = logging.getLogger("gammafind")


def with_background(
    observation: Observation,
    renderer: SkyRenderer,
    paths: Sequence[str | PathLike],
    *,
    frame: str | None = None,
) -> Observation:
    """Replace the background by the components of files; each has a norm of its own in the fit.

    Pixels without background are not valid in all maps.

    Parameters
    ----------
    observation : Observation
    renderer : SkyRenderer
        Reads the files.
    paths : sequence of path-like
    frame : str or None
        Frame of HEALPix maps whose header does not say it; by default that of the counts.

    Raises
    ------
    InputDataError
        If no pixel of a band has background.
    InputFileError
        If a file cannot be used; the class names the fault.

    Warns
    -----
    CoverageWarning
        If pixels of the counts have no background.
    """
    counts = observation.counts
    background = renderer.read_background(paths, counts, frame=frame)
    for name, sky in background.items():
        total = sum(float(np.sum(values)) for values in sky.values)
        _log.info("background %s: %.6g expected counts", name, total)
    changed = replace(observation, background=background)
    return where_known(changed, ", ".join(map(str, paths)))


def where_known(observation: Observation, source: str) -> Observation:
    """Observation without the counts of pixels where background or exposure is not known.

    Parameters
    ----------
    observation : Observation
    source : str
        Of the background and the exposure, for messages.

    Raises
    ------
    InputDataError
        If no pixel of a band has background, or none has exposure.
    """
    observation = _within(observation, observation.total_background(), "background", source)
    return _within(observation, observation.exposure, "exposure", source)


def _within(observation: Observation, sky: SkyMap, what: str, source: str) -> Observation:
    """Observation without the counts of pixels where a map is not valid.

    That nothing was seen where there was no exposure goes without saying.
    """
    counts = observation.counts
    valid = tuple(a & b for a, b in zip(counts.valid, sky.valid, strict=True))
    if all(map(np.array_equal, counts.valid, valid)):
        return observation
    lost = zip(counts.values, counts.valid, valid, strict=True)
    if what != "exposure" or any(np.any(array[a & ~b]) for array, a, b in lost):
        check_coverage(counts, valid, what, path=source, remedy="It must cover the counts.")
    return replace(observation, counts=replace(counts, valid=valid))
