"""What cuts the inputs of classifiers out of maps or images."""

from __future__ import annotations

from gammafind.fitting.image.stamps import make_stamps
from gammafind.fitting.photons.cutouts import make_cutouts

__all__ = ["CUTTERS"]

CUTTERS = {"maps": make_cutouts, "image": make_stamps}
"""Functions that make the inputs of a classifier, by what it sees."""
