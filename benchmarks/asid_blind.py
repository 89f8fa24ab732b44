"""The older paper's own blind test: Poisson counts of its patches, searched and matched as it does.

``python benchmarks/asid_blind.py FOLDER --weights WEIGHTS [--draws 3]`` keeps detections in FOLDER,
and goes on there. Needs ../shared. Nothing is trained or chosen on these patches.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from asid_data import (
    Blind,
    Rows,
    evaluated,
    instrument,
    its_codes,
    its_predictions,
    matched,
    ordered,
    truth,
)
from astropy.table import QTable
from results import kept

import gammafind
from gammafind.catalogue.io import read_table, write_table
from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import Evaluation, Rates, purity_cut, rates
from gammafind.plugins.unet.localiser import UNet
from gammafind.roles.localiser import Localiser

PURITY = 0.878
"""That of its network over all 768 patches."""
PURITIES = (0.80, 0.85, PURITY, 0.90, 0.95, 0.98)
REGIONS = {"all": (0, 90), "abs(b) > 20": (20, 90), "abs(b) < 20": (0, 20)}
FLUXES = (0.0, 1.3e-10, 2.3e-10, 4.3e-10)
"""Photon flux above 1 GeV in cm-2 s-1 for which it states its completeness."""
PSF_RADIUS = 0.6
"""Degrees within which the photons of a bright source are compared: wider than the pixels."""
LEAST_TS = 9.0
"""Of the detections of `likelihood`."""
BACKGROUNDS = {"patches": False, "own": True}
"""Background of the search: that of the patches, or the package's own model."""


@dataclass(frozen=True, eq=False)
class Result:
    """What was found in all draws, matched.

    Attributes
    ----------
    evaluation : Evaluation
        A patch is one region in all draws.
    found, sources : ndarray
        Distance from the Galactic plane in degrees, of detections and sources.
    flux : ndarray
        Of the sources above 1 GeV in cm-2 s-1.
    has_cut : bool
        Whether detections have scores; the network of the paper has one list.
    """

    evaluation: Evaluation
    found: np.ndarray
    sources: np.ndarray
    flux: np.ndarray
    has_cut: bool

    @classmethod
    def of(cls, tables: list[Rows], sources: Rows, *, has_cut: bool = True) -> Result:
        """Match some draws."""
        tables = [ordered(table) for table in tables] if has_cut else tables
        parts = [evaluated(table, sources) for table in tables]
        names = ("score", "matched", "found_at", "detection_block", "source_block")
        joined = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
        n = len(tables)
        return cls(
            Evaluation(**joined),
            np.concatenate([table.latitude for table in tables]),
            np.tile(sources.latitude, n),
            np.tile(sources.weight, n),
            has_cut,
        )

    def within(self, limits: tuple[float, float]) -> Result:
        """Only a region of the sky."""
        counted, selected = (
            (latitude >= limits[0]) & (latitude < limits[1])
            for latitude in (self.found, self.sources)
        )
        return Result(
            self.evaluation.select(selected=selected, counted=counted),
            self.found[counted],
            self.sources[selected],
            self.flux[selected],
            self.has_cut,
        )

    def brighter(self, flux: float) -> Evaluation:
        """Evaluation in which only bright sources count for the completeness."""
        return self.evaluation.select(selected=self.flux >= flux)

    def rates(self, evaluation: Evaluation, purity: float = PURITY) -> Rates:
        """Rates at a purity, or of the whole list."""
        return rates(evaluation, cut=purity_cut(evaluation, purity=purity) if self.has_cut else 0)


