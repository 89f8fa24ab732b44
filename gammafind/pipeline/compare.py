"""Several localisers on one sky, one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import GammafindError, OptionError, PluginError
from gammafind.evaluation.brightness import MinFlux, default_min_fluxes
from gammafind.evaluation.performance import measure_performance
from gammafind.evaluation.searched import searched_sources
from gammafind.evaluation.side_by_side import comparison_row, comparison_table
from gammafind.pipeline.evaluate import check_radius
from gammafind.pipeline.inputs import (
    Counts,
    Table,
    preset_for,
    renderer_for,
    sorted_input,
    table_of,
)
from gammafind.pipeline.localise import build_localiser, localise
from gammafind.pipeline.observe import observe
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset
from gammafind.roles.localiser import Localiser, no_detections
from gammafind.roles.provenance import describe_plugin, provenance
from gammafind.roles.registry import get_plugin, plugins
from gammafind.sky.bands import Band
from gammafind.utils.checks import require

Path = str | PathLike


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What `gammafind.compare` measured.

    Attributes
    ----------
    table : QTable
        One row a localiser; ``meta`` says how it was made.
    left_out : dict of str to str
        Localisers that could not run, with the reason.
    """

    table: QTable
    left_out: dict[str, str]


def compare(
    counts: Counts,
    truth: Table,
    *,
    localisers: Sequence[str] | None = None,
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
    """Run localisers on one sky and measure how well each of them finds its sources.

    The sky is read and modelled once; each localiser gets the same photons in the same places.
    A localiser that cannot run is left out, with the reason.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        As for `gammafind.detect`.
    truth : str, path-like or QTable
        The true sources: the name of an embedded catalogue, a file, or a table with positions and,
        where known, fluxes and the expected TS ``ts``.
    localisers : sequence of str, optional
        Names; all that are registered by default.
    options : mapping of str to mapping, optional
        Options by the name of the localiser. That of the preset starts from its options there,
        and has the clusterer of the preset; the others start from their own defaults.
    preset, bands, frame : object
        As for `gammafind.detect`.
    radius : Quantity, optional
        Match radius, an angle; that of the preset by default.
    purity : float
        Purity at which completeness is measured, between 0 and 1.
    min_fluxes : sequence of MinFlux
        Selections of bright sources, whose completeness is measured too.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    Comparison
        Columns of the table: ``localiser, seconds, n_detections, cut, purity``, completeness in
        each region and selection, ``completeness_lower, completeness_upper`` (68 % interval of
        the completeness of all sources), ``ts50`` where the truth has the expected TS, and
        ``median_offset`` in degrees. Cut and purity are those of the whole sky.

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

    Examples
    --------
    >>> import gammafind
    >>> names = ["likelihood", "photutils-peaks"]
    >>> done = gammafind.compare(gammafind.demo_sky("M 87"), "4fgl-dr2", localisers=names)
    >>> done.table["localiser"].tolist()
    ['likelihood', 'photutils-peaks']
    """
    require("seed", seed, seed >= 0, "It must not be negative.")
    given = sorted_input(counts)
    preset = preset_for(given, preset, bands)
    chosen, left_out = _choose(localisers)
    built = _built(preset, chosen, options or {})
    radius = preset.match_radius if radius is None else radius
    check_radius(radius)
    truth = table_of(truth)
    min_fluxes = tuple(min_fluxes) or default_min_fluxes(truth)

    def measure(found: QTable, there: QTable = truth) -> dict[str, Any]:
        limits = {"radius": radius, "purity": purity, "min_fluxes": min_fluxes}
        return measure_performance(found, there, rng=np.random.default_rng(seed), **limits)

    measure(no_detections())  # what is wrong with truth, radius, purity or fluxes shows at once
    renderer, preset = renderer_for(preset, given)
    observation = observe(given, renderer, frame=frame)
    rows = []
    for name, localiser in built.items():
        try:
            found = localise(localiser, observation, preset, seed=seed)
        except GammafindError as error:
            left_out[name] = str(error)
        else:
            where = searched_sources(
                found.detections, truth, radius=radius, counts=observation.counts
            )
            metrics = measure(found.detections, truth[where])
            rows.append(comparison_row(name, found.seconds, len(found.detections), metrics))
    _check_any(rows, left_out)
    table = comparison_table(rows, [str(cut) for cut in min_fluxes], purity)
    table.meta |= provenance(
        preset=preset.name,
        used={"renderer": renderer},
        inputs=list(observation.counts.meta.get("inputs", ())),
        seed=seed,
        command=command,
        purity=purity,
        match_radius=str(radius),
        left_out=left_out,
    )
    ran = [built[row["localiser"]] for row in rows]
    table.meta["plugins"] += [describe_plugin("localiser", one) for one in ran]
    return Comparison(table=table, left_out=left_out)


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


def _built(
    preset: Preset, names: Sequence[str], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, Localiser]:
    """Localisers of these names, each with its options."""
    stray = sorted(set(options) - set(names))
    if stray:
        raise OptionError(
            f"options for {', '.join(stray)}",
            remedy=f"The localisers compared are {', '.join(names)}.",
        )
    return {
        name: build_localiser(
            with_plugins(preset, {"localiser": name}, {"localiser": options.get(name, {})})
        )
        for name in names
    }


def _check_any(rows: Sequence[Mapping], left_out: Mapping[str, str]) -> None:
    """Raise PluginError if no localiser could run."""
    if not rows:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise PluginError(f"no localiser could run ({reasons})", remedy="Name others.")
