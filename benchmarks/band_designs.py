"""Two designs of a network for any bands, trained from random weights on equal data.

``python benchmarks/band_designs.py RECIPE FOLDER [--patches 19968] [--design NAME]``: *sums* adds
the bands of a tier before the network; *encoders* sends each band through layers that all bands
of the tier share, and adds what comes out. RECIPE is one of `gammafind train` with ``tiers``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np
from results import kept

from gammafind.networks.backend import load_keras
from gammafind.networks.layers import standardise, standardised_inputs
from gammafind.networks.tiers import (
    CHANNELS,
    TIERS,
    BandResolution,
    counts_at_threshold,
    tier_inputs,
)
from gammafind.networks.unet import _heads, _u_net, input_name
from gammafind.training.loop import TrainingOptions, _compile, evaluate
from gammafind.training.recipe import read_recipe
from gammafind.training.settings import SettingBatches, SettingSet

MOST = 12
"""Bands of a tier in the inputs of *encoders*; missing ones are zero."""
FILTERS = (32, 64, 96, 128)
ENCODED = 16
"""Channels of each band behind its shared layers."""


class BandBatches(SettingBatches):
    """Each band of a tier by itself."""

    @staticmethod
    def seen(
        counts: Sequence[np.ndarray],
        background: Sequence[np.ndarray],
        shares: np.ndarray,
        resolution: BandResolution,
    ) -> tuple[np.ndarray, ...]:
        """Inputs of each tier, shape (n, w, w, 12 * 5)."""
        level = np.stack([array.mean(axis=(1, 2)) for array in background], axis=1)
        total = counts_at_threshold(shares, level, resolution.area)
        made = [np.zeros((len(shares), w, w, MOST * CHANNELS), dtype=np.float32) for w in TIERS]
        filled = [0] * len(TIERS)
        for band, tier in enumerate(resolution.tier):
            alone = BandResolution(
                psf_r68=resolution.psf_r68[[band]],
                psf_area=resolution.psf_area[[band]],
                map_pixels=resolution.map_pixels[[band]],
                size=resolution.size,
            )
            seen = tier_inputs(
                [counts[band]], [background[band]], np.ones((len(shares), 1)), alone
            )[tier]
            # The significance of the core is that of the share of the whole source.
            part = (total * shares[:, band])[:, None, None] * alone.core[0]
            b = np.maximum(background[band], 1e-3)
            seen[..., 2] = 2 * (np.sqrt(b + part + 0.375) - np.sqrt(b + 0.375))
            at = filled[tier] * CHANNELS
            made[tier][..., at : at + CHANNELS] = seen
            filled[tier] += 1
        return tuple(made)


def network(design: str):
    """Network of a design with random weights."""
    keras = load_keras()
    n = CHANNELS if design == "sums" else CHANNELS * MOST
    inputs, seen = standardised_inputs({input_name(w): (w, w, n) for w in TIERS})
    tiers = dict(zip(TIERS, seen.values(), strict=True))
    if design == "encoders":
        tiers = {w: encoded(x, w) for w, x in zip(TIERS, inputs.values(), strict=True)}
    ordered = {w: keras.layers.Permute((3, 1, 2))(x) for w, x in tiers.items()}
    taken = keras.layers.Conv2D(
        FILTERS[0], 4, strides=2, padding="same", activation="relu", data_format="channels_first"
    )(ordered[128])
    within = {w: x for w, x in ordered.items() if w <= 64}
    x = _u_net(within, 64, [taken], FILTERS, False)
    return keras.Model(list(inputs.values()), _heads(x, 4, stride=2))


def encoded(tensor, width: int):
    """Sum over bands of what shared layers make of each."""
    keras = load_keras()
    from keras import ops

    bands = keras.layers.Reshape((width, width, MOST, CHANNELS))(tensor)
    bands = keras.layers.Permute((3, 1, 2, 4))(bands)
    there = keras.layers.Lambda(
        lambda x: ops.cast(ops.any(ops.not_equal(x, 0), axis=(2, 3, 4)), "float32"),
        output_shape=(MOST,),
    )(bands)
    shared = keras.layers.Conv2D(ENCODED, 3, padding="same", activation="relu")
    seen = keras.layers.TimeDistributed(shared)(bands)
    return keras.layers.Lambda(
        lambda pair: ops.einsum("nbyxc,nb->nyxc", *pair), output_shape=(width, width, ENCODED)
    )([seen, there])


def main() -> None:
    """Train both, and print the losses and the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patches", type=int, default=19968)
    parser.add_argument("--design", nargs="*", default=["sums", "encoders"])
    arguments = parser.parse_args()
    training = read_recipe(arguments.recipe)[0].prepare(arguments.folder)
    rows = [row_of(design, training, arguments.patches) for design in arguments.design]
    with kept("band_designs"):
        print(
            "| design | weights | patches | loss of the validation | CPU of training (s) | "
            "CPU of a pass over 768 patches (s) |\n|---|---|---|---|---|---|"
        )
        for row in rows:
            print("| " + " | ".join(row) + " |")


def row_of(design: str, training, n: int) -> list[str]:
    """Train a design."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    kind = SettingBatches if design == "sums" else BandBatches
    options, splits = training.options, training.recipe.data.splits
    common = {"batch_size": 16, "targets": options.targets}
    batches = kind(
        data=SettingSet(training.maker.folder, splits["train"]),
        per_epoch=n,
        seed=1,
        draw=options.draw,
        **common,
    )
    validation = kind(
        data=SettingSet(training.maker.folder, splits["validation"]),
        seed=2,
        per_epoch=min(1536, n),
        draw=type(options.draw)(turns=False),
        **common,
    )
    model = network(design)
    if design == "sums":
        looked = training.looked_at(batches)
        standardise(model, dict(zip(map(input_name, TIERS), looked, strict=True)))
    _compile(model, TrainingOptions(epochs=1, learning_rate=2e-3), training.loss, len(batches))
    start = process_time()
    for step, (inputs, target) in enumerate(batches.epoch(0)):
        loss = model.train_on_batch(list(inputs), target)
        if step % 100 == 0:
            print(design, step, f"{float(loss):.4f}", f"{process_time() - start:.0f} s", flush=True)
    seconds = process_time() - start
    loss = evaluate(model, validation, training.loss)
    some = next(validation.epoch(0))[0]
    start = process_time()
    model.predict_on_batch(list(some))
    one = (process_time() - start) * 768 / 16
    return [
        f"*{design}*",
        f"{model.count_params():,}",
        f"{n:,}",
        f"{loss:.5f}",
        f"{seconds:.0f}",
        f"{one:.0f}",
    ]


if __name__ == "__main__":
    main()
