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
from gammafind.presets.preset import Component, Preset, build, load_preset, presets
from gammafind.roles.base import Plugin
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.fits import holds_events, read_energy_edges, read_selections

Path = str | PathLike

_log = logging.getLogger("gammafind")

_EDGE_TOLERANCE = 1e-3
"""Relative difference of equal edges: above the rounding of files, below any bin width."""
_SEARCHING = ("localiser", "clusterer")
"""Roles whose choice leaves no room for the fallback of a preset."""


def select_preset(
    paths: Sequence[Path],
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
) -> Preset:
    """Load a preset by name, or choose the one that fits the maps.

    Parameters
    ----------
    paths : sequence of path-like
    preset : Preset, str or path-like, optional
    bands : sequence of Band, optional
        As for `detect`.

    Returns
    -------
    Preset

    Raises
    ------
    EnergyEdgesError
        If no preset or several presets fit, or ``bands`` are not those of the preset.
    ConfigError
        If there is no such preset.
    InputFileError
        If a file cannot be used.
    """
    if preset is None:
        cuts = [read_selections(path) for path in paths]
        edges = _edges(paths, bands, cuts)
        preset = choose_preset(
            edges, selections=cuts, path=None if bands else ", ".join(map(str, paths))
        )
        _log.info("preset %s: its bands fit the energies of the maps", preset.name)
        _tell_unused(edges, preset)
    elif not isinstance(preset, Preset):
        preset = load_preset(preset)
    if bands is not None:
        check_bands(bands, preset)
    return preset


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
    known = presets()
    renderers = {name: build(preset.renderer) for name, preset in known.items()}
    bands = {name: renderer.bands for name, renderer in renderers.items()}
    fitting = [name for name in known if _fill(edges, bands[name])]
    if len(fitting) > 1:
        accepting = [name for name in fitting if renderers[name].accepts(selections)]
        fitting = accepting or fitting
    if len(fitting) == 1:
        return known[fitting[0]]
    listed = fitting or list(known)
    raise EnergyEdgesError(
        f"{'several presets fit' if fitting else 'no preset fits'} energy edges of "
        f"{_edge_names(edges)}",
        path=path,
        remedy="Choose one by name: "
        + ("; ".join(f"{name} ({_band_names(bands[name])})" for name in listed) or "there is none")
        + ".",
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


def _tell_unused(edges: Quantity, preset: Preset) -> None:
    """Log a message if the energies of the maps extend beyond the bands."""
    used = np.concatenate([band.edges.to(edges.unit, u.spectral()) for band in preset.bands])
    if edges.min() < 0.999 * used.min() or edges.max() > 1.001 * used.max():
        _log.info(
            "energies outside %s are ignored",
            ", ".join(band.name for band in preset.bands),
        )


def _edges(
    paths: Sequence[Path], bands: Sequence[Band] | None, cuts: Sequence[tuple[str, ...]]
) -> Quantity:
    """Sorted edges of the energy bins; files of different cuts may have the same bins."""
    if bands is not None:
        unit = bands[0].low.unit
        return np.unique([band.edges.to_value(unit) for band in bands]) * unit
    for path in paths:
        if holds_events(path):
            raise EnergyEdgesError(
                "a photon list has no energy bins",
                path=path,
                remedy="Choose a preset by name; the photons are binned to its bands.",
            )
    alike = [
        [path for path, has in zip(paths, cuts, strict=True) if has == one]
        for one in dict.fromkeys(cuts)
    ]
    return np.unique(np.concatenate([read_energy_edges(group) for group in alike]))


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
