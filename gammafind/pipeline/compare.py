"""Every localiser on one sky, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from time import perf_counter
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import GammafindError, OptionError, PluginError
from gammafind.evaluation.brightness import MinFlux, default_min_fluxes
from gammafind.evaluation.regions import REGIONS
from gammafind.evaluation.summary import summarise
from gammafind.presets.choose import select_preset, with_plugins
from gammafind.presets.preset import Preset, build
from gammafind.roles.localiser import Localiser, no_detections
from gammafind.roles.provenance import describe_plugin, provenance
from gammafind.roles.registry import get_plugin, plugins
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.patches import PatchGrid
from gammafind.utils.progress import stage

__all__ = ["Comparison", "compare_localisers", "completeness_columns"]

Path = str | PathLike

_REGION_SUFFIXES = dict(zip(REGIONS, ("", "_b20", "_b10"), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What `compare_localisers` measured.

    Attributes
    ----------
    table : QTable
        One row a localiser; ``meta`` says how it was made.
    left_out : dict of str to str
        Localisers that could not run, with the reason.
    """

    table: QTable
    left_out: dict[str, str]


def compare_localisers(
    paths: Sequence[Path],
    truth: QTable,
    *,
    names: Sequence[str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    radius: Quantity | None = None,
    purity: float = 0.90,
    min_fluxes: Sequence[MinFlux] = (),
    seed: int = 0,
    command: str = "",
) -> Comparison:
    """Run localisers on one sky and measure how well each finds what is there.

    The sky is read and modelled once; each localiser gets the same photons in the same places.
    One that cannot run is left out, with the reason.

    Parameters
    ----------
    paths : sequence of path-like
        Count maps.
    truth : QTable
        The sources that are there, as for `gammafind.evaluation.summary.summarise`.
    names : sequence of str, optional
        Localisers; all that are registered by default.
    options : mapping of str to mapping, optional
        Options by the name of the localiser. That of the preset starts from its options there,
        and has the clusterer of the preset; the others start from their own defaults.
    preset : Preset, str or path-like, optional
        By default the one whose bands the energy bins of the files fill.
    bands : sequence of Band, optional
    frame : {"galactic", "icrs", "fk5"}, optional
        These two as for `gammafind.pipeline.detect.detect`.
    radius : Quantity, optional
        Match radius; that of the preset by default.
    purity : float
    min_fluxes : sequence of MinFlux
        These two as for `gammafind.evaluation.summary.summarise`.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    Comparison
        Columns of the table: ``localiser, seconds, n_detections, cut, purity``, those of
        `completeness_columns`, ``completeness_lower, completeness_upper`` (68 % interval of
        the completeness of all sources), ``ts50`` where the truth tells the expected TS, and
        ``median_offset``. Cut and purity are those of the whole sky.

    Raises
    ------
    UnknownPluginError
        If there is no localiser of a name.
    OptionError
        If no localiser is named, options are given for one that is not compared, or a value is out
        of range.
    PluginError
        If no localiser could run.
    GammafindError
        If an input cannot be used; the class names the fault.
    """
    preset = select_preset(paths, preset, bands)
    chosen, left_out = _choose(names)
    stray = sorted(set(options or {}) - set(chosen))
    if stray:
        raise OptionError(
            f"options for {', '.join(stray)}",
            remedy=f"The localisers compared are {', '.join(chosen)}.",
        )
    if seed < 0:
        raise OptionError(f"seed is {seed}", remedy="It must not be negative.")
    localisers = {name: _build(preset, name, (options or {}).get(name, {})) for name in chosen}
    radius = preset.match_radius if radius is None else radius
    min_fluxes = tuple(min_fluxes) or default_min_fluxes(truth)

    def measure(found: QTable) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        return summarise(found, truth, rng=rng, radius=radius, purity=purity, min_fluxes=min_fluxes)

    measure(no_detections())  # what is wrong with truth, radius, purity or fluxes shows at once
    renderer = build(preset.renderer)
    with stage("reading the maps"):
        counts = renderer.read_counts(paths, frame=frame)
    with stage("modelling the sky"):
        observation = renderer.observe(counts)
    rows = []
    for name, localiser in localisers.items():
        try:
            found, seconds = _localise(localiser, observation, preset, seed)
        except GammafindError as error:
            left_out[name] = str(error)
        else:
            rows.append(_row(name, seconds, len(found), measure(found)))
    if not rows:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise PluginError(f"no localiser could run ({reasons})", remedy="Name others.")
    table = _table(rows, [str(cut) for cut in min_fluxes], purity)
    table.meta |= provenance(
        preset=preset.name,
        used={"renderer": renderer},
        inputs=list(counts.meta.get("inputs", ())),
        seed=seed,
        command=command,
        purity=purity,
        match_radius=str(radius),
        left_out=left_out,
    )
    ran = [localisers[row["localiser"]] for row in rows]
    table.meta["plugins"] += [describe_plugin("localiser", localiser) for localiser in ran]
    return Comparison(table=table, left_out=left_out)


def completeness_columns(selections: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """Columns of completeness by region and selection.

    Parameters
    ----------
    selections : sequence of str
        Names of selections of bright sources.

    Returns
    -------
    dict of str to tuple of str
        Name of the region, and of the selection (empty for all sources), by column: those of all
        sources, then those of each selection.
    """
    return {
        f"completeness{region_suffix}{f'_flux{number}' if number else ''}": (region, selection)
        for number, selection in enumerate(["", *selections])
        for region, region_suffix in _REGION_SUFFIXES.items()
    }


def _choose(names: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """Names of localisers, all of which there are, and those that are broken."""
    if names is None:
        known = plugins("localiser")
        broken = {info.name: info.error for info in known if info.error}
        return [info.name for info in known if not info.error], broken
    if not names:
        known = ", ".join(info.name for info in plugins("localiser") if not info.error)
        raise OptionError("no localiser was named", remedy=f"Known are {known or 'none'}.")
    for name in names:
        get_plugin("localiser", name)
    return list(dict.fromkeys(names)), {}


def _build(preset: Preset, name: str, options: Mapping[str, Any]) -> Localiser:
    own = preset.localiser.name == name and preset.clusterer is not None
    changed = with_plugins(preset, {"localiser": name}, {"localiser": options})
    return build(changed.localiser, **({"clusterer": build(preset.clusterer)} if own else {}))


def _localise(
    localiser: Localiser, observation: Observation, preset: Preset, seed: int
) -> tuple[QTable, float]:
    """Detections of a localiser, and the seconds it took."""
    frame = observation.counts.pixels[0].frame
    grid = PatchGrid.healpix(preset.patches.nside, size=preset.patches.size, frame=frame)
    n_pixels = preset.patches.widths(observation.counts.n_bands)
    rng = np.random.default_rng(seed)
    with stage(f"looking for sources with {localiser.name}"):
        start = perf_counter()
        found = localiser.localise_sky(observation, grid=grid, n_pixels=n_pixels, rng=rng)
        return found, perf_counter() - start


def _row(name: str, seconds: float, n_detections: int, metrics: Mapping[str, Any]) -> dict:
    """Row of the table; what is not known is NaN."""
    regions, whole = metrics["at_purity"], metrics["at_purity"]["all"]
    row = {
        "localiser": name,
        "seconds": seconds,
        "n_detections": n_detections,
        "cut": whole["cut"],
        "purity": whole["purity"],
    }
    for column, (region, selection) in completeness_columns(list(whole["brighter"])).items():
        entry = regions[region]["brighter"][selection] if selection else regions[region]
        row[column] = entry["completeness"]
    row["completeness_lower"], row["completeness_upper"] = whole["completeness_68"]
    if "ts50" in whole:
        row["ts50"] = whole["ts50"]
    row["median_offset"] = metrics["offsets"]["all"]["median_deg"]
    return {key: np.nan if value is None else value for key, value in row.items()}


def _table(rows: Sequence[Mapping], selections: Sequence[str], purity: float) -> QTable:
    """Table of the rows, with units and descriptions."""
    table = QTable({name: [row[name] for row in rows] for name in rows[0]})
    table["seconds"] = table["seconds"] * u.s
    table["median_offset"] = table["median_offset"] * u.deg
    descriptions = {
        "seconds": "Wall-clock time of the search",
        "n_detections": "Detections above the threshold of the localiser",
        "cut": f"Lowest score cut, whole sky, of a purity of {purity:g}",
        "purity": "Purity at the cut",
        "completeness_lower": "Low end of the 68 % interval of completeness",
        "completeness_upper": "High end of the 68 % interval of completeness",
        "ts50": "Expected TS at which half of the sources are found",
        "median_offset": "Median distance to the true source, of detections above the cut",
    }
    columns = completeness_columns(selections)
    for column, (region, selection) in columns.items():
        where = "" if region == "all" else f", {region}"
        which = selection or "all sources"
        descriptions[column] = f"Completeness at purity {purity:g}: {which}{where}"
    for name, text in descriptions.items():
        if name in table.colnames:
            table[name].info.description = text
    table.meta["completeness"] = {column: list(what) for column, what in columns.items()}
    return table
