"""Random streams of simulated catalogues: the same whoever draws them, and in whatever order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.errors import OptionError

__all__ = ["Streams", "stream", "streams"]


@dataclass(frozen=True)
class Streams:
    """Independent generators of one catalogue.

    Attributes
    ----------
    sources : numpy.random.Generator
        Draws the source table.
    counts : numpy.random.Generator
        Draws Poisson counts.
    rotation : numpy.random.Generator
        Turns the grid of patches.
    epochs : numpy.random.Generator
        Shares counts out among epochs.
    settings : numpy.random.Generator
        Draws what varies from one catalogue of a training to the next, such as the seeing.
    """

    sources: np.random.Generator
    counts: np.random.Generator
    rotation: np.random.Generator
    epochs: np.random.Generator
    settings: np.random.Generator


def streams(seed: int, index: int) -> Streams:
    """Random streams of the catalogue ``index`` of a set.

    Parameters
    ----------
    seed : int
        Of the whole set.
    index : int
        Of the catalogue within the set.

    Returns
    -------
    Streams
        Those of another seed or index are independent of these.

    Raises
    ------
    OptionError
        If a number is negative.
    """
    for name, value in {"seed": seed, "index": index}.items():
        if value < 0:
            raise OptionError(f"the {name} is {value}", remedy="It must not be negative.")
    children = np.random.SeedSequence(seed, spawn_key=(index,)).spawn(5)
    return Streams(*map(np.random.default_rng, children))


def stream(seed: int | tuple[int, ...], *key: int) -> np.random.Generator:
    """One of the random streams of a seed; those of other keys are independent of it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
