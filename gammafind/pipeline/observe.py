"""Files become an observation: counts, and what the instrument expects of the same pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np

from gammafind.errors import (
    BandError,
    FileFormatError,
    InputDataError,
    OptionError,
    RepeatedPhotonsWarning,
)
from gammafind.fitting.photons.resolution import on_search_pixels
from gammafind.pipeline.background import where_known, with_background
from gammafind.pipeline.given_exposure import with_exposure
from gammafind.pipeline.inputs import Input, OnePath, path_list, preset_for, sorted_input
from gammafind.presets.preset import Preset, build
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.epochs import Epochs
from gammafind.sky.fits import EventList, PhotonLists
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import stage

Path = str | PathLike


def observe(
    given: Input,
    renderer: SkyRenderer,
    *,
    frame: str | None = None,
    background: Sequence[Path] = (),
    finer: bool = False,
) -> Observation:
    """Read a sky and model its background.

    Parameters
    ----------
    given : Input
        Files of count maps, or photon lists, which are binned on the renderer's own pixels; or a
        map in memory. An observation is used unchanged. Exposure maps take the place of the
        renderer's; none where it reads electrons.
    renderer : SkyRenderer
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps, also of the exposure, whose files do not say it.
    background : sequence of path-like, optional
        Maps of expected background that take the place of the renderer's.
    finer : bool
        Whether the maps may be on pixels as wide as the PSF, next to photons on finer ones.

    Returns
    -------
    Observation

    Raises
    ------
    OptionError
        If an exposure or background map is given to a renderer that reads electrons.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    counts, exposure = given.counts, given.exposure
    maps = {"exposure": exposure, "background": ", ".join(map(str, background)) or None}
    for what, file in maps.items():
        if file is not None and renderer.sees == "image":
            raise OptionError(
                f"the {what} map {file} is given for {renderer.name}, which reads electrons",
                remedy=f"Leave it out: the {what} follows from the image and the options.",
            )
    if isinstance(counts, Observation):
        observation = counts
    else:
        if not isinstance(counts, SkyMap):
            with stage("reading the maps"):
                counts = _read_sky(given, renderer, frame=frame, finer=finer)
        elif finer:
            counts = on_search_pixels(counts, renderer.psfs())
        with stage("modelling the sky"):
            observation = renderer.observe(counts)
    if exposure is not None:
        with stage("reading the exposure"):
            observation = with_exposure(observation, renderer, exposure, frame=frame)
    if background:
        with stage("reading the background"):
            return with_background(observation, renderer, background, frame=frame)
    return where_known(observation, f"the sky of {renderer.name}")


def observe_epochs(
    paths: Sequence[Sequence[Path]],
    renderer: SkyRenderer,
    counts: SkyMap,
    *,
    frame: str | None = None,
) -> Epochs:
    """Read the counts of each epoch.

    Parameters
    ----------
    paths : sequence of sequence of path-like
        Files of each epoch, in order, as for `observe`.
    renderer : SkyRenderer
    counts : SkyMap
        Of all epochs together.
    frame : {"galactic", "icrs", "fk5"}, optional
        As for `observe`.

    Returns
    -------
    Epochs

    Raises
    ------
    OptionError
        If there are not as many as the renderer has epochs.
    InputFileError
        If a file cannot be used; the class names the fault.
    InputDataError
        If they do not add up to the counts of all epochs together.
    """
    names = renderer.epochs
    files = [", ".join(map(str, one)) for one in paths]
    if len(paths) != len(names):
        raise OptionError(
            f"counts of {len(paths)} epochs ({'; '.join(files)}), where {renderer.name} has "
            f"{len(names) or 'none'} with these options",
            remedy=f"Give one map, or set of maps, for each of {', '.join(names)}, in order."
            if names
            else "Leave them out: the exposure is not given apart for each epoch.",
        )
    with stage("reading the epochs"):
        skies = tuple(
            _compact(_read_sky(sorted_input(one), renderer, frame=frame)) for one in paths
        )
    try:
        epochs = Epochs(skies, renderer.epoch_exposures())
        epochs.check_sum(counts)
    except (BandError, InputDataError) as error:
        raise InputDataError(error.fault, path="; ".join(files), remedy=error.remedy) from error
    return epochs


def _compact(sky: SkyMap) -> SkyMap:
    """Counts in half of the memory, which ten epochs need, where they are small enough."""
    most = max(float(np.max(values, initial=0)) for values in sky.values)
    if most > np.iinfo(np.int32).max or any(values.dtype.kind != "i" for values in sky.values):
        return sky
    return replace(sky, values=tuple(values.astype(np.int32) for values in sky.values))


def read_counts(
    counts: OnePath | Sequence[OnePath],
    *,
    preset: Preset | OnePath | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
) -> SkyMap:
    """Read count maps, or bin photon lists, in the bands of a preset.

    Parameters
    ----------
    counts : path-like or sequence of path-like
        HEALPix or WCS maps as gtbin writes them, healpy maps, or photon lists (FT1).
    preset : Preset, str or path-like, optional
        By default the one whose bands the energies of the files fill, or one made from the files.
    bands : sequence of Band, optional
        Bands of maps whose files do not give them, in order.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps whose files do not give it.

    Returns
    -------
    SkyMap
        Counts: one array of whole numbers a band, on its own pixels.

    Raises
    ------
    EnergyEdgesError
        If no preset or several fit.
    InputFileError
        If a file cannot be used; the class names the fault.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> from gammafind.sky.fits import write_counts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_counts(gammafind.demo_sky(), f"{folder}/counts.fits")
    ...     counts = gammafind.read_counts(path)
    >>> counts.bands[0].name
    '2-20 GeV'
    """
    given = sorted_input(path_list(counts))
    renderer = build(preset_for(given, preset, bands).renderer)
    sky = _read_sky(given, renderer, frame=frame)
    return replace(sky, meta={**sky.meta, "files": given.files})


def _read_sky(
    given: Input, renderer: SkyRenderer, *, frame: str | None, finer: bool = False
) -> SkyMap:
    """Read count maps, or bin photons on the renderer's own pixels."""
    lists = {file.path for file in given.files if file.kind == "photons"}
    photons = [path in lists for path in given.counts]
    if all(photons):
        events = PhotonLists.of(given.counts)
        counts = renderer.bin_events(events)
        return replace(counts, finer=renderer.fine_counts(_Again(events))) if finer else counts
    if any(photons):
        raise FileFormatError(
            "a photon list among count maps",
            path=given.counts[photons.index(True)],
            remedy="Give the one or the other.",
        )
    counts = renderer.read_counts(given.counts, frame=frame)
    return on_search_pixels(counts, renderer.psfs()) if finer else counts


@dataclass(frozen=True)
class _Again:
    """Photon lists that were read before, so that what they warn of is known."""

    lists: PhotonLists

    def __iter__(self) -> Iterator[EventList]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RepeatedPhotonsWarning)
            yield from self.lists
