"""A week of photons against the renderer: totals, positions, energies, times and radii."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from results import kept
from scipy import stats

import gammafind
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeProfile
from gammafind.presets.preset import build, load_preset
from gammafind.sky.bands import Band
from gammafind.sky.fits import read_counts, read_events
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf

PRESET, SEED, START, DURATION = "fermi-lat", 1, "2010-03-01", "7 d"
CHOSEN = {
    "4FGL J0835.3-4510": "Vela",
    "4FGL J0633.9+1746": "Geminga",
    "4FGL J1104.4+3812": "Mkn 421",
    "4FGL J1555.7+1111": "PG 1553+113",
}
FLUX = 2e-5
"""Of each of these in the second list, in cm-2 s-1 above 1 GeV: about 50 000 photons."""
FEWEST = 50
"""Photons of a source in a band that are compared."""
COARSE = HealpixPixels(16)


GAMMAPY = """
import sys
from gammapy import __version__
from gammapy.data import GTI, EventList
from gammapy.maps import Map, MapAxis
events = EventList.read(sys.argv[1])
axis = MapAxis.from_energy_bounds("0.3 GeV", "500 GeV", nbin=5)
binned = Map.create(binsz=1, frame="galactic", proj="CAR", axes=[axis])
binned.fill_events(events)
time = GTI.read(sys.argv[1]).time_sum.to("d")
number = len(events.table)
print(f"{__version__} reads {number:,} photons, bins {binned.data.sum():,.0f}, {time:.3f}")
"""


@kept("photon_lists")
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gammapy", help="Python of an environment with gammapy")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        done = gammafind.simulate(
            PRESET, output=folder, sources=steady_sources(), photons=True, start=START,
            duration=DURATION, seed=SEED,
        )  # fmt: skip
        seconds = perf_counter() - start
        made = done.folders[0]
        photons = fits.getdata(made / "ft1.fits", "EVENTS")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(
            f"{DURATION} from {START}: {len(photons):,} photons in {seconds:.0f} s, "
            f"{peak:.1f} GB, {(made / 'ft1.fits').stat().st_size / 1e6:.0f} MB"
        )
        compare_with_maps(made)
        if arguments.gammapy:
            print(f"\ngammapy: {read_by_gammapy(arguments.gammapy, made / 'ft1.fits')}")
    with tempfile.TemporaryDirectory() as folder:
        compare_bright_sources(Path(folder))


def steady_sources() -> QTable:
    """4FGL-DR2 without variation, since the maps hold the mean of all years."""
    table = build(load_preset(PRESET).renderer).read_catalogue("4fgl-dr2")
    table["flux_history"] = np.ones_like(table["flux_history"])
    return table


def read_by_gammapy(python: str, path: Path) -> str:
    """Read and bin the photons by gammapy."""
    command = [python, "-W", "ignore", "-c", GAMMAPY, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def compare_with_maps(folder: Path) -> None:
    """Totals and positions of all photons, and what the renderer expects with their exposure."""
    preset = load_preset(PRESET)
    renderer = build(preset.renderer)
    maps = read_counts(sorted(folder.glob("counts*.fits")), bands=renderer.bands)
    binned = renderer.bin_events(read_events(folder / "ft1.fits"))
    there = type(renderer)(
        **{**preset.renderer.options, "exposure_source": str(folder / "exposure.fits")}
    )
    record = json.loads((folder / "simulation.json").read_text())
    sources = steady_sources()
    fine = [HealpixPixels(128)] * len(renderer.bands)
    rendered = [there.render(sources, fine), *there.background(fine).values()]
    print("\n| band | photons | in the maps | expected from the list | from the renderer "
          "| deviation | chi2 per pixel at nside 16 | p |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for i, band in enumerate(renderer.bands):
        total = sum(sky.values[i].astype(float) for sky in rendered)
        listed = sum(record["counts"][i]["expected"].values())
        seen = int(binned.values[i].sum())
        deviation = (seen - total.sum()) / np.sqrt(total.sum())
        chi2, dof = coarse_chi2(binned.values[i], binned.pixels[i], total, fine[i])
        print(
            f"| {band.name} | {seen:,} | {int(maps.values[i].sum()):,} | {listed:,.0f} "
            f"| {total.sum():,.0f} | {deviation:+.1f} sigma | {chi2 / dof:.3f} "
            f"| {stats.chi2.sf(chi2, dof):.2f} |"
        )


def coarse_chi2(
    counts: np.ndarray, pixels: HealpixPixels, total: np.ndarray, home: HealpixPixels
) -> tuple[float, int]:
    """Pearson's chi2 of counts in coarse pixels with more than five expected photons."""
    seen, expected = (
        np.bincount(COARSE.containing(at.vectors), values, minlength=COARSE.shape[0])
        for at, values in ((pixels, counts), (home, total))
    )
    many = expected > 5
    few = expected[~many].sum(), seen[~many].sum()
    chi2 = np.sum((seen[many] - expected[many]) ** 2 / expected[many])
    return float(chi2 + (few[1] - few[0]) ** 2 / max(few[0], 1)), int(many.sum()) + 1


