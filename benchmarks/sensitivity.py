"""The sensitivity map against injected sources, in 20 regions.

``python benchmarks/sensitivity.py FOLDER [--sky background|simulated|real] [--rounds 40]``

Each round is kept in FOLDER; the same command continues.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.table import QTable
from results import kept
from scipy.optimize import minimize

import gammafind
from gammafind.catalogue.positions import sky_columns, sky_positions
from gammafind.pipeline.sensitivity import sensitivity_at
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.injection import random_places
from gammafind.sky.skymap import SkyMap

PRESET = load_preset("fermi-lat-psf3-2-20")
TS = 16.0
RANGE = (0.5, 2.0)
"""Fluxes of the injected sources over the sensitivity at their place."""
PLACES = 30_000
EDGES = np.degrees(np.arcsin(np.linspace(0, 1, 11)))
"""Of ``|b|``: ten bands of equal area, each in two halves of longitude."""
DRAWS = 100


def main() -> None:
    """Print the ratio of the flux at which half are found to that of the map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sky", choices=("background", "simulated", "real"), default="simulated")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    with kept(f"sensitivity_{arguments.sky}"):
        measure(arguments.folder, arguments.sky, arguments.rounds)


def measure(folder: Path, kind: str, rounds: int) -> None:
    """Compute the map, inject, and print."""
    counts = sky_of(kind)
    search = {"preset": PRESET, "localiser": "likelihood"}
    found = None
    if kind != "background":
        found = gammafind.detect(counts, **search, min_score=TS).catalogue
    sky = gammafind.sensitivity(counts, preset=PRESET, ts=TS, sources=found)
    done = gammafind.inject(
        counts,
        **search,
        min_score=TS,
        places=places(counts, sky),
        index=(2.3,),
        rounds=rounds,
        output=folder,
    )
    print(f"{done.text()}.\n")
    sources = done.sources
    x = (sources["flux"] / sensitivity_at(sky, sky_positions(sources))).to_value("")
    print_regions(np.log(x), np.asarray(sources["found"], bool), sources)


def sky_of(kind: str) -> SkyMap:
    """Counts of the demo, or drawn ones: of the background, or with 4FGL-DR2."""
    if kind == "real":
        return gammafind.demo_sky()
    renderer = build(PRESET.renderer)
    rng = np.random.default_rng(19)
    expected = renderer.render(true_sources(load_4fgl_dr2()))
    if kind == "background":
        expected = expected.map(np.zeros_like, kind="expected counts")
    parts = [expected, *renderer.background().values()]
    total = sum(part.values[0] for part in parts)
    return replace(expected, values=(total,)).poisson(rng=rng)


def places(counts: SkyMap, sky: SkyMap) -> QTable:
    """Uniform places with fluxes about the sensitivity there."""
    rng = np.random.default_rng(20)
    at = random_places(counts, PLACES, rng=rng)
    share = np.exp(rng.uniform(*np.log(RANGE), PLACES))
    return QTable({**sky_columns(at), "flux": share * sensitivity_at(sky, at)})


def print_regions(x: np.ndarray, found: np.ndarray, sources: QTable) -> None:
    """Print one row a region, and the extremes."""
    lon, lat = sources["glon"].to_value("deg"), np.abs(sources["glat"].to_value("deg"))
    inner = (lon < 90) | (lon > 270)
    print("| abs(b) | longitude | injected | measured / map | error |\n|---|---|---|---|---|")
    ratios = []
    for low, high in pairwise(EDGES):
        for name, half in (("within 90 deg", inner), ("beyond 90 deg", ~inner)):
            at = (lat >= low) & (lat <= high) & half
            ratio, error = half_found(x[at], found[at])
            ratios.append(ratio)
            print(f"| {low:.1f}-{high:.1f} | {name} | {at.sum()} | {ratio:.3f} | {error:.3f} |")
    ratio, error = half_found(x, found)
    print(f"\nAll regions together: {ratio:.3f} +- {error:.3f}.")
    print(f"Regions from {min(ratios):.3f} to {max(ratios):.3f}.")


def half_found(x: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Ratio of fluxes at which half are found, from a logistic curve, and its error."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(x), size=len(x)) for _ in range(DRAWS)]
    values = [_middle(x[row], found[row]) for row in draws]
    return float(np.exp(_middle(x, found))), float(np.std(np.exp(values)))


def _middle(x: np.ndarray, found: np.ndarray) -> float:
    def loss(parameters: np.ndarray) -> float:
        z = (x - parameters[0]) * np.exp(parameters[1])
        return float(np.logaddexp(0, np.where(found, -z, z)).sum())

    return float(minimize(loss, [0.0, 1.5], method="Nelder-Mead").x[0])


if __name__ == "__main__":
    main()
