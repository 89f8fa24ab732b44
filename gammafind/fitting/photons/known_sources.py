"""Sources at known places as a part of what is expected."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.sky.observation import Observation

_SMOOTHING = 6.0
"""Full width in degrees over which the norm of the background may vary: as in the search."""
_LEAST = 1.0
"""Counts from which the fit of a source starts where its flux is not known."""


def with_known_sources(
    data: SkyData, observation: Observation, vectors: np.ndarray, flux: np.ndarray
) -> SkyData:
    """Data whose model is the background and sources, both fitted to the counts.

    Parameters
    ----------
    data : SkyData
    observation : Observation
        From which the data were made.
    vectors : ndarray, shape (n, 3)
        Unit vectors of the sources; those without data are left out.
    flux : ndarray, shape (n,)
        First guess in all bands together; NaN where it is not known.
    """
    inside = data.inside(vectors)
    vectors, flux = vectors[inside], flux[inside]
    first = np.nan_to_num(flux) * data.sensitivity(vectors).sum(axis=1)
    model = SkyModel(data, background_components(observation, data), _SMOOTHING)
    if len(vectors):
        model.add(vectors, np.maximum(first, _LEAST))
        model.update(background=False)
        model.update()
    return model.data
