"""From count maps to a catalogue: the story, top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.associate import associate
from gammafind.catalogue.publish import publish
from gammafind.config import Component, Preset, build, choose_preset, load_preset
from gammafind.errors import ConfigError, EnergyEdgesError, FileFormatError, OptionError
from gammafind.interfaces import Localiser, Plugin, SkyRenderer, no_detections
from gammafind.progress import stage
from gammafind.provenance import provenance
from gammafind.report import Summary, summarise
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.fits import (
    bin_events,
    holds_events,
    read_counts,
    read_energy_edges,
    read_events,
    read_exposure,
)
from gammafind.sky.observation import Observation
from gammafind.sky.patches import PatchGrid
from gammafind.sky.skymap import SkyMap

__all__ = ["Result", "detect", "select_preset", "with_plugins"]

Path = str | PathLike

_log = logging.getLogger("gammafind")


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What `detect` found.

    Attributes
    ----------
    catalogue : QTable
        Schema CATALOGUE, highest score first; ``meta`` says how it was made.
    counts : SkyMap
        The sky that was searched.
    preset : Preset
    summary : Summary
        Numbers found and, with a reference catalogue, purity and completeness.
    reference : QTable or None
        The catalogue that the sources were matched with.
    seconds : float
        Wall-clock time of the whole.
    """

    catalogue: QTable
    counts: SkyMap
    preset: Preset
    summary: Summary
    reference: QTable | None
    seconds: float


def detect(
    paths: Sequence[Path],
    *,
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: Path | None = None,
    reference: QTable | None = None,
    min_score: float | None = None,
    seed: int = 0,
    command: str = "",
) -> Result:
    """Find the sources of a sky.

    Parameters
    ----------
    paths : sequence of path-like
        Count maps, or photon lists.
    preset : Preset, str or path-like, optional
        By default the one whose bands the energy bins of the files fill. `with_plugins`
        changes its plugins and their options.
    bands : sequence of Band, optional
        Bands of maps whose files do not say them, in order.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps whose files do not say it.
    exposure : path-like, optional
        Exposure map that takes the place of the renderer's.
    reference : QTable, optional
        Catalogue with positions, to match with.
    min_score : float, optional
        Lowest score kept; that of the preset by default.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    Result

    Raises
    ------
    GammafindError
        If an input cannot be used; the class names the fault.
    """
    start = perf_counter()
    preset = select_preset(paths, preset, bands)
    renderer, localiser = _plugins(preset)
    if min_score is None:
        min_score = preset.score_threshold
    if not np.isfinite(min_score):
        raise OptionError(f"min_score is {min_score}", remedy="It must be a finite number.")

    with stage("reading the maps"):
        counts = _read_sky(paths, renderer, frame=frame)
    with stage("modelling the sky"):
        observation = renderer.observe(counts)
        if exposure is not None:
            observation = _use_exposure(observation, exposure)
    with stage("looking for sources"):
        detections = _localise(localiser, observation, preset, np.random.default_rng(seed))
    catalogue = publish(detections[np.asarray(detections["score"]) >= min_score])
    if reference is not None:
        catalogue = associate(catalogue, reference, preset.match_radius)
    summary = summarise(
        catalogue, reference, radius=preset.match_radius, counts=counts, cut=min_score
    )

    catalogue.meta |= provenance(
        preset=preset.name,
        used=_used(renderer, localiser),
        inputs=[
            *counts.meta.get("inputs", ()),
            *observation.exposure.meta.get("inputs", ()),
        ],
        seed=seed,
        command=command,
        selections=list(counts.meta.get("selections", ())),
        min_score=float(min_score),
        reference=_origin(reference),
        match_radius=str(preset.match_radius),
    )
    return Result(
        catalogue=catalogue,
        counts=counts,
        preset=preset,
        summary=summary,
        reference=reference,
        seconds=perf_counter() - start,
    )


def select_preset(
    paths: Sequence[Path],
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
) -> Preset:
    """Load the preset of a name, or choose the one that fits the maps.

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
        If no preset or several fit, or ``bands`` are not those of the preset.
    ConfigError
        If there is no such preset, or it asks for what cannot be done.
    InputFileError
        If a file cannot be used.
    """
    if preset is None:
        preset = choose_preset(_edges(paths, bands))
        _log.info("the bands of the maps are those of the preset %s", preset.name)
    elif not isinstance(preset, Preset):
        preset = load_preset(preset)
    if preset.classifier is not None:
        raise ConfigError(
            f"the preset {preset.name} names the classifier {preset.classifier.name}",
            path=preset.source or None,
            remedy="Sources are not classified yet: leave [classifier] out.",
        )
    if bands is not None and not same_edges(bands, preset.bands):
        raise EnergyEdgesError(
            f"the bands {', '.join(band.name for band in bands)} are not those of the preset "
            f"{preset.name}",
            remedy=f"It has {', '.join(band.name for band in preset.bands)}.",
        )
    return preset


