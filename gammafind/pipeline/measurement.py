"""Rounds of injection: what is added to a sky, and the search of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import fluxes, numbers
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.fitting.photons.data import sky_data, source_sizes
from gammafind.pipeline.injected import recovered
from gammafind.pipeline.inputs import Table, table_of
from gammafind.pipeline.localise import build_localiser, localise, lowest_score
from gammafind.pipeline.prepare import Prepared
from gammafind.pipeline.sensitivity import INDEX, sensitivity_map
from gammafind.presets.preset import Preset
from gammafind.roles.localiser import Localiser
from gammafind.roles.provenance import describe_plugin
from gammafind.simulation.injection import (
    apart,
    random_places,
    separated_places,
    source_table,
    with_sources,
)
from gammafind.sky.areas import pixel_areas
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.units import as_value
from gammafind.utils.progress import stage
from gammafind.utils.streams import stream

_RADII = 3.0
"""Least distance in match radii: a detection can belong to one injected source only."""
_MOST, _ROOM = 500, 4.0
"""Most sources of a round by default, and the area of each in squares of the least distance: more
of them would change the norm of the background."""
_SOME = 200
"""Places at which the size of a source is taken: it changes slowly."""
_RANGE = (0.3, 4.0)
"""Default fluxes, in units of the faintest and the largest sensitivity of the sky: from almost none
found to almost all."""
_QUANTILES = (0.05, 0.95)
"""Of the sensitivity over the sky, for the default fluxes."""
_COARSE = 16
"""Nside of the sensitivity from which default fluxes follow."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """A sky, what is injected into it, and the search."""

    given: Prepared
    preset: Preset
    localiser: Localiser
    places: QTable | None
    flux: tuple[float, float]
    index: tuple[float, ...]
    number: int
    apart: float
    radius: Quantity
    cut: float
    seed: int
    settings: Mapping[str, Any]

    def search(self) -> QTable:
        """Detections at or above the cut on the sky as it is."""
        return self._found(self.given.observation)

    def round(self, index: int, known: QTable) -> QTable:
        """Sources of one round, with what was found of them."""
        rng = stream(self.seed, index)
        sources = self._draw(rng)
        with stage("injecting sources"):
            sky = with_sources(self.given.observation, self.given.renderer, sources, rng=rng)
        found = self._found(sky)
        return recovered(sources, found, known, radius=self.radius, index=index)

    def _found(self, observation: Observation) -> QTable:
        found = localise(self.localiser, observation, self.preset, seed=self.seed).detections
        return found[np.asarray(found["score"]) >= self.cut]

    def _draw(self, rng: np.random.Generator) -> QTable:
        counts, renderer = self.given.observation.counts, self.given.renderer
        if self.places is None:
            at, rows = separated_places(counts, self.number, self.apart, rng=rng), None
        else:
            order = rng.permutation(len(self.places))
            everywhere = sky_positions(self.places, what="the table of places")
            rows = order[apart(everywhere[order], self.apart)[: self.number]]
            at = everywhere[rows]
        flux = np.exp(rng.uniform(*np.log(self.flux), len(at))) * renderer.flux_unit
        index = rng.choice(self.index, len(at))
        if rows is not None:
            flux, index = _given_values(self.places[rows], flux, index)
        return source_table(renderer, at, flux, index)


def _given_values(places: QTable, flux: Quantity, index: np.ndarray) -> tuple[Quantity, np.ndarray]:
    """Fluxes and indices of a table where it has them."""
    own = fluxes(places)
    if own.unit.is_equivalent(flux.unit):
        flux = np.where(np.isfinite(own), own.to(flux.unit), flux)
    given = numbers(places, "index")
    return flux, np.where(np.isfinite(given), given, index)


def measurement(
    given: Prepared,
    preset: Preset,
    places: Table | None,
    flux: tuple[Quantity, Quantity] | None,
    index: Sequence[float],
    number: int | None,
    separation: float,
    radius: Quantity | None,
    min_score: float | None,
    seed: int,
) -> Measurement:
    """Resolve all defaults."""
    observation, unit = given.observation, given.renderer.flux_unit
    if observation.counts.kind != "counts":
        raise OptionError(
            f"sources are injected into a map of {observation.counts.kind}",
            remedy="Give maps of counts, or photons.",
        )
    localiser = build_localiser(preset)
    cut = lowest_score(preset, localiser, min_score)
    radius = preset.match_radius if radius is None else radius
    table = table_of(places)
    positions = None if table is None else sky_positions(table, what="the table of places")
    least = max(
        separation * _source_size(observation, seed), _RADII * float(radius.to_value(u.deg))
    )
    low, high = _fluxes(observation, flux, unit)
    most = _most(observation, least) if number is None else number
    checksum = sha256(
        b"".join(np.ascontiguousarray(v).tobytes() for v in observation.counts.values)
    )
    settings = {
        "preset": preset.name,
        "renderer": describe_plugin("renderer", given.renderer)["options"],
        "localiser": [localiser.name, describe_plugin("localiser", localiser)["options"]],
        "counts": checksum.hexdigest(),
        "inputs": given.inputs,
        "min_score": float(cut) if np.isfinite(cut) else None,
        "match_radius": str(radius),
        "separation": f"{least:.4g} deg",
        "per_round": int(most),
        "flux": [f"{value:.4g} {unit}" for value in (low, high)],
        "index": [float(one) for one in index],
        "places": "uniform" if table is None else f"{len(table)} given",
        "seed": seed,
    }
    if positions is not None:
        _check_places(positions, observation)
    return Measurement(
        given=given,
        preset=preset,
        localiser=localiser,
        places=table,
        flux=(low, high),
        index=tuple(index),
        number=most,
        apart=least,
        radius=radius,
        cut=cut,
        seed=seed,
        settings=settings,
    )


def _source_size(observation: Observation, seed: int) -> float:
    """Median size of a point source over the sky, in degrees."""
    data = sky_data(observation, index=INDEX)
    places = random_places(observation.counts, _SOME, rng=stream(seed))
    return float(np.median(source_sizes(data, vectors_in(data.frame, places))))


def _most(observation: Observation, least: float) -> int:
    """Sources of a round: so many that each has room."""
    pixels = observation.counts.finest_pixels
    valid = observation.counts.valid[observation.counts.pixels.index(pixels)]
    area = float(pixel_areas(pixels).ravel()[valid.ravel()].sum()) * (180 / np.pi) ** 2
    return int(np.clip(area / (_ROOM * least**2), 1, _MOST))


def _fluxes(
    observation: Observation, flux: tuple[Quantity, Quantity] | None, unit: u.UnitBase
) -> tuple[float, float]:
    """Lowest and highest flux."""
    if flux is not None:
        low, high = (float(as_value(one, unit, name="flux")) for one in flux)
        fault = f"fluxes from {flux[0]} to {flux[1]}"
        if not 0 < low < high < np.inf:
            raise OptionError(fault, remedy="The first must be positive, the second larger.")
        return low, high
    sky = sensitivity_map(observation, nside=_COARSE)
    known = sky.values[0][sky.valid[0]]
    if not len(known):
        raise OptionError("the pixels are too few for default fluxes", remedy="Give flux.")
    low, high = np.quantile(known, _QUANTILES) * _RANGE
    return (low * sky.unit).to_value(unit), (high * sky.unit).to_value(unit)


def _check_places(positions: SkyCoord, observation: Observation) -> None:
    """Refuse a table of places of which none is on the sky."""
    counts = observation.counts
    for pixels, valid in zip(counts.pixels, counts.valid, strict=True):
        pixel = pixels.pixel_of(positions)
        if np.any((pixel >= 0) & valid.ravel()[pixel]):
            return
    raise OptionError(
        "none of the places is on the sky that is searched", remedy="Give others, or none."
    )
