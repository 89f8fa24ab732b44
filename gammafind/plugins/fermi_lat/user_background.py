"""A user's background: maps of the Fermitools, and models in XML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import astropy.units as u
import numpy as np

from gammafind.errors import MissingFileError, OptionError
from gammafind.plugins.fermi_lat.diffuse import isotropic_spectra
from gammafind.plugins.fermi_lat.lat import Lat
from gammafind.plugins.fermi_lat.model import Diffuse, is_model, read_model
from gammafind.plugins.fermi_lat.option_checks import CHANNEL
from gammafind.plugins.fermi_lat.sorting import sort_files
from gammafind.sky.bands import Band
from gammafind.sky.fits.background import ISOTROPIC, read_background
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap

_INDEX = 2.4
"""Photon index over which the factor of a model is averaged in a band: of the Galactic emission."""


def user_background(
    lat: Lat,
    paths: Sequence[str | PathLike],
    pixels: Sequence[Pixels],
    frame: str | None = None,
) -> dict[str, SkyMap]:
    """Components of a user's background.

    Parameters
    ----------
    lat : Lat
        Its bands and, for a model in XML, its exposure and response.
    paths : sequence of path-like
        Maps, and at most one model in XML. With source maps of gtsrcmaps the model gives their
        spectra, alone it gives the cube and the isotropic spectrum. Maps of several channels are
        known by the event types in their headers.
    pixels : sequence of Pixels
        One per band.
    frame : str or None
        As for `~gammafind.sky.fits.read_background`.

    Raises
    ------
    OptionError
        If several models are given, or channels have different components.
    InputFileError
        If a file cannot be used; the subclass describes the fault.
    """
    models = [path for path in paths if is_model(path)]
    maps = [path for path in paths if not is_model(path)]
    if len(models) > 1:
        raise OptionError(f"{len(models)} models in XML are given", remedy="Give one.")
    components = read_model(models[0]) if models else ()
    if len(lat.event_types) == 1:
        return _of_one_channel(lat, maps, components, pixels, frame)
    files = sort_files(maps, lat.event_types) if maps else {}
    each, parts = len(lat.bands) // len(lat.event_types), []
    for i, types in enumerate(lat.event_types):
        here = tuple(_for_channel(one, types, lat.event_types) for one in components)
        names = {name: getattr(lat, name) for name in ("isotropic", "exposure_source")}
        own = {name: source.replace(CHANNEL, types) for name, source in names.items()}
        part = pixels[i * each : (i + 1) * each]
        channel = replace(lat, event_types=(types,), **own)
        parts.append(_of_one_channel(channel, files.get(types, ()), here, part, frame))
    return _joined(parts, lat.bands, pixels)


def _of_one_channel(
    lat: Lat,
    maps: Sequence[str | PathLike],
    components: Sequence[Diffuse],
    pixels: Sequence[Pixels],
    frame: str | None,
) -> dict[str, SkyMap]:
    """Background of an instrument with one channel."""

    def isotropic(energy: np.ndarray) -> np.ndarray:
        spectra = isotropic_spectra(lat.isotropic, lat.responses[0])
        return np.mean([one.differential(energy * u.MeV).value for one in spectra], axis=0)

    def rendered(one: Diffuse) -> SkyMap:
        return replace(lat, **{one.kind: str(one.path)}).background(pixels)[one.kind]

    if maps:
        spectra = {one.name: one.spectrum for one in components} or {ISOTROPIC: isotropic}
        return read_background(maps, bands=lat.bands, pixels=pixels, frame=frame, spectra=spectra)
    return {one.name: _scaled(rendered(one), one) for one in components}


def _for_channel(component: Diffuse, types: str, event_types: Sequence[str]) -> Diffuse:
    """Component of a channel: its isotropic spectrum lies next to that of another.

    Such as ``iso_P8R3_SOURCE_V3_BACK_v1.txt`` next to ``iso_P8R3_SOURCE_V3_FRONT_v1.txt``.
    """
    if component.kind != "isotropic" or component.path is None:
        return component
    path = component.path
    named = next((one for one in event_types if one in path.name.split("_")), None)
    if named is None:
        raise OptionError(
            f"the isotropic spectrum {path.name} is that of all channels {', '.join(event_types)}",
            remedy=f"Name that of one channel in the model, with _{types}_ in its name.",
        )
    found = path.with_name(path.name.replace(f"_{named}_", f"_{types}_"))
    if not found.is_file():
        raise MissingFileError(
            f"the isotropic spectrum of {types} is not there",
            path=found,
            remedy=f"It is needed next to {path.name}.",
        )
    return replace(component, path=found)


def _joined(
    parts: Sequence[dict[str, SkyMap]], bands: Sequence[Band], pixels: Sequence[Pixels]
) -> dict[str, SkyMap]:
    """Components of all channels, by their names or, if these differ, by their places."""
    names = list(parts[0])
    if len({len(part) for part in parts}) > 1:
        listed = "; ".join(", ".join(part) for part in parts)
        raise OptionError(
            f"the channels have different components of background: {listed}",
            remedy="Give the same components for each channel.",
        )
    rows = [
        part if set(part) == set(names) else dict(zip(names, part.values(), strict=True))
        for part in parts
    ]
    return {
        name: SkyMap(
            tuple(bands),
            tuple(pixels),
            tuple(values for row in rows for values in row[name].values),
            rows[0][name].kind,
            tuple(valid for row in rows for valid in row[name].valid),
        )
        for name in names
    }


def _scaled(sky: SkyMap, component: Diffuse) -> SkyMap:
    """Expected counts of a file, times the factor of the model in each band."""
    values = []
    for band, array in zip(sky.bands, sky.values, strict=True):
        low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
        energy = np.geomspace(low, high, 101)
        share = energy ** (1 - _INDEX)
        values.append(array * float(component.factor(energy) @ share / share.sum()))
    return SkyMap(sky.bands, sky.pixels, tuple(values), sky.kind, sky.valid)
