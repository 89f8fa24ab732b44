"""Choosing the preset for a map, and changing its plugins."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import ConfigError, EnergyEdgesError
from gammafind.presets.derive import DERIVED, derived_preset
from gammafind.presets.preset import Component, Preset, build, load_preset, presets
from gammafind.roles.base import Plugin
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.fits.facts import FileFacts, data_files

Path = str | PathLike

_log = logging.getLogger("gammafind")

_EDGE_TOLERANCE = 1e-3
"""Relative difference of equal edges: above the rounding of files, below any bin width."""
_COVERED = 0.8
"""Share of the range of energies (in its logarithm) of photons that a preset must use."""
_SEARCHING = ("localiser", "clusterer")
"""Roles whose choice leaves no room for the fallback of a preset."""


def select_preset(
    files: Sequence[FileFacts],
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
) -> Preset:
    """Load a preset by name, choose the one that fits the files, or make one from them.

    Parameters
    ----------
    files : sequence of FileFacts
        Count maps or photon lists and, where given, their exposure.
    preset : Preset, str or path-like, optional
    bands : sequence of Band, optional
        As for `detect`.
    options : mapping, optional
        Options of the renderer that the user gives, for a preset that is made.

    Returns
    -------
    Preset

    Raises
    ------
    EnergyEdgesError
        If several presets fit, or ``bands`` are not those of the preset.
    ConfigError
        If there is no such preset, or none can be made from the files.
    """
    if preset is None:
        preset = fitting_preset(files, bands) or derived_preset(files, bands, options)
        if preset is None:
            raise _none_fits(files, bands)
    elif not isinstance(preset, Preset):
        preset = load_preset(preset)
    if bands is not None and preset.name != DERIVED:
        check_bands(bands, preset)
    return preset


def fitting_preset(
    files: Sequence[FileFacts], bands: Sequence[Band] | None = None
) -> Preset | None:
    """Shipped preset that the files fill, None if there is none.

    Count maps fill a preset if their bins have all edges of its bands; photons if their headers
    record the selection of its instrument, over the whole sky and nearly no other energies.

    Raises
    ------
    EnergyEdgesError
        If several presets fit maps that do not record which photons they hold.
    """
    data = data_files(files)
    if data and all(file.kind == "photons" for file in data):
        return _preset_of_photons(data)
    edges = _edges(data, bands)
    if edges is None:
        return None
    cuts = [file.selections for file in data]
    names = None if bands else ", ".join(str(file.path) for file in data)
    return _filled(edges, selections=cuts, path=names)


def choose_preset(
    edges: Quantity,
    *,
    selections: Sequence[Sequence[str]] = (),
    path: str | PathLike | None = None,
) -> Preset:
    """Return the preset whose bands match the energy bins of the files.

    If there are several, the one whose instrument accepts the selection of the photons.

    Parameters
    ----------
    edges : Quantity, shape (n + 1,)
        Energy edges of the bins of the files.
    selections : sequence of sequence of str
        Cuts of each file, as far as its header records them.
    path : path-like, optional
        The files, for messages.

    Returns
    -------
    Preset

    Raises
    ------
    EnergyEdgesError
        If no preset fits, or several fit.
    """
    preset = _filled(edges, selections=selections, path=path)
    if preset is None:
        raise _no_choice("no preset fits", edges, presets(), path)
    return preset


def _filled(
    edges: Quantity, *, selections: Sequence[Sequence[str]], path: Path | None
) -> Preset | None:
    """Preset whose bands have these edges, for photons of these cuts."""
    known = _by_bands()
    renderers = {name: build(preset.renderer) for name, preset in known.items()}
    fitting = [name for name in known if _fill(edges, renderers[name].bands)]
    accepting = [name for name in fitting if renderers[name].accepts(selections)]
    if any(selections):
        fitting = accepting
    if len(fitting) > 1:
        raise _no_choice("several presets fit", edges, {n: known[n] for n in fitting}, path)
    return known[fitting[0]] if fitting else None


def _preset_of_photons(data: Sequence[FileFacts]) -> Preset | None:
    """Preset of photon lists, the one with most bands if there are several."""
    ranges = [file.range("ENERGY") for file in data]
    if not all(ranges) or any(file.circle or not file.selections for file in data):
        return None
    low, high = max(one[0] for one in ranges), min(one[1] for one in ranges)
    cuts = [file.selections for file in data]
    fitting = {}
    for name, preset in _by_bands().items():
        renderer = build(preset.renderer)
        edges = _spectral_edges(renderer.bands, u.MeV)
        if edges is not None and _spans(edges, low, high) and renderer.accepts(cuts):
            fitting[name] = (preset, len(edges))
    return max(fitting.values(), key=lambda pair: pair[1])[0] if fitting else None


def _by_bands() -> dict[str, Preset]:
    """Presets that files may fill."""
    return {name: preset for name, preset in presets().items() if not preset.only_by_name}


def _spans(edges: np.ndarray, low: float, high: float) -> bool:
    """Whether bands are within a range of energies, and cover most of it."""
    inside = (
        low <= edges.min() * (1 + _EDGE_TOLERANCE) and edges.max() * (1 - _EDGE_TOLERANCE) <= high
    )
    return inside and np.log(edges.max() / edges.min()) >= _COVERED * np.log(high / low)


def _none_fits(files: Sequence[FileFacts], bands: Sequence[Band] | None) -> EnergyEdgesError:
    """Error of files that no instrument knows."""
    names = ", ".join(str(file.path) for file in files)
    edges = _edges([file for file in files if file.kind == "counts"], bands)
    if edges is not None:
        return _no_choice("no preset fits", edges, presets(), names)
    if any(file.kind == "counts" for file in files):
        fault = "there is no EBOUNDS table, so the energies are unknown"
        remedy = "Give the band of each map: --band LOW-HIGHunit, or bands in Python."
    elif any(file.kind == "photons" for file in files):
        fault = "a photon list has no energy bins, and no instrument makes some for it"
        remedy = "Choose a preset by name; the photons are binned to its bands."
    else:
        fault = "there are neither count maps nor photons"
        remedy = "Give counts: maps, or photon lists (FT1)."
    return EnergyEdgesError(fault, path=names, remedy=remedy)


def _no_choice(
    what: str, edges: Quantity, listed: Mapping[str, Preset], path: Path | None
) -> EnergyEdgesError:
    names = "; ".join(f"{name} ({_band_names(preset.bands)})" for name, preset in listed.items())
    return EnergyEdgesError(
        f"{what} energy edges of {_edge_names(edges)}",
        path=path,
        remedy=f"Choose one by name: {names or 'there is none'}.",
    )


def check_bands(bands: Sequence[Band], preset: Preset) -> None:
    """Refuse bands that are not those of a preset.

    Raises
    ------
    EnergyEdgesError
    """
    if not same_edges(bands, preset.bands):
        raise EnergyEdgesError(
            f"the bands {', '.join(band.name for band in bands)} are not those of the preset "
            f"{preset.name}",
            remedy=f"It has {', '.join(band.name for band in preset.bands)}.",
        )


def with_plugins(
    preset: Preset,
    names: Mapping[str, str | Plugin | None],
    options: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    source: str = "",
) -> Preset:
    """Change the plugins of a preset.

    Another localiser drops two settings of the preset: the clusterer and the lowest score kept.
    If a localiser, a clusterer or their options are chosen, the fallback of the preset does not
    replace them.

    Parameters
    ----------
    preset : Preset
    names : mapping of str to str or Plugin
        Plugin of each role that is to change, by name or as an instance; None leaves it as it
        is. Another plugin starts from its own defaults.
    options : mapping of str to mapping, optional
        Options of each role, which override those of the preset.
    source : str
        The file that contains the names and options, for messages.

    Returns
    -------
    Preset

    Raises
    ------
    ConfigError
        If options are given for a role without a plugin.
    """
    given = preset
    of_search = [names.get(role) or (options or {}).get(role) for role in _SEARCHING]
    if any(of_search):
        preset = replace(preset, fallback=None)
    if names.get("localiser") not in (None, preset.localiser.name):
        preset = replace(preset, clusterer=None, score_threshold=None)
    changed: dict[str, Component] = {}
    for role, chosen in names.items():
        present = getattr(preset, role)
        if isinstance(chosen, Plugin):
            changed[role] = Component(role=role, name=chosen.name, source=source, plugin=chosen)
        elif chosen is not None and (present is None or present.name != chosen):
            changed[role] = Component(role=role, name=chosen, source=source)
            if role == "localiser" and given.fallback and given.fallback.name == chosen:
                changed[role] = given.fallback
                preset = replace(preset, clusterer=given.fallback_clusterer)
    preset = replace(preset, **changed)
    merged = {
        role: _with_options(preset, role, more, source) for role, more in (options or {}).items()
    }
    return replace(preset, **merged)


def _with_options(preset: Preset, role: str, options: Mapping[str, Any], source: str) -> Component:
    """Plugin of a role with additional options."""
    component = getattr(preset, role)
    if component is None:
        raise ConfigError(
            f"options for the {role}, which the localiser {preset.localiser.name} chooses",
            path=source or None,
            remedy=f"Name a {role}.",
        )
    return replace(component, options={**component.options, **options}, source=source)


def log_choice(
    preset: Preset, files: Sequence[FileFacts], bands: Sequence[Band] | None = None
) -> None:
    """Log which preset was chosen and why; warn of what is doubtful."""
    if preset.name != DERIVED:
        _log.info("preset %s: its bands fit the energies of the maps", preset.name)
        edges = _edges([file for file in files if file.bins is not None], bands)
        if edges is not None and edges.size:
            _say_unused(edges, preset)
    for note in preset.notes:
        _log.info("%s", note)
    for doubt in preset.doubts:
        _log.warning("%s", doubt)


def _say_unused(edges: Quantity, preset: Preset) -> None:
    """Log a message if the energies of the maps extend beyond the bands."""
    used = _spectral_edges(preset.bands, edges.unit)
    if used is not None and (
        edges.value.min() < 0.999 * used.min() or edges.value.max() > 1.001 * used.max()
    ):
        _log.info("energies outside %s are ignored", ", ".join(band.name for band in preset.bands))


def _edges(files: Sequence[FileFacts], bands: Sequence[Band] | None) -> Quantity | None:
    """Sorted edges of the energy bins, None where a file does not give them."""
    if bands is not None:
        unit = bands[0].low.unit
        return np.unique([band.edges.to_value(unit) for band in bands]) * unit
    bins = [file.bins for file in files]
    if not bins or any(one is None for one in bins):
        return None
    return np.unique(np.concatenate(bins))


def _spectral_edges(bands: Sequence[Band], unit: u.UnitBase) -> np.ndarray | None:
    """Edges of bands in a unit, None if it is of another kind, such as a frequency."""
    try:
        return np.concatenate([band.edges.to_value(unit) for band in bands])
    except u.UnitConversionError:
        return None


def _fill(edges: Quantity, bands: Sequence[Band]) -> bool:
    """Whether each edge of the bands is one of ``edges``."""
    try:
        values = edges.to_value(bands[0].low.unit, u.spectral())
    except u.UnitConversionError:
        return False
    wanted = [edge.to_value(bands[0].low.unit, u.spectral()) for b in bands for edge in b.edges]
    return all(np.any(np.isclose(values, edge, rtol=_EDGE_TOLERANCE, atol=0)) for edge in wanted)


def _edge_names(edges: Quantity) -> str:
    if edges.unit == u.keV:
        edges = edges.to(u.GeV)
    return f"{', '.join(f'{edge:.4g}' for edge in edges.value)} {edges.unit}"


def _band_names(bands: Sequence[Band]) -> str:
    return ", ".join(band.name for band in bands)
