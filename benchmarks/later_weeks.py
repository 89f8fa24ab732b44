"""Weeks 1 to 413 searched, and judged by the photons of weeks 414 to 573; needs ../shared.

``python benchmarks/later_weeks.py FOLDER [--skies 8]`` keeps what it measures in FOLDER; the same
command continues. With ``--weights`` `unet` with these is measured, too. No catalogue is used. On
the later photons each detection is fitted at its place, with all others and with fixed weights, so
that its flux is unbiased and may be negative. How much of their measured flux real and false
detections keep is measured on simulated pairs of skies.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable
from later_shares import Calibration, Sums, joined
from results import kept, named
from scipy import sparse
from scipy.sparse.linalg import splu

import gammafind
from gammafind.catalogue.io import read_table, write_table
from gammafind.catalogue.positions import sky_positions
from gammafind.evaluation.metrics import evaluate_detections
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.plugins.fermi_lat.fluxes import flux_history
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.plugins.unet.localiser import UNet
from gammafind.presets.preset import build, load_preset
from gammafind.roles.localiser import Localiser
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf_stamps import stamps
from gammafind.sky.skymap import SkyMap

FERMI = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
EARLIER_COUNTS = FERMI / "sky413" / "counts_413w_2-20GeV_UCV_PSF3_ns128_ring_gal.npz"
EARLIER = FERMI / "sky413" / "exposure_413w_ns128_ring_gal.npy"
WHOLE = FERMI / "sky" / "exposure_573w_2-20GeV_UCV_PSF3_ns128_ring_gal.npy"
PRESET = load_preset("fermi-lat-psf3-2-20")
LOCALISERS: dict[str, Localiser] = {"unet": UNet(), "likelihood": Likelihood()}
OTHER, DEEP = "any-bands", "likelihood-6"
"""Names of `unet` with other weights, and of `likelihood` down to a TS below the promised cut."""
LEAST = {"unet": 0.2, "likelihood": 9.0, OTHER: 0.2, DEEP: 6.0}
"""Least scores of the detections that are fitted."""
_PROBABILITIES = (0.2, 0.5, 0.75, 0.95, 1.01)
_TS = (9, 12, 16, 25, 100, np.inf)
BINS = {"unet": _PROBABILITIES, "likelihood": _TS, OTHER: _PROBABILITIES, DEEP: _TS}
SCORES = {"unet": "probability", "likelihood": "TS", OTHER: "probability", DEEP: "TS"}
PROMISED = 0.90
"""Purity that localisers promise, for the number of confirmed detections."""
REGIONS = {"abs(b) > 20": (20, 90), "abs(b) < 20": (0, 20)}
YEARS = 7
"""Of the ten years of a simulated source, those that stand for weeks 1 to 413; weeks 414 to 573 are
the other three, since 413 / 573 = 0.72."""
SEED = 413
SMOOTHING, ROUNDS = 6.0, 2
"""Full width in degrees over which the background varies, and rounds, as in a search."""
CONTAINMENT = 0.98
"""Share of the counts in the pixels of a source: wings beyond are as in the fit of the sky."""
BRIGHT = 3e-10
"""Flux in cm-2 s-1 above which all sources have the same weight in a sum: otherwise a few bright
blazars determine it, whose variability is larger than all other errors."""
FLARE, SIGMAS = 5.0, 3.0
"""Later fluxes above so many times the earlier one, plus so many errors, count as that: a source
that flares is confirmed once, not several times."""
STEADY = 5.0
"""Latitude in degrees below which interstellar emission and pulsars, which are steady, give most of
the photons: the scale of the later exposure is taken from them."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The same sky in two spans of time.

    Attributes
    ----------
    early, late : Observation
    signed : ndarray, shape (196608,)
        Counts of ``late``, where they may be negative: on the real sky, photons of the earlier
        weeks that are not among those of all weeks, which were selected again.
    """

    early: Observation
    late: Observation
    signed: np.ndarray


def main() -> None:
    """Print the tables of docs/validation/later_weeks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skies", type=int, default=8)
    parser.add_argument("--weights", default="")
    arguments = parser.parse_args()
    if arguments.weights:
        del LOCALISERS["likelihood"]
        LOCALISERS[DEEP] = Likelihood(threshold=LEAST[DEEP])
        LOCALISERS[OTHER] = UNet(weights=arguments.weights)
    with kept(named("later_weeks", arguments.weights)):
        measure(arguments.folder, arguments.skies)