def compare_bright_sources(folder: Path) -> None:
    """Energies, times and radii of bright steady sources against spacecraft file and response."""
    renderer = build(load_preset(PRESET).renderer)
    table = renderer.read_catalogue("4fgl-dr2")
    rows = [int(np.flatnonzero(table["name"] == name)[0]) for name in CHOSEN]
    sources = brightened(table[rows])
    renderer.draw_photons(
        sources, folder, start=START, duration=u.Quantity(DURATION),
        rng=np.random.default_rng(SEED),
    )  # fmt: skip
    photons = fits.getdata(folder / "ft1.fits", "EVENTS")
    craft = fits.getdata(folder / "ft2.fits", "SC_DATA")
    print("\n| source | band | photons | p (energies) | p (times) | p (radii) |")
    print("|---|---|---|---|---|---|")
    response = renderer.responses[0]
    zeniths = load_preset(PRESET).renderer.options["max_zeniths"]
    found = []
    for row, name in enumerate(CHOSEN.values()):
        of_source = photons[photons["MC_SRC_ID"] == row]
        here = SkyCoord(sources["ra"][row], sources["dec"][row])
        for band, zenith in zip(renderer.bands, zeniths, strict=True):
            low, high = band.edges.to_value(u.MeV)
            inside = (of_source["ENERGY"] >= low) & (of_source["ENERGY"] < high)
            if inside.sum() < FEWEST:
                continue
            chances = compared(
                name, of_source[inside], sources[row : row + 1], here, band, zenith,
                craft=craft, response=response,
            )  # fmt: skip
            found.append(chances)
    combined = [stats.combine_pvalues(column).pvalue for column in zip(*found, strict=True)]
    cells = " | ".join(f"{chance:.3f}" for chance in combined)
    print(f"| all together (Fisher) | | | {cells} |")


def brightened(sources: QTable) -> QTable:
    """Steady sources of the same flux; spectra keep their shape."""
    factor = FLUX / sources["flux"].to_value("cm-2 s-1")
    for name in ("flux", "PL_Flux_Density", "LP_Flux_Density", "PLEC_Flux_Density"):
        sources[name] = sources[name] * factor
    sources["flux_history"] = np.ones_like(sources["flux_history"])
    return sources


def compared(
    name: str, photons: fits.FITS_rec, source: QTable, here: SkyCoord, band: Band, zenith: float,
    *, craft: fits.FITS_rec, response: Response,
) -> tuple[float, float, float]:  # fmt: skip
    """Chances of energies, times and radii of a source in a band; print them."""
    time, cosine, weight = views(craft, here, zenith)
    profile = livetime_profile(cosine, weight)
    there = response.with_livetime(profile)
    edges, cumulative = measured_energies(source, band, there)
    energies = stats.kstest(photons["ENERGY"], lambda e: np.interp(e, edges, cumulative))
    area = there.band_area_by_cosine(band, cosine).value
    passed = np.concatenate([[0], np.cumsum(area * weight)])
    ends = np.append(time, craft["STOP"][-1])
    times = stats.kstest(photons["TIME"], lambda t: np.interp(t, ends, passed / passed[-1]))
    at = SkyCoord(photons["RA"], photons["DEC"], unit="deg")
    radii = at.separation(here)
    psf = source_psf(source, band, there)
    apart = stats.kstest(radii.rad, lambda r: psf.containment(r * u.rad))
    chances = energies.pvalue, times.pvalue, apart.pvalue
    cells = " | ".join(f"{chance:.3f}" for chance in chances)
    print(f"| {name} | {band.name} | {len(photons):,} | {cells} |")
    return chances


