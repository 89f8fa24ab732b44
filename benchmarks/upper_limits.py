"""Coverage of upper limits at places with sources of known expected TS, or with none.

``python benchmarks/upper_limits.py [--places 1000]``. Counts are drawn from a model of the
background that is known; a smaller check fits background and neighbours, as `gammafind.probe` does.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from astropy.table import QTable
from results import kept
from scipy.optimize import brentq

import gammafind
from gammafind.catalogue.positions import sky_positions
from gammafind.fitting.photons.data import SkyData, sky_data
from gammafind.fitting.photons.known_sky import Probe, known_sky
from gammafind.fitting.photons.limits import LocalSky, Profile, fit_place, profile_limit
from gammafind.fitting.photons.surroundings import gather
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import positions_of
from gammafind.sky.skymap import SkyMap

EXPECTED_TS = (0, 1, 4, 9, 16)
REGIONS = {"abs(b) > 20": (20, 90), "abs(b) < 10": (0, 10)}
INDEX = 2.3
LEVEL = 0.95
APART = 4.0
"""Least distance in degrees of two places on a sky."""
MEMBERS = 10.0
"""Least significance of the sources of 4FGL-DR2 on the sky with a fitted background."""


@kept("upper_limits")
def main() -> None:
    """Print the tables of docs/validation/limits.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--skies", type=int, default=2)
    arguments = parser.parse_args()
    known(arguments.places)
    print()
    fitted(arguments.skies)


