"""Where an instrument pointed becomes its exposure, per band, channel and epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from astropy.time import Time
from astropy.units import Quantity

from gammafind import __version__
from gammafind.errors import OptionError
from gammafind.pipeline.bin_events import instrument_options
from gammafind.pipeline.epoch_folders import EpochFiles, epoch_folders, spans_of, write_epoch
from gammafind.pipeline.inputs import OnePath, path_list, zenith_cut
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.provenance import provenance
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.facts import read_facts
from gammafind.sky.fits.write_exposure import write_exposure
from gammafind.sky.skymap import SkyMap
from gammafind.utils.claims import claimed
from gammafind.utils.files import named_folder
from gammafind.utils.progress import track


def exposure(
    pointing: OnePath | Sequence[OnePath],
    *,
    output: OnePath | None = None,
    preset: Preset | OnePath = "fermi-lat",
    energies: Quantity | None = None,
    good_times: OnePath | Sequence[OnePath] | None = None,
    max_zenith: Quantity | None = None,
    epochs: Sequence[str | Time | Quantity] | None = None,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    command: str = "",
) -> SkyMap | tuple[SkyMap, ...] | EpochFiles:
    """Compute the exposure of each band, channel and epoch.

    Parameters
    ----------
    pointing : path-like or sequence of path-like
        Spacecraft files (FT2), patterns of their names or ``"@list.txt"``; or a livetime cube
        (gtltcube), or an exposure cube (gtexpcube2).
    output : path-like, optional
        Folder to write to. Without it the maps are returned, and nothing is written.
    preset : Preset, str or path-like
        Instrument with its bands, event class and event types.
    energies : Quantity, shape (n + 1,), optional
        Edges of the bands in place of those of the preset.
    good_times : path-like or sequence of path-like, optional
        Files with the good time intervals of the photons, such as the photon lists; by default all
        time of the spacecraft files.
    max_zenith : Quantity, scalar or shape (n_bands,), optional
        Zenith cut of the photons; by default that in the headers of ``good_times``, or that of the
        preset. Livetime cubes and exposure cubes have their own.
    epochs : sequence of str, Time or Quantity, optional
        Times between which the epochs lie: dates, or mission elapsed times.
    options : mapping, optional
        Options of the instrument, such as ``{"event_types": ["PSF2", "PSF3"]}``.
    overwrite : bool
        Whether an existing folder may be replaced.
    command : str
        Command line, for the record.

    Returns
    -------
    SkyMap, tuple of SkyMap or EpochFiles
        Maps in cm2 s on the pixels of the instrument, one or one for each epoch; with ``output``
        the files that were written.

    Raises
    ------
    OptionError
        If options contradict each other, or epochs are given without spacecraft files.
    OutputError
        If the folder holds something else, or cannot be written.
    InputFileError
        If a file cannot be used; the class names the fault.

    Warns
    -----
    PointingWarning
        If spacecraft files do not cover the good time.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = gammafind.simulate(
    ...         "fermi-lat-psf3-2-20", output=folder, photons=True, duration="6 h"
    ...     )
    ...     sky = gammafind.exposure(done.folders[0] / "ft2.fits", preset="fermi-lat-psf3-2-20")
    >>> sky.unit
    Unit("cm2 s")
    """
    begin = perf_counter()
    preset = preset if isinstance(preset, Preset) else load_preset(preset)
    chosen = instrument_options(preset, energies, None, max_zenith, dict(options or {}))
    preset = with_plugins(preset, {}, {"renderer": chosen} if chosen else {})
    paths = path_list(pointing)
    good = [] if good_times is None else path_list(good_times)
    spans = spans_of(epochs)
    renderer = build(preset.renderer)
    if not renderer.holds_pointing(paths[0]):
        if epochs is not None or good or max_zenith is not None or len(paths) > 1:
            raise OptionError(
                f"{paths[0]} is an exposure cube, whose time and zenith cut are known",
                remedy="Give spacecraft files to choose them.",
            )
        options_ = {"renderer": {**chosen, "exposure_source": str(paths[0])}}
        placed = [build(with_plugins(preset, {}, options_).renderer)]
    else:
        limit = zenith_cut([read_facts(path) for path in good]) if max_zenith is None else None
        placed = [
            renderer.with_pointing(paths, good_times=good, max_zenith=limit, span=span)
            for span in spans
        ]
    if output is None:
        skies = tuple(one.exposure() for one in placed)
        return skies[0] if epochs is None else skies
    places = epoch_folders(named_folder(output), spans)
    made = 0
    with claimed(output):
        for one, place in track(list(zip(placed, places, strict=True)), "epochs"):
            settings = _settings(preset, one, [*paths, *good])
            fill = _writer(one)
            made += write_epoch(place, settings, fill, overwrite=overwrite, command=command)
    return EpochFiles(
        files=tuple(file for place in places for file in sorted(place.glob("exposure*.fits"))),
        folders=tuple(places),
        n_made=made,
        seconds=perf_counter() - begin,
    )


def _settings(preset: Preset, renderer: SkyRenderer, inputs: Sequence[Path]) -> dict[str, Any]:
    described = [describe_input(path) for path in inputs]
    record = provenance(preset=preset.name, used={"renderer": renderer}, inputs=described, seed=0)
    creator = f"gammafind {__version__}"
    return {"creator": creator, "plugins": record["plugins"], "inputs": described}


def _writer(renderer: SkyRenderer) -> Callable[[Path], None]:
    """Function that writes the cubes of all channels to a folder."""

    def write(folder: Path) -> None:
        cubes = renderer.exposure_cubes()
        for name, cube in cubes.items():
            channel = f"_{name}" if len(cubes) > 1 else ""
            write_exposure(cube, folder / f"exposure{channel}.fits")

    return write
