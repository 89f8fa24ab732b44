"""Photons of high energies, of which each matters: on fine pixels, by energy and event type."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import astropy.units as u
import numpy as np

from gammafind.errors import ExtrapolationWarning
from gammafind.plugins.fermi_lat.events import of_response
from gammafind.plugins.fermi_lat.lat import Lat
from gammafind.sky.bands import energy_bands
from gammafind.sky.fine_counts import FINEST_NSIDE, FineCounts
from gammafind.sky.fits.binning import SparseBinner
from gammafind.sky.fits.events import EventList
from gammafind.sky.pixels import HealpixPixels

_LOWEST = 5.0
"""Energy in GeV from which on photons are few and their PSF is narrower than 0.4 deg."""
_STEP, _LAST = 0.2, 300.0
"""Width of energy bands in decades, and the energy in GeV from which on they are not divided:
2FHL's TS loses 1 % (benchmarks/lat_files.py)."""
_NSIDE = 64
"""Of the shares of the background, which change slowly over the sky."""


def fine_counts(lat: Lat, events: Iterable[EventList]) -> tuple[FineCounts, ...]:
    """Photons of the bands of high energies in narrow bands, FRONT and BACK apart.

    Parameters
    ----------
    lat : Lat
    events : iterable of EventList
        Parts of all photons, which can be read again.
    """
    first = next((i for i, low in enumerate(lat.energies[:-1]) if low >= _LOWEST), None)
    if first is None or lat.psf_file:
        return ()
    n_bands = len(lat.energies) - 1
    high = replace(
        lat,
        energies=lat.energies[first:],
        nsides=(_NSIDE,) * (n_bands - first),
        max_zeniths=lat.max_zeniths[first:],
        region=(),
    )
    frame = lat.pixels[0].frame
    return tuple(
        replace(one, parent=channel * n_bands + first + one.parent)
        for channel, types in enumerate(lat.event_types)
        for one in _of_channel(replace(high, event_types=(types,)), events, frame)
    )


def _of_channel(lat: Lat, events: Iterable[EventList], frame: str) -> list[FineCounts]:
    """Photons of one channel."""
    edges, parents = divided(lat.energies)
    fine = replace(
        lat,
        event_types=tuple(lat.event_types[0].split("+")),
        energies=edges,
        nsides=(_NSIDE,) * len(parents),
        max_zeniths=tuple(lat.max_zeniths[i] for i in parents) if lat.max_zeniths else (),
    )
    pixels = HealpixPixels(FINEST_NSIDE, frame)
    binners = _binned(fine, events, pixels)
    if binners is None:
        fine = replace(fine, event_types=lat.event_types)
        binners = _binned(fine, events, pixels)
    with warnings.catch_warnings():
        # The bands themselves warn of the same.
        warnings.simplefilter("ignore", ExtrapolationWarning)
        exposure, background = _shares(lat, fine, parents * len(fine.event_types), frame)
    psfs, found = fine.psfs(), []
    for i in range(len(fine.bands)):
        kind, band = divmod(i, len(parents))
        index, counts = binners[kind].filled(band)
        found.append(
            FineCounts(
                parent=parents[band],
                edges=(edges[band] * 1e3, edges[band + 1] * 1e3),
                pixels=pixels,
                index=index,
                counts=counts,
                psf=psfs[i],
                exposure=exposure[i],
                background=background[i],
            )
        )
    return found


def divided(energies: Sequence[float]) -> tuple[tuple[float, ...], list[int]]:
    """Edges of narrower bands, and the band that each of them is a part of."""
    edges, parents = [energies[0]], []
    for i, (low, high) in enumerate(pairwise(energies)):
        top = min(high, max(low, _LAST))
        n = max(1, round(np.log10(top / low) / _STEP))
        inner = np.geomspace(low, top, n + 1)[1:].tolist()
        if top < high * 0.8:
            inner.append(high)
        inner[-1] = high
        edges += inner
        parents += [i] * len(inner)
    return tuple(float(f"{edge:.6g}") for edge in edges), parents


def _shares(
    lat: Lat, fine: Lat, parents: Sequence[int], frame: str
) -> tuple[list[float], list[np.ndarray]]:
    """Exposure and background of each narrow band over those of its parent."""
    pixels = HealpixPixels(_NSIDE, frame)
    exposures, backgrounds = [], []
    for one in (lat, fine):
        maps = [pixels] * len(one.bands)
        exposures.append([float(array.mean()) for array in one.exposure(maps).values])
        parts = one.background(maps).values()
        backgrounds.append([sum(b) for b in zip(*(sky.values for sky in parts), strict=True)])
    whole, parts = exposures
    exposure = [part / whole[i] for part, i in zip(parts, parents, strict=True)]
    whole, parts = backgrounds
    background = [
        np.divide(part, whole[i], out=np.ones(part.shape), where=whole[i] > 0)
        for part, i in zip(parts, parents, strict=True)
    ]
    return exposure, background


def _binned(
    fine: Lat, events: Iterable[EventList], pixels: HealpixPixels
) -> list[SparseBinner] | None:
    """Photons of each event type; None where types are apart and some photons have none."""
    bands = energy_bands(np.array(fine.energies) * u.GeV)
    limit = fine.max_zeniths * u.deg if fine.max_zeniths else None
    binners = [
        SparseBinner(bands, [pixels] * len(bands), max_zenith=limit) for _ in fine.event_types
    ]
    for part in events:
        if len(binners) > 1 and np.any(part.event_type == 0):
            return None
        for types, binner in zip(fine.event_types, binners, strict=True):
            binner.add(of_response(part, fine.irf, types.split("+")))
    return binners
