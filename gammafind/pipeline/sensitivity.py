"""Flux at which half of all sources are found, on a map of the sky."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.resolution import at_own_resolution
from gammafind.fitting.photons.sensitivity import half_found_fluxes
from gammafind.pipeline.inputs import Counts, OnePath, Table, table_of
from gammafind.pipeline.prepare import prepare
from gammafind.pipeline.result import Result
from gammafind.presets.preset import Preset
from gammafind.roles.provenance import provenance
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap
from gammafind.units import FLUX
from gammafind.utils.checks import require, require_index
from gammafind.utils.progress import stage

CUT = 16.0
"""TS from which the localiser `likelihood` publishes."""
LEAST = 1.0
"""Least TS: below it, errors of positions are wider than the PSF, and noise alone reaches it."""
INDEX = 2.3
"""Photon index of the sources that it looks for."""
NSIDE = 64
"""Of the map: 0.9 deg, finer than the background changes but next to bright sources."""


def sensitivity(
    counts: Counts,
    *,
    ts: float = CUT,
    index: float = INDEX,
    sources: Table | Result | None = None,
    nside: int = NSIDE,
    preset: Preset | OnePath | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: OnePath | None = None,
    spacecraft: OnePath | Sequence[OnePath] | None = None,
    background: OnePath | Sequence[OnePath] = (),
    seed: int = 0,
    command: str = "",
) -> SkyMap:
    """Compute the flux at which half of all sources are found, at each place.

    The TS is that of the localiser ``likelihood`` at the position that it publishes. For the
    completeness of another localiser, or of one with a clusterer, see `gammafind.inject`.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        As for `gammafind.detect`. They give pixels and valid regions; what they hold counts only
        where ``sources`` are given.
    ts : float
        Lowest TS of what is found; at least 1.
    index : float
        Photon index of the sources.
    sources : str, path-like, QTable or Result, optional
        Sources that are part of the sky, such as those found: their fluxes and the norms of the
        background are fitted to the counts, and a new source must be found on top of them. Without
        them, only the expected background counts, with norm one.
    nside : int
        Of the HEALPix pixels of the result.
    preset, options, bands, frame, exposure, spacecraft, background : object
        As for `gammafind.detect`.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    SkyMap
        Photon flux in cm-2 s-1 in all bands together, one map; not valid where there are no
        counts. ``meta`` says how it was made.

    Raises
    ------
    OptionError
        If a value is out of range, or the instrument does not count photons.
    GammafindError
        If an input cannot be used; the class names the fault.

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.sensitivity(gammafind.demo_sky("M 87"))
    >>> faintest = float(sky.values[0][sky.valid[0]].min())
    >>> 1e-10 < faintest < 3e-10
    True
    """
    require("ts", ts, ts >= LEAST, f"It must be {LEAST:g} or more.")
    require_index(index)
    require("seed", seed, seed >= 0, "It must not be negative.")
    HealpixPixels(nside)
    found = sources.catalogue if isinstance(sources, Result) else table_of(sources)
    given = prepare(
        counts,
        preset=preset,
        options=options,
        bands=bands,
        frame=frame,
        exposure=exposure,
        spacecraft=spacecraft,
        background=background,
    )
    record = provenance(
        preset=given.preset.name,
        used={"renderer": given.renderer},
        inputs=given.inputs,
        seed=seed,
        command=command,
        ts=float(ts),
        index=float(index),
        sources=0 if found is None else len(found),
    )
    sky = sensitivity_map(
        given.observation, ts=ts, index=index, nside=nside, sources=found, seed=seed
    )
    return SkyMap(sky.bands, sky.pixels, sky.values, sky.kind, sky.valid, record)


def sensitivity_map(
    observation: Observation,
    *,
    ts: float = CUT,
    index: float = INDEX,
    nside: int = NSIDE,
    sources: Any = None,
    seed: int = 0,
) -> SkyMap:
    """`sensitivity` of an observation; ``sources`` is a table with positions, or None."""
    if observation.counts.kind != "counts" or not observation.flux_unit.is_equivalent(FLUX):
        raise OptionError(
            f"the sensitivity of a map of {observation.counts.kind}",
            remedy="It is computed for instruments that count photons.",
        )
    with stage("computing the sensitivity"):
        if sources is None:
            data = sky_data(at_own_resolution(observation), index=index, crop=True)
        else:
            positions = sky_positions(sources, what="the table of sources")
            data = known_sky(observation, positions, index=index)[0].data
        pixels = HealpixPixels(nside, data.frame)
        flux = half_found_fluxes(data, pixels, ts, rng=np.random.default_rng(seed), index=index)
    known = np.isfinite(flux)
    if not known.any():
        raise OptionError(
            f"no flux is found half of the time at TS {ts:g} anywhere on the maps",
            remedy="Choose a lower TS, and maps with an exposure above 0.",
        )
    values = np.where(known, flux, 0) * observation.flux_unit.to(FLUX)
    band = whole_band(observation.counts.bands)
    return SkyMap([band], [pixels], [values], "flux", [known])


def whole_band(bands: Sequence[Band]) -> Band:
    """Band from the lowest to the highest edge of some bands."""
    unit = bands[0].low.unit
    edges: Quantity = np.concatenate([np.atleast_1d(b.edges.to_value(unit)) for b in bands]) * unit
    low, high = edges.min(), edges.max()
    name = bands[0].name if len(bands) == 1 else f"{low.value:g}-{high.value:g} {unit:s}"
    return Band(name, low, high)


def sensitivity_at(sky: SkyMap, positions: Any) -> Quantity:
    """Flux of a map of `sensitivity` at some positions, interpolated; NaN where it is not known.

    Parameters
    ----------
    sky : SkyMap
    positions : SkyCoord, shape (n,)

    Returns
    -------
    Quantity, shape (n,)
    """
    pixels, values, known = sky.pixels[0], sky.values[0], sky.valid[0]
    share = pixels.interpolate(known.astype(float), positions)
    total = pixels.interpolate(np.where(known, np.log(np.where(known, values, 1)), 0), positions)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(total / share)
    return np.where(share > 0, mean, np.nan) * u.Unit(sky.unit)
