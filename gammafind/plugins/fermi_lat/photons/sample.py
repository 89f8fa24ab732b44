"""Photons drawn one by one: each is proposed, then detected or not."""

from __future__ import annotations

import numpy as np

from gammafind.plugins.fermi_lat.events import EVENT_TYPES
from gammafind.plugins.fermi_lat.photons.emission import Emission
from gammafind.plugins.fermi_lat.photons.pointing import Pointing
from gammafind.plugins.fermi_lat.photons.selection import Selection
from gammafind.plugins.fermi_lat.photons.tables import draw_deviation, draw_energy, draw_type
from gammafind.plugins.fermi_lat.photons.turns import aside
from gammafind.sky.projection import longitudes_latitudes

PHOTON = np.dtype(
    [
        ("time", "f8"),
        ("ra", "f4"),
        ("dec", "f4"),
        ("energy", "f4"),
        ("true_energy", "f4"),
        ("cosine", "f4"),
        ("source", "i4"),
        ("type", "u4"),
    ]
)
"""A photon: mission time in s, degrees, MeV, cosine of the true inclination, row of its source,
and bit of its event type."""

_AT_ONCE = 100_000
"""Photons proposed together: limits memory."""
_MOST_TIMES = 64
"""Proposals for each photon at once, of which the first that is detected counts."""
_TRIES = 20_000
"""Proposals after which a photon is given up: its source is hardly ever in view."""


def draw_photons(
    emission: Emission,
    which: np.ndarray,
    selection: Selection,
    pointing: Pointing,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw detected photons of a component of the sky.

    Parameters
    ----------
    emission : Emission
    which : ndarray of int, shape (n,)
        Row of the source of each photon.
    selection : Selection
    pointing : Pointing
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of `PHOTON`
        One for each of ``which``, in any order, without those whose source is never in view.

    Notes
    -----
    A proposal is a true energy, a direction and a time, as they come without an instrument. It is
    detected with a chance proportional to the effective area at its energy and inclination. Then
    event type, measured energy and measured direction are drawn; a photon outside the band or the
    zenith cut is proposed again. So all of these are jointly distributed as in a real list.
    """
    found = []
    for start in range(0, len(which), _AT_ONCE):
        left = which[start : start + _AT_ONCE]
        tries = 0
        while left.size and tries < _TRIES:
            times = int(np.clip(_AT_ONCE // left.size, 1, _MOST_TIMES))
            photons, kept = _propose(emission, np.tile(left, times), selection, pointing, rng)
            done, first = np.unique(kept % left.size, return_index=True)
            found.append(photons[first])
            left = np.delete(left, done)
            tries += times
    return np.concatenate(found) if found else np.empty(0, dtype=PHOTON)


def _propose(
    emission: Emission,
    which: np.ndarray,
    selection: Selection,
    pointing: Pointing,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """One proposal for each of ``which``: the detected photons, and their indices."""
    true, vectors = emission.draw(which, rng)
    time = pointing.draw(emission.rates(which), rng=rng)
    attitude = pointing.attitude(time)
    cosine = np.einsum("ij,ij->i", vectors, attitude.z)
    areas = selection.areas(true, cosine)
    chance = areas.sum(axis=0)
    seen = np.flatnonzero(rng.random(len(which)) * selection.largest_area < chance)
    true, vectors, cosine = true[seen], vectors[seen], cosine[seen]
    kind = draw_type(areas[:, seen], rng)
    energy, direction = true.copy(), np.empty_like(vectors)
    for i in range(len(areas)):
        here = np.flatnonzero(kind == i)
        of_type = true[here], cosine[here]
        if emission.disperses and selection.response.dispersions:
            energy[here] = draw_energy(selection.response.dispersions[i], *of_type, rng=rng)
        apart = draw_deviation(selection.response.psfs[i], *of_type, rng=rng)
        direction[here] = aside(vectors[here], apart, rng)
    inside = (energy >= selection.low) & (energy < selection.high)
    height = np.einsum("ij,ij->i", direction, attitude.zenith[seen])
    kept = np.flatnonzero(inside & (height >= np.cos(np.radians(selection.max_zenith))))
    bits = np.array([EVENT_TYPES[name] for name in selection.response.event_types])
    photons = np.empty(len(kept), dtype=PHOTON)
    photons["time"] = time[seen[kept]]
    photons["ra"], photons["dec"] = longitudes_latitudes(direction[kept])
    photons["energy"] = _within(energy[kept], selection.low, selection.high)
    photons["true_energy"], photons["cosine"] = true[kept], cosine[kept]
    photons["source"], photons["type"] = which[seen[kept]], bits[kind[kept]]
    return photons, seen[kept]


def _within(energy: np.ndarray, low: float, high: float) -> np.ndarray:
    """Energies in single precision that stay in their band when they are rounded."""
    first, last = np.float32(low), np.float32(high)
    first = first if first >= low else np.nextafter(first, last)
    last = last if last < high else np.nextafter(last, first)
    return np.clip(energy.astype(np.float32), first, last)
