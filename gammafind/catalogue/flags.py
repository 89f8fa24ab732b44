"""Bits of the column ``Flags`` of a catalogue: what to know before a row is used."""

from __future__ import annotations

from enum import IntFlag

import numpy as np


class Flag(IntFlag):
    """Named bits; a row has the sum of those that are true for it.

    Bits from 2 to 2048 have the meaning and the value that they have in the 4FGL catalogues; the
    value 1 has not. Bits from 65536 on are those of this catalogue only.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33 (arXiv:1902.10045), table 5: flags of 4FGL, where bit n has
    the value 2 to the power of n - 1.

    Examples
    --------
    >>> from gammafind.catalogue.flags import Flag, has_flag
    >>> int(Flag.ON_EXTENDED)
    1
    >>> has_flag([0, 1, 3], Flag.ON_EXTENDED).tolist()
    [False, True, True]
    """

    ON_EXTENDED = 1
    """A point on or next to an extended source of the model; it may be part of that emission."""
    MOVES_WITH_DIFFUSE = 2
    """Moves out of its 95 % ellipse with another diffuse model (bit 2 of 4FGL)."""
    FLUX_CHANGES_WITH_DIFFUSE = 4
    """Flux changes by more than 3 sigma and 35 % with another diffuse model (bit 3 of 4FGL)."""
    FAINT_AGAINST_BACKGROUND = 8
    """Below a tenth of the background within the PSF in its highest band of TS > 25 (bit 4)."""
    NEAR_BRIGHT = 16
    """Within the width of the PSF of a brighter source (bit 5 of 4FGL)."""
    PEAK_ELSEWHERE = 64
    """Peak of the score or of TS outside the 95 % ellipse of the position (bit 7 of 4FGL)."""
    POOR_POSITION = 256
    """TS has not the shape of an ellipse, or its longer axis is above 0.25 deg (bit 9 of 4FGL)."""
    POOR_SPECTRUM = 512
    """The spectral form does not describe the fluxes of the bands (bit 10 of 4FGL)."""
    HIGHLY_CURVED = 2048
    """Curvature at the limit of what is fitted (bit 12 of 4FGL)."""
    TS_CHANGES_WITH_DIFFUSE = 65536
    """TS falls from above 35 to below 25 with another diffuse model (bit 1 of 4FGL, 1 there)."""
    FIT_FAILED = 131072
    """A fit did not converge: values of this row are those of the last step, or missing."""
    AT_EDGE = 262144
    """The PSF reaches beyond the edge of the map, or over pixels without exposure."""
    CONFUSED = 524288
    """Another source is so close that their counts cannot be separated well."""
    EXPOSURE_ESTIMATED = 1048576
    """The exposure was estimated and not given: fluxes have an error of scale."""
    NOT_MEASURED = 2097152
    """Outside of the map, or not exposed: nothing could be measured."""
    DIFFUSE_LIMITED = 4194304
    """A point that may be due to errors of the background: a fifth or more of its TS is lost where
    the background has its systematic error, and is higher by twice this error."""
    ONE_EPOCH = 8388608
    """Found in one epoch only: position, TS, counts and flux are those of that epoch."""
    REPEATED_NAME = 16777216
    """Another row has the same name, so that it names no source."""


MEANINGS = {
    Flag.ON_EXTENDED: "a point on an extended source, of which it may be a part",
    Flag.MOVES_WITH_DIFFUSE: "leaves its 95 % ellipse with another diffuse model",
    Flag.FLUX_CHANGES_WITH_DIFFUSE: (
        "flux changes by more than 3 sigma and 35 % with another diffuse model"
    ),
    Flag.FAINT_AGAINST_BACKGROUND: (
        "below a tenth of the background within the PSF, in the highest band where TS > 25"
    ),
    Flag.NEAR_BRIGHT: "within the width of the PSF of a brighter source",
    Flag.PEAK_ELSEWHERE: "the peak is outside the 95 % ellipse of the position",
    Flag.POOR_POSITION: "TS has not the shape of an ellipse, or the ellipse is above 0.25 deg",
    Flag.POOR_SPECTRUM: "the spectral form does not describe the fluxes of the bands",
    Flag.HIGHLY_CURVED: "curvature at the limit of the fit",
    Flag.TS_CHANGES_WITH_DIFFUSE: "TS falls from above 35 to below 25 with another diffuse model",
    Flag.FIT_FAILED: "a fit did not converge",
    Flag.AT_EDGE: "the PSF reaches beyond the edge of the map or over pixels without exposure",
    Flag.CONFUSED: "another source is too close to separate their counts well",
    Flag.EXPOSURE_ESTIMATED: "the exposure is estimated: fluxes have an error of scale",
    Flag.NOT_MEASURED: "outside of the map or not exposed",
    Flag.DIFFUSE_LIMITED: "TS depends on the systematic error of the background",
    Flag.ONE_EPOCH: "found in one epoch only",
    Flag.REPEATED_NAME: "another row has the same name",
}
"""What each bit means, for people to read."""


def has_flag(flags: np.ndarray, flag: Flag) -> np.ndarray:
    """Whether a bit is set, for each of some rows, shape (n,)."""
    return (np.asarray(flags, dtype=int) & int(flag)) != 0


def with_flag(flags: np.ndarray, flag: Flag, where: np.ndarray) -> np.ndarray:
    """Set a bit in some rows.

    Parameters
    ----------
    flags : ndarray of int, shape (n,)
    flag : Flag
    where : ndarray of bool, shape (n,)

    Returns
    -------
    ndarray of int, shape (n,)
    """
    return np.asarray(flags, dtype=int) | np.where(where, int(flag), 0)


def described() -> str:
    """All bits and their names, in one line."""
    return ", ".join(f"{int(flag)} {flag.name}" for flag in Flag)
