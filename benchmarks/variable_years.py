"""A drawn sky of six bands and ten years whose sources vary and curve as those of 4FGL-DR2 do.

``python benchmarks/variable_years.py FOLDER`` draws the counts of the whole time, and shares them
among the years as the flux histories of 4FGL-DR2 and the exposure of each year say.
``FOLDER/counts`` has the whole time, ``FOLDER/year-01`` and so on the years. Sources have the
log-parabola of the catalogue where it calls them power laws: real spectra are curved, also where
that is not significant.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.table import QTable

from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import SimulatedSky
from gammafind.sky.fits.write import write_counts_by_nside
from gammafind.sky.skymap import SkyMap

SEED = 11


def main() -> None:
    """Draw the sky and its years, and write them."""
    folder, rng = Path(sys.argv[1]), np.random.default_rng(SEED)
    renderer = build(load_preset("fermi-lat").renderer)
    sources = true_sources(curved(load_4fgl_dr2()))
    expected, background = renderer.render(sources), renderer.background()
    values = [
        rng.poisson(each + sum(sky.values[band] for sky in background.values())).astype(np.int32)
        for band, each in enumerate(expected.values)
    ]
    counts = SkyMap(renderer.bands, renderer.pixels, tuple(values))
    observation = replace(renderer.observe(counts), extended=None)
    sky = SimulatedSky(sources=sources, expected=expected, observation=observation)
    epochs = draw_epochs(sky, renderer, rng=rng)
    places = [folder / "counts", *(folder / f"year-{i:02d}" for i in range(1, 11))]
    for place, one in zip(places, (counts, *epochs.counts), strict=True):
        place.mkdir(parents=True, exist_ok=True)
        write_counts_by_nside(one, place, overwrite=True)


def curved(table: QTable) -> QTable:
    """The catalogue with log-parabolas in place of power laws, where it has them."""
    form = np.char.strip(np.asarray(table["SpectrumType"], dtype=str))
    known = np.isfinite(np.asarray(table["LP_beta"], dtype=float))
    table = table.copy()
    table["SpectrumType"] = np.where((form == "PowerLaw") & known, "LogParabola", form)
    return table


if __name__ == "__main__":
    main()
