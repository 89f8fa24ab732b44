"""Counts of several channels: photons and count maps are sorted by their event types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.units import Quantity

from gammafind.errors import SelectionError
from gammafind.plugins.fermi_lat.events import no_photons, of_response
from gammafind.plugins.fermi_lat.missing import Seen, warn_of_missing_photons
from gammafind.plugins.fermi_lat.selection import recorded_selection, type_name
from gammafind.sky.bands import Band
from gammafind.sky.fits import EventList, read_counts, read_selections
from gammafind.sky.fits.binning import Binner, in_parts
from gammafind.sky.fits.field import Field
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap


def read_channels(
    paths: Sequence[str | PathLike],
    *,
    event_types: Sequence[str],
    bands: Sequence[Band],
    frame: str | None = None,
) -> tuple[SkyMap, ...]:
    """Read the count maps of each channel.

    Parameters
    ----------
    paths : sequence of path-like
        Count maps with event types in their headers.
    event_types : sequence of str
        One per channel, such as ``"FRONT"`` or ``"PSF2+PSF3"``.
    bands : sequence of Band
        Energy bands, the same in each channel.
    frame : str, optional
        As for `~gammafind.sky.fits.read_counts`.

    Returns
    -------
    tuple of SkyMap
        One per channel.

    Raises
    ------
    SelectionError
        As for `sort_files`.
    InputFileError
        If a file cannot be used; the subclass describes the fault.
    """
    files = sort_files(paths, event_types)
    return tuple(read_counts(files[types], bands=bands, frame=frame) for types in event_types)


def sort_files(
    paths: Sequence[str | PathLike], event_types: Sequence[str]
) -> dict[str, list[str | PathLike]]:
    """Sort count maps by the event types in their headers.

    Parameters
    ----------
    paths : sequence of path-like
    event_types : sequence of str
        One per channel.

    Returns
    -------
    dict
        Files of each channel.

    Raises
    ------
    SelectionError
        If a header does not have the event types, or types of no channel, or a channel has no file.
    """
    names = {type_name(types): types for types in event_types}
    files: dict[str, list[str | PathLike]] = {types: [] for types in event_types}
    for path in paths:
        found_type = recorded_selection(read_selections(path)).get("type")
        if found_type not in names:
            raise SelectionError(
                "the header does not give the event type (DSS keyword BIT_MASK(EVENT_TYPE,...))"
                if found_type is None
                else f"the photons are of type {found_type}",
                path=path,
                remedy=f"Give maps of {_listed(event_types)}, each selected with evtype of "
                "gtselect, or choose a preset for all event types together.",
            )
        files[names[found_type]].append(path)
    missing = [types for types, has in files.items() if not has]
    if missing:
        raise SelectionError(
            f"no map is of type {_listed(missing)}",
            path=", ".join(str(Path(path)) for path in paths),
            remedy=f"Give maps of each of {_listed(event_types)}.",
        )
    return files


def bin_channels(
    events: EventList | Iterable[EventList],
    *,
    irf: str,
    event_types: Sequence[str],
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    max_zenith: Quantity | None = None,
) -> tuple[SkyMap, ...]:
    """Bin the photons of each channel.

    Parameters
    ----------
    events : EventList or iterable of EventList
        All photons, or parts of them one after the other.
    irf : str
        Such as ``"P8R3_ULTRACLEANVETO_V3"``; it determines the event class.
    event_types : sequence of str
        One per channel.
    bands : sequence of Band
        Energy bands, the same in each channel.
    pixels : sequence of Pixels
        One pixelisation per energy band.
    max_zenith : Quantity, optional
        As for `~gammafind.sky.fits.bin_events`.

    Returns
    -------
    tuple of SkyMap
        One per channel.

    Raises
    ------
    SelectionError
        If there are several channels, and a photon has no event type.
    InputDataError
        If a channel has no photons.

    Warns
    -----
    SelectionWarning
        If the photons were cut to other event types, or another class, before.
    PartialSkyWarning
        As for `~gammafind.sky.fits.bin_events`.
    """
    field, seen = Field(), Seen()
    binners = {types: Binner(bands, pixels, max_zenith=max_zenith) for types in event_types}
    for part in in_parts(events):
        if len(binners) > 1:
            _check_types(part, event_types)
        field.add(part)
        seen.add(part)
        for types, binner in binners.items():
            binner.add(of_response(part, irf, types.split("+")))
    for types, binner in binners.items():
        if seen.n and not binner.n:
            raise no_photons(seen.n, field.meta, irf, types.split("+"))
    types = [name for joined in event_types for name in joined.split("+")]
    warn_of_missing_photons(seen, irf=irf, event_types=types)
    return tuple(binner.sky(field) for binner in binners.values())


def _check_types(events: EventList, event_types: Sequence[str]) -> None:
    """Refuse photons whose channel is not known."""
    unknown = np.count_nonzero(events.event_type == 0)
    if unknown:
        raise SelectionError(
            f"{unknown} of {len(events)} photons have no EVENT_TYPE",
            path=", ".join(entry["name"] for entry in events.meta.get("inputs", ())) or None,
            remedy=f"It separates {_listed(event_types)}: give photon lists of Pass 8.",
        )


def join_channels(parts: Sequence[SkyMap], bands: Sequence[Band]) -> SkyMap:
    """Join the maps of channels to one sky.

    Parameters
    ----------
    parts : sequence of SkyMap
        One per channel.
    bands : sequence of Band
        Bands of all channels, channel by channel; they define the new band names.

    Returns
    -------
    SkyMap
    """
    inputs = {entry["sha256"]: entry for part in parts for entry in part.meta["inputs"]}
    cuts = dict.fromkeys(cut for part in parts for cut in part.meta["selections"])
    return replace(
        parts[0],
        bands=tuple(bands),
        pixels=tuple(pixels for part in parts for pixels in part.pixels),
        values=tuple(values for part in parts for values in part.values),
        valid=tuple(valid for part in parts for valid in part.valid),
        meta={"inputs": tuple(inputs.values()), "selections": tuple(cuts)},
    )


def _listed(event_types: Sequence[str]) -> str:
    return ", ".join(event_types)
