"""Spectra, expected counts and speed next to gammapy's, in one run; needs ../shared and gammapy.

gammapy and this package are difficult to install together (gammapy 2.1 cannot be imported with
regions 0.12), so gammapy gets its own environment: ``python -m venv gammapy-env``, then
``gammapy-env/bin/python -m pip install gammapy "regions<0.12"``, which is the same as the extra
``gamma``. This script runs where gammafind is installed; it runs gammapy_worker.py with the Python
given by ``--gammapy``.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept

from gammafind.plugins.fermi_lat.catalogues import read_fermi_catalogue, spectra_of
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import WcsPixels

CATALOGUE = Path(__file__).resolve().parents[2] / "shared/data/fermi/catalogue/gll_psc_v27.fit.gz"
WORKER = Path(__file__).with_name("gammapy_worker.py")
PRESET = "fermi-lat"
GRID = PatchGrid(np.array([180.0]), np.array([65.0]))
PARTS = 24
N_PIXELS = 128
DIFFERENTIAL = u.Unit("cm-2 s-1 MeV-1")
RANGE = (1e3, 1e5)
NUMBERS = (100, 300, 1000)
FIRST = 60, 66
WORTH = 0.01
THETA_EDGES = np.concatenate([[0], np.geomspace(2e-3, 20, 1500)])
SEED = 5


@kept("gammapy_comparison")
def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gammapy", required=True, help="a Python that has gammapy")
    options = parser.parse_args()
    catalogue = read_fermi_catalogue(CATALOGUE)
    renderer = build(load_preset(PRESET).renderer)
    sources = sources_in_patch(true_sources(catalogue), np.random.default_rng(SEED))
    task = spectrum_task(catalogue) | patch_task(renderer, sources)
    theirs = ask_gammapy(options.gammapy, task)
    print_spectra(catalogue, task, theirs)
    print_counts(renderer, sources, theirs)
    print_speed(renderer, sources, theirs)
    print_whole_sky(renderer, true_sources(catalogue))


def sources_in_patch(sources: QTable, rng: np.random.Generator) -> QTable:
    """Rows of the catalogue, moved to positions in the patch; the first is Mkn 421.

    None is within four pixels of the edge. The first is at the centre of a pixel: elsewhere gammapy
    divides a source among the four nearest pixels before the convolution. Fluxes are constant;
    ``row`` is the row in the catalogue.
    """
    names = np.char.strip(np.asarray(sources["ASSOC1"], dtype=str))
    others = rng.permutation(np.flatnonzero(names != "Mkn 421"))[: max(NUMBERS) - 1]
    rows = np.append(np.flatnonzero(names == "Mkn 421"), others)
    x, y = rng.uniform(4, N_PIXELS - 5, (2, len(rows)))
    x[0], y[0] = FIRST
    lon, lat = GRID.wcs(0, N_PIXELS).pixel_to_world_values(x, y)
    places = SkyCoord(lon, lat, unit="deg", frame="galactic")
    moved = sources[rows]
    moved["ra"], moved["dec"] = places.icrs.ra, places.icrs.dec
    moved["glon"], moved["glat"] = places.l, places.b
    moved["row"] = rows
    moved.remove_column("flux_history")
    return moved


def spectrum_task(catalogue: QTable) -> dict:
    """Energies for the evaluation, nodes of a quadrature, and cut-offs in the form of DR3."""
    points, weights = np.polynomial.legendre.leggauss(400)
    half = np.log(RANGE[1] / RANGE[0]) / 2
    nodes = RANGE[0] * np.exp(half * (points + 1))
    later = later_form(catalogue)
    return {
        "catalogue": str(CATALOGUE),
        "energy": np.geomspace(50, 1e6, 90),
        "range": np.array(RANGE),
        "nodes": nodes,
        "weights": half * weights * nodes,
        "later": np.transpose(
            [
                later.amplitude.to_value(DIFFERENTIAL),
                later.pivot.to_value("MeV"),
                later.index,
                later.curvature,
                later.exp_index,
            ]
        ),
    }


def later_form(catalogue: QTable):
    """Cut-offs of the catalogue in the form of DR3 and DR4."""
    rows = catalogue[np.asarray(catalogue["SpectrumType"]) == "PLSuperExpCutoff"]
    return replace(
        spectra_of(rows),
        kind=np.full(len(rows), "PLSuperExpCutoff4"),
        index=np.asarray(rows["PLEC_IndexS"]),
        curvature=np.asarray(rows["PLEC_ExpfactorS"]),
    )


def patch_task(renderer: FermiLatRenderer, sources: QTable) -> dict:
    """Our exposure and PSF on the patch, and the sources to draw."""
    pixels = image_pixels(renderer)
    theta = np.radians((THETA_EDGES[1:] + THETA_EDGES[:-1]) / 2)
    return {
        "wcs": pixels[0].wcs.to_header_string(),
        "edges": np.array(renderer.energies, dtype=float),
        "exposure": np.stack(renderer.exposure(pixels).values),
        "area": np.stack([relative_areas(renderer, band) for band in renderer.bands]),
        "theta_edges": THETA_EDGES,
        "density": np.stack([psf(theta) for psf in renderer.psfs()]),
        "rows": np.asarray(sources["row"]),
        "lon": sources["glon"].to_value("deg"),
        "lat": sources["glat"].to_value("deg"),
        "numbers": np.array(NUMBERS),
    }


def relative_areas(renderer: FermiLatRenderer, band: Band) -> np.ndarray:
    """Effective area at the centre of `PARTS` parts of a band, relative to the whole band."""
    (response,) = renderer.responses
    edges = np.geomspace(band.low, band.high, PARTS + 1)
    area = response.mean_effective_area(np.sqrt(edges[1:] * edges[:-1]))
    return (area / response.band_effective_area(band, index=renderer.index)).value


def ask_gammapy(python: str, task: dict) -> dict:
    """Run gammapy_worker.py and return its results."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "task.npz", **task)
        subprocess.run([python, "-W", "ignore", str(WORKER), folder], check=True)
        with np.load(Path(folder) / "results.npz") as results:
            return dict(results)


