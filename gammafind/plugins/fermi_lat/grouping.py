"""Energy bands for files: their bins in groups, and pixels as wide as the PSF needs."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.irf import Response
from gammafind.sky import pixels
from gammafind.sky.bands import energy_bands

_EDGES = (0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Preferred edges in GeV: bands of half a decade, over which the PSF changes by about 2. The last
band is wide, as photons are few and the PSF no longer changes."""
_NARROWEST = 1.35
"""Ratio of the edges of a band below which it joins its neighbour: its spectrum adds nothing."""
_NEAR = 0.12
"""Distance in the logarithm (base 10) within which an edge of the bins is a preferred one: half of
the bins of gtbin with 8 bins a decade."""
_PIXELS_IN_PSF = 2.0
"""Pixels in the 68 % radius of the PSF, as in the shipped presets."""
_NSIDES = (64, 512)
"""Smallest and largest nside of photon lists: coarser pixels mix regions, finer ones cost memory.
Photons of high energies are fitted on finer pixels, where they are."""


def group_bins(bins: Quantity) -> tuple[float, ...]:
    """Edges in GeV of bands that are made of adjacent bins.

    Parameters
    ----------
    bins : Quantity, shape (n, 2)
        From low to high energy, adjacent.

    Returns
    -------
    tuple of float
        Some of the edges of the bins, and always the first and the last.
    """
    edges = np.append(bins[:, 0], bins[-1:, 1]).to_value(u.GeV)
    logs = np.log10(edges)
    inner = []
    for wanted in np.log10(_EDGES):
        nearest = int(np.argmin(np.abs(logs - wanted)))
        if abs(logs[nearest] - wanted) < _NEAR:
            inner.append(nearest)
    return _wide_enough(edges[[0, *inner, len(edges) - 1]])


def bands_between(low: float, high: float) -> tuple[float, ...]:
    """Edges in GeV of the bands of photons between two energies in GeV."""
    return _wide_enough(np.array([low, *(edge for edge in _EDGES if low < edge < high), high]))


def adjacent(bins: Quantity) -> bool:
    """Whether bins, shape (n, 2), follow each other without gaps."""
    edges = bins.to_value(u.GeV)
    return bool(np.allclose(edges[1:, 0], edges[:-1, 1], rtol=1e-3, atol=0))


def pixel_sizes(response: Response, edges: Sequence[float], index: float) -> np.ndarray:
    """Side of the pixels in degrees that each band between the edges in GeV needs."""
    bands = energy_bands(np.array(edges) * u.GeV)
    radii = [response.band_psf(band, index=index).containment_radius(0.68) for band in bands]
    return u.Quantity(radii).to_value(u.deg) / _PIXELS_IN_PSF


def nsides_of(sizes: np.ndarray) -> tuple[int, ...]:
    """HEALPix nsides of photon lists whose pixels are at most as wide as ``sizes`` in degrees."""
    return tuple(pixels.nsides_of(sizes, _NSIDES).tolist())


def _wide_enough(edges: np.ndarray) -> tuple[float, ...]:
    """Increasing edges without narrow bands; the outer ones stay."""
    kept = [float(edges[0])]
    for edge in np.unique(edges)[1:-1]:
        if edge / kept[-1] >= _NARROWEST and edges[-1] / edge >= _NARROWEST:
            kept.append(float(edge))
    return tuple(float(f"{edge:.6g}") for edge in (*kept, edges[-1]))
