"""The classifier of catalogues: measured columns in, class probabilities out."""

from __future__ import annotations

from gammafind.roles.classifier import Classifier
from gammafind.roles.hooks import hookimpl

__all__ = ["gammafind_classifiers"]


@hookimpl
def gammafind_classifiers() -> list[type[Classifier]]:
    """Return the classifier."""
    from gammafind.plugins.features.classifier import Features

    return [Features]
