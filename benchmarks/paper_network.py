"""Binary accuracy of the paper's network on skies with the paper's mask filling.

``python benchmarks/paper_network.py RECIPE TRAINED`` takes a recipe with catalogues for the test
and the folder that ``gammafind train localiser`` filled, and prints a row of
docs/validation/localiser.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from results import kept

from gammafind.networks.features import features
from gammafind.networks.folder import onnx_runner, read_architecture
from gammafind.networks.views import averaged
from gammafind.plugins.unet.architecture import Architecture
from gammafind.training.draws import DrawOptions, drawn_counts
from gammafind.training.recipe import read_recipe
from gammafind.training.shard_set import ShardSet
from gammafind.training.targets import target_maps

BATCH = 32
SEED = 7


def main() -> None:
    """Print the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("trained", type=Path)
    parser.add_argument("--views", type=int, default=1, help="as the option of the localiser")
    arguments = parser.parse_args()
    training = read_recipe(arguments.recipe)[-1].prepare(arguments.trained)
    shards = ShardSet(training.maker.folder, training.recipe.data.splits["test"])
    weights = arguments.trained / "weights"
    architecture = read_architecture(weights, Architecture)
    run = onnx_runner(weights, architecture)
    rng = np.random.default_rng(SEED)
    right, filled, both, said = [], [], [], []
    for start in range(0, len(shards), BATCH):
        rows = np.arange(start, min(start + BATCH, len(shards)))
        expected = shards.read(rows)
        counts = drawn_counts(expected, DrawOptions(), shards.faintest, rng=rng)
        seen = features(counts, expected.background, None, architecture.features)
        targets = target_maps(
            expected.truth, len(rows), max(shards.widths), training.options.targets
        )
        mask = targets[..., 0] > 0
        predicted = averaged(run, seen, arguments.views)[..., 0] > 0
        for values, of in (
            (right, predicted == mask),
            (filled, mask),
            (both, predicted & mask),
            (said, predicted),
        ):
            values.append(of.mean(axis=(1, 2)))
    accuracy, fill, overlap, positive = (
        np.concatenate(values) for values in (right, filled, both, said)
    )
    trivial = 1 - fill.mean()
    adjusted = (accuracy.mean() - trivial) / (1 - trivial)
    draws = rng.integers(len(fill), size=(1000, len(fill)))
    drawn = 1 - fill[draws].mean(axis=1)
    low, high = np.quantile((accuracy[draws].mean(axis=1) - drawn) / (1 - drawn), (0.16, 0.84))
    record = json.loads((arguments.trained / "training.json").read_text())
    with kept(f"paper_network_{arguments.trained.name}"):
        print("| radius | binary accuracy | trivial | adjusted | recall | precision | backend |")
        print("|---|---|---|---|---|---|---|")
        print(
            f"| {training.options.targets.radius:g} | {accuracy.mean():.4f} | {trivial:.4f} "
            f"| {adjusted:.3f} [{low:.3f}, {high:.3f}] | {overlap.mean() / fill.mean():.3f} "
            f"| {overlap.mean() / positive.mean():.3f} | {record['backend']} |"
        )


if __name__ == "__main__":
    main()
