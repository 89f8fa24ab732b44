"""Light curves of simulated skies of ten years, and the search of each year.

``python benchmarks/variability.py WORK [--skies 4] [--preset fermi-lat-psf3-2-20]``. Each sky is
kept in the folder WORK, so that a run that stops goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord, concatenate
from results import kept
from scipy.stats import chi2, kstest

from gammafind.catalogue.positions import sky_positions
from gammafind.fitting.photons.epoch_search import Flares, search_epochs, threshold
from gammafind.fitting.photons.expected import expected_by_band
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.pipeline.light_curves import light_curves
from gammafind.plugins.fermi_lat.population.variability import steady_history
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.sky.projection import positions_of
from gammafind.sky.time_epochs import TimeEpochs

LEAST_TS, BRIGHT_TS = 25.0, 100.0
RADIUS = 0.3
"""Degrees within which a flare is a source."""
REGIONS = {"abs(b) > 20": (20, 90), "10 - 20": (10, 20), "abs(b) < 10": (0, 10)}
AMPLITUDES = (0.0, 0.15, 0.3, 0.6, 1.2, 10.0)
"""Edges of true fractional variability."""
N_YEARS = 10


@kept("variability")
def main() -> None:
    """Print the tables of docs/validation/variability.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--skies", type=int, default=4)
    parser.add_argument("--preset", default="fermi-lat-psf3-2-20")
    arguments = parser.parse_args()
    arguments.work.mkdir(exist_ok=True)
    rows = [measured(arguments.work, arguments.preset, seed) for seed in range(arguments.skies)]
    joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    steady(joined)
    intervals(joined)
    variable(joined)
    flares(joined)
    print(
        f"\nLight curves of {len(joined['ts'])} sources in {N_YEARS} years took "
        f"{joined['seconds'].sum():.0f} s on two cores; the search of {joined['searched'].sum()} "
        f"years took {joined['search_seconds'].sum():.0f} s."
    )


def measured(work: Path, preset: str, seed: int) -> dict[str, np.ndarray]:
    """Truth and measurement of a sky, from its file or made now."""
    path = work / f"{preset}-{seed}.npz"
    if not path.is_file():
        np.savez(path, **made(preset, seed))
    with np.load(path) as stored:
        return dict(stored)


def made(preset: str, seed: int) -> dict[str, np.ndarray]:
    """Truth and measurement of a sky; every second one has steady sources only."""
    options = {"renderer": {"exposure_source": "ten-years"}}
    chosen = with_plugins(load_preset(preset), {}, options)
    renderer = build(chosen.renderer)
    population = build(chosen.population).sample(rng=np.random.default_rng((20, seed)))
    if seed % 2:
        population["flux_history"] = steady_history(len(population))
    sky = simulated_sky(renderer, population, seed=seed, index=0)
    epochs = TimeEpochs.of_maps(draw_epochs(sky, renderer, rng=np.random.default_rng((21, seed))))
    counts, positions = renderer.source_counts(sky.sources), sky_positions(sky.sources)
    ts = expected_ts(sky, counts)
    chosen = ts > LEAST_TS
    start = perf_counter()
    curves = light_curves(sky.observation, epochs, positions[chosen], systematic=0.0)
    seconds = perf_counter() - start
    history = np.array(sky.sources["flux_history"], dtype=float)[chosen]
    shares = epochs.shares_at(positions[chosen]).transpose(2, 1, 0)
    mean = counts[chosen] / np.einsum("nbe,ne->nb", shares, history)
    flux = np.sum(mean / exposures(sky, positions[chosen]), axis=1)
    return {
        "ts": ts[chosen],
        "b": np.abs(positions[chosen].galactic.b.deg),
        "history": history,
        "true": flux[:, None] * history,
        "flux": curves["Flux_History"].value,
        "error": curves["Unc_Flux_History"].value,
        "limit": curves["Flux_UL_History"].value,
        "index": np.asarray(curves["Variability_Index"]),
        "fractional": np.asarray(curves["Frac_Variability"]),
        "seconds": np.array([seconds]),
        **searched(sky, epochs, positions, ts, counts),
    }


def expected_ts(sky: SimulatedSky, counts: np.ndarray) -> np.ndarray:
    """Expected TS of all sources in the whole time."""
    background = sky.observation.total_background()
    everything = replace(sky.expected, values=sky.everything())
    positions = sky_positions(sky.sources)
    found = expected_by_band(positions, counts, everything, background, sky.observation.psfs)
    return found.ts.sum(axis=1)


def exposures(sky: SimulatedSky, positions: SkyCoord) -> np.ndarray:
    """Exposure of each band at positions, shape (n, n_bands)."""
    exposure = sky.observation.exposure
    pairs = zip(exposure.pixels, exposure.values, strict=True)
    return np.stack([pixels.interpolate(values, positions) for pixels, values in pairs], axis=1)


