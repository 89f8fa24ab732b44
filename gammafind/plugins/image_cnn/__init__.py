"""The neural classifier of images: stars, galaxies, and what is no source."""

from __future__ import annotations

from gammafind.roles.classifier import Classifier
from gammafind.roles.hooks import hookimpl

__all__ = ["gammafind_classifiers"]


@hookimpl
def gammafind_classifiers() -> list[type[Classifier]]:
    """Return the classifier."""
    from gammafind.plugins.image_cnn.classifier import ImageCnn

    return [ImageCnn]
