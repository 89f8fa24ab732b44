"""What a person gives, as the rest of the pipeline takes it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.table import QTable
from astropy.table import Table as AnyTable

from gammafind.catalogue.foreign import as_catalogue
from gammafind.catalogue.io import read_table
from gammafind.errors import MissingFileError, OptionError
from gammafind.presets.choose import check_bands, choose_preset, select_preset
from gammafind.presets.preset import Preset, load_preset
from gammafind.roles.official import official_file
from gammafind.roles.registry import get_plugin, plugins
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.data_folder import located
from gammafind.utils.names import close_match

OnePath = str | PathLike
Counts = OnePath | Sequence[OnePath] | SkyMap | Observation
"""Counts as a person has them: one file or several, a map in memory, or an observation."""
Table = OnePath | AnyTable
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


def preset_for(
    counts: Counts, preset: Preset | OnePath | None, bands: Sequence[Band] | None
) -> Preset:
    """Load the preset of a name, or choose the one that fits the counts.

    Raises
    ------
    EnergyEdgesError, ConfigError, InputFileError
        As `gammafind.presets.choose.select_preset`.
    """
    if isinstance(counts, Observation):
        counts = counts.counts
    if not isinstance(counts, SkyMap):
        return select_preset(path_list(counts), preset, bands)
    if bands is not None:
        raise OptionError("bands are given for a map in memory", remedy="It has bands of its own.")
    if preset is None:
        unit = counts.bands[0].low.unit
        edges = np.unique([band.edges.to_value(unit) for band in counts.bands]) * unit
        return choose_preset(edges, selections=[tuple(counts.meta.get("selections", ()))])
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    check_bands(counts.bands, chosen)
    return chosen


def table_of(source: Table | None) -> QTable | None:
    """Table of a catalogue that is given by name, by path or as a table; None for none."""
    if source is None:
        return None
    return as_catalogue(source) if isinstance(source, AnyTable) else read_catalogue(source)


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
    return table


def _missing(source: OnePath) -> MissingFileError:
    """Error for a catalogue that is neither a file nor a name, with what could be meant."""
    known = sorted({name for renderer in _renderers() for name in renderer.catalogues})
    name = str(source)
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
