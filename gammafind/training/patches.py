"""Batches of patches of skies: Poisson counts, turns, varied backgrounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.features import FeatureSpec, features
from gammafind.training.batches import Batch, Batches, turn_choices, turned_stack, turned_truth
from gammafind.training.draws import DrawOptions, drawn_counts
from gammafind.training.shard_set import Expected, ShardSet
from gammafind.training.targets import TargetOptions, target_maps


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchBatches(Batches):
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    data, per_epoch, batch_size, seed, fixed, threads : see `Batches`
        The data are a `ShardSet`.
    spec : FeatureSpec
    targets : TargetOptions
    draw : DrawOptions
    """

    samples: ClassVar[str] = "patches"

    data: ShardSet
    spec: FeatureSpec
    targets: TargetOptions
    draw: DrawOptions

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.data):
            raise OptionError(
                "there are no shards to draw from", remedy="Take a catalogue or more."
            )
        self.targets.check_reach(self.data.margin)

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Draw counts in some patches, and turn them."""
        expected = self.data.read(rows, exposure=self.spec.exposure)
        counts = drawn_counts(expected, self.draw, self.data.faintest, rng=rng)
        if self.draw.turns:
            choices = turn_choices(len(rows), rng)
            expected = turned(expected, choices)
            counts = tuple(turned_stack(array, choices) for array in counts)
        seen = features(counts, expected.background, expected.exposure, self.spec)
        width = max(self.data.widths)
        return seen, target_maps(expected.truth, len(rows), width, self.targets)


def turned(expected: Expected, choices: np.ndarray) -> Expected:
    """Turn and flip patches.

    Parameters
    ----------
    expected : Expected
    choices : ndarray of bool, shape (n, 3)
        Whether each patch is transposed, then flipped in y, then flipped in x: all eight ways.

    Returns
    -------
    Expected
        With its truth at the new places.
    """
    width = max(array.shape[-1] for array in expected.sources)

    def turn(arrays: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(turned_stack(array, choices) for array in arrays)

    return replace(
        expected,
        sources=turn(expected.sources),
        background=turn(expected.background),
        exposure=expected.exposure and turn(expected.exposure),
        truth=turned_truth(expected.truth, choices, width),
    )
