"""Whether measured values scatter around the true ones as their errors say.

``python benchmarks/measure_pulls.py --folder skies [--skies 10] [--sample 150]`` draws skies of six
bands and ten years from the sources of 4FGL-DR2, which are steady here, measures sources of an
expected TS above 25 at their place, whether a search finds them or not, and compares. All
sources are in the model. Each sky has a sample of its own at abs(b) > 20 and at abs(b) < 10; by
default all are measured. Finished groups stay in the folder, so that a run can be continued.
``--plane`` measures at abs(b) < 10 only, on the sky at abs(b) < 20: in a third of the memory.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from results import kept

from gammafind.catalogue.flags import Flag, has_flag
from gammafind.catalogue.io import read_table
from gammafind.fitting.photons.expected import Expected, rendered_by_band
from gammafind.pipeline.extended import with_extended
from gammafind.pipeline.measure import FLOORS, GROUP, measure_on
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.simulation.sky import total_counts
from gammafind.sky.skymap import SkyMap
from gammafind.sky.spectral_forms import power_law
from gammafind.utils.streams import streams

SEED = 20
LEAST_TS = 25.0
REGIONS = {"measure_pulls": (20.0, 90.0), "measure_pulls_plane": (0.0, 10.0)}
"""Files of results, and their abs(b) in degrees."""
CLASSES = (("all", 25, np.inf), ("25-50", 25, 50), ("50-100", 50, 100), ("100-400", 100, 400),
           ("above 400", 400, np.inf))  # fmt: skip
"""Ranges of the expected TS."""
CUT = 20.0
"""Largest abs(b) in degrees of the sky of ``--plane``: further than the PSF of any band reaches."""
GEV = u.GeV
TWO_SIGMA = float(np.sqrt(2 * np.log(20)))
"""Semi-axis of the 95 % ellipse in sigma."""


@cache
def renderer():
    """The renderer of the preset of six bands."""
    return build(load_preset("fermi-lat").renderer)


@cache
def truth() -> QTable:
    """Sources of all skies, without their histories: the flux of ten years is that of the table."""
    sources = true_sources(load_4fgl_dr2())
    return sources[[name for name in sources.colnames if name != "flux_history"]]


def main() -> None:
    """Measure, and print the tables of docs/validation/measure.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--skies", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="first sky that is measured")
    parser.add_argument("--sample", type=int, help="sources of each region and sky")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--plane", action="store_true", help="only at abs(b) < 10")
    parser.add_argument("--finished", action="store_true", help="report what is finished only")
    options = parser.parse_args()
    every = information(options.folder)
    regions = {name: one for name, one in REGIONS.items() if one[1] <= CUT or not options.plane}
    tables, chosen = [], []
    for index in range(options.first, options.first + options.skies):
        rows = sample(every, index, options.sample, list(regions.values()))
        kind = "plane" if options.plane else "sky"
        place = options.folder / f"{kind}-{index:02d}-{options.sample or 'all'}"
        if not options.finished:
            measure_sky(place, index, rows, options.workers, CUT if options.plane else 90.0)
        for table, some in finished(place, rows):
            tables.append(table)
            chosen.append(some)
    table, rows = vstack(tables, metadata_conflicts="silent"), np.concatenate(chosen)
    for name, (low, high) in regions.items():
        here = (latitudes()[rows] > low) & (latitudes()[rows] < high)
        with kept(name):
            report(table[here], rows[here], every)


@cache
def latitudes() -> np.ndarray:
    """Distances of all sources from the plane, in degrees."""
    return np.abs(SkyCoord(truth()["ra"], truth()["dec"]).galactic.b.deg)


def sample(
    every: Expected, index: int, most: int | None, regions: list[tuple[float, float]]
) -> np.ndarray:
    """Rows of the sources that are measured on one sky, in the order of measurement."""
    point = np.char.strip(np.asarray(truth()["Extended_Source_Name"], dtype=str)) == ""
    good, rng = point & (every.ts.sum(axis=1) > LEAST_TS), np.random.default_rng([SEED, index])
    rows = [
        rng.permutation(np.flatnonzero(good & (latitudes() > low) & (latitudes() < high)))[:most]
        for low, high in regions
    ]
    return rng.permutation(np.concatenate(rows))


def information(folder: Path) -> Expected:
    """Expected TS and information of all sources, kept in a file."""
    path = folder / "expected.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, *rendered_by_band(renderer(), truth()))
    with np.load(path) as stored:
        return Expected(*stored.values())


