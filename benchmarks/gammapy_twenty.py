"""Twenty sources of six bands and ten years, fitted by gammafind and by gammapy; needs gammapy.

``python benchmarks/gammapy_twenty.py FOLDER --gammapy PYTHON`` draws images of 9.6 deg
around power laws of 4FGL-DR2 above 20 deg of latitude, from a TS of 100 to the brightest, with all
sources of 4FGL-DR2. Both fit the index and the flux of the source in the middle at its place, with
the background of each band free, the same PSFs and exposure, without energy dispersion. In
gammafind all sources of the image are in the model. In gammapy those within 3 deg of a TS above 25
have a free flux; the others have the true one. It begins with the true flux and an index of 2.2.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.wcs import WCS
from gammapy_fit import ask
from results import kept

from gammafind.fitting.sources.region import mixture
from gammafind.pipeline.measure import measure_on
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import build, load_preset
from gammafind.sky.pixels import WcsPixels
from gammafind.sky.skymap import SkyMap

SEED = 4
SIZE, PIXEL = 64, 0.15
"""Pixels of a side, and degrees of a pixel."""
NEAR, LEAST_TS = 3.0, 25.0
"""Degrees within which sources are free in gammapy, and their least TS in 4FGL-DR2."""
PARTS = 12
"""True energies of each band: as in gammapy_fit_worker.py."""


@kept("gammapy_twenty")
def main() -> None:
    """Print the table of docs/validation/measure.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="what is finished stays here")
    parser.add_argument("--gammapy", required=True, help="a Python that has gammapy")
    parser.add_argument("--sources", type=int, default=20)
    options = parser.parse_args()
    preset = with_plugins(load_preset("fermi-lat"), {}, {"renderer": {"dispersion": False}})
    renderer, truth = build(preset.renderer), load_4fgl_dr2()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = chosen(truth, options.sources).tolist()
    paths = [options.folder / f"task-{row:04d}.npz" for row in rows]
    for row, path in zip(rows, paths, strict=True):
        if not path.exists():
            np.savez(path, **fitted(renderer, truth, row, np.random.default_rng((SEED, row))))
    theirs = dict(zip(sorted(rows), ask(options.gammapy, options.folder), strict=True))
    report(truth, rows, [dict(np.load(path)) for path in paths], [theirs[row] for row in rows])


def chosen(truth: QTable, number: int) -> np.ndarray:
    """Rows of point-like power laws, evenly in the logarithm of their significance."""
    form, name = (
        np.char.strip(np.asarray(truth[column], dtype=str))
        for column in ("SpectrumType", "Extended_Source_Name")
    )
    latitude = np.abs(SkyCoord(truth["RAJ2000"], truth["DEJ2000"]).galactic.b.deg)
    significance = np.asarray(truth["Signif_Avg"])
    good = (form == "PowerLaw") & (name == "") & (latitude > 20) & (significance > 10)
    rows = np.flatnonzero(good)
    rows = rows[np.argsort(significance[rows], kind="stable")]
    wanted = np.geomspace(*significance[rows[[0, -1]]], number)
    near = np.unique(np.searchsorted(significance[rows], wanted).clip(0, len(rows) - 1))
    # The brightest are far apart: what is missing are some of the others.
    more = np.setdiff1d(np.linspace(0, len(rows) - 1, number + 2)[1:-1].astype(int), near)
    return rows[np.sort([*near, *more[: number - len(near)]])]


def fitted(renderer: object, truth: QTable, row: int, rng: np.random.Generator) -> dict:
    """The task for gammapy, with our measurement of a source and its CPU seconds."""
    place = SkyCoord(truth["RAJ2000"][row], truth["DEJ2000"][row])
    pixels = (image(place),) * len(renderer.bands)
    there = SkyCoord(truth["RAJ2000"], truth["DEJ2000"])
    inside = np.flatnonzero((pixels[0].pixel_of(there) >= 0) | (there.separation(place).deg < 9))
    sources = true_sources(truth[inside])
    background = renderer.background(pixels)
    level = [sum(sky.values[b] for sky in background.values()) for b in range(len(pixels))]
    expected = renderer.render(sources, pixels)
    values = [rng.poisson(one + flat) for one, flat in zip(expected.values, level, strict=True)]
    observation = renderer.observe(SkyMap(renderer.bands, pixels, tuple(values)))
    bright = np.flatnonzero(np.asarray(truth["Signif_Avg"])[inside] ** 2 > LEAST_TS / 2)
    listed = QTable({name: truth[name][inside[bright]] for name in ("RAJ2000", "DEJ2000")})
    own = int(np.flatnonzero(inside[bright] == row)[0])
    start = time.process_time()
    found = measure_on(observation, renderer, listed, rows=np.array([own]))[0]
    seconds = time.process_time() - start
    near = there[inside].separation(place).deg
    free = np.flatnonzero((near < NEAR) & (near > 0.01))
    free = free[np.asarray(truth["Signif_Avg"])[inside[free]] ** 2 > LEAST_TS]
    rest = np.setdiff1d(np.arange(len(inside)), [*free, int(np.flatnonzero(inside == row)[0])])
    fixed = renderer.render(sources[rest], pixels).values
    values_of = ("PL_Index", "Unc_PL_Index", "PL_Flux_Density", "Unc_PL_Flux_Density")
    return {
        "ours": [float(getattr(found[name], "value", found[name])) for name in values_of],
        "ts": float(found["Signif_Avg"]) ** 2,
        "seconds": seconds,
        "counts": np.array(values),
        "background": np.array([a + b for a, b in zip(level, fixed, strict=True)]),
        "edges": [band.edges.to_value("MeV") for band in renderer.bands],
        "header": pixels[0].wcs.to_header().tostring(sep="\n"),
        "place": [place.ra.deg, place.dec.deg],
        "start": [2.2, *at_pivot(truth[[row]], found["Pivot_Energy"])],
        "pivot": found["Pivot_Energy"].to_value("MeV"),
        "near": np.stack([there[inside[free]].ra.deg, there[inside[free]].dec.deg], axis=-1),
        "near_index": np.asarray(truth["PL_Index"])[inside[free]],
        "near_flux": at_pivot(truth[inside[free]], found["Pivot_Energy"]),
        **response(renderer, observation, float(truth["PL_Index"][row])),
    }


