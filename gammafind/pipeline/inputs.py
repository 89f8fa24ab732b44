"""What a person gives, as the rest of the pipeline takes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.presets.choose import check_bands, choose_preset, log_choice, select_preset
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.registry import get_plugin, plugins
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.facts import FileFacts, read_facts
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

_log = logging.getLogger("gammafind")

OnePath = str | PathLike
Counts = OnePath | Sequence[OnePath] | SkyMap | Observation
"""Counts as a person has them: one file or several, a map in memory, or an observation."""
Table = OnePath | QTable
"""A catalogue by the name of an embedded one, by its file, or in memory."""


def path_list(paths: OnePath | Sequence[OnePath]) -> list[Path]:
    """Bring one path or several to a list.

    Raises
    ------
    OptionError
        If there is none, or one has an empty name.
    """
    one = isinstance(paths, str | PathLike) or not isinstance(paths, Iterable)
    listed = [paths] if one else list(paths)
    if not listed:
        raise OptionError("no file of counts is given", remedy="Name at least one.")
    for path in listed:
        if not isinstance(path, str | PathLike):
            raise OptionError(
                f"the counts are a {type(path).__name__}",
                remedy="Give a path, several paths, a SkyMap or an Observation.",
            )
        if not str(path):
            raise OptionError("the name of a file of counts is empty", remedy="Give its name.")
    return [Path(path) for path in listed]


@dataclass(frozen=True, eq=False)
class Input:
    """What a person gives to be searched, sorted.

    Attributes
    ----------
    counts : list of Path, SkyMap or Observation
        Photon lists or count maps.
    exposure : path-like or None
        File that gives the exposure, named as such or found among the others.
    files : tuple of FileFacts
        What the files are; empty for a map in memory.
    """

    counts: list[Path] | SkyMap | Observation
    exposure: OnePath | None = None
    files: tuple[FileFacts, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether the counts are in files."""
        return isinstance(self.counts, list)


def sorted_input(counts: Counts, exposure: OnePath | None = None) -> Input:
    """Sort files by what they are; an exposure among the counts is the exposure.

    Raises
    ------
    OptionError
        If there are two exposures.
    InputFileError
        If a file cannot be opened.
    """
    if isinstance(counts, SkyMap | Observation):
        return Input(counts, exposure)
    files = [read_facts(path) for path in path_list(counts)]
    data = [file for file in files if file.kind in ("photons", "counts")]
    given = [file for file in files if file.kind in ("exposure", "livetime")] if data else []
    rest = [file.path for file in files if file not in given]
    if given and (exposure is not None or len(given) > 1):
        names = ", ".join(str(path) for path in (*(file.path for file in given), exposure) if path)
        raise OptionError(f"there are several exposures: {names}", remedy="Give one.")
    if exposure is not None:
        files.append(read_facts(exposure))
    return Input(rest, given[0].path if given else exposure, tuple(files))


def preset_for(
    given: Input,
    preset: Preset | OnePath | None,
    bands: Sequence[Band] | None,
    options: Mapping[str, Any] | None = None,
) -> Preset:
    """Load the preset of a name, choose the one that fits the counts, or make one from the files.

    Parameters
    ----------
    given : Input
    preset : Preset, str or path-like, optional
    bands : sequence of Band, optional
        Of maps whose files do not give them.
    options : mapping, optional
        Options of the renderer that the user gives.

    Raises
    ------
    EnergyEdgesError, ConfigError, InputFileError
        As `gammafind.presets.choose.select_preset`.
    """
    if given.is_file:
        chosen = select_preset(given.files, preset, bands, options=options)
        if preset is None:
            log_choice(chosen, given.files, bands)
        return chosen
    counts = given.counts
    if isinstance(counts, Observation):
        counts = counts.counts
    if bands is not None:
        raise OptionError("bands are given for a map in memory", remedy="It has bands of its own.")
    if preset is None and counts.meta.get("files"):
        return select_preset(counts.meta["files"], options=options)
    if preset is None:
        unit = counts.bands[0].low.unit
        edges = np.unique([band.edges.to_value(unit) for band in counts.bands]) * unit
        return choose_preset(edges, selections=[tuple(counts.meta.get("selections", ()))])
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    check_bands(counts.bands, chosen)
    return chosen


def renderer_for(preset: Preset, given: Input) -> tuple[SkyRenderer, Preset]:
    """Build the renderer of a preset for the time of the files.

    Returns
    -------
    renderer : SkyRenderer
    preset : Preset
        With a doubt where the exposure had to be scaled.
    """
    renderer = build(preset.renderer)
    if given.exposure is not None or "exposure_source" in preset.renderer.options:
        scaled, doubt = renderer, ""
    else:
        scaled, doubt = renderer.for_files(given.files)
    if not doubt:
        return renderer, preset
    _log.warning("%s", doubt)
    component = replace(preset.renderer, plugin=scaled)
    return scaled, replace(preset, renderer=component, doubts=(*preset.doubts, doubt))


def table_of(source: Table | None) -> QTable | None:
    """Table of a catalogue that is given by name, by path or as a table; None for none."""
    if source is None or isinstance(source, QTable):
        return source
    return read_catalogue(source)


def read_catalogue(source: OnePath) -> QTable:
    """Read a catalogue.

    Parameters
    ----------
    source : str or path-like
        The name of a catalogue that comes with the package, such as ``"4fgl-dr2"``, or a file in
        ECSV, FITS, VOTable or CSV format.

    Returns
    -------
    QTable
        One row a source, with a column of positions: angles in degrees where a file has no units.

    Raises
    ------
    InputFileError
        If the file cannot be used; the class names the fault.
    TableError
        If the table has no positions.

    Examples
    --------
    >>> import gammafind
    >>> len(gammafind.read_catalogue("4fgl-dr2"))
    5788
    """
    embedded = _embedded(source)
    if embedded is not None:
        return embedded
    table = read_table(source)
    sky_positions(table, what=str(source))
    table.meta |= describe_input(source)
    return table


def _embedded(source: OnePath) -> QTable | None:
    """Catalogue of this name that comes with a renderer, None if there is none."""
    wanted = str(source).lower()
    for info in plugins("renderer"):
        if info.error is None:
            known = get_plugin("renderer", info.name).catalogues
            if wanted in known:
                return known[wanted]()
    return None
