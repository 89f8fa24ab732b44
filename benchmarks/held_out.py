"""Held-out skies that no network has seen: simulated once, searched, and stored for the tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from ideal import ideal_peaks

from gammafind.catalogue.io import read_table, write_table
from gammafind.evaluation.metrics import Evaluation, evaluate_detections
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.expected import rendered_ts
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.localiser import Localiser
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.skymap import SkyMap

__all__ = ["HeldOut", "evaluated", "ideal", "joined", "latitude", "reshaped"]

SEED = 9001
"""Seed of the held-out skies: not used for training, validation or development."""
IDEAL_INDEX = 2.3
LEAST_TS = 5.0


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """A set of held-out skies.

    Parameters
    ----------
    folder : Path
        Where tables are stored; existing tables are not computed again.
    preset : str
    flux_min : str, optional
        Flux limit of the population; by default that of the preset.
    empty : bool
        Whether the skies have only background.
    shape : ndarray, optional
        Factor for the interstellar emission of the sky (RING, Galactic), unknown to the observer.
    seed : int
    """

    folder: Path
    preset: str = "fermi-lat"
    flux_min: str = ""
    empty: bool = False
    shape: np.ndarray | None = field(default=None, repr=False)
    seed: int = SEED

    @property
    def settings(self) -> Preset:
        """The preset, with the options of the set."""
        preset = load_preset(self.preset)
        if not self.flux_min:
            return preset
        return with_plugins(preset, {}, {"population": {"flux_min": self.flux_min}})

    def sources(self, index: int) -> QTable:
        """True sources, with their expected TS."""
        return self._kept(index, "sources.fits", lambda: self.sky(index).sources)

    def detections(
        self, index: int, name: str, localiser: Localiser, *, grid: PatchGrid | None = None
    ) -> QTable:
        """What a localiser finds on a sky, or in some patches of it; the time is kept too."""

        def find() -> QTable:
            sky, layout = self.sky(index), self.settings.patches
            start = perf_counter()
            found = localiser.localise_sky(
                sky.observation,
                grid=grid or PatchGrid.healpix(layout.nside, size=layout.size),
                n_pixels=layout.widths(sky.observation.counts.n_bands),
                rng=np.random.default_rng(index),
            )
            found.meta["seconds"] = perf_counter() - start
            return found

        return self._kept(index, f"{name}.fits", find)

    def ideal(self, index: int) -> QTable:
        """Detections with known background and neighbours."""
        return self._kept(
            index, "ideal.fits", lambda: ideal(build(self.settings.renderer), self.sky(index))
        )

    def _kept(self, index: int, name: str, make: Callable[[], QTable]) -> QTable:
        path = self.folder / f"sky-{index:02d}" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            table = make()
            write_table(table, path)
            path.with_suffix(".json").write_text(json.dumps(_plain(table.meta)))
        return read_table(path)

    def seconds(self, index: int, name: str) -> float:
        """Stored time of a search."""
        path = self.folder / f"sky-{index:02d}" / f"{name}.json"
        return float(json.loads(path.read_text())["seconds"])

    def sky(self, index: int) -> SimulatedSky:
        """One of the skies; the last one is kept in memory."""
        if _last and _last[0] == (str(self.folder), index):
            return _last[1]
        preset = self.settings
        renderer, population = build(preset.renderer), build(preset.population)
        sky = simulated_sky(renderer, population, seed=self.seed, index=index)
        sky.sources["ts"] = rendered_ts(renderer, sky.sources)
        if self.empty or self.shape is not None:
            sky = self._changed(sky, index)
        _last[:] = [(str(self.folder), index), sky]
        return sky

    def _changed(self, sky: SimulatedSky, index: int) -> SimulatedSky:
        """The sky drawn again, without sources or with another interstellar emission."""
        observation = sky.observation
        parts = dict(observation.background)
        if self.shape is not None:
            parts["interstellar"] = reshaped(parts["interstellar"], self.shape)
        rng = np.random.default_rng([self.seed, index, 1])
        counts = []
        for i, of_sources in enumerate(sky.expected.values):
            background = sum(part.values[i].astype(float) for part in parts.values())
            counts.append(rng.poisson(background + (0 if self.empty else of_sources)))
        counts = replace(observation.counts, values=tuple(counts))
        return replace(sky, observation=replace(observation, counts=counts))


_last: list[Any] = []
"""Key and sky of the last simulation."""


def joined(parts: list[Evaluation]) -> Evaluation:
    """Evaluation of several skies together; each sky has its own regions."""
    numbered = [(part, 10_000 * i) for i, part in enumerate(parts)]
    return Evaluation(
        score=np.concatenate([p.score for p in parts]),
        matched=np.concatenate([p.matched for p in parts]),
        found_at=np.concatenate([p.found_at for p in parts]),
        detection_block=np.concatenate([p.detection_block + n for p, n in numbered]),
        source_block=np.concatenate([p.source_block + n for p, n in numbered]),
    )


def evaluated(detections: list[QTable], sources: list[QTable], *, radius: u.Quantity) -> Evaluation:
    """Matched detections and sources of all skies."""
    return joined(
        [
            evaluate_detections(found, true, radius=radius)
            for found, true in zip(detections, sources, strict=True)
        ]
    )


def latitude(tables: list[QTable]) -> np.ndarray:
    """Distance of all rows from the Galactic plane in degrees."""
    table = vstack([QTable([t["ra"], t["dec"]]) for t in tables])
    return np.abs(SkyCoord(table["ra"], table["dec"], frame="icrs").galactic.b.deg)


def ideal(renderer: SkyRenderer, sky: SimulatedSky) -> QTable:
    """What an ideal matched filter detects, which knows the background and all neighbours."""
    background, of_sources = (
        [values.ravel().astype(float) for values in sky_map.values]
        for sky_map in (sky.observation.total_background(), sky.expected)
    )
    everything = [one + other for one, other in zip(background, of_sources, strict=True)]
    data = sky_data(sky.observation, index=IDEAL_INDEX).with_model(background, everything)
    here = SkyCoord(sky.sources["ra"], sky.sources["dec"], frame="icrs").transform_to(data.frame)
    vectors = unit_vectors(here.spherical.lon.deg, here.spherical.lat.deg)
    counts = renderer.source_counts(sky.sources)
    peaks = ideal_peaks(data, vectors, counts, least=LEAST_TS)
    at = SkyCoord(*peaks.vectors.T, representation_type="cartesian", frame=data.frame).icrs
    return QTable(
        {
            "ra": at.spherical.lon.to(u.deg),
            "dec": at.spherical.lat.to(u.deg),
            "score": peaks.ts,
            "source": peaks.source,
        }
    )


def reshaped(interstellar: SkyMap, shape: np.ndarray) -> SkyMap:
    """Interstellar emission times a factor that is given on other pixels."""
    values = []
    for pixels, band in zip(interstellar.pixels, interstellar.values, strict=True):
        if not isinstance(pixels, HealpixPixels):
            raise TypeError("the swap of the interstellar emission needs HEALPix maps")
        theta, phi = hp.pix2ang(pixels.nside, np.arange(band.size))
        values.append(band * hp.get_interp_val(shape, theta, phi))
    return replace(interstellar, values=tuple(values))


def _plain(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in meta.items() if isinstance(v, (int, float, str))}
