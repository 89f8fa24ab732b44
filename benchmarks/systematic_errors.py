"""Statistical and systematic errors of the sources of 4FGL-DR2 on the demo's sky.

``python benchmarks/systematic_errors.py``: fluxes of 2-20 GeV, 573 weeks, the quarter of the
photons with the best PSF.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept

import gammafind
from gammafind.fitting.photons.systematics import weights_of_fit
from gammafind.pipeline.systematics import with_systematics
from gammafind.presets.preset import build, load_preset

REGIONS = {"abs(b) > 20": (20, 90), "10 < abs(b) < 20": (10, 20), "abs(b) < 10": (0, 10)}
FLUXES = (1e-10, 3e-10, 1e-9, 1e-8, 1e-6)
CAUSES = ("Aeff", "Diffuse", "PSF")


def main() -> None:
    """Print the medians of each error by region and flux."""
    renderer = build(load_preset("fermi-lat-psf3-2-20").renderer)
    observation = renderer.observe(gammafind.demo_sky())
    sources = gammafind.read_catalogue("4fgl-dr2")
    sources = sources[sources["extension_model"] == ""]
    index = np.asarray(sources["PL_Index"])
    share = (2 ** (1 - index) - 20 ** (1 - index)) / (1 - 100 ** (1 - index))
    sources["Flux"] = sources["Flux1000"] * share
    sources["TS"] = np.asarray(sources["Signif_Avg"]) ** 2
    table = with_systematics(sources, observation, renderer.systematics)
    with kept("systematic_errors"):
        show(table, statistical(table, observation))


def statistical(table: QTable, observation: gammafind.Observation) -> np.ndarray:
    """Relative error of each flux by the number of photons alone."""
    (pixels,), (psf,) = observation.counts.pixels, observation.psfs
    pixel = pixels.pixel_of(SkyCoord(table["RAJ2000"], table["DEJ2000"]))
    area = pixels.pixel_area.to_value("sr")
    background = observation.total_background().values[0][pixel] / area
    counts = table["Flux"].value * observation.exposure.values[0][pixel]
    _, information = weights_of_fit(psf, background, counts, area)
    return 1 / np.sqrt(information) / counts


def show(table: QTable, photons: np.ndarray) -> None:
    """Print medians in percent of the flux, and in TS."""
    print("| region | flux, 1e-10 cm-2 s-1 | sources | photons | area | diffuse | PSF | TS |")
    print("|---|---|---|---|---|---|---|---|")
    flux, b = table["Flux"].value, np.abs(table["GLAT"].to_value("deg"))
    for region, (low, high) in REGIONS.items():
        for faint, bright in pairwise(FLUXES):
            here = (b >= low) & (b < high) & (flux >= faint) & (flux < bright)
            errors = [photons[here]]
            errors += [table[f"Sys_{cause}_Flux"].value[here] / flux[here] for cause in CAUSES]
            shown = " | ".join(f"{100 * np.median(one):.1f} %" for one in errors)
            change = np.median(table["Sys_TS"][here] / table["TS"][here])
            ends = f"{faint / 1e-10:g}-{bright / 1e-10:g}"
            print(f"| {region} | {ends} | {here.sum()} | {shown} | {100 * change:.1f} % |")


if __name__ == "__main__":
    main()
