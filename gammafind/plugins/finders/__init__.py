"""Classical finders of optical images, on a map of significances."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the finders."""
    from gammafind.plugins.finders.log import LaplacianOfGaussian
    from gammafind.plugins.finders.peaks import PhotutilsPeaks

    return [PhotutilsPeaks, LaplacianOfGaussian]
