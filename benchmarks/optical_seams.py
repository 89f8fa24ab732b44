"""Completeness of the U-Net near the edges of its tiles, on the held-out MeerLICHT frames.

``python benchmarks/optical_seams.py [--frames FOLDER]`` takes the frames of
``optical_frames.py``, and prints for each kind the share of the sources of S/N 4-20 that are found
within 16 pixels of an edge between two tiles, and that of all others, at the score where 95 % of
the detections are sources; the same for sources within 16 pixels of the border of the image.
sep, which knows no tiles, shows how much is chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from optical_frames import DENSITIES, LEAST_SNR, Found, Frame, held_out, pure_cut, search
from results import kept

from gammafind.plugins.image_unet.search import MARGIN
from gammafind.roles.registry import create
from gammafind.sky.tiles import tiles

NEAR = 16
SIDE = 256
FAINT, BRIGHT = 4, 20
FINDERS = {
    "image-unet": {},
    "sep": {"threshold": 2.5, "deblend_contrast": 1e-4, "deblend_levels": 64},
}


@kept("optical_seams")
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, default=Path("optical-frames"))
    arguments = parser.parse_args()
    print("| finder | frames | place | sources | found | share | error |")
    print("|---|---|---|---|---|---|---|")
    for kind in DENSITIES:
        frames = list(held_out(kind, arguments.frames))
        for finder, options in FINDERS.items():
            report(
                f"{finder} | {kind}", frames, search(create("localiser", finder, **options), frames)
            )


def report(name: str, frames: Sequence[Frame], found: Found) -> None:
    """Print the rows of one finder on one kind of frames."""
    seen = found.best >= pure_cut(found)[0]
    middling = (found.snr >= FAINT) & (found.snr < BRIGHT)
    seam, border = (
        np.concatenate([distance(frame) < NEAR for frame in frames])
        for distance in (from_seams, from_border)
    )
    places = {
        "near an edge of tiles": seam & ~border,
        "elsewhere": ~seam & ~border,
        "near the border": border,
    }
    for place, chosen in places.items():
        print(f"| {name} | {place} | {row(seen[chosen & middling])} |")


def row(seen: np.ndarray) -> str:
    """Number, number found, share and its binomial error."""
    n, share = len(seen), float(np.mean(seen))
    error = np.sqrt(share * (1 - share) / n)
    return f"{n} | {int(seen.sum())} | {share:.3f} | {error:.3f}"


def from_seams(frame: Frame) -> np.ndarray:
    """Distance of each counted source from the nearest edge between the cores of two tiles."""
    shape = frame.observation.counts.pixels[0].shape
    cut = list(tiles(shape, side=SIDE, margin=MARGIN))
    edges = [
        {part.start for part in cores} - {0}
        for cores in ((t.core_columns for t in cut), (t.core_rows for t in cut))
    ]
    places = frame.places[frame.snr >= LEAST_SNR]
    along = [
        np.min(np.abs(places[:, [axis]] + 0.5 - np.array(sorted(at))), axis=1)
        for axis, at in enumerate(edges)
    ]
    return np.minimum(*along)


def from_border(frame: Frame) -> np.ndarray:
    """Distance in pixels of each counted source from the border of the image."""
    ny, nx = frame.observation.counts.pixels[0].shape
    x, y = frame.places[frame.snr >= LEAST_SNR].T
    return np.min([x + 0.5, nx - 0.5 - x, y + 0.5, ny - 0.5 - y], axis=0)


if __name__ == "__main__":
    main()
