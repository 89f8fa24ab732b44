"""Small inputs with known sources."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.sky.bands import energy_bands
from gammafind.sky.patches import Patches, PatchGrid
from gammafind.sky.psf import RadialPsf

__all__ = ["disc_map", "one_source", "toy_patches"]


def disc_map(
    places: Sequence[tuple[float, float]], shape: tuple[int, int] = (64, 64)
) -> np.ndarray:
    """Score map with discs of radius 5 and value 1 at ``places`` (x, y), in weak noise."""
    image = np.abs(np.random.default_rng(42).normal(0, 0.05, shape))
    y, x = np.indices(shape)
    for column, row in places:
        image[(x - column) ** 2 + (y - row) ** 2 <= 25] = 1
    return image


def toy_patches() -> Patches:
    """One patch of 64 x 64 pixels of 0.1 deg, with 1 background count a pixel and a source.

    The source has 400 counts, a Gaussian PSF of 0.2 deg and lies at pixel (38, 27).
    """
    grid = PatchGrid(np.array([120.0]), np.array([45.0]), 6.4 * u.deg)
    theta = np.linspace(0, np.radians(2), 400)
    psf = RadialPsf(theta, np.exp(-0.5 * (theta / np.radians(0.2)) ** 2))
    y, x = np.indices((64, 64))
    profile = np.exp(-((x - 38) ** 2 + (y - 27) ** 2) / (2 * 2.0**2))
    background = np.ones((1, 64, 64))
    expected = background + 400 * profile / profile.sum()
    return Patches(
        grid=grid,
        bands=energy_bands([2, 20] * u.GeV),
        counts=(np.random.default_rng(3).poisson(expected).astype(np.float32),),
        background=(background,),
        exposure=(np.full((1, 64, 64), 1e11),),
        psfs=(psf,),
    )


def one_source(position: SkyCoord) -> QTable:
    """Source table with one source of 1e-7 / (cm2 s) at ``position``."""
    return QTable(
        {
            "name": ["source"],
            "ra": [position.icrs.ra.deg] * u.deg,
            "dec": [position.icrs.dec.deg] * u.deg,
            "class_label": ["BLL"],
            "flux": [1e-7] * u.Unit("cm-2 s-1"),
        }
    )