def everything(folder: Path) -> SkyMap:
    """Expected counts of sources and background, kept in a file: those of all skies."""
    path = folder / "everything.npz"
    if not path.exists():
        parts = {"sources": renderer().render(truth()), **renderer().background()}
        np.savez_compressed(path, *(v.astype(np.float32) for v in total_counts(parts).values))
    with np.load(path) as stored:
        values = tuple(stored.values())
        return SkyMap(renderer().bands, renderer().pixels, values, "expected counts")


def measure_sky(place: Path, index: int, rows: np.ndarray, workers: int, most: float) -> None:
    """Measure one sky, or its part up to some abs(b); its counts and its groups are kept."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / "counts.npz"
    if not path.exists():
        drawn = renderer().draw(everything(place.parent), rng=streams(SEED, index).counts)
        np.savez_compressed(path, *drawn.counts.values)
    with np.load(path) as stored:
        values = tuple(stored.values())
    counts = SkyMap(renderer().bands, renderer().pixels, values)
    if most < 90:
        ends = np.radians(90 - most), np.radians(90 + most)
        valid = [np.zeros(len(one), dtype=bool) for one in values]
        for one in valid:
            one[hp.query_strip(hp.npix2nside(len(one)), *ends)] = True
        valid = tuple(valid)
        counts = replace(counts, valid=valid)
    observation, _ = with_extended(renderer().observe(counts), renderer(), None)
    measure_on(observation, renderer(), truth(), rows=rows, folder=place, workers=workers)


def finished(place: Path, rows: np.ndarray) -> Iterator[tuple[QTable, np.ndarray]]:
    """Groups of one sky that are finished, and the rows of their sources."""
    for i, start in enumerate(range(0, len(rows), GROUP)):
        path = place / f"sources-{i:04d}.ecsv"
        if path.exists():
            yield read_table(path), rows[start : start + GROUP]


def report(table: QTable, rows: np.ndarray, every: Expected) -> None:
    """Print pulls, ellipses and intervals."""
    ts, sources = every.ts.sum(axis=1)[rows], truth()[rows]
    failed = np.count_nonzero(has_flag(table["Flags"], Flag.FIT_FAILED))
    print(f"Sources: {len(table)}, {failed} of them with a fit that failed.\n")
    pulls = all_pulls(table, sources, every, rows)
    print(
        "| quantity | expected TS | sources | mean | error of the mean | width | beyond 3 sigma |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, values in pulls.items():
        for label, low, high in CLASSES:
            here = values[(ts >= low) & (ts < high) & np.isfinite(values)]
            if len(here) > 20:
                cells = f"{here.mean():.3f} | {here.std() / len(here) ** 0.5:.3f}"
                far = np.mean(np.abs(here) > 3)
                print(
                    f"| {name} | {label} | {len(here)} | {cells} | {here.std():.3f} | {far:.4f} |"
                )
    print("\n| expected TS | in 68 % ellipse | in 95 % ellipse | in 95 % with the floor |")
    print("|---|---|---|---|")
    radius = np.hypot(pulls["position, longer axis"], pulls["position, shorter axis"])
    floor = ellipse_radius(table, sources)
    for label, low, high in CLASSES:
        here = (ts >= low) & (ts < high) & np.isfinite(radius)
        shares = [np.mean(radius[here] < limit) for limit in (1.5096, TWO_SIGMA)]
        shares.append(np.mean(floor[here] < 1))
        print(f"| {label} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")
    report_fluxes(table, sources, ts)
    report_bands(table, sources)


def report_fluxes(table: QTable, sources: QTable, ts: np.ndarray) -> None:
    """Print measured over true fluxes, which say whether fluxes are right without their errors."""
    ratio = table["Flux1000"].value / spectra_of(sources).flux(1 * GEV, 100 * GEV).value
    print("\n| expected TS | sources | mean Flux1000 / true | error of the mean | median |")
    print("|---|---|---|---|---|")
    for label, low, high in CLASSES:
        here = ratio[(ts >= low) & (ts < high) & np.isfinite(ratio)]
        cells = f"{here.mean():.3f} | {here.std() / len(here) ** 0.5:.3f} | {np.median(here):.3f}"
        print(f"| {label} | {len(here)} | {cells} |")


def report_bands(table: QTable, sources: QTable) -> None:
    """Print how often intervals of the bands hold the true flux."""
    edges = np.array([one.edges.to_value(u.MeV) for one in renderer().bands]) * u.MeV
    true = spectra_of(sources).flux(edges[:, 0], edges[:, 1]).value
    flux, error = table["Flux_Band"].value, table["Unc_Flux_Band"].value
    limit, seen = table["Flux_UL_Band"].value, np.asarray(table["Sqrt_TS_Band"]) >= 1
    low = np.where(np.isfinite(error[..., 0]), flux + error[..., 0], 0)
    held = (true >= low) & (true <= flux + error[..., 1])
    print("\n| band (GeV) | held by 68 % intervals | where TS > 1 | limits above the true flux |")
    print("|---|---|---|---|")
    for i, (one, other) in enumerate(edges.to_value(GEV)):
        cells = held[:, i].mean(), held[seen[:, i], i].mean()
        below = np.mean(true[~seen[:, i], i] < limit[~seen[:, i], i])
        print(f"| {one:g}-{other:g} | {cells[0]:.3f} | {cells[1]:.3f} | {below:.3f} |")
    print(f"| all | {held.mean():.3f} | {held[seen].mean():.3f} | "
          f"{np.mean((true < limit)[~seen]):.3f} |")  # fmt: skip


def all_pulls(
    table: QTable, sources: QTable, every: Expected, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Measured less true values, in errors: of ``Flux1000`` in those on the side of the truth."""
    spectra = spectra_of(sources)
    flux = spectra.flux(1 * GEV, 100 * GEV).value
    miss = table["Flux1000"].value - flux
    below, above = (table[f"Unc_Flux1000_{side}"].value for side in ("Below", "Above"))
    found = {
        "Flux1000": miss / np.where(miss > 0, below, above),
        "Flux1000, Unc_Flux1000": miss / table["Unc_Flux1000"].value,
    }
    plain = np.asarray(sources["SpectrumType"]).astype(str) == "PowerLaw"
    given = np.asarray(sources["PL_Index"], dtype=float)
    index = np.where(plain, given, true_index(table, sources, every, rows))
    pull = (np.asarray(table["PL_Index"]) - index) / np.asarray(table["Unc_PL_Index"])
    found["PL_Index, true power laws"] = np.where(plain, pull, np.nan)
    found["PL_Index, curved spectra"] = np.where(plain, np.nan, pull)
    curved = np.asarray(sources["SpectrumType"]).astype(str) == "LogParabola"
    beta = np.where(curved, np.asarray(sources["LP_beta"], dtype=float), np.nan)
    found["LP_beta"] = (np.asarray(table["LP_beta"]) - beta) / np.asarray(table["Unc_LP_beta"])
    along, across = offsets(table, sources)
    axes = {"longer": ("SemiMajor", along), "shorter": ("SemiMinor", across)}
    for name, (axis, offset) in axes.items():
        radius = table[f"Conf_95_{axis}"].to_value(u.deg)
        sigma = np.sqrt(np.maximum(radius**2 - FLOORS[1] ** 2, 1e-12)) / TWO_SIGMA
        found[f"position, {name} axis"] = offset / sigma
    return found


