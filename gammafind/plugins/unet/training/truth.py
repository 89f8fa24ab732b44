"""What is true of a sky whose sources are known, for the calibration of a network for any bands."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.positions import sky_positions
from gammafind.networks.tiers import BandResolution, ts_of_counts
from gammafind.plugins.unet.sky_evidence import setting_evidence
from gammafind.sky.observation import Observation

_RADII = (0.1, 2.0)
"""Smallest and largest radius in degrees within which detections are matched."""
_LEAST = 1e-6
"""Least counts of a background."""


def match_radius(observation: Observation) -> Quantity:
    """Radius within which a detection is that of a source: the 68 % radius of the PSF.

    It is a mean over the bands, each as much as it contributes to a source that is just found, on
    the mean background of the sky.
    """
    mean = np.array([observation.total_background().means])
    width = float(np.exp(setting_evidence(observation, mean)[0, 1]))
    return np.clip(width, *_RADII) * u.deg


def ts_alone(observation: Observation, sources: QTable, counts: np.ndarray) -> np.ndarray:
    """TS that is expected of each source on the background alone, without its neighbours.

    Parameters
    ----------
    observation : Observation
    sources : QTable
        With ``ra`` and ``dec``, n rows.
    counts : ndarray, shape (n, n_bands)
        Of each source.

    Returns
    -------
    ndarray, shape (n,)
    """
    background, pixels = observation.total_background(), observation.counts.pixels
    resolution = BandResolution.of_maps(observation.psfs, pixels)
    positions = sky_positions(sources)
    level = np.stack(
        [
            values[one.pixel_of(positions)] / one.pixel_area.to_value("deg2") * pixel**2
            for values, one, pixel in zip(background.values, pixels, resolution.pixel, strict=True)
        ],
        axis=1,
    )
    return ts_of_counts(counts, np.maximum(level * resolution.area, _LEAST)).sum(axis=1)