def with_plugins(
    preset: Preset,
    names: Mapping[str, str | None],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Preset:
    """Change the plugins of a preset.

    Parameters
    ----------
    preset : Preset
    names : mapping of str to str
        Name of the plugin of each role that is to change; None leaves it as it is. Another
        plugin starts from its own defaults.
    options : mapping of str to mapping, optional
        Options of each role, laid over those of the preset.

    Returns
    -------
    Preset

    Raises
    ------
    ConfigError
        If options are given for a role that the preset has no plugin for.
    """
    changed: dict[str, Component] = {}
    for role, name in names.items():
        present = getattr(preset, role)
        if name is not None and (present is None or present.name != name):
            changed[role] = Component(role=role, name=name)
    for role, more in (options or {}).items():
        component = changed.get(role) or getattr(preset, role)
        if component is None:
            raise ConfigError(
                f"options for the {role}, which the preset {preset.name} leaves to the localiser",
                remedy=f"Name a {role}.",
            )
        merged = {**component.options, **more}
        changed[role] = replace(component, options=merged, source="")
    return replace(preset, **changed)


def _edges(paths: Sequence[Path], bands: Sequence[Band] | None) -> Any:
    if bands is not None:
        unit = bands[0].low.unit
        return np.unique([band.edges.to_value(unit) for band in bands]) * unit
    for path in paths:
        if holds_events(path):
            raise EnergyEdgesError(
                "a photon list has no energy bins",
                path=path,
                remedy="Choose a preset by name; its bands are filled.",
            )
    return np.unique(read_energy_edges(paths))


def _plugins(preset: Preset) -> tuple[SkyRenderer, Localiser]:
    given = {"clusterer": build(preset.clusterer)} if preset.clusterer else {}
    return build(preset.renderer), build(preset.localiser, **given)


def _used(renderer: SkyRenderer, localiser: Localiser) -> dict[str, Plugin]:
    used: dict[str, Plugin] = {"renderer": renderer, "localiser": localiser}
    if localiser.clusterer is not None:
        used["clusterer"] = localiser.clusterer
    return used


def _read_sky(paths: Sequence[Path], renderer: SkyRenderer, *, frame: str | None) -> SkyMap:
    """Read count maps, or bin photons on the renderer's own pixels."""
    photons = [holds_events(path) for path in paths]
    if all(photons):
        return bin_events(read_events(paths), bands=renderer.bands, pixels=renderer.pixels)
    if any(photons):
        raise FileFormatError(
            "a photon list among count maps",
            path=paths[photons.index(True)],
            remedy="Give the one or the other.",
        )
    return read_counts(paths, bands=renderer.bands, frame=frame)


def _use_exposure(observation: Observation, path: Path) -> Observation:
    """Replace the exposure; the expected background scales with it, pixel by pixel."""
    counts, own = observation.counts, observation.exposure
    given = read_exposure(path, bands=counts.bands, pixels=counts.pixels)
    factors = [
        np.divide(new, old, out=np.zeros(new.shape), where=old > 0)
        for new, old in zip(given.values, own.values, strict=True)
    ]
    background = {
        name: replace(sky, values=tuple(v * f for v, f in zip(sky.values, factors, strict=True)))
        for name, sky in observation.background.items()
    }
    return replace(observation, exposure=given, background=background)


def _localise(
    localiser: Localiser, observation: Observation, preset: Preset, rng: np.random.Generator
) -> QTable:
    """Detections of the localiser; none where there is not one count."""
    if not any(values.any() for values in observation.counts.values):
        return no_detections()
    grid = PatchGrid.healpix(
        preset.patches.nside,
        size=preset.patches.size,
        frame=observation.counts.pixels[0].frame,
    )
    return localiser.localise_sky(observation, grid=grid, rng=rng)


def _origin(reference: QTable | None) -> Any:
    """Where a reference catalogue comes from, as far as its metadata say."""
    if reference is None:
        return None
    known = ("name", "sha256", "release", "version")
    return {key: str(reference.meta[key]) for key in known if key in reference.meta}
