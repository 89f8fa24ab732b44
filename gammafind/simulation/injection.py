"""Known sources for counts that exist: places that keep apart, fluxes, and drawn counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from scipy.spatial import cKDTree

from gammafind.catalogue.positions import sky_columns
from gammafind.errors import OptionError
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.areas import pixel_areas
from gammafind.sky.observation import Observation
from gammafind.sky.projection import positions_of
from gammafind.sky.skymap import SkyMap

_CANDIDATES = 6
"""Random places for each that is wanted: with fewer of them not all that fit are found."""
_PARTS = 16
"""Sub-pixels a side among which a place is drawn: finer than any localiser resolves."""
_LABEL = "INJECTED"


def random_places(counts: SkyMap, number: int, *, rng: np.random.Generator) -> SkyCoord:
    """Places that are uniform on the valid pixels of the finest band.

    Parameters
    ----------
    counts : SkyMap
    number : int
    rng : numpy.random.Generator

    Returns
    -------
    SkyCoord, shape (number,)

    Raises
    ------
    OptionError
        If no pixel is valid.
    """
    pixels = counts.finest_pixels
    valid = counts.valid[counts.pixels.index(pixels)].ravel()
    known = np.flatnonzero(valid)
    if not len(known):
        raise OptionError("no pixel of the counts is valid", remedy="Sources need a sky.")
    area = pixel_areas(pixels).ravel()[known]
    chosen = rng.choice(known, size=number, p=area / area.sum())
    part = rng.integers(_PARTS**2, size=number)
    vectors = pixels.subpixel_vectors(chosen, _PARTS)[np.arange(number), part]
    return positions_of(vectors, pixels.frame)


def apart(places: SkyCoord, separation: float) -> np.ndarray:
    """Rows of places of which no two are nearer than a separation; earlier rows come first.

    Parameters
    ----------
    places : SkyCoord, shape (n,)
    separation : float
        In degrees.

    Returns
    -------
    ndarray of int
    """
    vectors = np.moveaxis(places.cartesian.xyz.value, 0, -1)
    reach = 2 * np.sin(np.radians(min(separation, 180.0)) / 2)
    near = cKDTree(vectors).query_ball_point(vectors, reach)
    taken = np.zeros(len(vectors), dtype=bool)
    for row, others in enumerate(near):
        taken[row] = not any(taken[other] for other in others)
    return np.flatnonzero(taken)


def separated_places(
    counts: SkyMap, number: int, separation: float, *, rng: np.random.Generator
) -> SkyCoord:
    """Draw at most ``number`` places that keep apart, uniform on the valid pixels.

    Parameters
    ----------
    counts : SkyMap
    number : int
    separation : float
        In degrees.
    rng : numpy.random.Generator

    Returns
    -------
    SkyCoord, shape (n,)
        Fewer where no more fit.
    """
    places = random_places(counts, _CANDIDATES * number, rng=rng)
    return places[apart(places, separation)[:number]]


def source_table(
    renderer: SkyRenderer, places: SkyCoord, flux: u.Quantity, index: np.ndarray
) -> QTable:
    """Sources at some places, as a renderer takes them.

    Parameters
    ----------
    renderer : SkyRenderer
    places : SkyCoord, shape (n,)
    flux : Quantity, shape (n,)
        In all bands together.
    index : ndarray, shape (n,)
        Photon index.

    Returns
    -------
    QTable
        Schema SOURCES, ``glon``, ``glat``, ``index``, and what the renderer adds.
    """
    label = renderer.classes[-1] if renderer.classes else _LABEL
    table = QTable(
        {
            "name": [f"I{row:06d}" for row in range(len(places))],
            **sky_columns(places),
            "class_label": np.full(len(places), label),
            "flux": flux.to(renderer.flux_unit),
            "index": np.asarray(index, dtype=float),
        }
    )
    return renderer.with_power_laws(table, table["index"])


def with_sources(
    observation: Observation, renderer: SkyRenderer, sources: QTable, *, rng: np.random.Generator
) -> Observation:
    """Add the Poisson counts of sources to an observation.

    Parameters
    ----------
    observation : Observation
    renderer : SkyRenderer
        Of the same bands. What it renders is scaled to the exposure of the observation.
    sources : QTable
        As `gammafind.roles.renderer.SkyRenderer.render` takes them.
    rng : numpy.random.Generator

    Returns
    -------
    Observation
        With whole numbers of counts in every valid pixel, as before.

    Raises
    ------
    OptionError
        If the observation does not count photons.
    """
    if observation.counts.kind != "counts":
        raise OptionError(
            f"sources are injected into {observation.counts.kind}",
            remedy="Give maps of counts, or photons.",
        )
    counts = observation.counts
    expected = expected_counts(observation, renderer, sources)
    values = tuple(
        array + np.where(valid, rng.poisson(mean), 0).astype(array.dtype)
        for array, mean, valid in zip(counts.values, expected, counts.valid, strict=True)
    )
    return replace(observation, counts=replace(counts, values=values))


def expected_counts(
    observation: Observation, renderer: SkyRenderer, sources: QTable
) -> Sequence[np.ndarray]:
    """Expected counts of sources in each band, with the exposure of an observation."""
    pixels = observation.counts.pixels
    rendered = renderer.render(sources, pixels).values
    own = renderer.exposure(pixels).values
    given = observation.exposure.values
    return [
        array.astype(float)
        if np.array_equal(new, old)
        else array * np.divide(new, old, out=np.zeros(np.shape(new)), where=old > 0)
        for array, new, old in zip(rendered, given, own, strict=True)
    ]
