"""Photon lists become count maps, per band, channel and epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from astropy.time import Time
from astropy.units import Quantity

from gammafind import __version__
from gammafind.errors import FileFormatError, OptionError
from gammafind.pipeline.binning import Binning, hashed, write_counts_of
from gammafind.pipeline.epoch_folders import EpochFiles, epoch_folders, spans_of, write_epoch
from gammafind.pipeline.inputs import OnePath, path_list
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.provenance import provenance
from gammafind.sky.fits import PhotonLists, read_layers
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.good_times import read_good_times
from gammafind.sky.skymap import SkyMap
from gammafind.units import as_value
from gammafind.utils.claims import claimed
from gammafind.utils.files import named_folder
from gammafind.utils.progress import track

_NSIDE = 64


def bin_events(
    photons: OnePath | Sequence[OnePath],
    *,
    output: OnePath | None = None,
    preset: Preset | OnePath = "fermi-lat",
    energies: Quantity | None = None,
    nside: int | Sequence[int] | None = None,
    image: OnePath | None = None,
    max_zenith: Quantity | None = None,
    good_times: OnePath | Sequence[OnePath] | None = None,
    epochs: Sequence[str | Time | Quantity] | None = None,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    command: str = "",
) -> SkyMap | tuple[SkyMap, ...] | EpochFiles:
    """Bin photon lists into count maps, per band, channel and epoch.

    Lists are read in parts, and photons that are in several of them count once.

    Parameters
    ----------
    photons : path-like or sequence of path-like
        Photon lists (FT1), patterns such as ``"week_*.fits"``, or ``"@list.txt"``.
    output : path-like, optional
        Folder to write to. Without it the maps are returned, and nothing is written.
    preset : Preset, str or path-like
        Instrument with its bands, pixels, event class and event types.
    energies : Quantity, shape (n + 1,), optional
        Edges of the bands in place of those of the preset.
    nside : int or sequence of int, optional
        HEALPix nside of all bands, or of each.
    image : path-like, optional
        A file with an image whose pixels are taken for all bands.
    max_zenith : Quantity, scalar or shape (n_bands,), optional
        Largest zenith angle of the photons in all bands, or in each.
    good_times : path-like or sequence of path-like, optional
        Files with good time intervals; photons outside are left out.
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
        One map, or one for each epoch; with ``output`` the files that were written. Epochs that
        are there, made with the same settings, stay unchanged.

    Raises
    ------
    OptionError
        If options contradict each other.
    OutputError
        If the folder holds something else, or cannot be written.
    InputFileError
        If a file cannot be used; the class names the fault.

    Warns
    -----
    RepeatedPhotonsWarning
        If photons are in the files more than once.
    SelectionWarning
        If the photons were cut to other event types or classes before.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = gammafind.simulate(
    ...         "fermi-lat-psf3-2-20", output=folder, photons=True, duration="6 h"
    ...     )
    ...     sky = gammafind.bin_events(
    ...         done.folders[0] / "ft1.fits", preset="fermi-lat-psf3-2-20", nside=64
    ...     )
    >>> sky.pixels[0].nside
    64
    """
    begin = perf_counter()
    preset = preset if isinstance(preset, Preset) else load_preset(preset)
    if image is not None and nside is not None:
        raise OptionError("nside and an image are given", remedy="Give one: both are pixels.")
    if energies is not None and image is None and nside is None:
        raise OptionError("energies without nside or image", remedy="Give the pixels too.")
    chosen = instrument_options(preset, energies, nside, max_zenith, dict(options or {}))
    preset = with_plugins(preset, {}, {"renderer": chosen} if chosen else {})
    renderer = build(preset.renderer)
    good = None if good_times is None else read_good_times(path_list(good_times))
    if good_times is not None and good is None:
        names = ", ".join(map(str, path_list(good_times)))
        raise FileFormatError("there are no good time intervals (GTI)", path=names)
    lists = PhotonLists.of(path_list(photons), good_times=good)
    pixels = None if image is None else (read_layers(image).pixels,) * len(renderer.bands)
    limits = None if max_zenith is None else np.atleast_1d(max_zenith.to_value("deg")).tolist()
    job = Binning(renderer=renderer, lists=lists, pixels=pixels, max_zeniths=limits)
    spans = spans_of(epochs)
    if output is None:
        skies = tuple(job.sky(span) for span in spans)
        return skies[0] if epochs is None else skies
    folder = named_folder(output)
    record = provenance(
        preset=preset.name,
        used={"renderer": renderer},
        inputs=[describe_input(path) for path in lists.paths],
        seed=0,
        command=command,
    )
    settings = {
        "creator": f"gammafind {__version__}",
        "plugins": record["plugins"],
        "photons": record["inputs"],
        "good_times": None if good is None else hashed(good),
        "image": None if image is None else describe_input(image),
        "max_zenith": limits,
    }
    places = epoch_folders(folder, spans)
    made = 0
    with claimed(folder):
        for span, place in track(list(zip(spans, places, strict=True)), "epochs"):
            here = {**settings, "span": span}
            fill = write_counts_of(job, place, span, here)
            made += write_epoch(place, here, fill, overwrite=overwrite, command=command)
    files = tuple(file for place in places for file in sorted(place.glob("counts*.fits")))
    seconds = perf_counter() - begin
    return EpochFiles(files=files, folders=tuple(places), n_made=made, seconds=seconds)


def instrument_options(
    preset: Preset,
    energies: Quantity | None,
    nside: int | Sequence[int] | None,
    max_zenith: Quantity | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Options of the instrument of a preset, with other bands, pixels and zenith cuts.

    Raises
    ------
    OptionError
        If there is not one value for all bands, or one for each.
    """
    if energies is None:
        present = with_plugins(preset, {}, {"renderer": options} if options else {})
        n_bands = len({band.edges[0] for band in build(present.renderer).bands})
    else:
        edges = np.atleast_1d(as_value(energies, "GeV", name="energies"))
        n_bands = len(edges) - 1
        options["energies"] = edges.tolist()
        # Where only an image or an exposure is wanted, these pixels are not used.
        nside = _NSIDE if nside is None else nside
        options["max_zeniths"] = []
    if nside is not None:
        options["nsides"] = _each(nside, n_bands, "nside")
    if max_zenith is not None:
        limits = np.atleast_1d(as_value(max_zenith, "deg", name="max_zenith"))
        options["max_zeniths"] = _each(limits.tolist(), n_bands, "max_zenith")
    return options


def _each(values: Any, n: int, name: str) -> list[Any]:
    """One value for each band."""
    listed = list(values) if isinstance(values, list | tuple | np.ndarray) else [values] * n
    if len(listed) == 1:
        listed *= n
    if len(listed) != n:
        raise OptionError(
            f"{len(listed)} values of {name} for {n} bands", remedy="Give one, or one a band."
        )
    return listed
