"""Expected counts of each component of a sky, in each part of the observing time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from astropy.table import QTable

from gammafind.interfaces import SkyRenderer

__all__ = ["epoch_maps"]


def epoch_maps(
    renderer: SkyRenderer, sources: QTable, band_index: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the maps of one component after the other.

    Parameters
    ----------
    renderer : SkyRenderer
    sources : QTable
        Schema SOURCES, and what the renderer wants beside it.
    band_index : int
        Index of the band.

    Yields
    ------
    component : str
        A class of sources, or a component of the background.
    maps : ndarray, shape (n_epochs, ...)
        Expected counts in each epoch on the renderer's own pixels; one map where the renderer
        knows no epochs.
    """
    parts = [renderer.at_epoch(i) for i in range(len(renderer.epochs))] or [renderer]
    skies = [part.components(sources) for part in parts]
    for component in skies[0]:
        yield component, np.stack([sky[component].values[band_index] for sky in skies])
