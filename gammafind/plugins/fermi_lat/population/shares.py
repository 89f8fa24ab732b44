"""Assignment of catalogue sources to the four classes, completely or in parts."""

from __future__ import annotations

import numpy as np

CLASSES = ("BLL", "FSRQ", "PSR", "PWN+SNR")
"""Classes of synthetic sources."""
GALACTIC = ("PSR", "PWN+SNR")
"""Classes concentrated in the Galactic plane; the others are isotropic."""
LATITUDE_EDGES = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 90.0])
"""Edges in absolute Galactic latitude (deg) of the bands in which classes are counted."""

_HIGH_LATITUDE = 20.0
"""Degrees above which associations of blazars are taken to be complete."""
_SKY = np.diff(np.sin(np.radians(LATITUDE_EDGES)))
_N_BLAZARS = 2


def class_shares(groups: np.ndarray, lat: np.ndarray, *, isotropic: bool = True) -> np.ndarray:
    """Divide each source of a catalogue among the classes.

    Sources of a known class belong to it. Blazars of unknown type (``BCU``) are divided by the
    ratio BLL:FSRQ. All others, unassociated or of a class that is not simulated, are divided by the
    class mix of their latitude band. There the density of blazars is set to that above 20 deg,
    unless ``isotropic`` is false: few blazars are associated near the plane, so with the mix of the
    associated sources blazars would not be isotropic.

    Parameters
    ----------
    groups : ndarray of str, shape (n,)
        From `~gammafind.plugins.fermi_lat.catalogues.class_group`.
    lat : ndarray, shape (n,)
        Galactic latitude in degrees.
    isotropic : bool

    Returns
    -------
    ndarray, shape (n, 4)
        In the order of `CLASSES`; rows sum to one.
    """
    groups = np.asarray(groups)
    shares = (groups[:, np.newaxis] == np.array(CLASSES)).astype(float)
    blazars = _normalised(shares[:, :_N_BLAZARS].sum(axis=0))
    shares[groups == "BCU", :_N_BLAZARS] = blazars
    pool = shares.sum(axis=1) == 0
    band = np.clip(np.digitize(np.abs(lat), LATITUDE_EDGES) - 1, 0, len(_SKY) - 1)
    known = _sums(shares[~pool], band[~pool])
    n_pool = np.bincount(band[pool], minlength=len(_SKY))
    mix = _mixes(known, n_pool, blazars, isotropic=isotropic)
    shares[pool] = mix[band[pool]]
    return shares


def _mixes(
    known: np.ndarray, n_pool: np.ndarray, blazars: np.ndarray, *, isotropic: bool
) -> np.ndarray:
    """Class mix of the sources that are divided, shape (bands, 4)."""
    overall = _normalised(known.sum(axis=0))
    mix = np.array([_normalised(row) if row.any() else overall for row in known])
    if not isotropic:
        return mix
    high = LATITUDE_EDGES[:-1] >= _HIGH_LATITUDE
    known_blazars = known[:, :_N_BLAZARS].sum(axis=1)
    n_blazars = known_blazars + n_pool * mix[:, :_N_BLAZARS].sum(axis=1)
    expected = n_blazars[high].sum() / _SKY[high].sum() * _SKY
    fraction = np.clip((expected - known_blazars) / np.maximum(n_pool, 1), 0, 1)
    for row in np.flatnonzero(~high):
        galactic = known[row, _N_BLAZARS:]
        galactic = galactic if galactic.any() else overall[_N_BLAZARS:]
        mix[row, :_N_BLAZARS] = fraction[row] * blazars
        mix[row, _N_BLAZARS:] = (1 - fraction[row]) * _normalised(galactic)
    return mix


def _sums(shares: np.ndarray, band: np.ndarray) -> np.ndarray:
    total = np.zeros((len(_SKY), shares.shape[1]))
    np.add.at(total, band, shares)
    return total


def _normalised(values: np.ndarray) -> np.ndarray:
    total = values.sum()
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)
