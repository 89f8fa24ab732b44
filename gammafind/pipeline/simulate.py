"""Skies whose sources are known: one in memory, or a set of them in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

import astropy.units as u
from astropy.table import QTable
from astropy.time import Time
from astropy.units import Quantity

from gammafind import __version__
from gammafind.errors import ConfigError, OptionError, TableError
from gammafind.pipeline.inputs import path_of
from gammafind.pipeline.products import check_folder
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.population import SourcePopulation
from gammafind.roles.provenance import provenance
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.catalogue import CatalogueMaker, Made, catalogue_name
from gammafind.simulation.folders import is_made
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.simulation.sources import check_sources, read_sources
from gammafind.units import parse_quantity
from gammafind.utils.checks import require
from gammafind.utils.claims import claimed_folder
from gammafind.utils.files import named_folder
from gammafind.utils.progress import track
from gammafind.utils.workers import run_tasks

START, DURATION = "2008-08-04", "7 d"
"""Of a list of photons: the first week of the survey of the LAT."""
_FORMATS = ("fits", "ecsv")


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Catalogues that `gammafind.simulate` made or found made.

    Attributes
    ----------
    folders : tuple of Path
        All catalogues of the call, in order.
    made : tuple of Made
        Catalogues that did not exist before.
    preset : Preset
    seconds : float
        Total wall-clock time.
    """

    folders: tuple[Path, ...]
    made: tuple[Made, ...]
    preset: Preset
    seconds: float


def simulate(
    preset: Preset | str | PathLike = "fermi-lat",
    *,
    output: str | PathLike | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    sources: str | PathLike | QTable | None = None,
    seed: int = 0,
    catalogues: int = 1,
    first: int = 0,
    maps: bool = False,
    epochs: bool = False,
    photons: bool = False,
    start: str | Time = START,
    duration: str | Quantity = DURATION,
    workers: int = 1,
    table_format: str = "fits",
    overwrite: bool = False,
    command: str = "",
) -> SimulatedSky | Simulated:
    """Simulate skies whose sources are known: one in memory, or a set of them in files.

    Parameters
    ----------
    preset : Preset, str or path-like
        Instrument, bands and population.
    output : path-like, optional
        Folder of a set. Each catalogue gets a folder of its own, ``catalogue-0000`` and so on,
        with the table of its sources, counts as gtbin writes them, and a record of how it was
        made. Catalogues that are there, made with the same settings, stay unchanged.
        Without it one sky is returned, and nothing is written.
    options : mapping of str to mapping, optional
        Options of the renderer and the population: ``{"population": {"flux_min": "1e-12 erg cm-2
        s-1"}}``.
    sources : str, path-like or QTable, optional
        Table of sources instead of the population: ``name, ra, dec, class_label, flux`` and what
        the instrument needs to know of spectra; or the name of a catalogue that it knows.
    seed : int
        Of the set. What a catalogue holds depends on this and on its index alone.
    catalogues, first : int
        Number of catalogues, and index of the first.
    maps : bool
        Whether to write the expected counts of each component in each epoch too.
    epochs : bool
        Whether to write the counts of each epoch apart too.
    photons : bool
        Whether to draw single photons: a photon list and the pointing of the instrument are
        written next to the counts, which are these photons.
    start : str or Time
        With ``photons``: begin of the observation, in UTC if it is a text.
    duration : str or Quantity
        With ``photons``: length of the observation, such as ``"7 d"``.
    workers : int
        Number of processes.
    table_format : {"fits", "ecsv"}
        Of the table of sources.
    overwrite : bool
        Whether catalogues that are there already are made again.
    command : str
        Command line, for the record.

    Returns
    -------
    SimulatedSky or Simulated
        In memory: ``sources`` (QTable), ``expected`` and ``counts`` (SkyMap), ``observation``.
        In files: their ``folders``.

    Raises
    ------
    ConfigError
        If there is no such preset, or it has no population and no ``sources`` are given.
    OptionError
        If a number is out of range, or the instrument makes no photon lists.
    OutputError
        If a catalogue is there already that was made with other settings, or the folder cannot
        be written.
    TableError
        If the sources lack a column, or have values that cannot be.

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.simulate("fermi-lat-psf3-2-20", seed=1)
    >>> sky.counts.values[0].shape
    (196608,)
    >>> sky.sources["flux"].unit
    Unit("1 / (s cm2)")
    """
    begin = perf_counter()
    _check_numbers(seed, catalogues, first, workers, table_format)
    if not isinstance(preset, Preset):
        preset = load_preset(preset)
    preset = with_plugins(preset, {"renderer": None, "population": None}, options)
    if output is None:
        return _in_memory(
            preset, sources, seed, first, alone=catalogues == 1 and not maps | epochs | photons
        )
    folder = check_folder(named_folder(output), overwrite=True)
    span = _span(start, duration) if photons else {}
    if photons and (maps or epochs):
        raise OptionError(
            "photons together with maps or epochs",
            remedy="Maps and epochs are those of the exposure of the preset: make a set of each.",
        )
    maker = _maker(folder, preset, sources, seed, maps, epochs, span, table_format, command)
    indices = range(first, first + catalogues)
    with claimed_folder(folder):
        wanted = [
            i for i in indices if overwrite or not is_made(maker.place(i), maker.settings_of(i))
        ]
        tasks = run_tasks(maker, wanted, workers=workers)
        try:
            made = list(track(tasks, "catalogues", total=len(wanted)))
        except (TableError, OptionError) as error:
            path = error.path or path_of(sources)
            raise type(error)(error.fault, path=path, remedy=error.remedy) from error
    return Simulated(
        folders=tuple(folder / catalogue_name(i) for i in indices),
        made=tuple(sorted(made, key=lambda one: one.folder)),
        preset=preset,
        seconds=perf_counter() - begin,
    )


