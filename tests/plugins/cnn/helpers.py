"""Cut-outs of random counts, and folders of random weights."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np

from gammafind.networks.backend import load_keras
from gammafind.networks.folder import export_network
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.sky.bands import energy_bands
from gammafind.sky.cutouts import CutoutLayout

BANDS = energy_bands([1, 2, 20] * u.GeV)
EDGES = [(1.0, 2.0), (2.0, 20.0)]


def toy_arrays(n: int = 20, *, n_epochs: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    """What a classifier is given of ``n`` detections in two bands."""
    rng = np.random.default_rng(seed)
    arrays = {
        "background": np.full((n, 2, 7, 7), 2.0),
        "counts": rng.poisson(3.0, (n, 2, 7, 7)),
        "spectrum": rng.normal(50, 10, (n, 2)),
        "spectrum_err": np.full((n, 2), 10.0),
        "exposure": np.full((n, 2), 1e11),
        "density": np.full((n, 2), 2.0),
        "position": np.stack([rng.uniform(0, 360, n), rng.uniform(-90, 90, n)], axis=1),
        "score": rng.uniform(0.2, 1, n),
        "pos_err": np.full(n, 0.1),
    }
    if n_epochs:
        arrays |= {
            "epoch_counts": rng.poisson(2.0, (n, n_epochs, 7, 7)),
            "epoch_background": np.full((n, n_epochs, 7, 7), 4 / n_epochs),
            "light_curve": rng.normal(100, 30, (n, n_epochs)),
            "light_curve_err": np.full((n, n_epochs), 30.0),
        }
    return {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}


def toy_architecture(*, n_epochs: int = 3, network: str = "gammafind", **more) -> CnnArchitecture:
    """Architecture for `toy_arrays`."""
    return CnnArchitecture(
        network=network,
        bands=BANDS,
        layout=CutoutLayout(widths=(4.0, 2.0), epoch_width=4.0),
        n_epochs=n_epochs,
        time="yes" if n_epochs else "no",
        **more,
    )


def write(folder: Path, architecture: CnnArchitecture) -> CnnArchitecture:
    """Write a folder of random weights."""
    load_keras().utils.set_random_seed(1)
    return export_network(folder, architecture.build(), architecture, card="# toy")
