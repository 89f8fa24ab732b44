"""Skies whose sources are known."""

from __future__ import annotations

from os import PathLike

from astropy.table import QTable

from gammafind.errors import OptionError
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.simulation.run import Simulated, simulate_catalogues, sources_of
from gammafind.simulation.sky import SimulatedSky, simulated_sky

__all__ = ["simulate"]


def simulate(
    preset: Preset | str | PathLike = "fermi-lat",
    *,
    output: str | PathLike | None = None,
    sources: str | PathLike | QTable | None = None,
    seed: int = 0,
    catalogues: int = 1,
    first: int = 0,
    maps: bool = False,
    epochs: bool = False,
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
        If a number is out of range.
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
    if output is not None:
        return simulate_catalogues(
            output,
            preset=preset,
            sources=sources,
            seed=seed,
            catalogues=catalogues,
            first=first,
            maps=maps,
            epochs=epochs,
            workers=workers,
            table_format=table_format,
            overwrite=overwrite,
            command=command,
        )
    if catalogues != 1 or maps or epochs:
        raise OptionError(
            "several catalogues, maps or epochs without an output folder",
            remedy="Give output, the folder to write them to.",
        )
    for name, value in {"seed": seed, "first": first}.items():
        if value < 0:
            raise OptionError(f"{name} is {value}", remedy="It must be 0 or more.")
    chosen = preset if isinstance(preset, Preset) else load_preset(preset)
    renderer = build(chosen.renderer)
    origin = sources_of(chosen, sources, renderer)
    return simulated_sky(renderer, origin, seed=seed, index=first)
