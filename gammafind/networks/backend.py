"""Keras, on the backend that the user chose or else on the first that is installed."""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from gammafind.errors import MissingBackendError, WeightsError

if TYPE_CHECKING:
    import keras


BACKENDS = ("torch", "jax", "tensorflow")
"""Backends of Keras in the order in which they are looked for."""

_VARIABLE = "KERAS_BACKEND"


def load_keras() -> ModuleType:
    """Import Keras.

    Its backend is that of the environment variable ``KERAS_BACKEND``; where this is not set, it
    is set to the first of `BACKENDS` that is installed.

    Returns
    -------
    module

    Raises
    ------
    MissingBackendError
        If Keras is not installed, or no backend, or not the one that the variable names.
    """
    chosen = os.environ.get(_VARIABLE)
    candidates = (chosen,) if chosen else BACKENDS
    installed = [name for name in candidates if find_spec(name) is not None]
    if not installed or find_spec("keras") is None:
        missing = f"Keras needs {' or '.join(candidates)}, which" if not installed else "Keras"
        raise MissingBackendError(
            f"{missing} is not installed", remedy=f"pip install 'gammafind[{candidates[0]}]'"
        )
    os.environ[_VARIABLE] = installed[0]
    import keras

    return keras


def load_weights(network: keras.Model, path: Path) -> keras.Model:
    """Give a network the weights of a file of Keras.

    Raises
    ------
    WeightsError
        If they do not fit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of layers without weights.
            network.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise WeightsError(
            f"the weights do not fit the network {network.name} ({error})", path=path
        ) from error
    return network
