"""A model of the sky with the sources of a catalogue, and the regions in which they are fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.smooth_spectra import SpectralPrior
from gammafind.fitting.sources.region import Region, Regions
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.spectral_response import SpectralResponse

_LEAST_COUNTS = 1e-3
"""First guess of a source without excess counts: positive, so that it can grow."""


@dataclass(frozen=True, eq=False)
class KnownSources:
    """A model, and which of its sources each row of the catalogue is: -1 for none."""

    model: SkyModel
    point: np.ndarray
    extended: np.ndarray


@dataclass(frozen=True, eq=False)
class Work(Sequence):
    """Regions of the rows of some groups, made when they are needed."""

    sky: KnownSources
    regions: Regions
    groups: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, i: int) -> tuple[int, list[Region | None]]:
        return i, [self._region(row) for row in self.groups[i]]

    def __iter__(self) -> Iterator[tuple[int, list[Region | None]]]:
        return (self[i] for i in range(len(self)))

    def _region(self, row: int) -> Region | None:
        sky = self.sky
        if sky.extended[row] >= 0:
            region = self.regions.of_extended(int(sky.extended[row]))
        elif sky.point[row] >= 0:
            region = self.regions.of(int(sky.point[row]))
        else:
            return None
        return region if region.exposure.any() else None


def fitted_sky(
    observation: Observation,
    positions: SkyCoord,
    names: np.ndarray,
    index: float,
    responses: Sequence[SpectralResponse],
) -> KnownSources:
    """Fit background and sources; extended ones that the observation knows keep their shapes."""
    prior = _prior(responses, observation)
    n = len(names)
    shapes = names_of(observation)
    shaped = np.array([name in shapes for name in names], dtype=bool)
    rows = np.flatnonzero(~shaped)
    model, seen = known_sky(observation, positions[rows], index=index, extended=True, prior=prior)
    point, extended = np.full(n, -1), np.full(n, -1)
    point[rows[seen]] = np.arange(len(seen))
    place = {one.name: i for i, one in enumerate(model.extended)}
    extended[shaped] = [place.get(str(name), -1) for name in names[shaped]]
    small = np.flatnonzero(shaped & (extended < 0))
    vectors = vectors_in(model.data.frame, positions[small])
    small, vectors = (part[model.data.inside(vectors)] for part in (small, vectors))
    if len(small):
        # Smaller than the PSF: they are points.
        point[small] = len(model.vectors) + np.arange(len(small))
        model.add(vectors, np.maximum(scan(model.data, vectors).amplitude, _LEAST_COUNTS))
        model.update()
    return KnownSources(model, point, extended)


def _prior(responses: Sequence[SpectralResponse], observation: Observation) -> SpectralPrior | None:
    """What is known of spectra before; nothing that matters where there is one band."""
    edges = [edges_of(band) for band in observation.counts.bands]
    return SpectralPrior.of(responses, edges) if len(set(edges)) > 1 else None


def names_of(observation: Observation) -> set[str]:
    """Names of the sources of the observation that have shapes."""
    known = observation.extended
    if known is None:
        return set()
    models = np.char.strip(np.asarray(known["extension_model"], dtype=str))
    return set(np.asarray(known["name"], dtype=str)[models != ""].tolist())


def responses_of(renderer: SkyRenderer, observation: Observation) -> tuple[SpectralResponse, ...]:
    """How the bands see spectra, with the PSF of the observation where that is another one."""
    pairs = zip(renderer.spectral_responses(), renderer.psfs(), observation.psfs, strict=True)
    edges = [edges_of(band) for band in renderer.bands]
    return tuple(
        one if own is psf or own.checksum == psf.checksum else SpectralResponse.exact(*edge, psf)
        for (one, own, psf), edge in zip(pairs, edges, strict=True)
    )


def edges_of(band: Band) -> tuple[float, float]:
    """Energies of a band in MeV."""
    low, high = sorted(band.edges.to_value(u.MeV, u.spectral()))
    return float(low), float(high)
