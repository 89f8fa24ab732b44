"""Photon lists and spacecraft files: against the Fermitools, and at the size of 15 years.

``python benchmarks/photon_files.py [crab] [week] [years] [photons]``: all parts by default.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from results import kept

import gammafind
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.irf import (
    Pointings,
    livetime_exposure,
    read_livetime_cube,
    read_response,
)
from gammafind.plugins.fermi_lat.irf.livetime import sqrt_edges
from gammafind.plugins.fermi_lat.photons.ft1 import COLUMNS
from gammafind.plugins.fermi_lat.photons.pointing import STEP, Pointing, survey_pointing
from gammafind.plugins.fermi_lat.photons.stream import Table, write_tables
from gammafind.plugins.fermi_lat.spacecraft import read_pointings
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import bin_events, read_counts, read_events, read_good_times, read_layers
from gammafind.sky.fits.good_times import gti_table
from gammafind.sky.skymap import SkyMap

SHARED = Path(__file__).resolve().parents[2] / "shared/data/fermi"
CRAB = SHARED / "reference/fermitools_crab_1day"
WEEK = SHARED / "ft2/lat_spacecraft_weekly_w323_p202_v001.fits.gz"
COMPONENTS = ("4FGL J0534.5+2200", "4FGL J0534.5+2201i", "4FGL J0534.5+2201s")
"""The Crab in 4FGL-DR2: pulsar, inverse Compton and synchrotron."""
PRESET = """\
[preset]
name = "crab"
[renderer]
name = "fermi-lat"
psf_file = "{irf}/psf_P8R2_SOURCE_V6_FB.fits"
aeff_file = "{irf}/aeff_P8R2_SOURCE_V6_FB.fits"
isotropic = "{iso}"
event_types = ["FRONT+BACK"]
energies = [0.3, 0.5, 1, 2, 20]
nsides = [64, 128, 128, 256]
[localiser]
name = "likelihood"
[patches]
n_pixels = [32, 32, 32, 64]
[match]
radius = "0.5 deg"
"""


def main(parts: list[str]) -> None:
    """Print the tables of docs/validation/photons.md."""
    for name, part in {"crab": crab, "week": week, "years": years, "photons": photons}.items():
        if not parts or name in parts:
            kept(f"photon_files_{name}")(part)()


def crab() -> None:
    """One day at the Crab, against gtbin, gtltcube, gtexpcube2 and 4FGL-DR2."""
    print("| what | ours | Fermitools | difference |\n|---|---|---|---|")
    official = read_counts(CRAB / "cntmap.fits.gz")
    events = read_events(CRAB / "ft1.fits.gz")
    with fits.open(CRAB / "ft1.fits.gz") as file:
        lon, lat = (np.array(file["EVENTS"].data[name], dtype=float) for name in ("L", "B"))
    ours = bin_events(events, bands=official.bands, pixels=official.pixels)
    there = _placed(events.energies.to_value(u.MeV), lon, lat, official)
    n = sum(int(values.sum()) for values in official.values)
    mine = sum(int(values.sum()) for values in ours.values)
    for name, sky in (("by RA and Dec", ours.values), ("by L and B of the file", there)):
        moved = sum(np.abs(a - o).sum() for a, o in zip(sky, official.values, strict=True)) // 2
        print(f"| photons in the map, {name} | {mine} | {n} | {moved} in another pixel |")
    good = read_good_times(CRAB / "ft1.fits.gz")
    pointings, _ = read_pointings(CRAB / "ft2.fits.gz", good)
    theirs = read_livetime_cube(CRAB / "ltcube.fits.gz")
    order = np.argsort(theirs.cos_theta)
    cube = pointings.cube(180.0, nside=theirs.pixels.nside, edges=sqrt_edges(len(order)))
    for name in ("livetime", "weighted"):
        a, o = getattr(cube, name), getattr(theirs, name)[:, order]
        used = o > 0.01 * o.max()
        off = np.abs(a[used] / o[used] - 1)
        within = 100 * np.mean(off < 0.01)
        print(
            f"| {name}, sum over the sky (s) | {a.sum():.6g} | {o.sum():.6g} "
            f"| {100 * abs(a.sum() / o.sum() - 1):.1g} % |"
        )
        print(
            f"| {name}, {used.sum()} bins above 1 % of the maximum | {within:.2f} % within 1 % |  "
            f"| at most {100 * off.max():.2f} % |"
        )
    irf = SHARED / "irf"
    response = read_response(
        irf / "psf_P8R2_SOURCE_V6_FB.fits", irf / "aeff_P8R2_SOURCE_V6_FB.fits", "FRONT+BACK"
    )
    layers = read_layers(CRAB / "binned_expmap.fits.gz")
    exposure = livetime_exposure(response, cube, layers.nodes, layers.pixels.centres())
    off = exposure.to_value("cm2 s") / np.array(layers.values) - 1
    print(
        f"| exposure at {off.size} points | mean {np.mean(exposure.to_value('cm2 s')):.5g} cm2 s "
        f"| {np.mean(layers.values):.5g} cm2 s | at most {100 * np.abs(off).max():.2f} % |"
    )
    _crab_flux()


def _placed(
    energy: np.ndarray, lon: np.ndarray, lat: np.ndarray, official: SkyMap
) -> list[np.ndarray]:
    """Counts at Galactic coordinates."""
    index = official.pixels[0].pixel_of(SkyCoord(lon, lat, unit="deg", frame="galactic"))
    found = []
    for band in official.bands:
        low, high = band.edges.to_value(u.MeV)
        chosen = index[(energy >= low) & (energy < high) & (index >= 0)]
        size = int(np.prod(official.pixels[0].shape))
        found.append(np.bincount(chosen, minlength=size).reshape(official.pixels[0].shape))
    return found


def _crab_flux() -> None:
    """Search with the exposure of the spacecraft file, and compare the flux with 4FGL-DR2."""
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder) / "crab.toml"
        iso = SHARED / "diffuse/iso_P8R2_SOURCE_V6_v06.txt"
        preset.write_text(PRESET.format(irf=SHARED / "irf", iso=iso))
        result = gammafind.detect(
            CRAB / "ft1.fits.gz", spacecraft=CRAB / "ft2.fits.gz", preset=preset
        )
    here = SkyCoord(result.catalogue["RAJ2000"], result.catalogue["DEJ2000"])
    row = int(np.argmin(here.separation(SkyCoord(83.6331, 22.0145, unit="deg"))))
    flux, error = (
        result.catalogue[name][row].to_value("cm-2 s-1") for name in ("Flux", "Unc_Flux")
    )
    table = gammafind.read_catalogue("4fgl-dr2")
    names = np.array([str(name).strip() for name in table["Source_Name"]])
    parts = table[np.isin(names, COMPONENTS)]
    expected = spectra_of(parts).flux(0.3 * u.GeV, 20 * u.GeV).to_value("cm-2 s-1").sum()
    print(
        f"| flux of the Crab, 0.3-20 GeV (cm-2 s-1) | {flux:.3g} +- {error:.2g} | {expected:.3g} "
        f"(4FGL-DR2, {len(parts)} components) | {(flux - expected) / error:+.1f} sigma |"
    )


def week() -> None:
    """The real spacecraft file of a week."""
    with fits.open(WEEK) as file:
        total = float(np.sum(file["SC_DATA"].data["LIVETIME"]))
    start = time.process_time()
    pointings, _ = read_pointings(WEEK)
    cube = pointings.cube(90.0)
    seconds = time.process_time() - start
    whole = pointings.cube(180.0)
    # Every moment sees half of the sphere: the mean livetime of the sky is half of the total.
    half = 2 * whole.livetime.sum(axis=1).mean()
    print("| what | value |\n|---|---|")
    print(f"| sum of LIVETIME in the file (s) | {total:.4f} |")
    print(f"| sum of all pointings (s) | {pointings.livetime:.4f} |")
    print(f"| twice the mean livetime of the sky, no zenith cut (s) | {half:.1f} |")
    low, high = cube.livetime.sum(axis=1).min(), cube.livetime.sum(axis=1).max()
    print(f"| livetime of a pixel, zenith angles below 90 deg (s) | {low:.0f} to {high:.0f} |")
    print(f"| CPU time, nside 64, 40 bins (s) | {seconds:.0f} |")


def years() -> None:
    """15 years of rows of 30 s, against the exact sum at 100 places."""
    pointing = survey_pointing("2008-08-04", 15 * 365.25 * u.day)
    n_rows = int((pointing.stop - pointing.start) / STEP)
    rng = np.random.default_rng(1)
    pointings, seconds = Pointings(), 0.0
    places = rng.normal(size=(100, 3))
    places = cube_centres(places)
    limit, exact = np.cos(np.radians(90.0)), np.zeros((len(places), 40))
    for first in range(0, n_rows, 200_000):
        z, zenith, livetime = _rows(pointing, np.arange(first, min(first + 200_000, n_rows)))
        start = time.process_time()
        pointings.add(z, zenith, livetime, livetime**2 / STEP)
        seconds += time.process_time() - start
        for place, sums in zip(places, exact, strict=True):
            cosine = z @ place
            seen = (cosine > 0) & (zenith @ place >= limit)
            index = 39 - np.minimum((40 * np.sqrt(1 - cosine[seen])).astype(int), 39)
            sums += np.bincount(index, weights=livetime[seen], minlength=40)
    start = time.process_time()
    cube = pointings.cube(90.0)
    seconds += time.process_time() - start
    index = cube.pixels.containing(places)
    off = np.abs(cube.livetime[index].sum(axis=1) / exact.sum(axis=1) - 1)
    bins = exact > 0.01 * exact.max()
    each = np.abs(cube.livetime[index][bins] / exact[bins] - 1)
    print("| what | value |\n|---|---|")
    print(f"| rows | {n_rows:,} |")
    print(f"| CPU time of livetime at nside 64, 40 bins (s) | {seconds:.0f} |")
    print(f"| largest difference from the exact sum at 100 places | {100 * off.max():.2f} % |")
    print(f"| median difference of a single bin of inclination | {100 * np.median(each):.1f} % |")
    print(f"| memory (GB) | {_peak():.2f} |")


def cube_centres(places: np.ndarray) -> np.ndarray:
    """Centres of the pixels of a livetime cube that hold some places."""
    pixels = gammafind.HealpixPixels(64, "icrs")
    return pixels.at(pixels.containing(places / np.linalg.norm(places, axis=1)[:, None]))


def _rows(pointing: Pointing, number: np.ndarray) -> tuple[np.ndarray, ...]:
    start = pointing.start + STEP * number
    attitude = pointing.attitude(start)
    livetime = pointing.livetime_until(start + STEP) - pointing.livetime_until(start)
    return attitude.z, attitude.zenith, livetime


def photons() -> None:
    """20 million photons in a file of the official columns, binned by the command line."""
    n = 20_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ft1.fits"
        write_tables(path, {}, [Table("EVENTS", COLUMNS, n, _photons(n), _cards())])
        good = np.array([[0.0, 1e9]])
        with fits.open(path, mode="append") as file:
            file.append(gti_table(good))
        command = [sys.executable, "-m", "gammafind", "bin", str(path), "--preset", "fermi-lat"]
        command += ["--option", "renderer.irf=P8R3_SOURCE_V3", "-o", f"{folder}/counts"]
        command += ["--max-zenith", "100"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        sky = read_counts(sorted(Path(folder, "counts").glob("*.fits")))
        size = path.stat().st_size / 1e9
    print("| what | value |\n|---|---|")
    print(f"| photons, size of the file | {n:,}, {size:.2f} GB |")
    print(f"| photons in the six bands | {sum(int(v.sum()) for v in sky.values):,} |")
    print(f"| CPU time (s) | {cpu:.0f} |")
    print(f"| wall-clock time (s) | {wall:.0f} |")
    print(f"| memory (GB) | {used.ru_maxrss / 1e6:.2f} |")
    _check_bands(sky)


def _check_bands(sky: SkyMap) -> None:
    edges = energy_bands(np.array([0.3, 0.5, 1, 2, 7, 20, 500]) * u.GeV)
    assert [band.name for band in sky.bands] == [band.name for band in edges]


def _cards() -> dict[str, object]:
    return {
        "TSTART": 0.0,
        "TSTOP": 1e9,
        "NDSKEYS": 2,
        "DSTYP1": "BIT_MASK(EVENT_CLASS,128,P8R3)",
        "DSVAL1": "1:1",
        "DSUNI1": "DIMENSIONLESS",
        "DSTYP2": "POS(RA,DEC)",
        "DSVAL2": "CIRCLE(0,0,180)",
        "DSUNI2": "deg",
    }


def _photons(n: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for first in range(0, n, 500_000):
        size = min(500_000, n - first)
        rows = np.zeros(size, dtype=[column.dtype for column in COLUMNS])
        rows["ENERGY"] = 300 * (1 - rng.random(size)) ** (-1 / 1.3)
        rows["RA"] = rng.uniform(0, 360, size)
        rows["DEC"] = np.degrees(np.arcsin(rng.uniform(-1, 1, size)))
        rows["TIME"] = (first + np.arange(size)) * (1e9 / n)
        rows["ZENITH_ANGLE"] = rng.uniform(0, 110, size)
        rows["RUN_ID"], rows["EVENT_ID"] = first, np.arange(size)
        rows["EVENT_CLASS"] = 128
        rows["EVENT_TYPE"] = np.array([1, 2])[(rng.random(size) < 0.4).astype(int)]
        yield rows


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(sys.argv[1:])