def measure(folder: Path, n_skies: int) -> None:
    """Search and fit all pairs, and print."""
    skies = Skies()
    print_counts(skies)
    simulated = {name: [] for name in LOCALISERS}
    for index in range(n_skies):
        for name, table in found(folder / f"sky-{index:02d}", skies, index).items():
            simulated[name].append(table)
    real = found(folder / "real", skies, None)
    for name in LOCALISERS:
        print(f"\n{name}, the real sky:\n")
        print_real(real[name], simulated[name], name)
        kept_by_false = (f"{false_of(simulated[name], region):.3f}" for region in REGIONS)
        print(f"\nFalse detections of simulated skies keep {' and '.join(kept_by_false)}", end=" ")
        print(f"of their flux above and below 20 deg. {np.sum(flares(real[name]))} of", end=" ")
        print(f"{len(real[name])} later fluxes are limited.")
        print(f"\n{name}, {n_skies} simulated skies, each judged by all others:\n")
        print_simulated(simulated[name], name)
    print_confirmed(real, simulated)


class Skies:
    """Real and simulated pairs of the preset."""

    @cached_property
    def renderer(self) -> gammafind.SkyRenderer:
        """That of the preset, with the exposure of all weeks."""
        return build(PRESET.renderer)

    @cached_property
    def share(self) -> np.ndarray:
        """Share of the exposure in weeks 1 to 413, shape (196608,)."""
        return np.load(EARLIER).astype(float) / np.load(WHOLE)

    @cached_property
    def later_scale(self) -> float:
        """Later over earlier photons near the plane, over the ratio of exposures."""
        early, late = self.real_counts()
        latitude = sky_latitude()
        near = np.abs(latitude) < STEADY
        expected = (early * (1 / self.share - 1))[near].sum()
        return float(late[near].sum() / expected)

    def pair(self, index: int | None) -> tuple[Pair, QTable | None]:
        """Simulated pair of a number with its sources, or the real one (None)."""
        if index is None:
            return self._split(*self.real_counts(), self.later_scale), None
        rng = np.random.default_rng([SEED, index])
        sources = build(PRESET.population).sample(rng=rng)
        history = flux_history(sources)
        background = self.renderer.background().values()
        counts = []
        for years, share in (
            (slice(None, YEARS), self.share),
            (slice(YEARS, None), 1 - self.share),
        ):
            there = brightened(sources, history[:, years].mean(axis=1))
            parts = [self.renderer.render(there), *background]
            counts.append(rng.poisson(share * sum(one.values[0] for one in parts)))
        return self._split(*counts, 1.0), sources

    def real_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Counts of weeks 1 to 413, and of the later ones, shape (196608,)."""
        with np.load(EARLIER_COUNTS) as file:
            early = file["counts"].astype(float)
        return early, gammafind.demo_sky().values[0] - early

    def _split(self, early: np.ndarray, late: np.ndarray, scale: float) -> Pair:
        """Both spans, of which the later one has its exposure times ``scale``."""
        sky = gammafind.demo_sky()
        whole = self.renderer.observe(sky)
        return Pair(
            scaled(whole, early, self.share),
            scaled(whole, np.maximum(late, 0), scale * (1 - self.share)),
            signed=late,
        )


def sky_latitude() -> np.ndarray:
    """Galactic latitude of each pixel in degrees, shape (196608,)."""
    import healpy as hp

    return hp.pix2ang(128, np.arange(12 * 128**2), lonlat=True)[1]


def scaled(observation: Observation, counts: np.ndarray, share: np.ndarray) -> Observation:
    """Return an observation of other counts and a share of the exposure."""

    def part(sky: SkyMap) -> SkyMap:
        return replace(sky, values=(sky.values[0] * share,))

    return replace(
        observation,
        counts=replace(observation.counts, values=(counts,)),
        background={name: part(sky) for name, sky in observation.background.items()},
        exposure=part(observation.exposure),
    )


def brightened(sources: QTable, factor: np.ndarray) -> QTable:
    """Sources with their fluxes times a factor."""
    table = QTable(sources, copy=True)
    for name in table.colnames:
        if name == "flux" or name.endswith("Flux_Density"):
            table[name] = table[name] * factor
    return table


def found(folder: Path, skies: Skies, index: int | None) -> dict[str, QTable]:
    """Detections of the earlier weeks with their later flux, computed once."""
    paths = {name: folder / f"{name}.ecsv" for name in LOCALISERS}
    missing = {name: path for name, path in paths.items() if not path.exists()}
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        pair, sources = skies.pair(index)
        for name, path in missing.items():
            write_table(judged(pair, sources, name), path)
    return {name: read_table(path) for name, path in paths.items()}


def judged(pair: Pair, sources: QTable | None, name: str) -> QTable:
    """Search the earlier weeks with a localiser, and fit the detections in the later ones."""
    layout = PRESET.patches
    table = LOCALISERS[name].localise_sky(
        pair.early,
        grid=PatchGrid.healpix(layout.nside, size=layout.size),
        n_pixels=layout.widths(1),
        rng=np.random.default_rng(0),
    )
    table = table[np.asarray(table["score"]) >= LEAST[name]]
    table = table["ra", "dec", "glon", "glat", "score", "ts", "flux", "flux_err"]
    table.meta = {}
    table["later"], table["later_err"] = later_fluxes(pair, table)
    table["real"] = np.zeros(len(table), dtype=bool)
    if sources is not None:
        table["real"] = evaluate_detections(table, sources, radius=PRESET.match_radius).matched
    return table


def fitted(observation: Observation, table: QTable) -> SkyModel:
    """Background that varies slowly, with the detections of a table in the model."""
    data = sky_data(observation, index=2.3)
    model = SkyModel(data, background_components(observation, data), smoothing=0.0)
    vectors = vectors_in(data.frame, sky_positions(table))
    first = table["flux"].to_value("cm-2 s-1") * data.exposures(vectors)[:, 0]
    model.add(vectors, np.maximum(first, 1e-3))
    model.update(background=False)
    model.smoothing = SMOOTHING
    for _ in range(ROUNDS):
        model.update()
    return model


def later_fluxes(pair: Pair, table: QTable) -> tuple[u.Quantity, u.Quantity]:
    """Flux of each detection at its place, and its error, possibly negative.

    Least squares for all together, with the weights that earlier fluxes give: linear in the counts,
    so that no flux is biased by its own noise.
    """
    model = fitted(pair.late, table)
    band = model.data.bands[0]
    vectors, exposure = model.vectors, model.data.exposures(model.vectors)[:, 0]
    near = stamps(vectors, band.pixels, band.psf, containment=CONTAINMENT)
    n, k = near.pixel.shape
    templates = sparse.csr_array(
        (near.fraction.ravel(), near.pixel.ravel(), np.arange(n + 1) * k),
        shape=(n, len(band.counts)),
    )
    own = model.counts[:, 0]
    wings = np.maximum(model.data.source_maps(vectors, model.counts)[0] - templates.T @ own, 0)
    fixed = band.background + wings
    first = table["flux"].to_value("cm-2 s-1") * exposure
    weights = sparse.diags_array(1 / (fixed + templates.T @ first))
    information = (templates @ weights @ templates.T).tocsc()
    solver = splu(information)
    counts = solver.solve(templates @ weights @ (pair.signed - fixed))
    variance = np.array([solver.solve(row)[i] for i, row in enumerate(np.eye(n))])
    unit = u.Unit("cm-2 s-1")
    return counts / exposure * unit, np.sqrt(variance) / exposure * unit


def print_counts(skies: Skies) -> None:
    """Print how the photons are divided."""
    early, late = skies.real_counts()
    negative = late[late < 0]
    print(
        f"{early.sum():.0f} photons in weeks 1 to 413, {late.sum():.0f} in weeks 414 to 573; "
        f"{negative.size} pixels of the latter hold {negative.sum():.0f}. "
        f"Later exposure scaled by {skies.later_scale:.3f}."
    )


def print_real(table: QTable, simulated: list[QTable], name: str) -> None:
    """Print the confirmed share of the real sky by region and score."""
    head = f"region | {SCORES[name]} | detections | expected share | flux kept if real"
    print(f"| {head} | confirmed share | in errors |\n|---|---|---|---|---|---|---|")
    for region, low, up in cells(name):
        chosen = [inside(one, region, low, up) for one in simulated]
        own = inside(table, region, low, up)
        calibration = Calibration.of(chosen, false_of(simulated, region))
        expected = joined(chosen).true_share() if is_ts(name) else own.mean_score()
        share, error = calibration.share(own)
        print(
            f"| {region} | {span(low, up)} | {len(own.flux)} | {expected:.3f} "
            f"| {calibration.real:.3f} +- {calibration.real_error:.3f} "
            f"| {share:.3f} +- {error:.3f} | {(share - expected) / error:+.1f} |"
        )


def print_simulated(tables: list[QTable], name: str) -> None:
    """Print the confirmed and the true share of simulated skies, each judged by the others."""
    states = not is_ts(name)
    head = f"region | {SCORES[name]} | detections | {'mean probability | ' * states}"
    print(f"| {head}true share | confirmed share | in errors |")
    print("|---|---|---|---|---|---|" + "---|" * states)
    for region, low, up in cells(name):
        chosen = [inside(one, region, low, up) for one in tables]
        found = []
        for i, one in enumerate(chosen):
            others = [*tables[:i], *tables[i + 1 :]]
            known = [*chosen[:i], *chosen[i + 1 :]]
            found.append(Calibration.of(known, false_of(others, region)).share(one))
        shares, errors = np.transpose(found)
        together = joined(chosen)
        true = together.true_share()
        share, error = shares.mean(), np.sqrt(np.sum(errors**2)) / len(errors)
        score = f"{together.mean_score():.3f} | " if states else ""
        print(
            f"| {region} | {span(low, up)} | {len(together.flux)} | {score}{true:.3f} "
            f"| {share:.3f} +- {error:.3f} | {(share - true) / error:+.1f} |"
        )


def print_confirmed(real: dict[str, QTable], simulated: dict[str, list[QTable]]) -> None:
    """Print how many detections at a promised purity the later photons confirm."""
    print(f"\nDetections of the real sky at a promised purity of {PROMISED:g}:\n")
    print("| region | localiser | cut | detections | confirmed share | confirmed |")
    print("|---|---|---|---|---|---|")
    for region in REGIONS:
        for name in LOCALISERS:
            cut = promised_cut(real[name], simulated[name], name, region)
            own = inside(real[name], region, cut, np.inf)
            chosen = [inside(one, region, cut, np.inf) for one in simulated[name]]
            calibration = Calibration.of(chosen, false_of(simulated[name], region))
            share, error = calibration.share(own)
            n = len(own.flux)
            print(f"| {region} | {name} | {cut:.4g} | {n} | {share:.3f} +- {error:.3f} ", end="")
            print(f"| {n * share:.0f} +- {n * error:.0f} |")


def promised_cut(real: QTable, simulated: list[QTable], name: str, region: str) -> float:
    """Lowest score from which on the purity is promised.

    That of a probability is its mean over the real detections, that of a TS the true share of
    simulated detections.
    """
    parts = simulated if is_ts(name) else [real]
    everything = joined([inside(one, region, -np.inf, np.inf) for one in parts])
    value = everything.real if is_ts(name) else everything.score
    order = np.argsort(-everything.score, kind="stable")
    promised = np.cumsum(value[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(promised >= PROMISED)
    return float(everything.score[order[enough[-1]]]) if len(enough) else np.inf


def is_ts(name: str) -> bool:
    """Whether the score of a localiser is a TS."""
    return SCORES[name] == "TS"


def cells(name: str) -> list[tuple[str, float, float]]:
    """Regions, and lower and upper scores."""
    return [(region, *edges) for region in REGIONS for edges in pairwise(BINS[name])]


def span(low: float, up: float) -> str:
    """Name of a bin."""
    return f">= {low:g}" if up > 1e6 or 1 < up < 2 else f"{low:g} to {up:g}"


def inside(table: QTable, region: str, low: float, up: float) -> Sums:
    """Detections of a region and of some scores."""
    score, latitude = np.asarray(table["score"]), np.abs(table["glat"].to_value("deg"))
    least, most = REGIONS[region]
    chosen = (score >= low) & (score < up) & (latitude >= least) & (latitude < most)
    flux, later = (table[name].to_value("cm-2 s-1") for name in ("flux", "later"))
    later = np.where(flares(table), most_later(table), later)
    weight = BRIGHT / np.maximum(flux, BRIGHT)
    return Sums(weight * flux, weight * later, score, np.asarray(table["real"])).take(chosen)


def most_later(table: QTable) -> np.ndarray:
    """Highest later flux that counts for each detection, in cm-2 s-1."""
    flux, error = (table[name].to_value("cm-2 s-1") for name in ("flux", "later_err"))
    return FLARE * flux + SIGMAS * error


def flares(table: QTable) -> np.ndarray:
    """Whether the later flux of each detection is higher than that."""
    return table["later"].to_value("cm-2 s-1") > most_later(table)


def false_of(tables: list[QTable], region: str) -> float:
    """Share of their earlier flux that false detections of all scores have later."""
    everything = joined([inside(one, region, -np.inf, np.inf) for one in tables])
    return everything.take(~everything.real).ratio()[0]


if __name__ == "__main__":
    main()