def image(place: SkyCoord) -> WcsPixels:
    """Pixels of an image around a place."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-PIXEL, PIXEL]
    wcs.wcs.crval, wcs.wcs.crpix = [place.ra.deg, place.dec.deg], [SIZE / 2 + 0.5] * 2
    return WcsPixels(wcs, (SIZE, SIZE))


def at_pivot(sources: QTable, pivot: u.Quantity) -> np.ndarray:
    """Flux density of the power laws of sources at an energy, in cm-2 s-1 MeV-1."""
    ratio = (pivot / sources["Pivot_Energy"]).to_value("")
    flux = sources["PL_Flux_Density"] * ratio ** -np.asarray(sources["PL_Index"])
    return flux.to_value("cm-2 s-1 MeV-1")


def response(renderer: object, observation: object, index: float) -> dict:
    """Exposure at true energies, and the PSF of a power law in each band."""
    theta, density, exposure = None, [], []
    for band, one, seen in zip(
        renderer.bands, renderer.spectral_responses(), observation.exposure.values, strict=True
    ):
        share = one.weight / (one.energy * np.log(one.energy[1] / one.energy[0]))
        low, high = band.edges.to_value("MeV")
        edges = np.geomspace(low, high, PARTS + 1)
        middle = np.sqrt(edges[1:] * edges[:-1])
        relative = np.interp(np.log(middle), np.log(one.energy), share)
        exposure.extend(relative[:, None, None] * np.asarray(seen, dtype=float))
        place = one.place_of((one.energy / 1e3) ** -index)
        theta = np.degrees(one.psfs[0].theta) if theta is None else theta
        parts = mixture(place, len(one.psfs)).items()
        density.append(sum(w * one.psfs[i](np.radians(theta)) for i, w in parts))
    return {"theta": theta, "psf": density, "exposure": np.array(exposure)}


def report(truth: QTable, rows: list[int], tasks: list[dict], theirs: list) -> None:
    """Print one line a source, and how they differ."""
    print("| source | TS | index, gammafind | index, gammapy | difference / error | "
          "flux density, gammafind | flux density, gammapy | difference / error | "
          "CPU s, gammafind | CPU s, gammapy | free neighbours in gammapy |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    miss, spent = [], []
    for row, task, (other, of_other) in zip(rows, tasks, theirs, strict=True):
        (index, error, flux, of_flux), seconds = task["ours"].tolist(), float(task["seconds"])
        gap = (index - other[0]) / error, (flux - other[2]) / of_flux
        ratio = of_flux / other[3], error / other[1]
        miss.append([*gap, flux / other[2], *ratio])
        spent.append([seconds, of_other])
        print(
            f"| {str(truth['Source_Name'][row]).strip()} | {float(task['ts']):.0f} | "
            f"{index:.3f} ± {error:.3f} | {other[0]:.3f} ± {other[1]:.3f} | {gap[0]:.2f} | "
            f"{flux:.3g} ± {of_flux:.2g} | {other[2]:.3g} ± {other[3]:.2g} | {gap[1]:.2f} | "
            f"{seconds:.2f} | {of_other:.2f} | {len(task['near'])} |"
        )
    miss, spent = np.array(miss), np.array(spent)
    print("\n| | index | flux density |\n|---|---|---|")
    for name, of in (("median of the differences / error", np.nanmedian),
                     ("root mean square", lambda x, axis: np.sqrt(np.nanmean(x**2, axis=axis))),
                     ("largest", lambda x, axis: np.nanmax(np.abs(x), axis=axis))):  # fmt: skip
        index, flux = of(miss[:, :2], axis=0)
        print(f"| {name} | {index:.2f} | {flux:.2f} |")
    median = np.nanmedian(miss, axis=0)
    print(f"| median error of gammafind / gammapy | {median[4]:.2f} | {median[3]:.2f} |")
    print(
        f"\nMedian flux density of gammafind over gammapy {median[2]:.3f}. CPU seconds of all: "
        f"gammafind {spent[:, 0].sum():.1f}, with the model of the image; gammapy "
        f"{spent[:, 1].sum():.1f}, the fit alone."
    )


if __name__ == "__main__":
    main()