def views(
    craft: fits.FITS_rec, here: SkyCoord, zenith: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start of each row, cosine of the inclination in its middle, and livetime in view."""

    def middle(name: str) -> np.ndarray:
        start = unit_vectors(craft[f"RA_{name}"].astype(float), craft[f"DEC_{name}"].astype(float))
        mean = start + np.roll(start, -1, axis=0)
        mean[-1] = start[-1]
        # The boresight jumps at the start of an orbit.
        jump = np.sum(start * np.roll(start, -1, axis=0), axis=1) < 0.99
        mean[jump] = start[jump]
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    vector = unit_vectors(here.ra.deg, here.dec.deg)
    seen = middle("ZENITH") @ vector > np.cos(np.radians(zenith))
    return craft["START"], middle("SCZ") @ vector, craft["LIVETIME"] * seen


def livetime_profile(cosine: np.ndarray, weight: np.ndarray) -> LivetimeProfile:
    """Livetime in bins of the inclination."""
    edges = np.linspace(0, 1, 101)
    livetime = np.histogram(cosine, edges, weights=weight)[0]
    return LivetimeProfile((edges[1:] + edges[:-1]) / 2, livetime)


def measured_energies(
    source: QTable, band: Band, response: Response
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative distribution of measured energies, from the density of the dispersion."""
    low, high = band.edges.to_value(u.MeV)
    edges = np.geomspace(low, high, 200)
    middle = np.sqrt(edges[1:] * edges[:-1])
    true = np.geomspace(low / 3, min(high * 3, 3e6), 250)
    spectrum = spectra_of(source).differential(true * u.MeV).value[0] * true
    area = response.areas[0].value(true, response.profile.cos_theta) * response.profile.livetime
    offset, slope = response.areas[0].livetime_factors(true)
    counts = spectrum[:, None] * area * (offset + 0.91 * slope)[:, None]
    bins = np.linspace(0.2, 1, 17)
    place = np.clip(np.digitize(response.profile.cos_theta, bins) - 1, 0, 15)
    density = np.zeros_like(middle)
    for i in range(16):
        share = counts[:, place == i].sum(axis=1)
        if not share.any():
            continue
        cosine = (bins[i] + bins[i + 1]) / 2
        for energy, weight in zip(true, share, strict=True):
            one = response.dispersions[0].density(middle * u.MeV, energy * u.MeV, cosine)
            density += weight * one.value
    total = np.concatenate([[0], np.cumsum(density * np.diff(edges))])
    return edges, total / total[-1]


def source_psf(source: QTable, band: Band, response: Response) -> RadialPsf:
    """PSF of the photons of a source: its spectrum times area, in steps of energy."""
    low, high = band.edges.to_value(u.MeV)
    steps = np.geomspace(low / 1.8, min(high * 1.8, 3e6), 60)
    spectrum = spectra_of(source).differential(steps * u.MeV).value[0] * steps
    inside = np.array([share_inside(response, energy, low, high) for energy in steps])
    area = response.mean_effective_area(steps * u.MeV).value
    psfs = [response.psf(energy * u.MeV) for energy in steps]
    total = sum(w * psf.density for w, psf in zip(spectrum * inside * area, psfs, strict=True))
    return RadialPsf(psfs[0].theta, total)


def share_inside(response: Response, energy: float, low: float, high: float) -> float:
    """Share of photons of a true energy whose measured energy is in a band."""
    edges = np.geomspace(low, high, 200)
    middle = np.sqrt(edges[1:] * edges[:-1])
    density = response.dispersions[0].density(middle * u.MeV, energy * u.MeV, 0.75)
    return float(density.value @ np.diff(edges))


if __name__ == "__main__":
    main()