def _in_memory(
    preset: Preset,
    sources: str | PathLike | QTable | None,
    seed: int,
    index: int,
    *,
    alone: bool,
) -> SimulatedSky:
    """One sky, of which no maps, epochs or photons are wanted apart."""
    if not alone:
        raise OptionError(
            "several catalogues, maps, epochs or photons without an output folder",
            remedy="Give output, the folder to write them to.",
        )
    renderer = build(preset.renderer)
    return simulated_sky(renderer, _origin(preset, sources, renderer), seed=seed, index=index)


def _check_numbers(seed: int, catalogues: int, first: int, workers: int, table_format: str) -> None:
    lowest = {"seed": (seed, 0), "catalogues": (catalogues, 1), "first": (first, 0)}
    for name, (value, least) in {**lowest, "workers": (workers, 1)}.items():
        require(name, value, value >= least, f"It must be {least} or more.")
    if table_format not in _FORMATS:
        raise OptionError(
            f"the format is {table_format!r}", remedy=f"Accepted are {', '.join(_FORMATS)}."
        )


def _span(start: str | Time, duration: str | Quantity) -> dict[str, str]:
    """Start and duration of an observation as text."""
    length = parse_quantity(str(duration), u.s, name="duration")
    begin = start.utc.isot if isinstance(start, Time) else start
    return {"start": begin, "duration": f"{length.value:.12g} s"}


def _maker(
    folder: Path,
    preset: Preset,
    sources: str | PathLike | QTable | None,
    seed: int,
    maps: bool,
    epochs: bool,
    span: dict[str, str],
    table_format: str,
    command: str,
) -> CatalogueMaker:
    """Plugins and settings of a set."""
    renderer = build(preset.renderer)
    origin = _origin(preset, sources, renderer)
    used = {"renderer": renderer}
    inputs = []
    if isinstance(origin, QTable):
        inputs = [origin.meta]
    else:
        used = {"population": origin, **used}
    record = provenance(preset=preset.name, used=used, inputs=inputs, seed=seed, command=command)
    settings = {
        "creator": f"gammafind {__version__}",
        "preset": preset.name,
        **{entry["role"]: entry for entry in record["plugins"]},
        "inputs": inputs,
        "seed": seed,
        "format": table_format,
        "maps": maps,
    }
    if epochs:
        settings["epochs"] = True
        if not renderer.epochs:
            raise ConfigError(
                f"{renderer.name} has no epochs with the options of {preset.name}",
                path=preset.source or None,
                remedy="Omit epochs, or choose an exposure that is given for each epoch.",
            )
    if span:
        settings["photons"] = span
        if not renderer.makes_photons:
            raise OptionError(
                f"{renderer.name} makes no photon lists", remedy="Simulate maps: omit photons."
            )
    return CatalogueMaker(
        folder=folder,
        renderer=renderer,
        origin=origin,
        settings=settings,
        history={key: record[key] for key in ("command", "date", "software")},
    )


def _origin(
    preset: Preset, sources: str | PathLike | QTable | None, renderer: SkyRenderer
) -> SourcePopulation | QTable:
    """Population of a preset, or the sources that are given instead."""
    if isinstance(sources, QTable):
        return check_sources(sources)
    if sources is not None:
        return read_sources(sources, renderer)
    if preset.population is None:
        raise ConfigError(
            f"the preset {preset.name} names no population",
            path=preset.source or None,
            remedy="Choose one with --population (`gammafind plugins --role population` lists "
            "them), or give a table with --sources.",
        )
    return build(preset.population)
