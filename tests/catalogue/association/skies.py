"""Made-up skies whose true counterparts are known."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

R95 = 0.1


def objects(rng, n, label="A", **columns):
    """Objects all over the sky."""
    lon, lat = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    names = [f"{label}{i}" for i in range(n)]
    return QTable({"name": names, "ra": lon * u.deg, "dec": lat * u.deg, **columns})


def sources(rng, truth, n_true, n_false, r95=R95):
    """Sources near the first objects, and sources elsewhere.

    The column ``truth`` names the counterpart of each.
    """
    other = objects(rng, n_false)
    ra = np.concatenate([truth["ra"][:n_true], other["ra"]])
    dec = np.concatenate([truth["dec"][:n_true], other["dec"]])
    east, north = rng.normal(size=(2, n_true)) * r95 / np.sqrt(2 * np.log(20))
    moved = SkyCoord(ra[:n_true], dec[:n_true]).spherical_offsets_by(east * u.deg, north * u.deg)
    ra[:n_true], dec[:n_true] = moved.ra, moved.dec
    n = n_true + n_false
    return QTable(
        {
            "Source_Name": [f"S{i}" for i in range(n)],
            "ra": ra,
            "dec": dec,
            "r95": np.full(n, r95) * u.deg,
            "truth": [*truth["name"][:n_true], *[""] * n_false],
        }
    )
