"""What a person gives, as the rest of the pipeline takes it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.table import Table as AnyTable
from astropy.units import Quantity

from gammafind.catalogue.columns import check_known_columns
from gammafind.catalogue.foreign import as_catalogue
from gammafind.catalogue.io import read_table
from gammafind.errors import FileFormatError, MissingFileError, OptionError
from gammafind.presets.choose import check_bands, choose_preset, log_choice, select_preset
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.official import official_file
from gammafind.roles.registry import get_plugin, plugins
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.facts import FileFacts, data_files, read_facts
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.data_folder import located
from gammafind.utils.files import check_input
from gammafind.utils.listing import listed
from gammafind.utils.names import close_match

_log = logging.getLogger("gammafind")

OnePath = str | PathLike
Counts = OnePath | Sequence[OnePath] | SkyMap | Observation
"""Counts as a person has them: one file or several, a map in memory, or an observation."""
_OF_EXPOSURE = ("exposure", "livetime", "spacecraft")
"""Kinds of files that give the exposure."""
Table = OnePath | AnyTable
"""A catalogue by the name of an embedded one, by its file, or in memory."""


def path_list(paths: OnePath | Sequence[OnePath]) -> list[Path]:
    """Bring one path or several to a list; patterns and ``@list.txt`` stand for several files.

    Raises
    ------
    OptionError
        If there is none, or one has an empty name.
    MissingFileError
        If no file fits a pattern, or a list cannot be read.
    """
    one = isinstance(paths, str | PathLike) or not isinstance(paths, Iterable)
    named = [paths] if one else list(paths)
    if not named:
        raise OptionError("no file of counts is given", remedy="Name at least one.")
    for path in named:
        if not isinstance(path, str | PathLike):
            raise OptionError(
                f"the counts are a {type(path).__name__}",
                remedy="Give a path, several paths, a SkyMap or an Observation.",
            )
        if not str(path):
            raise OptionError("the name of a file of counts is empty", remedy="Give its name.")
    return list(listed(named))


@dataclass(frozen=True, eq=False)
class Input:
    """What a person gives to be searched, sorted.

    Attributes
    ----------
    counts : list of Path, SkyMap or Observation
        Photon lists or count maps.
    exposure : path-like or None
        File of exposure maps, named as such or found among the others.
    pointing : tuple of Path
        Spacecraft files, or a livetime cube.
    files : tuple of FileFacts
        What the files are; only those of the exposure for a map in memory.
    """

    counts: list[Path] | SkyMap | Observation
    exposure: OnePath | None = None
    pointing: tuple[Path, ...] = ()
    files: tuple[FileFacts, ...] = ()

    @property
    def is_file(self) -> bool:
        """Whether the counts are in files."""
        return isinstance(self.counts, list)

    @property
    def has_exposure(self) -> bool:
        """Whether a file gives the exposure."""
        return self.exposure is not None or bool(self.pointing)

    @property
    def data(self) -> list[FileFacts]:
        """Files of photons or counts."""
        return data_files(self.files)


def sorted_input(
    counts: Counts,
    exposure: OnePath | None = None,
    spacecraft: OnePath | Sequence[OnePath] | None = None,
) -> Input:
    """Sort files by what they are; an exposure among the counts is the exposure.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
    exposure : path-like, optional
        Exposure maps or a livetime cube.
    spacecraft : path-like or sequence of path-like, optional
        Spacecraft files.

    Raises
    ------
    OptionError
        If the exposure is given twice.
    InputFileError
        If a file cannot be opened.
    """
    in_memory = isinstance(counts, SkyMap | Observation)
    model = None if in_memory else next(filter(_is_model, path_list(counts)), None)
    if model is not None:
        raise FileFormatError(
            "a model in XML holds no counts",
            path=model,
            remedy="Give photons or count maps, and the model as the background (--background).",
        )
    files = [] if in_memory else [read_facts(path) for path in path_list(counts)]
    named = [] if exposure is None else [_exposure_facts(exposure)]
    if spacecraft is not None:
        named += [replace(read_facts(path), kind="spacecraft") for path in path_list(spacecraft)]
    has_data = in_memory or bool(data_files(files))
    extra = [file for file in files if has_data and file.kind in _OF_EXPOSURE]
    rest = [file for file in files if file not in extra]
    given = [*named, *extra]
    pointing = tuple(file.path for file in given if file.kind in ("spacecraft", "livetime"))
    maps = [file.path for file in given if file.path not in pointing]
    if len(maps) > 1 or (maps and pointing):
        raise OptionError(
            f"the exposure is given twice: {', '.join(str(file.path) for file in given)}",
            remedy="Give one: exposure maps, a livetime cube, or spacecraft files.",
        )
    return Input(
        counts=counts if in_memory else [file.path for file in rest],
        exposure=maps[0] if maps else None,
        pointing=pointing,
        files=(*rest, *given),
    )


def _is_model(path: Path) -> bool:
    return path.suffix.casefold() == ".xml"


def _exposure_facts(path: OnePath) -> FileFacts:
    """Facts of a file that is named as the exposure, so that it is one of maps or a livetime."""
    facts = read_facts(path)
    return facts if facts.kind in ("livetime", "spacecraft") else replace(facts, kind="exposure")


def preset_for(
    given: Input,
    preset: Preset | OnePath | None,
    bands: Sequence[Band] | None,
    options: Mapping[str, Any] | None = None,
) -> Preset:
    """Load the preset of a name, choose the one that fits the counts, or make one from the files.

    A map in memory may name its preset: ``meta["preset"]``.

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
    if preset is None:
        preset = counts.meta.get("preset")
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
        With the exposure of spacecraft files or a livetime cube, if there are any; otherwise an
        exposure of its own is scaled to the good time of the files.
    preset : Preset
        With a doubt where the exposure was scaled.
    """
    renderer = build(preset.renderer)
    if given.pointing:
        return _pointed(renderer, given), preset
    if given.exposure is not None:
        return renderer, preset
    scaled, doubt = renderer.for_files(given.files)
    if not doubt:
        return renderer, preset
    _log.warning("%s", doubt)
    component = replace(preset.renderer, plugin=scaled)
    return scaled, replace(preset, renderer=component, doubts=(*preset.doubts, doubt))


def _pointed(renderer: SkyRenderer, given: Input) -> SkyRenderer:
    """Renderer with the exposure of where the instrument pointed in the time of the files."""
    data = given.data
    known = bool(data) and all(file.good_times is not None for file in data)
    return renderer.with_pointing(
        given.pointing,
        good_times=[file.path for file in data] if known else (),
        max_zenith=zenith_cut(data),
    )


def zenith_cut(files: Sequence[FileFacts]) -> Quantity | None:
    """Smallest of the zenith cuts in the headers of files; None if no header has one."""
    cuts = [found[1] for file in files if (found := file.range("ZENITH_ANGLE")) is not None]
    return min(cuts) * u.deg if cuts else None


def table_of(source: Table | None) -> QTable | None:
    """Table of a catalogue that is given by name, by path or as a table; None for none."""
    if source is None:
        return None
    if not isinstance(source, AnyTable):
        return read_catalogue(source)
    table = as_catalogue(source)
    check_known_columns(table)
    return table


def path_of(source: Table | None) -> OnePath | None:
    """Name or path by which a catalogue is given; None for a table, or for none."""
    return None if isinstance(source, AnyTable) else source


def read_catalogue(source: OnePath) -> QTable:
    """Read a catalogue.

    Parameters
    ----------
    source : str or path-like
        The name of a catalogue that comes with the package, such as ``"4fgl-dr2"`` or ``"fl16y"``,
        or a file: FITS, VOTable, ECSV, CSV or other text, gzipped or not. A name that is neither
        is looked for among the files of `gammafind.fetch`.

    Returns
    -------
    QTable
        One row a source, with a column of positions: angles in degrees where a file has no units.
        A photon is a plain number: fluxes in ph cm-2 s-1 are in cm-2 s-1.

    Raises
    ------
    InputFileError
        If the file cannot be used; the class names the fault.
    TableError
        If the table has no positions.

    Warns
    -----
    MissingPositionsWarning
        If rows without a position are left out.

    Examples
    --------
    >>> import gammafind
    >>> len(gammafind.read_catalogue("4fgl-dr2"))
    5788
    >>> later = gammafind.read_catalogue("fl16y")
    >>> later.meta["release"], later.meta["flux_band"]
    ('FL16Y', '1-100 GeV')
    """
    embedded = _embedded(source)
    if embedded is not None:
        return embedded
    path = located(source)
    official = None if os.path.lexists(path) else official_file(str(source))
    if official is not None:
        path = located(official.name)
    if not os.path.lexists(path):
        raise _missing(source)
    table = as_catalogue(read_table(path), what=str(path))
    for renderer in _renderers():
        table = renderer.describe_catalogue(table, path)
    table.meta |= describe_input(path)
    check_known_columns(table)
    return table


def _missing(source: OnePath) -> MissingFileError:
    """Error for a catalogue that is neither a file nor a name, with what could be meant."""
    known = sorted({name for renderer in _renderers() for name in renderer.catalogues})
    name = str(source)
    try:
        os.stat(source)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError):  # It may be there, in a folder that may not be entered.
        check_input(source)
    if official_file(name) is not None:
        remedy = f"'gammafind fetch {name} --download' brings it."
        return MissingFileError("this catalogue is not at hand", path=source, remedy=remedy)
    remedy = f"Give a file, or one of {', '.join(known)}{close_match(name.lower(), known)}."
    return MissingFileError("the file does not exist", path=source, remedy=remedy)


def _embedded(source: OnePath) -> QTable | None:
    """Catalogue of this name that comes with a renderer, None if there is none."""
    wanted = str(source).lower()
    for renderer in _renderers():
        if wanted in renderer.catalogues:
            return renderer.catalogues[wanted]()
    return None


def _renderers() -> list[type[SkyRenderer]]:
    """All renderers that can be loaded."""
    return [get_plugin("renderer", info.name) for info in plugins("renderer") if info.error is None]
