"""Injection and recovery: the completeness of one catalogue, measured on its own sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.evaluation.completeness import completeness_table
from gammafind.pipeline.injected import Injected, joined
from gammafind.pipeline.inputs import Counts, OnePath, Table
from gammafind.pipeline.localise import able_preset
from gammafind.pipeline.measurement import measurement
from gammafind.pipeline.prepare import prepare
from gammafind.pipeline.products import check_folder
from gammafind.pipeline.rounds import kept
from gammafind.presets.preset import Preset
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.provenance import provenance
from gammafind.sky.bands import Band
from gammafind.utils.checks import require, require_index
from gammafind.utils.files import named_folder
from gammafind.utils.progress import track

SEPARATION = 5.0
"""Least distance of sources of a round, in sizes of a point source: they do not change each other's
TS (benchmarks/sensitivity.py)."""
_BINS = 10
"""Of flux."""
LATITUDES = (0.0, 5.0, 10.0, 20.0, 40.0, 90.0) * u.deg
"""Edges of the bins of ``|b|``."""
INDICES = (1.8, 2.3, 2.8)
"""Photon indices of sources: most of those of 4FGL are between the first and the last."""


def inject(
    counts: Counts,
    *,
    output: OnePath | None = None,
    rounds: int = 1,
    number: int | None = None,
    flux: tuple[Quantity, Quantity] | None = None,
    index: Sequence[float] = INDICES,
    places: Table | None = None,
    separation: float = SEPARATION,
    latitudes: Quantity = LATITUDES,
    radius: Quantity | None = None,
    min_score: float | None = None,
    preset: Preset | OnePath | None = None,
    localiser: str | Localiser | None = None,
    clusterer: str | Clusterer | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: OnePath | None = None,
    spacecraft: OnePath | Sequence[OnePath] | None = None,
    background: OnePath | Sequence[OnePath] = (),
    seed: int = 0,
    overwrite: bool = False,
    command: str = "",
) -> Injected:
    """Add known sources to counts, search again, and measure how many are found.

    It measures the completeness of *detection* at a cut, on this sky, by this localiser. Sources
    that fall on those of the sky count too: blending is a part of completeness. The column
    ``to_real`` allows leaving them out.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        As for `gammafind.detect`: the real sky or a simulated one.
    output : path-like, optional
        Folder of the tables. Each round appears there when it is whole; the same call continues
        after an interruption, and with more ``rounds`` it adds to those that are there.
    rounds : int
        Number of searches, each with other sources.
    number : int, optional
        Most sources of a round; by default 500, or as many as have four times the area that keeps
        them apart.
    flux : tuple of Quantity, optional
        Lowest and highest flux in all bands together; the logarithm is uniform. By default from
        0.3 to 4 times the sensitivity of `likelihood` over most of the sky.
    index : sequence of float
        Photon indices, each as likely as the others.
    places : str, path-like or QTable, optional
        Table of positions from which each round draws, instead of uniform ones on the valid pixels;
        where it has a column of fluxes, or ``index``, a place has these.
    separation : float
        Least distance of two sources of a round, in sizes of a point source: 68 % radius of PSF and
        pixel, in the bands that matter for it.
    latitudes : Quantity
        Edges of the bins of ``|b|``, increasing.
    radius : Quantity, optional
        Match radius; that of the preset by default.
    min_score : float, optional
        Cut; by default the lowest score that `gammafind.detect` publishes.
    preset, localiser, clusterer, options, bands, frame, exposure, spacecraft, background : object
        As for `gammafind.detect`.
    seed : int
        Of the random generator; round ``i`` depends on it and on ``i`` alone.
    overwrite : bool
        Whether rounds of other settings in the folder are replaced.
    command : str
        Command line, for the record.

    Returns
    -------
    Injected
        ``sources``, one row each, and ``completeness`` in bins of flux, ``|b|`` and index.

    Raises
    ------
    OptionError
        If a value is out of range, or the sky does not consist of counts.
    OutputError
        If the folder holds rounds of other settings, or cannot be written.
    GammafindError
        If an input cannot be used; the class names the fault.

    Examples
    --------
    >>> import gammafind
    >>> done = gammafind.inject(gammafind.demo_sky("M 87"), localiser="likelihood", seed=1)
    >>> done.completeness.colnames[:4]
    ['flux_low', 'flux_high', 'b_low', 'b_high']
    """
    _check(rounds, number, index, separation, seed)
    given = prepare(
        counts,
        preset=preset,
        plugins={"localiser": localiser, "clusterer": clusterer},
        options=options,
        bands=bands,
        frame=frame,
        exposure=exposure,
        spacecraft=spacecraft,
        background=background,
    )
    chosen = able_preset(given.preset, given.observation)
    folder = None if output is None else check_folder(named_folder(output), overwrite=True)
    measure = measurement(
        given, chosen, places, flux, index, number, separation, radius, min_score, seed
    )
    if folder is not None:
        folder.mkdir(exist_ok=True)
    known = kept(folder, "not-injected", measure.settings, measure.search, overwrite=overwrite)
    tables = [
        kept(
            folder,
            f"round-{i:04d}",
            measure.settings,
            lambda i=i: measure.round(i, known),
            overwrite=overwrite,
        )
        for i in track(range(rounds), "rounds")
    ]
    sources = joined(tables)
    low, high = measure.flux
    edges = np.geomspace(low, high, _BINS + 1) * sources["flux"].unit
    done = Injected(sources=sources, completeness=completeness_table(sources, edges, latitudes))
    record = provenance(
        preset=chosen.name,
        used={"renderer": given.renderer, "localiser": measure.localiser},
        inputs=given.inputs,
        seed=seed,
        command=command,
        rounds=rounds,
        measures="completeness of detection at the cut; blending with sources of the sky included",
        score_name=measure.localiser.score_name,
        **{name: measure.settings[name] for name in _RECORDED},
    )
    sources.meta |= record
    done.completeness.meta |= record
    if folder is not None:
        done.write(folder, overwrite=True)
    return done


_MOST = 1e6
"""Sources of a round, and sizes of a point source between two: more have no room on a sky."""
_RECORDED = ("min_score", "match_radius", "separation", "per_round", "flux", "index", "places")


def _check(
    rounds: int, number: int | None, index: Sequence[float], separation: float, seed: int
) -> None:
    require("rounds", rounds, rounds >= 1, "It must be 1 or more.")
    require("seed", seed, seed >= 0, "It must not be negative.")
    require("separation", separation, 0 <= separation <= _MOST, f"It must be 0 to {_MOST:g}.")
    if number is not None:
        require("number", number, 1 <= number <= _MOST, f"It must be 1 to {_MOST:g}.")
    if not len(index):
        raise OptionError("no photon index is given", remedy="Give at least one, such as 2.3.")
    for one in index:
        require_index(one)
