"""A set of simulated catalogues, made by one process or many, and taken up again after a kill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

from astropy.table import QTable

from gammafind import __version__
from gammafind.errors import ConfigError, OptionError, OutputError, TableError
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.population import SourcePopulation
from gammafind.roles.provenance import provenance
from gammafind.simulation.catalogue import CatalogueMaker, Made, catalogue_name
from gammafind.simulation.folders import is_made, remove_leftovers
from gammafind.simulation.sources import read_sources
from gammafind.utils.files import named_folder
from gammafind.utils.progress import track
from gammafind.utils.workers import run_tasks

__all__ = ["Simulated", "simulate"]

_FORMATS = ("fits", "ecsv")


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """What `simulate` left.

    Attributes
    ----------
    folders : tuple of Path
        All catalogues that were asked for, in order.
    made : tuple of Made
        Those that were not there before.
    preset : Preset
    seconds : float
        Wall-clock time of the whole.
    """

    folders: tuple[Path, ...]
    made: tuple[Made, ...]
    preset: Preset
    seconds: float


def simulate(
    folder: str | PathLike,
    *,
    preset: Preset | str | PathLike = "fermi-lat",
    sources: str | PathLike | None = None,
    seed: int = 0,
    catalogues: int = 1,
    first: int = 0,
    maps: bool = False,
    epochs: bool = False,
    workers: int = 1,
    table_format: str = "fits",
    overwrite: bool = False,
    command: str = "",
) -> Simulated:
    """Simulate skies of which the sources are known.

    Each catalogue gets a folder of its own, ``catalogue-0000`` and so on, with the table of its
    sources, Poisson counts of sources and background as gtbin writes them, and
    ``simulation.json``, which says how they were made. A folder appears when it is whole.
    Catalogues that are there already, made with the same settings, are left as they are.

    Parameters
    ----------
    folder : path-like
        Of the whole set; made if it is not there.
    preset : Preset, str or path-like
        Renderer and population. `gammafind.presets.choose.with_plugins` changes these and
        their options.
    sources : path-like, optional
        Table of sources that takes the place of the population, as for
        `gammafind.simulation.read_sources`.
    seed : int
        Of the set. What a catalogue holds depends on its index and on this, not on how many
        there are, nor on the workers.
    catalogues : int
        How many.
    first : int
        Index of the first.
    maps : bool
        Whether to write the expected counts of each component in each epoch too.
    epochs : bool
        Whether to write the counts of each epoch apart too, in ``epochs``.
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
    Simulated

    Raises
    ------
    ConfigError
        If there is no such preset, or it has no population and no ``sources`` are given.
    OptionError
        If a number is out of range.
    OutputError
        If a catalogue is there already that was made with other settings, or the folder cannot
        be written, or has an empty name.
    TableError
        If the sources lack a column, or have values that cannot be.
    """
    start = perf_counter()
    _check_numbers(seed, catalogues, first, workers, table_format)
    if not isinstance(preset, Preset):
        preset = load_preset(preset)
    folder = named_folder(folder)
    _check_folder(folder)
    maker = _maker(folder, preset, sources, seed, maps, epochs, table_format, command)
    indices = range(first, first + catalogues)
    with _tidy_folder(folder, indices):
        wanted = [i for i in indices if overwrite or not is_made(*_place(maker, i))]
        tasks = run_tasks(maker, wanted, workers=workers)
        try:
            made = list(track(tasks, "catalogues", total=len(wanted)))
        except TableError as error:
            path = error.path or sources
            raise TableError(error.fault, path=path, remedy=error.remedy) from error
    return Simulated(
        folders=tuple(folder / catalogue_name(i) for i in indices),
        made=tuple(sorted(made, key=lambda one: one.folder)),
        preset=preset,
        seconds=perf_counter() - start,
    )


def _check_numbers(seed: int, catalogues: int, first: int, workers: int, table_format: str) -> None:
    lowest = {"seed": (seed, 0), "catalogues": (catalogues, 1), "first": (first, 0)}
    for name, (value, least) in {**lowest, "workers": (workers, 1)}.items():
        if value < least:
            raise OptionError(f"{name} is {value}", remedy=f"It must be {least} or more.")
    if table_format not in _FORMATS:
        raise OptionError(
            f"the format is {table_format!r}", remedy=f"Accepted are {', '.join(_FORMATS)}."
        )


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file", path=folder, remedy="Give the name of a folder.")
    if not folder.absolute().parent.is_dir():
        raise OutputError(
            f"the directory {folder.parent} does not exist", path=folder, remedy="Make it first."
        )


@contextmanager
def _tidy_folder(folder: Path, indices: Sequence[int]) -> Iterator[None]:
    """Make the folder of a set if need be, and leave nothing in it that is not whole."""
    fresh = not folder.is_dir()
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made ({error.strerror})", path=folder) from None
    _remove_leftovers(folder, indices)
    try:
        yield
    finally:
        _remove_leftovers(folder, indices)
        if fresh and not any(folder.iterdir()):
            folder.rmdir()


def _remove_leftovers(folder: Path, indices: Sequence[int]) -> None:
    for index in indices:
        remove_leftovers(folder / catalogue_name(index))


def _maker(
    folder: Path,
    preset: Preset,
    sources: str | PathLike | None,
    seed: int,
    maps: bool,
    epochs: bool,
    table_format: str,
    command: str,
) -> CatalogueMaker:
    """Plugins and settings of a set."""
    renderer = build(preset.renderer)
    origin = _origin(preset) if sources is None else read_sources(sources, renderer)
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
                f"{renderer.name} knows no epochs with the options of {preset.name}",
                path=preset.source or None,
                remedy="Leave epochs out, or choose an exposure given apart for each epoch.",
            )
    return CatalogueMaker(
        folder=folder,
        renderer=renderer,
        origin=origin,
        settings=settings,
        history={key: record[key] for key in ("command", "date", "software")},
    )


def _origin(preset: Preset) -> SourcePopulation:
    if preset.population is None:
        raise ConfigError(
            f"the preset {preset.name} names no population",
            path=preset.source or None,
            remedy="Choose one with --population (`gammafind plugins --role population` lists "
            "them), or give a table with --sources.",
        )
    return build(preset.population)


def _place(maker: CatalogueMaker, index: int) -> tuple[Path, dict[str, Any]]:
    return maker.folder / catalogue_name(index), maker.settings_of(index)
