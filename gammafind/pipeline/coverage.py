"""Whether maps that a user gives cover the counts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike

import numpy as np

from gammafind.errors import CoverageWarning, InputDataError
from gammafind.sky.skymap import SkyMap


def check_coverage(
    counts: SkyMap,
    both: Sequence[np.ndarray],
    what: str,
    *,
    path: str | PathLike,
    remedy: str,
) -> None:
    """Warn of valid pixels of the counts where something is not known.

    Parameters
    ----------
    counts : SkyMap
    both : sequence of ndarray of bool
        Where the counts are valid and it is known, one array a band.
    what : str
        Its name, such as ``"exposure"``.
    path : path-like
        Where it comes from, for messages.
    remedy : str
        What helps where it is known nowhere.

    Raises
    ------
    InputDataError
        If it is not known in any pixel of a band.

    Warns
    -----
    CoverageWarning
        If it is not known in some.
    """
    for band, known in zip(counts.bands, both, strict=True):
        if not known.any():
            raise InputDataError(
                f"no pixel of the counts has {what} in the band {band.name}",
                path=path,
                remedy=remedy,
            )
    n_seen, n_both = (sum(map(np.count_nonzero, masks)) for masks in (counts.valid, both))
    if n_both < n_seen:
        warnings.warn(
            f"{path}: {n_seen - n_both} of {n_seen} pixels of the counts have no {what} and "
            "are not searched",
            CoverageWarning,
            stacklevel=4,
        )
