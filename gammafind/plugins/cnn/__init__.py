"""The neural classifier: images, spectrum and light curve in, class probabilities out."""

from __future__ import annotations

from gammafind.roles.classifier import Classifier
from gammafind.roles.hooks import hookimpl

__all__ = ["gammafind_classifiers"]


@hookimpl
def gammafind_classifiers() -> list[type[Classifier]]:
    """Return the classifier."""
    from gammafind.plugins.cnn.classifier import Cnn

    return [Cnn]
