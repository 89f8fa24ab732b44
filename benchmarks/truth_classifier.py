"""Classification by true parameters: the limit for any classifier."""

from __future__ import annotations

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.networks.backend import load_keras
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.utils.streams import streams

__all__ = ["TruthClassifier", "parameters"]

_SEED = 5005
"""Seed of the training catalogues: not used for training networks or for held-out skies."""
_LEAST = 1e-3
"""Smallest number in a logarithm: keeps it finite."""


def parameters(sources: QTable, renderer: SkyRenderer, *, variability: bool) -> np.ndarray:
    """True spectrum, flux, position and optionally variability of sources, shape (n, k)."""
    counts = np.maximum(renderer.source_counts(sources), 1e-12)
    shares = np.log(counts / counts.sum(axis=1, keepdims=True))
    lat = SkyCoord(sources["ra"], sources["dec"]).galactic.b.deg
    columns = [shares, np.log(sources["flux"].value)[:, None]]
    columns.append(np.log(np.abs(lat) + 0.3)[:, None])
    if variability:
        spread = np.asarray(sources["flux_history"]).std(axis=1, ddof=1)
        columns.append(np.log(np.maximum(spread, _LEAST))[:, None])
    return np.concatenate(columns, axis=1)


class TruthClassifier:
    """A small network that gets the true parameters of sources of a population.

    Parameters
    ----------
    population : SourcePopulation
    renderer : SkyRenderer
    classes : tuple of str
        Classes of sources, without FAKE.
    variability : bool
        Whether it knows how much each source varies.
    catalogues, epochs : int
        Number of training catalogues, and of passes over them.
    """

    def __init__(
        self,
        population: SourcePopulation,
        renderer: SkyRenderer,
        classes: tuple[str, ...],
        *,
        variability: bool,
        catalogues: int = 12,
        epochs: int = 15,
    ) -> None:
        keras = load_keras()
        keras.utils.set_random_seed(1)
        self.renderer, self.variability = renderer, variability
        drawn = [population.sample(rng=streams(_SEED, i).sources) for i in range(catalogues)]
        inputs = np.concatenate([parameters(t, renderer, variability=variability) for t in drawn])
        names = np.concatenate([np.asarray(table["class_label"]) for table in drawn])
        label = np.array([classes.index(name) for name in names.tolist()])
        self.mean, self.scale = inputs.mean(axis=0), inputs.std(axis=0)
        layers = keras.layers
        self.network = keras.Sequential(
            [
                keras.Input((inputs.shape[1],)),
                layers.Dense(64, activation="gelu"),
                layers.Dense(64, activation="gelu"),
                layers.Dense(len(classes), activation="softmax"),
            ]
        )
        rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * (len(label) // 512))
        self.network.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        scaled = ((inputs - self.mean) / self.scale).astype(np.float32)
        self.network.fit(scaled, label, batch_size=512, epochs=epochs, verbose=0)

    def probability(self, sources: QTable) -> np.ndarray:
        """Class probabilities of sources, shape (n, n_classes)."""
        inputs = parameters(sources, self.renderer, variability=self.variability)
        scaled = ((inputs - self.mean) / self.scale).astype(np.float32)
        return np.asarray(self.network.predict(scaled, batch_size=8192, verbose=0), dtype=float)
