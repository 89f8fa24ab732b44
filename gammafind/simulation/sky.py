"""One simulated sky in memory, equal to the files of `gammafind simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import QTable

from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.streams import streams


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedSky:
    """A simulated sky with its truth.

    Attributes
    ----------
    sources : QTable
        True sources.
    expected : SkyMap
        Expected counts of all sources.
    observation : Observation
        Drawn counts of sources and background, with all that an observer knows.
    artefacts : QTable, optional
        As in `gammafind.sky.drawn.Drawn`.
    """

    sources: QTable
    expected: SkyMap
    observation: Observation
    artefacts: QTable | None = None

    @property
    def counts(self) -> SkyMap:
        """Counts that were drawn."""
        return self.observation.counts

    def __repr__(self) -> str:
        bands = ", ".join(band.name for band in self.counts.bands)
        return f"<SimulatedSky: {len(self.sources)} sources in {bands}>"

    def everything(self) -> tuple[np.ndarray, ...]:
        """Expected counts of sources and background in each band."""
        background = self.observation.total_background()
        return tuple(
            a + b.astype(float)
            for a, b in zip(self.expected.values, background.values, strict=True)
        )


def simulated_sky(
    renderer: SkyRenderer,
    origin: SourcePopulation | QTable,
    *,
    seed: int,
    index: int,
) -> SimulatedSky:
    """Simulate the catalogue of a seed and an index, with the counts of its sky.

    Parameters
    ----------
    renderer : SkyRenderer
    origin : SourcePopulation or QTable
        Draws the sources, or is the table of them, schema SOURCES.
    seed, index : int
        Of the catalogue; sources and counts are those of `gammafind.simulate`.

    Returns
    -------
    SimulatedSky
    """
    random = streams(seed, index)
    sources = true_sources(origin, rng=random.sources)
    expected = renderer.render(sources)
    total = total_counts({"sources": expected, **renderer.background()})
    drawn = renderer.draw(total, rng=random.counts)
    return SimulatedSky(sources, expected, renderer.observe(drawn.counts), drawn.artefacts)


def true_sources(origin: SourcePopulation | QTable, *, rng: np.random.Generator) -> QTable:
    """Sources that a population draws, or those of a table."""
    return origin if isinstance(origin, QTable) else origin.sample(rng=rng)


def total_counts(skies: Mapping[str, SkyMap]) -> SkyMap:
    """Sum of maps of expected counts, such as sources and components of the background."""
    first = next(iter(skies.values()))
    by_band = zip(*(sky.values for sky in skies.values()), strict=True)
    return replace(first, values=tuple(_sum(parts) for parts in by_band))


def _sum(parts: tuple[np.ndarray, ...]) -> np.ndarray:
    """Sum in double precision, one map at a time, because images are large."""
    total = np.zeros(parts[0].shape)
    for part in parts:
        total += part
    return total
