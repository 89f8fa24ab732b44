"""The likelihood localiser on Poisson skies with known sources, and on empty skies."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from real_sky import likelihood
from results import kept

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.evaluation.metrics import completeness_at_purity, evaluate_detections, rates
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

PRESET = load_preset("fermi-lat-psf3-2-20")
SEEDS = (11, 12, 13)
CUTS = (9, 12, 16, 25)
RADIUS = 0.5 * u.deg


@kept("simulated_sky")
def main() -> None:
    """Print the tables of docs/validation/simulated_sky.md."""
    renderer = build(PRESET.renderer)
    localiser = likelihood()
    truth = true_sources(load_4fgl_dr2())
    expected = renderer.render(truth)
    background = renderer.observe(expected.map(np.zeros_like, kind="counts"))
    skies = [draw(renderer, background, expected, seed) for seed in SEEDS]
    found = [localiser.localise_sky(sky) for sky in skies]
    print_rates(found, truth)
    print_positions(found, truth)
    print_fluxes(found, truth)
    empty = expected.map(np.zeros_like, kind="expected counts")
    counts = [
        localiser.localise_sky(draw(renderer, background, empty, seed))["ts"] for seed in SEEDS
    ]
    print("\nEmpty skies, detections a sky:", end=" ")
    print(
        ", ".join(
            f"TS >= {cut}: {np.mean([np.sum(ts >= cut) for ts in counts]):.1f}" for cut in CUTS
        )
    )


def draw(
    renderer: SkyRenderer, background: Observation, expected: SkyMap, seed: int
) -> Observation:
    """Poisson counts of sources and background."""
    total = expected.values[0] + background.total_background().values[0]
    counts = np.random.default_rng(seed).poisson(total)
    return replace(background, counts=replace(expected, values=(counts,), kind="counts"))


def print_rates(skies: list[QTable], truth: QTable) -> None:
    """Print completeness and purity of all skies together."""
    print(
        "| region | TS >= | detections a sky | purity | completeness, all | completeness, "
        "Flux1000 > 1e-9 |\n|---|---|---|---|---|---|"
    )
    bright = truth["Flux1000"].to_value("cm-2 s-1") > 1e-9
    lat = np.abs(truth["GLAT"].to_value("deg"))
    for name, low, up in (("abs(b) > 20", 20, 90), ("abs(b) < 20", 0, 20)):
        at = (lat > low) & (lat <= up)
        everything, strong = (
            [_evaluate(sky, truth, low, up, s) for sky in skies] for s in (at, at & bright)
        )
        for cut in CUTS:
            now = [rates(e, cut=cut) for e in everything]
            print(
                f"| {name} | {cut} | {np.mean([r.n_detections for r in now]):.0f} "
                f"| {_mean(r.purity for r in now)} | {_mean(r.completeness for r in now)} "
                f"| {_mean(rates(e, cut=cut).completeness for e in strong)} |"
            )
        best = [completeness_at_purity(e, purity=0.90) for e in everything]
        print(
            f"| {name} | {np.mean([r.cut for r in best]):.1f} (purity 0.90) "
            f"| {np.mean([r.n_detections for r in best]):.0f} | {_mean(r.purity for r in best)} "
            f"| {_mean(r.completeness for r in best)} | |"
        )


def _evaluate(sky: QTable, truth: QTable, low: float, up: float, selected: np.ndarray):
    lat = np.abs(sky["glat"].to_value("deg"))
    return evaluate_detections(
        sky, truth, radius=RADIUS, selected=selected, counted=(lat > low) & (lat <= up)
    )


def _pairs(skies: list[QTable], truth: QTable):
    for sky in skies:
        pairs = match_one_to_one(
            SkyCoord(sky["ra"], sky["dec"]), SkyCoord(truth["ra"], truth["dec"]), RADIUS
        )
        yield sky[pairs.a], truth[pairs.b], pairs.separation.to_value("deg")


def print_positions(skies: list[QTable], truth: QTable) -> None:
    """Print offsets against position errors, away from the plane."""
    print(
        "\n| abs(b) > 20, TS | sources | median offset (deg) | within r68 | within r95 "
        "|\n|---|---|---|---|---|"
    )
    ts, lat, apart, error = np.concatenate(
        [
            np.stack([s["ts"], np.abs(s["glat"].value), sep, s["pos_err"].to_value("deg")])
            for s, _, sep in _pairs(skies, truth)
        ],
        axis=1,
    )
    for low, up in ((16, 25), (25, 100), (100, 1000), (1000, np.inf)):
        at = (lat > 20) & (ts >= low) & (ts < up)
        pull = apart[at] / error[at]
        print(
            f"| {low}-{up} | {at.sum()} | {np.median(apart[at]):.4f} | {np.mean(pull <= 1):.3f} "
            f"| {np.mean(pull <= R95_OVER_R68):.3f} |"
        )


def print_fluxes(skies: list[QTable], truth: QTable) -> None:
    """Print the ratio of measured to true flux in the band, away from the plane."""
    from gammafind.plugins.fermi_lat.catalogues import spectra_of

    band = build(PRESET.renderer).bands[0]
    print(
        "\n| abs(b) > 20, TS | sources | median flux ratio | median pull | scatter of pull "
        "|\n|---|---|---|---|---|"
    )
    ts, lat, ratio, pull = np.concatenate(
        [
            _flux_rows(s, spectra_of(t).flux(band.low, band.high))
            for s, t, _ in _pairs(skies, truth)
        ],
        axis=1,
    )
    for low, up in ((16, 25), (25, 100), (100, 1000), (1000, np.inf)):
        at = (lat > 20) & (ts >= low) & (ts < up)
        scatter = np.diff(np.quantile(pull[at], [0.16, 0.84]))[0] / 2
        print(
            f"| {low}-{up} | {at.sum()} | {np.median(ratio[at]):.3f} "
            f"| {np.median(pull[at]):.2f} | {scatter:.2f} |"
        )


def _flux_rows(found: QTable, true_flux: u.Quantity) -> np.ndarray:
    ratio = (found["flux"] / true_flux).to_value("")
    pull = ((found["flux"] - true_flux) / found["flux_err"]).to_value("")
    return np.stack([found["ts"], np.abs(found["glat"].value), ratio, pull])


def _mean(values) -> str:
    values = np.array(list(values))
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


if __name__ == "__main__":
    main()
