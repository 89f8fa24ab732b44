"""Settings of the LAT, drawn at random: what networks for any bands learn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammafind.plugins.fermi_lat.irf.load import EMBEDDED_RESPONSES
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.pixels import nsides_of

MOST_BANDS = 12
_ENERGIES = (0.1, 2000.0)
"""GeV between which all bands are."""
_HIGHEST_START = 30.0
"""GeV above which no first band begins: hardly a photon is left."""
_NARROWEST, _NARROWEST_RANGE = 1.15, 1.8
"""Least ratio of the edges of a band, and of all of them."""
_NSIDES = (64, 1024)
"""Coarsest and finest maps."""
_MOST_PIXELS, _COARSER = 4e7, 512
"""Pixels in all bands above which no map has more than the second nside: a sky takes some 50 bytes
for each."""
_FINENESS, _COARSE, _COARSE_SHARE = (1.0, 2.5), (0.25, 0.9), 0.2
"""Pixels in the 68 % radius of the PSF, at least; in a fifth of the settings they are few."""
_YEARS = (0.1, 16.0)
_TEN_YEARS = 261.1e6
"""Good time in s of the ten years of the embedded exposure."""
_ZENITHS = (85.0, 105.0)
_SIDES = (("FRONT+BACK", 0.4), ("FRONT", 0.3), ("BACK", 0.3))
_QUARTERS = (
    ("PSF3", 0.3),
    ("PSF2", 0.15),
    ("PSF1", 0.1),
    ("PSF0", 0.1),
    ("PSF2+PSF3", 0.2),
    ("PSF1+PSF2+PSF3", 0.15),
)
_BY_QUARTERS = 0.4
"""Share of settings whose photons are chosen by their PSF, where the response has these types."""


def drawn_options(rng: np.random.Generator) -> dict[str, Any]:
    """Draw bands, response and time; the nsides that suit them are not among the options.

    Parameters
    ----------
    rng : numpy.random.Generator
    """
    names = sorted(EMBEDDED_RESPONSES)
    irf = names[rng.integers(len(names))]
    edges = _edges(rng)
    quarters = "PSF0" in EMBEDDED_RESPONSES[irf] and rng.random() < _BY_QUARTERS
    types, shares = zip(*(_QUARTERS if quarters else _SIDES), strict=True)
    years = float(np.exp(rng.uniform(*np.log(_YEARS))))
    return {
        "irf": irf,
        "event_types": (types[rng.choice(len(types), p=shares)],),
        "energies": edges,
        "max_zeniths": (float(np.round(rng.uniform(*_ZENITHS))),) * (len(edges) - 1),
        "good_time": years / N_YEARS * _TEN_YEARS,
    }


def suitable_nsides(sizes: np.ndarray) -> tuple[int, ...]:
    """HEALPix nsides whose pixels are at most as wide as ``sizes`` in degrees, if memory allows."""
    nsides = nsides_of(sizes, _NSIDES)
    many = 12 * np.sum(np.square(nsides)) > _MOST_PIXELS
    return tuple((np.minimum(nsides, _COARSER) if many else nsides).tolist())


def _edges(rng: np.random.Generator) -> tuple[float, ...]:
    """Edges of 1 to 12 bands anywhere."""
    first, last = np.log(_ENERGIES)
    low = rng.uniform(first, np.log(_HIGHEST_START))
    high = rng.uniform(low + np.log(_NARROWEST_RANGE), last)
    most = int(min(MOST_BANDS, (high - low) / np.log(_NARROWEST_RANGE) * 2))
    n = int(rng.integers(1, max(most, 1) + 1))
    least = np.log(_NARROWEST)
    free = (high - low) - n * least
    steps = least + free * rng.dirichlet(np.full(n, 4.0))
    edges = np.exp(low + np.concatenate([[0.0], np.cumsum(steps)]))
    return tuple(float(f"{edge:.4g}") for edge in edges)


def drawn_fineness(rng: np.random.Generator) -> float:
    """Draw how many pixels of the maps are at least in the 68 % radius of the PSF."""
    return float(rng.uniform(*(_COARSE if rng.random() < _COARSE_SHARE else _FINENESS)))
