"""Every clusterer on 768 score maps of known discs: time, completeness, purity."""

from __future__ import annotations

import time

import numpy as np
from results import kept

from gammafind.roles.registry import create

N_MAPS, WIDTH, N_DISCS, RADIUS = 768, 128, 8, 5
THRESHOLDS = {"disk": 30.0, "kmeans": 0.5, "peaks": 0.5, "segmentation": 0.5}
OPTIONS = {"peaks": {"smoothing": 2.0}}


@kept("clusterers")
def main() -> None:
    """Print the table of docs/validation/clusterers.md."""
    rng = np.random.default_rng(0)
    maps = [disc_map(rng) for _ in range(N_MAPS)]
    print(
        "| clusterer | options | seconds for 768 maps | completeness | purity | median offset "
        "(pixels) |\n|---|---|---|---|---|---|"
    )
    for name, threshold in THRESHOLDS.items():
        options = {"threshold": threshold, **OPTIONS.get(name, {})}
        clusterer = create("clusterer", name, **options)
        start = time.perf_counter()
        found = [clusterer.cluster(score) for score, _, _ in maps]
        seconds = time.perf_counter() - start
        hits, offsets = zip(
            *(_match(t, x, y) for t, (_, x, y) in zip(found, maps, strict=True)), strict=True
        )
        n_found, n_true = sum(len(t) for t in found), N_MAPS * N_DISCS
        text = ", ".join(f"{key} {value:g}" for key, value in options.items())
        print(
            f"| {name} | {text} | {seconds:.2f} | {sum(hits) / n_true:.4f} "
            f"| {sum(hits) / max(n_found, 1):.4f} | {np.median(np.concatenate(offsets)):.2f} |"
        )


def disc_map(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Discs of score 1 at random positions without overlap, and noise."""
    y, x = np.indices((WIDTH, WIDTH))
    centres: list[tuple[float, float]] = []
    while len(centres) < N_DISCS:
        place = tuple(rng.uniform(RADIUS + 1, WIDTH - RADIUS - 2, 2))
        if all(np.hypot(place[0] - a, place[1] - b) > 3 * RADIUS for a, b in centres):
            centres.append(place)
    score = np.abs(rng.normal(0, 0.05, (WIDTH, WIDTH)))
    for a, b in centres:
        score[np.hypot(x - a, y - b) <= RADIUS] = 0.9 + rng.normal(0, 0.02)
    true_x, true_y = np.array(centres).T
    return score, true_x, true_y


def _match(found, x: np.ndarray, y: np.ndarray) -> tuple[int, np.ndarray]:
    """Count discs with a detection within two pixels, and the offsets of these."""
    if not len(found):
        return 0, np.zeros(0)
    apart = np.hypot(found["x"].value[:, None] - x, found["y"].value[:, None] - y)
    nearest = apart.min(axis=0)
    return int(np.sum(nearest <= 2)), nearest[nearest <= 2]


if __name__ == "__main__":
    main()
