"""Bits of the column ``Flags`` of a catalogue: what to know before a row is used."""

from __future__ import annotations

from enum import IntFlag

import numpy as np


class Flag(IntFlag):
    """Named bits; a row has the sum of those that are true for it.

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
    ONE_EPOCH = 2097152
    """Found in one epoch only: position, TS, counts and flux are those of that epoch."""


MEANINGS = {
    Flag.ON_EXTENDED: "a point on an extended source, of which it may be a part",
    Flag.ONE_EPOCH: "found in one epoch only",
}
"""What each bit means, for people to read."""


def has_flag(flags: np.ndarray, flag: Flag) -> np.ndarray:
    """Whether a bit is set, for each of some rows, shape (n,)."""
    return (np.asarray(flags, dtype=int) & int(flag)) != 0


def described() -> str:
    """All bits and their meanings, in one line."""
    return "; ".join(f"{int(flag)}: {text}" for flag, text in MEANINGS.items())