def known(n: int) -> None:
    """Limits where the background is known."""
    print(
        "| sky | region | expected TS | median counts | coverage | profile alone | flat prior "
        "| over its Asimov limit | over that of the profile |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for number, (name, data) in enumerate(skies()):
        for region, span in REGIONS.items():
            for ts in EXPECTED_TS:
                rng = np.random.default_rng((19, number, ts, *span))
                drawn = [measured(near, ts, rng) for near in local_skies(data, n, span, rng)]
                counts, *limits, own, usual = np.array(drawn).T
                covered = " | ".join(f"{np.mean(limit >= counts):.3f}" for limit in limits)
                ratios = (f"{np.median(limits[0] / one):.3f}" for one in (own, usual))
                shown = f"{name} | {region} | {ts} | {np.median(counts):.1f} | {covered}"
                print(f"| {shown} | {' | '.join(ratios)} |")


def skies() -> Iterator[tuple[str, SkyData]]:
    """Skies of many photons, of few, and of very few."""
    lat = build(load_preset("fermi-lat-psf3-2-20").renderer)
    yield "2-20 GeV", expected(lat)
    yield "10-500 GeV, SOURCE", expected(above_10_gev("P8R3_SOURCE_V3", "FRONT+BACK"))
    sparse = above_10_gev("P8R2_ULTRACLEANVETO_V6", "FRONT")
    yield "10-500 GeV, UltracleanVeto FRONT", expected(sparse)


def above_10_gev(irf: str, types: str) -> SkyRenderer:
    """Ten years above 10 GeV in two bands."""
    return gammafind.create(
        "renderer",
        "fermi-lat",
        irf=irf,
        event_types=[types],
        energies=[10, 30, 500],
        nsides=[512, 512],
        max_zeniths=[105, 105],
        exposure_source="ten-years",
    )


def expected(renderer: SkyRenderer) -> SkyData:
    """Model of a sky without sources."""
    background = renderer.background()
    first = next(iter(background.values()))
    counts = first.map(lambda values: np.zeros(values.shape, dtype=int), kind="counts")
    return sky_data(
        Observation(counts, background, renderer.exposure(), renderer.psfs()), index=INDEX
    )


def directions(n: int, span: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Unit vectors of random places between two Galactic latitudes, north and south."""
    low, high = np.sin(np.radians(span))
    z = rng.uniform(low, high, n) * rng.choice([-1, 1], n)
    angle = rng.uniform(0, 2 * np.pi, n)
    across = np.sqrt(1 - z**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), z], axis=1)


def local_skies(
    data: SkyData, n: int, span: tuple[float, float], rng: np.random.Generator
) -> Iterator[LocalSky]:
    """Random places, with no counts yet."""
    for vector in directions(n, span, rng):
        near = gather(data, vector[None, None])
        yield LocalSky.alone(near.counts[0], near.model[0], near.templates[0, 0])


def counts_of(ts: float, model: np.ndarray, template: np.ndarray) -> float:
    """Counts of a source whose expected TS is given, on a known model."""

    def excess(counts: float) -> float:
        source = counts * template
        return 2 * np.sum((model + source) * np.log1p(source / model) - source) - ts

    high = 1.0
    while excess(high) < 0:
        high *= 2
    return brentq(excess, 0, high) if ts else 0.0


def measured(near: LocalSky, ts: float, rng: np.random.Generator) -> tuple[float, ...]:
    """True counts; limits by our rule, the profile likelihood, a flat prior; two Asimov limits."""
    counts = counts_of(ts, near.fixed, near.template)
    mean = near.fixed + counts * near.template
    seen = replace(near, counts=rng.poisson(mean).astype(float))
    of_profile, best, error = of_profile_alone(seen)
    flat = flat_prior_limit(seen, best, error)
    as_expected = replace(near, counts=mean)
    own, usual = fit_place(as_expected).limit, of_profile_alone(as_expected)[0]
    return counts, fit_place(seen).limit, of_profile, flat, own, usual


def of_profile_alone(sky: LocalSky) -> tuple[float, float, float]:
    """Limit by the profile likelihood alone, the best counts and their error."""
    profile = Profile(sky)
    best, information = profile.best()
    error = information**-0.5
    return profile_limit(profile, best, error), best, error


def flat_prior_limit(sky: LocalSky, best: float, error: float) -> float:
    """Upper end of 95 % of the posterior of a flat prior for positive counts."""
    tried = np.linspace(0, best + 8 * error + 10, 600)
    filled = sky.counts > 0
    model = sky.fixed[filled] + tried[:, None] * sky.template[filled]
    logarithm = np.log(model) @ sky.counts[filled] - tried * sky.template.sum()
    below = np.cumsum(np.exp(logarithm - logarithm.max()))
    return float(np.interp(LEVEL, below / below[-1], tried))


def fitted(n: int) -> None:
    """Limits where background and neighbours are fitted to the same counts."""
    lat = build(load_preset("fermi-lat-psf3-2-20").renderer)
    members = bright()
    model = lat.render(members).values[0]
    model = model + sum(sky.values[0] for sky in lat.background().values())
    rows = np.concatenate([one_sky(lat, members, model, seed) for seed in range(n)])
    print("| sources of the model within 2 deg | expected TS | places | coverage |")
    print("|---|---|---|---|")
    for name, some in (("no", rows[:, 3] > 2), ("yes", rows[:, 3] <= 2)):
        for ts in EXPECTED_TS:
            chosen = rows[some & (rows[:, 0] == ts)]
            covered = np.mean(chosen[:, 2] >= chosen[:, 1])
            print(f"| {name} | {ts} | {len(chosen)} | {covered:.3f} |")


def bright() -> QTable:
    """Sources of 4FGL-DR2 that a search finds."""
    table = load_4fgl_dr2()
    return true_sources(table[np.asarray(table["Signif_Avg"]) > MEMBERS])


def one_sky(lat: SkyRenderer, members: QTable, model: np.ndarray, seed: int) -> np.ndarray:
    """Expected TS, true counts, limit and distance to a source, for places of one sky: (n, 4)."""
    rng = np.random.default_rng((19, 100, seed))
    observation = empty(lat, model)
    data = sky_data(observation, index=INDEX)
    data = data.with_model([model], [model])
    vectors = spread(rng)
    ts = rng.choice(EXPECTED_TS, len(vectors))
    near = gather(data, vectors[:, None])
    pairs = zip(ts, near.model, near.templates[:, 0], strict=True)
    counts = np.array([counts_of(*each) for each in pairs])
    mean = model + sky_counts(vectors, counts, data.bands[0].pixels, data.bands[0].psf)
    drawn = replace(observation, counts=replace(observation.counts, values=(rng.poisson(mean),)))
    sources = sky_positions(members)
    known_model, _ = known_sky(drawn, sources, index=INDEX)
    fits = Probe(known_model).fits(vectors, np.full(len(vectors), -1))
    limits = [np.nan if fit is None else fit.limit for fit in fits]
    _, apart, _ = positions_of(vectors, data.frame).match_to_catalog_sky(sources)
    return np.column_stack([ts, counts, limits, apart.deg])


def empty(lat: SkyRenderer, model: np.ndarray) -> Observation:
    """Observation without counts."""
    counts = SkyMap(lat.bands, lat.pixels, (np.zeros(model.shape, dtype=int),))
    return Observation(counts, lat.background(), lat.exposure(), lat.psfs())


def spread(rng: np.random.Generator) -> np.ndarray:
    """Random unit vectors, far from each other."""
    chosen: list[np.ndarray] = []
    nearest = np.cos(np.radians(APART))
    for vector in directions(4000, (0, 90), rng):
        if all(vector @ other < nearest for other in chosen):
            chosen.append(vector)
    return np.array(chosen)


if __name__ == "__main__":
    main()
