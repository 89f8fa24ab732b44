"""The exposure of an observation from where the instrument pointed."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import astropy.units as u
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.pipeline.inputs import Counts, OnePath, path_list
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits import read_selections
from gammafind.sky.fits.good_times import read_good_times
from gammafind.sky.fits.selections import largest_zenith
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap


def pointed(
    renderer: SkyRenderer,
    counts: Counts,
    *,
    spacecraft: OnePath | Sequence[OnePath] | None,
    exposure: OnePath | None,
) -> tuple[SkyRenderer, OnePath | None]:
    """Renderer with the exposure of spacecraft files or of a livetime cube.

    Good time and zenith cut are those of the files of counts.

    Parameters
    ----------
    renderer : SkyRenderer
    counts : path-like, sequence of path-like, SkyMap or Observation
    spacecraft : path-like or sequence of path-like, optional
        Spacecraft files.
    exposure : path-like, optional
        Map of the exposure, or a file that says where the instrument pointed.

    Returns
    -------
    renderer : SkyRenderer
    exposure : path-like or None
        A map that takes the place of the renderer's exposure.

    Raises
    ------
    OptionError
        If both are given, or the instrument has no spacecraft files.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    if spacecraft is not None and exposure is not None:
        raise OptionError(
            f"spacecraft files and the exposure {exposure} are given",
            remedy="Give one: the exposure follows from where the instrument pointed.",
        )
    if spacecraft is None:
        if exposure is None or not renderer.holds_pointing(exposure):
            return renderer, exposure
        spacecraft = [exposure]
    elif not path_list(spacecraft):
        return renderer, exposure
    files = [] if isinstance(counts, SkyMap | Observation) else path_list(counts)
    good = files if files and read_good_times(files) is not None else ()
    return (
        renderer.with_pointing(
            path_list(spacecraft), good_times=good, max_zenith=smallest_zenith(files)
        ),
        None,
    )


def smallest_zenith(files: Sequence[str | PathLike]) -> Quantity | None:
    """Smallest of the zenith cuts in the headers of files; None if no header has one."""
    found = [largest_zenith(read_selections(path)) for path in files]
    known = [angle for angle in found if angle is not None]
    return min(known) * u.deg if known else None