def main() -> None:
    """Print the tables of docs/validation/any_bands.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="")
    parser.add_argument("--name", default="unet", help="of the tables that are kept")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--groups", type=int, default=None, help="search only the first ones")
    parser.add_argument("--background", choices=BACKGROUNDS, default="patches")
    parser.add_argument("--localisers", nargs="*", default=["unet", "likelihood"])
    arguments = parser.parse_args()
    suffix = "" if arguments.background == "patches" else f"_{arguments.background}"
    with kept(f"asid_blind{suffix}"):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """Check the matching, search, and print."""
    blind, sources, theirs = Blind(), truth(), its_predictions()
    print_check(theirs, sources)
    print_psf(blind)
    n_groups = arguments.groups or len(blind.groups)
    given = blind.index[np.concatenate(blind.groups[:n_groups])]
    sources = sources[np.isin(sources.patch, given)]
    theirs = theirs[np.isin(theirs.patch, given)]
    results = {"its network": Result.of([theirs], sources, has_cut=False)}
    for name in arguments.localisers:
        key = arguments.name if name == "unet" else name
        search = Search(
            blind,
            localiser_of(name, arguments.weights),
            arguments.folder / f"{key}-{arguments.background}",
            own=BACKGROUNDS[arguments.background],
        )
        tables = [search.draw(draw, n_groups) for draw in range(arguments.draws)]
        results[key] = Result.of(tables, sources)
    print(f"\n{len(given)} of the 768 patches, {len(sources)} sources; ", end="")
    print(f"{arguments.draws} draws of the counts for ours.\n")
    print_rates(results)
    print_curve(results)


def localiser_of(name: str, weights: str) -> Localiser:
    """Localiser, down to scores far below that of the purity."""
    if name == "unet":
        return UNet(weights=weights)
    peaks = gammafind.create("clusterer", "peaks", threshold=LEAST_TS)
    return gammafind.create("localiser", name, threshold=LEAST_TS, clusterer=peaks)


@dataclass(frozen=True, eq=False)
class Search:
    """Searches of the patches by a localiser, kept in a folder."""

    blind: Blind
    localiser: Localiser
    folder: Path
    own: bool

    def draw(self, draw: int, n_groups: int) -> Rows:
        """Detections in the patches of some groups in one draw."""
        parts = [self.blind.detections(self._kept(group, draw), group) for group in range(n_groups)]
        names = ("patch", "vectors", "weight")
        return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def _kept(self, group: int, draw: int) -> QTable:
        path = self.folder / f"draw-{draw}-{group}.fits"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            start = perf_counter()
            table = self.localiser.localise_sky(
                self.blind.observation(group, draw, own=self.own),
                grid=self.blind.grid(group),
                rng=np.random.default_rng([draw, group]),
            )
            table = table["ra", "dec", "score", "pos_err"]
            table.meta = {"seconds": perf_counter() - start}
            write_table(table, path)
        return read_table(path)


def print_check(theirs: Rows, sources: Rows) -> None:
    """Print that its own evaluation is reproduced, row by row."""
    hit = matched(theirs, sources) >= 0
    codes = its_codes()
    n_found, n_false, n_missed = (int(np.sum(codes == code)) for code in range(3))
    same = np.count_nonzero(codes[: len(hit)] == np.where(hit, 0, 1))
    missed = len(sources) - hit.sum()
    print(
        f"Its evaluation of all 768 patches: {n_found} matched, {n_false} spurious, {n_missed} "
        f"missed. This matching: {hit.sum()}, {np.sum(~hit)} and {missed}, the same for {same} of "
        f"its {len(hit)} detections. Purity {hit.mean():.3f}, completeness "
        f"{hit.sum() / len(sources):.3f}."
    )
    if same != len(hit) or missed != n_missed:
        raise SystemExit("This is not its matching.")


def print_psf(blind: Blind) -> None:
    """Print the photons around a bright source, next to those of two responses."""
    radius, two = PSF_RADIUS * u.deg, 2 * u.deg
    seen = blind.around_brightest(PSF_RADIUS)
    ours = {
        name: [psf.containment(radius) / psf.containment(two) for psf in instrument(name).psfs()]
        for name in ("FRONT+BACK", "FRONT")
    }
    print(f"\nShare of the photons within {PSF_RADIUS} deg, of those within 2 deg:\n")
    print(f"| band | brightest source | {' | '.join(ours)} |\n|---|---|---|---|")
    for i, band in enumerate(blind.renderer.bands):
        cells = " | ".join(f"{shares[i]:.3f}" for shares in ours.values())
        print(f"| {band.name} | {seen[i]:.3f} | {cells} |")


def print_rates(results: dict[str, Result]) -> None:
    """Print completeness at its purity by region and flux; each region has its own cut."""
    print(f"| region | flux above 1 GeV | sources | {' | '.join(results)} |")
    print("|---|---|---|" + "---|" * len(results))
    for region, limits in REGIONS.items():
        for flux in FLUXES if limits[0] else FLUXES[:1]:
            cells = [cell(one.within(limits), flux) for one in results.values()]
            theirs = next(iter(results.values())).within(limits)
            n = np.sum(theirs.flux >= flux)
            label = f">= {flux:g}" if flux else "all"
            print(f"| {region} | {label} | {n} | {' | '.join(cells)} |")
    parts = (f"{name} {one.rates(one.evaluation).purity:.3f}" for name, one in results.items())
    print(f"\nPurity of all patches together: {', '.join(parts)}.")


def cell(result: Result, flux: float) -> str:
    """Completeness above a flux, with its interval: 68 % over the patches."""

    def completeness(drawn: Evaluation) -> float:
        return result.rates(drawn).completeness

    if not flux:
        value, spread = (
            completeness(result.evaluation),
            bootstrap_interval(result.evaluation, completeness, rng=np.random.default_rng(0)),
        )
        return f"{value:.3f} [{spread[0]:.3f}, {spread[1]:.3f}]"
    cut = result.rates(result.evaluation).cut
    return f"{rates(result.brighter(flux), cut=cut).completeness:.3f}"


def print_curve(results: dict[str, Result]) -> None:
    """Print completeness at several purities."""
    ours = {name: one for name, one in results.items() if one.has_cut}
    heads = " | ".join(f"{name} | score" for name in ours)
    print(f"\n| purity | {heads} |\n|---|" + "---|---|" * len(ours))
    for purity in PURITIES:
        cells = []
        for one in ours.values():
            now = one.rates(one.evaluation, purity)
            cells.append(f"{now.completeness:.3f} | {now.cut:.3g}")
        print(f"| {purity} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