def print_spectra(catalogue: QTable, task: dict, theirs: dict) -> None:
    """Print the largest relative deviations of spectra and fluxes."""
    spectra, energy = spectra_of(catalogue), task["energy"] * u.MeV
    ours = spectra.differential(energy).value
    kinds = np.asarray(catalogue["SpectrumType"])
    print("| spectra, largest deviation | sources | figure | limit |\n|---|---|---|---|")
    for kind in np.unique(kinds):
        off = relative(ours, theirs["differential"])[kinds == kind]
        print(f"| {kind}, 50 MeV to 1 TeV | {len(off)} | {off.max():.1e} | 1e-6 |")
    off = relative(later_form(catalogue).differential(energy).value, theirs["later"])
    print(f"| PLSuperExpCutoff4, the same | {len(off)} | {off.max():.1e} | 1e-6 |")
    flux = spectra.flux(*(RANGE * u.MeV)).value
    for name, column in (
        ("flux 1-100 GeV against 400 nodes of gammapy's spectra", "gauss"),
        ("flux 1-100 GeV against gammapy's integral", "flux"),
    ):
        off = relative(flux, theirs[column])
        print(f"| {name} | {len(off)} | {off.max():.1e} | {'1e-6' if column == 'gauss' else ''} |")


def relative(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Relative deviation; 0 if both are too small for a float."""
    tiny = np.finfo(float).tiny
    return np.where((ours < tiny) & (theirs < tiny), 0, np.abs(ours / np.maximum(theirs, tiny) - 1))


def print_counts(renderer: FermiLatRenderer, sources: QTable, theirs: dict) -> None:
    """Print the ratio of our counts of one source in the patch to those of gammapy, by band."""
    ours = draw(renderer, sources[:1])
    exact = summed(renderer, sources[:1])
    print(
        "\n| band (GeV) | counts in the patch, ours | gammapy | deviation "
        "| pixels above 1 % of the peak | largest deviation from sub-pixels, ours | gammapy |"
        "\n|---|---|---|---|---|---|---|"
    )
    for band, maps in enumerate(zip(ours, theirs["one"], exact, strict=True)):
        mine, other, true = maps
        bright = true > WORTH * true.max()
        off = (100 * np.abs(sky[bright] / true[bright] - 1).max() for sky in (mine, other))
        low, high = renderer.energies[band : band + 2]
        print(
            f"| {low:g}-{high:g} | {mine.sum():.2f} | {other.sum():.2f} "
            f"| {100 * (mine.sum() / other.sum() - 1):+.2f} % | {bright.sum()} "
            f"| {' | '.join(f'{value:.2f} %' for value in off)} |"
        )


def summed(renderer: FermiLatRenderer, source: QTable) -> np.ndarray:
    """Expected counts of one source from 32 x 32 sub-pixels of each pixel, in every band."""
    pixels = GRID.pixels(0, N_PIXELS)
    place = SkyCoord(source["ra"], source["dec"]).galactic.cartesian.xyz.value[:, 0]
    shape, sums = (len(renderer.bands), *pixels.shape), []
    for part in np.array_split(np.arange(N_PIXELS**2), 64):
        chord = np.linalg.norm(pixels.subpixel_vectors(part, 32) - place, axis=-1)
        theta = 2 * np.arcsin(chord / 2)
        sums.append([psf(theta).mean(axis=1) for psf in renderer.psfs()])
    share = np.concatenate(sums, axis=1).reshape(shape) * pixel_areas(pixels).reshape(shape[1:])
    return renderer.source_counts(source)[0][:, None, None] * share


def print_speed(renderer: FermiLatRenderer, sources: QTable, theirs: dict) -> None:
    """Print the seconds for drawing the same sources into the same patch."""
    print(
        "\n| sources | gammapy: wall, CPU (s) | render: wall, CPU (s) "
        "| render_patches: wall, CPU (s) | counts over gammapy |\n|---|---|---|---|---|"
    )
    for number, seconds in zip(NUMBERS, theirs["seconds"], strict=True):
        some = sources[:number]
        on_image, _ = timed(lambda some=some: renderer.render(some, image_pixels(renderer)))
        in_patch, total = timed(lambda some=some: draw(renderer, some))
        ratio = total.sum() / theirs[f"drawn_{number}"].sum()
        times = (f"{wall:.2f}, {cpu:.2f}" for wall, cpu in (seconds, on_image, in_patch))
        print(f"| {number} | {' | '.join(times)} | {ratio:.4f} |")


def print_whole_sky(renderer: FermiLatRenderer, sources: QTable) -> None:
    """Print our seconds for the whole catalogue in all patches, which gammapy cannot render."""
    widths = load_preset(PRESET).patches.widths(len(renderer.bands))
    (wall, cpu), _ = timed(lambda: renderer.render_patches(sources, PatchGrid.healpix(), widths))
    print(
        f"\nAll {len(sources)} sources in 768 patches, with render_patches: {wall:.1f} s, "
        f"{cpu:.1f} s of CPU."
    )


def timed(work: Callable[[], object]) -> tuple[np.ndarray, object]:
    """Wall-clock and CPU seconds, and the result of ``work``, in the second of two runs.

    gammapy is also timed in a second run.
    """
    work()
    start = np.array([time.perf_counter(), time.process_time()])
    result = work()
    return np.array([time.perf_counter(), time.process_time()]) - start, result


def image_pixels(renderer: FermiLatRenderer) -> tuple[WcsPixels, ...]:
    """Pixels of the patch as an image, for every band."""
    return (GRID.pixels(0, N_PIXELS),) * len(renderer.bands)


def draw(renderer: FermiLatRenderer, sources: QTable) -> np.ndarray:
    """Expected counts of the sources in the patch, in every band."""
    patches = renderer.render_patches(sources, GRID, (N_PIXELS,) * len(renderer.bands))
    both = zip(patches.counts, patches.background, strict=True)
    return np.stack([counts[0].astype(float) - background[0] for counts, background in both])


if __name__ == "__main__":
    main()