def true_index(table: QTable, sources: QTable, every: Expected, rows: np.ndarray) -> np.ndarray:
    """Index of the power law that is nearest to the expected counts of each source."""
    responses = renderer().spectral_responses()
    counts = renderer().source_counts(truth())[rows]
    weight = every.information[rows] / np.maximum(counts, 1e-300) ** 2
    tried = np.linspace(0.5, 4.5, 401)
    shapes = np.array(
        [[one.seen(power_law(one.energy, 1.0, 1e3, i)) for one in responses] for i in tried]
    )
    spectra = spectra_of(sources)
    seen = [one.seen(spectra.differential(one.energy * u.MeV).value) for one in responses]
    exposure = counts / np.maximum(np.stack(seen, axis=1), 1e-300)
    best = np.empty(len(rows))
    for i in range(len(rows)):
        model = shapes * exposure[i]
        scale = (model * counts[i] * weight[i]).sum(axis=1) / (model**2 * weight[i]).sum(axis=1)
        miss = ((scale[:, None] * model - counts[i]) ** 2 * weight[i]).sum(axis=1)
        best[i] = tried[miss.argmin()]
    return best


def offsets(table: QTable, sources: QTable) -> tuple[np.ndarray, np.ndarray]:
    """Offsets in degrees along the longer and the shorter axis of the ellipse."""
    true = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    here = SkyCoord(table["RAJ2000"], table["DEJ2000"], frame="icrs")
    east, north = (angle.to_value(u.deg) for angle in true.spherical_offsets_to(here))
    angle = table["Conf_95_PosAng"].to_value(u.rad)
    return east * np.sin(angle) + north * np.cos(angle), east * np.cos(angle) - north * np.sin(
        angle
    )


def ellipse_radius(table: QTable, sources: QTable) -> np.ndarray:
    """Offset over the 95 % ellipse, with the systematic floor."""
    along, across = offsets(table, sources)
    major, minor = (table[f"Conf_95_Semi{a}"].to_value(u.deg) for a in ("Major", "Minor"))
    return np.hypot(along / major, across / minor)


if __name__ == "__main__":
    main()
