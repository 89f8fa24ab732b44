"""Stamps of stars and single hot pixels, and folders of random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gammafind.networks.backend import load_keras
from gammafind.networks.folder import export_network
from gammafind.plugins.image_cnn.architecture import StampArchitecture


def toy_stamps(n: int = 20, side: int = 25, *, flux: float = 500.0) -> dict[str, np.ndarray]:
    """What a classifier is given of ``n`` detections: every second one is a star of a flux.

    The others are one bright pixel. The PSF is a Gaussian of a FWHM of 4 pixels.
    """
    rng = np.random.default_rng(0)
    offset = np.arange(side) - side // 2
    profile = np.exp(-(offset[:, None] ** 2 + offset**2) * 4 * np.log(2) / 4.0**2)
    psf = np.broadcast_to(profile / profile.sum(), (n, side, side))
    excess = rng.normal(size=(n, side, side))
    excess[::2] += flux * psf[::2]
    excess[1::2, side // 2, side // 2] += flux / 5
    arrays = {
        "excess": excess,
        "flags": np.zeros((n, side, side)),
        "psf": psf,
        "noise": np.full(n, 15.0),
        "fwhm": np.full(n, 4.0),
        "score": np.full(n, 30.0),
        "density": np.full(n, 1e-3),
    }
    return {name: np.array(array, dtype=np.float32) for name, array in arrays.items()}


def write(folder: Path, **options: object) -> StampArchitecture:
    """Write a folder of random weights of a small network."""
    architecture = StampArchitecture(options={"filters": [4, 4], "units": 8}, **options)
    load_keras().utils.set_random_seed(1)
    return export_network(folder, architecture.build(), architecture, card="# toy")
