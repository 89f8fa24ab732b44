"""A user's exposure in the place of the instrument's."""

from __future__ import annotations

import warnings
from dataclasses import replace
from os import PathLike

import numpy as np

from gammafind.errors import AssumptionWarning, InputDataError
from gammafind.pipeline.coverage import check_coverage
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits import read_exposure
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

_LEAST_RATIO = 1e-7
"""An exposure this much smaller or larger than the preset's is none: seconds against ten years."""
_METRES = 1e4
"""Square centimetres in a square metre."""
_ALIKE = (0.01, 100.0)
"""Ratio to the preset's of an exposure without a unit that is in cm2 s: from weeks on."""
_SURE = 3.0
"""Largest factor, because of another time, between an exposure in m2 s and the preset's."""


def with_exposure(
    observation: Observation, renderer: SkyRenderer, path: str | PathLike, *, frame: str | None
) -> Observation:
    """Replace the exposure by that of a file; the background scales with it, pixel by pixel.

    Pixels without exposure are not valid in all maps, so nothing is found or measured there.

    Parameters
    ----------
    observation : Observation
    renderer : SkyRenderer
    path : path-like
    frame : str or None
        Frame of a HEALPix map whose header does not say it; by default that of the counts.

    Raises
    ------
    InputDataError
        If it is no exposure, its unit is unclear, or it covers no pixel of the counts.
    InputFileError
        If the file cannot be used; the class names the fault.

    Warns
    -----
    AssumptionWarning
        If it is taken as m2 s, or in the frame of the counts, because the file does not say so.
    CoverageWarning
        If pixels of the counts have no exposure.
    """
    counts, own = observation.counts, observation.exposure
    given = read_exposure(path, bands=counts.bands, pixels=counts.pixels, frame=frame)
    valid = tuple(a & b for a, b in zip(counts.valid, given.valid, strict=True))
    remedy = "It must cover the counts: is it in another frame (--frame)?"
    check_coverage(counts, valid, "exposure", path=path, remedy=remedy)
    if not given.meta["unit"]:
        given = _in_cm2_s(given, own, path)
    given = renderer.seen_exposure(given)
    _check_scale(given, own, path)
    factors = [
        np.divide(new, old, out=np.zeros(new.shape), where=old > 0)
        for new, old in zip(given.values, own.values, strict=True)
    ]
    background = {
        name: replace(
            sky,
            values=tuple(v * f for v, f in zip(sky.values, factors, strict=True)),
            valid=tuple(a & b for a, b in zip(sky.valid, given.valid, strict=True)),
        )
        for name, sky in observation.background.items()
    }
    return replace(
        observation,
        counts=replace(counts, valid=valid),
        exposure=given,
        background=background,
    )


def _in_cm2_s(given: SkyMap, own: SkyMap, path: str | PathLike) -> SkyMap:
    """Bring an exposure without a unit to cm2 s, by comparison with that of the preset."""
    ratio = float(np.median(_ratios(given, own)))
    if _ALIKE[0] <= ratio <= _ALIKE[1]:
        return given
    if not 1 / _SURE <= ratio * _METRES <= _SURE:
        raise InputDataError(
            f"the exposure has no unit, and is {ratio:.3g} times that of the preset",
            path=path,
            remedy="Write its unit (cm2 s or m2 s) into the keyword BUNIT or TUNITn.",
        )
    warnings.warn(
        f"{path}: the exposure has no unit; it is {ratio:.3g} times that of the preset, so it is "
        "taken as m2 s",
        AssumptionWarning,
        stacklevel=3,
    )
    return given.map(lambda values: values * _METRES, kind="exposure")


def _check_scale(given: SkyMap, own: SkyMap, path: str | PathLike) -> None:
    """Refuse what is no exposure: a count map, say, or one in another unit."""
    for band, ratio in zip(given.bands, _ratios(given, own), strict=True):
        if not _LEAST_RATIO <= ratio <= 1 / _LEAST_RATIO:
            raise InputDataError(
                f"the exposure in the band {band.name} is {ratio:.3g} times that of the preset",
                path=path,
                remedy="It must be in cm2 s. Is this a map of exposures?",
            )


def _ratios(given: SkyMap, own: SkyMap) -> list[float]:
    """Median ratio of two exposures in each band, 0 where they have no pixel in common."""
    ratios = []
    for new, old, valid in zip(given.values, own.values, given.valid, strict=True):
        both = valid & (old > 0) & (new > 0)
        ratios.append(float(np.median(new[both] / old[both])) if both.any() else 0.0)
    return ratios