def searched(
    sky: SimulatedSky, epochs: TimeEpochs, positions: SkyCoord, ts: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Sources of single years, and how much of their light is true."""
    known = positions[ts > LEAST_TS]
    model, _ = known_sky(sky.observation, known, index=2.3)
    # What is bright in the whole time, such as several faint sources in one place, is no flare.
    more = search_epochs(model, whole_time(epochs), radius=RADIUS)
    known = concatenate([known, positions_of(more.vectors, model.data.frame).icrs])
    model, _ = known_sky(sky.observation, known, index=2.3)
    start = perf_counter()
    found = search_epochs(model, epochs, radius=RADIUS)
    seconds = perf_counter() - start
    history = np.array(sky.sources["flux_history"], dtype=float)
    faint = np.flatnonzero(ts <= LEAST_TS)
    yearly = counts[faint].sum(axis=1)[:, None] * history[faint] / N_YEARS
    own = brightest(found, positions[faint], yearly, model.data.frame)
    return {
        "flare_ts": found.ts,
        "flare_b": np.abs(positions_of(found.vectors, model.data.frame).galactic.b.deg),
        "flare_counts": found.counts,
        "flare_true": own,
        "flare_steady": np.full(len(found.ts), bool(np.all(history == 1))),
        "searched": np.array([len(epochs)]),
        "steady_searched": np.array([len(epochs) * bool(np.all(history == 1))]),
        "search_seconds": np.array([seconds]),
    }


def whole_time(epochs: TimeEpochs) -> TimeEpochs:
    """All epochs as a single one."""
    photons = tuple(replace(one, epoch=np.zeros_like(one.epoch)) for one in epochs.photons)
    shares = tuple(share.sum(axis=0, keepdims=True) for share in epochs.shares)
    return replace(
        epochs, spans=epochs.spans[:1], photons=photons, shares=shares, errors=epochs.errors[:1]
    )


def brightest(found: Flares, positions: SkyCoord, yearly: np.ndarray, frame: str) -> np.ndarray:
    """Expected counts, in its year, of the brightest faint source near each flare."""
    own = np.zeros(len(found.ts))
    for i, place in enumerate(positions_of(found.vectors, frame)):
        near = place.separation(positions) < RADIUS * u.deg
        own[i] = yearly[near, found.epoch[i]].max(initial=0)
    return own


def steady(joined: dict[str, np.ndarray]) -> None:
    """Variability index of steady sources against chi-square."""
    print("| region | steady sources | mean index | KS p | above the 99 % point |")
    print("|---|---|---|---|---|")
    still = np.all(joined["history"] == 1, axis=1) & (joined["ts"] > BRIGHT_TS)
    for name, inside in regions(joined["b"]):
        index = joined["index"][still & inside]
        p = kstest(index, chi2(N_YEARS - 1).cdf).pvalue
        above = np.mean(index > chi2.ppf(0.99, N_YEARS - 1))
        print(f"| {name} | {len(index)} | {index.mean():.2f} | {p:.3f} | {above:.3f} |")
    print()


def intervals(joined: dict[str, np.ndarray]) -> None:
    """Coverage of the errors of yearly fluxes, and of the limits."""
    print("| region | expected TS | sources | 68 % intervals | median ratio | share with a limit |")
    print("|---|---|---|---|---|---|")
    flux, true, error = joined["flux"], joined["true"], joined["error"]
    low = flux + np.where(np.isnan(error[..., 0]), -np.inf, error[..., 0])
    inside_interval = (true >= low) & (true <= flux + error[..., 1])
    for name, inside in regions(joined["b"]):
        for least, most in ((LEAST_TS, BRIGHT_TS), (BRIGHT_TS, np.inf)):
            rows = inside & (joined["ts"] > least) & (joined["ts"] <= most)
            label = f"{least:.0f} - {most:.0f}" if np.isfinite(most) else f"> {least:.0f}"
            print(
                f"| {name} | {label} | {rows.sum()} | {inside_interval[rows].mean():.3f} "
                f"| {np.median((flux.mean(axis=1) / true.mean(axis=1))[rows]):.3f} "
                f"| {np.isfinite(joined['limit'][rows]).mean():.2f} |"
            )
    print()


def variable(joined: dict[str, np.ndarray]) -> None:
    """How well the index finds sources that vary."""
    print("| true variability | sources | AUC | above the 99 % point | median measured |")
    print("|---|---|---|---|---|")
    history = joined["history"]
    true = history.std(axis=1, ddof=1) / history.mean(axis=1)
    bright = (joined["ts"] > BRIGHT_TS) & (joined["b"] > 10)
    still = joined["index"][bright & (true == 0)]
    for low, high in pairwise(AMPLITUDES):
        rows = bright & (true > low) & (true <= high)
        index = joined["index"][rows]
        above = np.mean(index > chi2.ppf(0.99, N_YEARS - 1))
        print(
            f"| {low:g} - {high:g} | {rows.sum()} | {auc(index, still):.3f} | {above:.2f} "
            f"| {np.median(joined['fractional'][rows]):.2f} |"
        )
    moving = joined["index"][bright & (true > 0)]
    print(f"| all | {len(moving)} | {auc(moving, still):.3f} | - | - |")
    print()


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that the first is larger than the second."""
    order = np.sort(negative)
    return float(np.mean(np.searchsorted(order, positive) / max(len(order), 1)))


def flares(joined: dict[str, np.ndarray]) -> None:
    """What the search of single years finds, with and without flares."""
    print(f"Threshold in one of {N_YEARS} years: TS {threshold(N_YEARS):.1f}.\n")
    print("| sky | region | years searched | found | with a source | counts over true ones |")
    print("|---|---|---|---|---|---|")
    for steady_sky, label in ((False, "variable sources"), (True, "steady sources")):
        searched_years = joined["steady_searched"].sum()
        if not steady_sky:
            searched_years = joined["searched"].sum() - searched_years
        for name, inside in regions(joined["flare_b"]):
            rows = inside & (joined["flare_steady"] == steady_sky)
            own, counts = joined["flare_true"][rows], joined["flare_counts"][rows]
            real = own > counts / 3
            ratio = f"{np.median(counts[real] / own[real]):.2f}" if real.any() else "-"
            print(
                f"| {label} | {name} | {searched_years} | {rows.sum()} | {real.sum()} | {ratio} |"
            )


def regions(b: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Names of ranges of Galactic latitude, and which rows are in each."""
    for name, (low, high) in REGIONS.items():
        yield name, (b > low) & (b <= high)


if __name__ == "__main__":
    main()
