"""Detections on the real 2-20 GeV sky against 4FGL-DR2, and one pass of a matched filter."""

from __future__ import annotations

import time

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import merge_duplicates
from gammafind.catalogue.publish import R95_OVER_R68
from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import completeness_at_purity, evaluate_detections, rates
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.plugins.fermi_lat.embedded import demo_counts_path, load_4fgl_dr2
from gammafind.presets.preset import build, load_preset
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.registry import create
from gammafind.sky.fits import read_counts
from gammafind.sky.observation import Observation

PRESET = "fermi-lat-psf3-2-20"
RADIUS = 0.5 * u.deg
REGIONS = {
    "abs(b) > 20": (20, 90),
    "abs(b) < 20": (0, 20),
    "abs(b) 10-20": (10, 20),
    "abs(b) < 10": (0, 10),
}
CUTS = (9, 12, 16, 20, 25, 36)


@kept("real_sky")
def main() -> None:
    """Print the tables of docs/validation/real_sky.md."""
    observation = observe()
    reference = load_4fgl_dr2()
    start = time.perf_counter()
    found = likelihood().localise_sky(observation)
    print(f"likelihood: {len(found)} detections in {time.perf_counter() - start:.1f} s\n")
    print_rates(found, reference)
    print_offsets(found, reference)
    start = time.perf_counter()
    single = one_pass(observation)
    print(f"\none pass: {len(single)} detections in {time.perf_counter() - start:.1f} s\n")
    print_rates(single, reference)


def peaks() -> Clusterer:
    """Local maxima down to the lowest cut of the tables."""
    return create("clusterer", "peaks", threshold=float(min(CUTS)))


def likelihood() -> Localiser:
    """The likelihood localiser, down to the lowest cut of the tables."""
    return create("localiser", "likelihood", threshold=float(min(CUTS)), clusterer=peaks())


def observe() -> Observation:
    """Counts, background, exposure and PSF of the embedded sky."""
    renderer = build(load_preset(PRESET).renderer)
    return renderer.observe(read_counts([demo_counts_path()]))


def one_pass(observation: Observation) -> QTable:
    """Peaks of the score of a matched filter on the fitted background, without iteration."""
    data = sky_data(observation, index=2.3)
    model = SkyModel(data, background_components(observation, data), 6.0)
    grid = SearchGrid(data)
    index, scores = grid.summits(model.data, float(min(CUTS)))
    vectors = grid.vectors(index)
    sky = SkyCoord(*vectors.T, representation_type="cartesian", frame="galactic")
    sky = SkyCoord(sky.spherical.lon, sky.spherical.lat, frame="galactic")
    kept = merge_duplicates(sky, scores, RADIUS)
    icrs = sky[kept].icrs
    return QTable(
        {"ra": icrs.ra, "dec": icrs.dec, "glat": sky[kept].b.to(u.deg), "score": scores[kept]}
    )


def print_rates(found: QTable, reference: QTable) -> None:
    """Print rates at several cuts, and completeness at purity 0.90."""
    print(
        "| region | TS >= | detections | purity | completeness, all | completeness, "
        "Flux1000 > 1e-9 |\n|---|---|---|---|---|---|"
    )
    for name, limits in REGIONS.items():
        everything, bright = (evaluation(found, reference, limits, flux) for flux in (0, 1e-9))
        for cut in CUTS:
            now, strong = rates(everything, cut=cut), rates(bright, cut=cut)
            print(
                f"| {name} | {cut} | {now.n_detections} | {_interval(everything, cut, 'purity')} "
                f"| {_interval(everything, cut, 'completeness')} "
                f"| {_interval(bright, cut, 'completeness')} ({strong.n_sources}) |"
            )
        best = completeness_at_purity(everything, purity=0.90)
        print(
            f"| {name} | {best.cut:.1f} (purity 0.90) | {best.n_detections} "
            f"| {best.purity:.3f} | {best.completeness:.3f} | |"
        )


def evaluation(found: QTable, reference: QTable, limits: tuple[float, float], flux: float):
    """Match all, and select a region and the sources above a flux."""
    here, there = (np.abs(t[c].to_value("deg")) for t, c in ((found, "glat"), (reference, "GLAT")))
    return evaluate_detections(
        found,
        reference,
        radius=RADIUS,
        counted=(here > limits[0]) & (here <= limits[1]),
        selected=(there > limits[0])
        & (there <= limits[1])
        & (reference["Flux1000"].to_value("cm-2 s-1") > flux),
    )


def _interval(evaluation, cut: float, rate: str) -> str:
    value = getattr(rates(evaluation, cut=cut), rate)
    low, high = bootstrap_interval(
        evaluation, lambda e: getattr(rates(e, cut=cut), rate), rng=np.random.default_rng(0)
    )
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def print_offsets(found: QTable, reference: QTable) -> None:
    """Print position offsets against the errors, catalogue errors added."""
    print(
        "\n| abs(b) > 20, TS | sources | median offset (deg) | within r68 | within r95 "
        "|\n|---|---|---|---|---|"
    )
    high = np.abs(found["glat"].to_value("deg")) > 20
    for low, up in ((16, 25), (25, 100), (100, 1000), (1000, np.inf)):
        chosen = found[high & (found["ts"] >= low) & (found["ts"] < up)]
        pairs = match_one_to_one(
            SkyCoord(chosen["ra"], chosen["dec"]),
            SkyCoord(reference["RAJ2000"], reference["DEJ2000"]),
            RADIUS,
        )
        ours, theirs = chosen["pos_err"][pairs.a], reference["Conf_68_SemiMajor"][pairs.b]
        known = np.isfinite(theirs)
        pull = (pairs.separation / np.hypot(ours, theirs)).to_value("")[known]
        print(
            f"| {low}-{up} | {known.sum()} "
            f"| {np.median(pairs.separation[known].to_value('deg')):.4f} "
            f"| {np.mean(pull <= 1):.3f} | {np.mean(pull <= R95_OVER_R68):.3f} |"
        )


if __name__ == "__main__":
    main()
