"""Table of detections in an image: in pixels, on the sky, and in physical units."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.merging import R68_OVER_SIGMA
from gammafind.catalogue.positions import sky_columns
from gammafind.sky.observation import Observation


def image_detections(
    observation: Observation,
    *,
    x: np.ndarray,
    y: np.ndarray,
    score: np.ndarray,
    electrons: np.ndarray,
    electrons_err: np.ndarray,
    position_err: np.ndarray,
) -> QTable:
    """Make the table of detections in an image.

    Parameters
    ----------
    observation : Observation
        One band, on the pixels of an image.
    x, y : ndarray, shape (n,)
        Pixel coordinates.
    score : ndarray, shape (n,)
    electrons, electrons_err : ndarray, shape (n,)
    position_err : ndarray, shape (n,)
        Standard deviation along each axis, in pixels.

    Returns
    -------
    QTable
        Schema DETECTIONS.
    """
    pixels = observation.counts.pixels[0]
    positions = pixels.wcs.pixel_to_world(x, y)
    exposure = observation.exposure.values[0][np.rint(y).astype(int), np.rint(x).astype(int)]
    flux = 1 / exposure * observation.flux_unit
    return QTable(
        {
            **sky_columns(positions),
            "x": x * u.pix,
            "y": y * u.pix,
            "score": score,
            "pos_err": R68_OVER_SIGMA * position_err * pixels.pixel_size,
            "npred": electrons,
            "flux": electrons * flux,
            "flux_err": electrons_err * flux,
        }
    )
