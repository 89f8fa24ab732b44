"""Functions that cut the inputs of classifiers from maps or images."""

from __future__ import annotations

from gammafind.fitting.image.stamps import make_stamps
from gammafind.fitting.photons.cutouts import make_cutouts

__all__ = ["CUTTERS"]

CUTTERS = {"maps": make_cutouts, "image": make_stamps}
"""Functions that make the inputs of a classifier, by the type of data that it sees."""
