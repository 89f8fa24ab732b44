"""What a person gives, as the rest of the pipeline takes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.presets.choose import check_bands, choose_preset, select_preset
from gammafind.presets.preset import Preset, load_preset
from gammafind.roles.registry import get_plugin, plugins
from gammafind.sky.bands import Band
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.listing import listed

OnePath = str | PathLike
Counts = OnePath | Sequence[OnePath] | SkyMap | Observation
"""Counts as a person has them: one file or several, a map in memory, or an observation."""
Table = OnePath | QTable
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
