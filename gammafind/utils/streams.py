"""Random streams of simulated catalogues: reproducible, independent of order and process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.utils.checks import require


@dataclass(frozen=True)
class Streams:
    """Independent random generators of one catalogue.

    Attributes
    ----------
    sources : numpy.random.Generator
        Draws the source table.
    counts : numpy.random.Generator
        Draws Poisson counts.
    rotation : numpy.random.Generator
        Rotates the grid of patches.
    epochs : numpy.random.Generator
        Distributes counts among epochs.
    settings : numpy.random.Generator
        Draws the conditions that vary between catalogues of a training, such as the seeing.
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
        Seed of the whole set.
    index : int
        Index of the catalogue within the set.

    Returns
    -------
    Streams
        Streams that are independent of those of any other seed or index.

    Raises
    ------
    OptionError
        If a number is negative.
    """
    for name, value in {"seed": seed, "index": index}.items():
        require(f"the {name}", value, value >= 0, "It must not be negative.")
    children = np.random.SeedSequence(seed, spawn_key=(index,)).spawn(5)
    return Streams(*map(np.random.default_rng, children))


def stream(seed: int | tuple[int, ...], *key: int) -> np.random.Generator:
    """One of the random streams of a seed; streams of different keys are independent."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
