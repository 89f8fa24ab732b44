"""Small inputs with known sources."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import WcsPixels
from gammafind.sky.projection import north_up
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.units import FLUX


def disc_map(
    places: Sequence[tuple[float, float]], shape: tuple[int, int] = (64, 64)
) -> np.ndarray:
    """Score map with discs of radius 5 and value 1 at ``places`` (x, y), in weak noise.

    Parameters
    ----------
    places : sequence of tuple of float
        Centres in pixels, 0 at the centre of the first.
    shape : tuple of int

    Returns
    -------
    ndarray, shape (ny, nx)

    Examples
    --------
    >>> from gammafind.testing import disc_map
    >>> disc_map([(20, 30)]).shape
    (64, 64)
    """
    image = np.abs(np.random.default_rng(42).normal(0, 0.05, shape))
    y, x = np.indices(shape)
    for column, row in places:
        image[(x - column) ** 2 + (y - row) ** 2 <= 25] = 1
    return image


def toy_patches() -> Patches:
    """One patch of 64 x 64 pixels of 0.1 deg, with 1 background count a pixel and a source.

    The source has 400 counts, a Gaussian PSF of 0.2 deg and lies at pixel (38, 27).

    Returns
    -------
    Patches

    Examples
    --------
    >>> from gammafind.testing import toy_patches
    >>> toy_patches().counts[0].shape
    (1, 64, 64)
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


def toy_image() -> Observation:
    """Image of 64 x 64 pixels of an arcsecond, with noise of 10 electrons a pixel and a source.

    The sky is 100 electrons a pixel. The source has 10,000 electrons, a Gaussian PSF of which
    the standard deviation is 1.5 pixels, and lies at pixel (38, 27).

    Returns
    -------
    Observation

    Examples
    --------
    >>> from gammafind.testing import toy_image
    >>> toy_image().counts.kind
    'electrons'
    """
    wcs = north_up(["RA---TAN", "DEC--TAN"], [120.0, 45.0], (64, 64), 1 / 3600)
    pixels = (WcsPixels(wcs, (64, 64)),)
    bands = (Band("r", 550 * u.nm, 700 * u.nm),)
    y, x = np.indices((64, 64))
    profile = np.exp(-((x - 38) ** 2 + (y - 27) ** 2) / (2 * 1.5**2))
    sky, noise = np.full((64, 64), 100.0), np.full((64, 64), 10.0)
    seen = sky + 10_000 * profile / profile.sum()
    seen += np.random.default_rng(3).normal(0, noise)
    theta = np.linspace(0, np.radians(15 / 3600), 400)
    return Observation(
        counts=SkyMap(bands, pixels, (seen,), "electrons"),
        background={"sky": SkyMap(bands, pixels, (sky,), "electrons")},
        exposure=SkyMap(bands, pixels, (np.full((64, 64), 1e6),), "exposure"),
        psfs=(RadialPsf(theta, np.exp(-0.5 * (theta / np.radians(1.5 / 3600)) ** 2)),),
        noise=SkyMap(bands, pixels, (noise,), "noise"),
    )


def one_source(
    position: SkyCoord, *, class_label: str = "BLL", flux: Quantity = 1e-7 * FLUX
) -> QTable:
    """Source table with one source at ``position``.

    Parameters
    ----------
    position : SkyCoord
    class_label : str
    flux : Quantity
        In the flux unit of the instrument; a photon flux by default.

    Returns
    -------
    QTable
        Schema SOURCES, one row.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> from gammafind.testing import one_source
    >>> len(one_source(SkyCoord(10, 20, unit="deg")))
    1
    """
    return QTable(
        {
            "name": ["source"],
            "ra": [position.icrs.ra.deg] * u.deg,
            "dec": [position.icrs.dec.deg] * u.deg,
            "class_label": [class_label],
            "flux": np.atleast_1d(flux),
        }
    )
