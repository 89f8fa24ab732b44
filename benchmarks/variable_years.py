"""Counts of each of ten years of a drawn sky of six bands, whose sources vary as in 4FGL-DR2.

``python benchmarks/variable_years.py SKY.npz FOLDER`` shares the counts of a sky that
`six_bands.py` drew among the years, as the flux histories of 4FGL-DR2 and the exposure of each year
say. ``FOLDER/counts`` has the whole time, ``FOLDER/year-01`` and so on the years.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import SimulatedSky
from gammafind.sky.fits.write import write_counts_by_nside
from gammafind.sky.skymap import SkyMap

SEED = 11


def main() -> None:
    """Draw the years, and write them."""
    path, folder = map(Path, sys.argv[1:3])
    renderer = build(load_preset("fermi-lat").renderer)
    sources = true_sources(load_4fgl_dr2())
    with np.load(path) as stored:
        values = tuple(stored[key] for key in stored.files)
    counts = SkyMap(renderer.bands, renderer.pixels, values)
    expected = renderer.render(sources)
    observation = replace(renderer.observe(counts), extended=None)
    sky = SimulatedSky(sources=sources, expected=expected, observation=observation)
    epochs = draw_epochs(sky, renderer, rng=np.random.default_rng(SEED))
    places = [folder / "counts", *(folder / f"year-{i:02d}" for i in range(1, 11))]
    for place, one in zip(places, (counts, *epochs.counts), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        write_counts_by_nside(one, place, overwrite=True)


if __name__ == "__main__":
    main()
