"""Functions that cut the inputs of classifiers from maps or images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gammafind.fitting.image.stamps import make_stamps
from gammafind.fitting.photons.cutouts import make_cutouts
from gammafind.roles.base import Sees

CUTTERS: dict[Sees, Callable[..., Any]] = {"maps": make_cutouts, "image": make_stamps}
"""Functions that make the inputs of a classifier, by what it sees."""
