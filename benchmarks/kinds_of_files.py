"""Kinds of LAT files that people have, each given to `gammafind detect` and nothing else.

``python benchmarks/kinds_of_files.py`` makes the kinds that are missing in ../shared from real
photons: count cubes of gtbin, fermipy and gammapy, images and photon lists of the Galactic centre.
A catalogue is right if its sources are known ones, the brightest known ones are in it, and their
fluxes agree. Needs ../shared. Names of kinds as arguments choose some.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from results import kept

import gammafind
from gammafind.plugins.fermi_lat.fluxes import band_fluxes
from gammafind.plugins.fermi_lat.sources import read_fermi_sources
from gammafind.sky.bands import Band

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
CRAB, FERMIPY = DATA / "reference/fermitools_crab_1day", DATA / "reference/fermipy_crab_400GeV"
EVENTS = DATA / "2fhl/fermi_2fhl_events_selected.fits.gz"
COARSE = DATA / "highenergy/fermi_hgps_counts_hpx.fits.gz"
BANDS = {"10_30": (10, 30), "30_100": (30, 100), "100_2000": (100, 2000)}
RADIUS, SIDE, STEP = 8.0, 120, 0.1
"""Of the regions at the Galactic centre: radius of photon lists in deg, pixels a side of images."""
INDEX = 2.4
"""Of the photons within a band of the sky above 10 GeV, whose energies are not known better."""
PURE, BRIGHT, FLUX = 0.8, 0.2, (0.7, 1.4)
"""Share of sources that must be known, all but one of a few; limits of the median ratio of fluxes
of the twenty brightest known points, wider by twice the stated error of the exposure. Of the five
brightest known points, those a fifth as bright as the first must be found, all but one."""
RNG = np.random.default_rng(20)


@dataclass(frozen=True)
class Photons:
    """Photons of a part of the sky: Galactic coordinates in degrees, and energies in MeV."""

    lon: np.ndarray
    lat: np.ndarray
    energy: np.ndarray

    def within(self, radius: float) -> Photons:
        """Photons around the Galactic centre."""
        near = galactic(self).separation(SkyCoord(0, 0, unit="deg", frame="galactic")).deg < radius
        return Photons(self.lon[near], self.lat[near], self.energy[near])


def galactic(photons: Photons) -> SkyCoord:
    """Positions of photons."""
    return SkyCoord(photons.lon, photons.lat, unit="deg", frame="galactic")


def centre() -> Photons:
    """Photons above 10 GeV around the Galactic centre, as exact as their pixels of 0.06 deg."""
    parts = []
    for name, (low, high) in BANDS.items():
        counts = fits.getdata(DATA / f"highenergy/energy_{name}.fits.gz").field(0).ravel()
        near = hp.query_disc(1024, [1, 0, 0], np.radians(14), nest=True)
        pixels = np.repeat(near, counts[near].astype(int))
        fine = pixels * 256 + RNG.integers(0, 256, len(pixels))
        lon, lat = hp.pix2ang(1024 * 16, fine, nest=True, lonlat=True)
        ends = np.array([low, high], dtype=float) ** (1 - INDEX)
        energy = (ends[0] + RNG.random(len(fine)) * (ends[1] - ends[0])) ** (1 / (1 - INDEX))
        parts.append((lon, lat, energy * 1e3))
    return Photons(*map(np.concatenate, zip(*parts, strict=True)))


def two_fhl() -> Photons:
    """Photons of 2FHL."""
    table = fits.getdata(EVENTS, "EVENTS")
    return Photons(table["L"].astype(float), table["B"].astype(float), table["ENERGY"])


def selection(path: Path, *, region: str = "", energy: str = "") -> dict[str, str | int]:
    """DSS keywords of a file, with a region and a range of energies of our own."""
    header = fits.getheader(path, 1)
    cards = {key: header[key] for key in header if key.startswith(("DSTYP", "DSVAL", "DSUNI"))}
    for number in range(1, 9):
        if energy and cards.get(f"DSTYP{number}") == "ENERGY":
            cards[f"DSVAL{number}"] = energy
    if region:
        new = sum(key.startswith("DSTYP") for key in cards) + 1
        cards |= {f"DSTYP{new}": "POS(RA,DEC)", f"DSVAL{new}": region, f"DSUNI{new}": "deg"}
    return cards | {"NDSKEYS": sum(key.startswith("DSTYP") for key in cards)}


def good_times(path: Path) -> fits.BinTableHDU:
    """Good times of a file."""
    with fits.open(path) as file:
        return file["GTI"].copy()


def ebounds(edges: np.ndarray) -> fits.BinTableHDU:
    """Energy bins as gtbin writes them, of edges in MeV."""
    n = len(edges) - 1
    columns = [
        fits.Column("CHANNEL", "I", array=np.arange(1, n + 1)),
        fits.Column("E_MIN", "1E", "keV", array=edges[:-1] * 1e3),
        fits.Column("E_MAX", "1E", "keV", array=edges[1:] * 1e3),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EBOUNDS")


def nodes(edges: np.ndarray, name: str) -> fits.BinTableHDU:
    """Energy bins as gammapy writes them, of edges in MeV."""
    low, high = edges[:-1] / 1e3, edges[1:] / 1e3
    columns = [
        fits.Column("CHANNEL", "K", array=np.arange(len(low))),
        fits.Column("ENERGY", "D", "GeV", array=np.sqrt(low * high)),
        fits.Column("E_MIN", "D", "GeV", array=low),
        fits.Column("E_MAX", "D", "GeV", array=high),
    ]
    return fits.BinTableHDU.from_columns(columns, name=name)


def image_header(projection: str = "CAR", *, frame: str = "GAL") -> fits.Header:
    """Header of an image of the Galactic centre."""
    wcs = WCS(naxis=2)
    names = ("GLON", "GLAT") if frame == "GAL" else ("RA--", "DEC-")
    middle = [0.0, 0.0] if frame == "GAL" else [266.405, -28.936]
    wcs.wcs.ctype = [f"{name}-{projection}" for name in names]
    wcs.wcs.crval, wcs.wcs.cdelt = middle, [-STEP, STEP]
    wcs.wcs.crpix = [(SIDE + 1) / 2] * 2
    return wcs.to_header()


def binned(photons: Photons, header: fits.Header, edges: np.ndarray) -> np.ndarray:
    """Counts in the pixels of an image, shape (n_bins, SIDE, SIDE)."""
    here = galactic(photons)
    here = here if header["CTYPE1"].startswith("GLON") else here.icrs
    lon, lat = here.spherical.lon.deg, here.spherical.lat.deg
    x, y = WCS(header).wcs_world2pix(lon, lat, 0)
    sides = np.arange(SIDE + 1) - 0.5
    return np.histogramdd([photons.energy, y, x], [edges, sides, sides])[0]


def healpix(photons: Photons, nside: int, edges: np.ndarray) -> np.ndarray:
    """Counts in HEALPix pixels, shape (n_bins, n_pixels)."""
    pixel = hp.ang2pix(nside, photons.lon, photons.lat, lonlat=True)
    ends = [edges, np.arange(12 * nside**2 + 1) - 0.5]
    return np.histogram2d(photons.energy, pixel, ends)[0].astype(np.int32)


def write(path: Path, *hdus: fits.hdu.base._BaseHDU) -> Path:
    """Write HDUs, after an empty primary one if the first is a table."""
    first = [] if isinstance(hdus[0], fits.PrimaryHDU) else [fits.PrimaryHDU()]
    fits.HDUList([*first, *hdus]).writeto(path)
    return path


def two_fhl_cube(path: Path) -> Path:
    """Map of gtbin: HEALPix of all photons of 2FHL."""
    edges = np.geomspace(5e4, 2e6, 13)
    return hpx(path, healpix(two_fhl(), 256, edges), ebounds(edges), selection(EVENTS), EVENTS)


def hpx(
    path: Path, counts: np.ndarray, bins: fits.BinTableHDU, cards: dict, times: Path | None
) -> Path:
    """HEALPix counts as gtbin writes them."""
    columns = [fits.Column(f"CHANNEL{i + 1}", "J", array=one) for i, one in enumerate(counts)]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    nside = hp.npix2nside(counts.shape[1])
    table.header.update(PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=nside)
    table.header.update(INDXSCHM="IMPLICIT", FIRSTPIX=0, LASTPIX=counts.shape[1] - 1, **cards)
    return write(path, table, bins, *([good_times(times)] if times else []))


def two_fhl_image(path: Path) -> Path:
    """Map of gtbin: CMAP of 2FHL at the Galactic centre: no table of energies."""
    header = image_header()
    counts = binned(two_fhl(), header, np.array([5e4, 2e6]))[0].astype(np.int32)
    header.update(selection(EVENTS))
    return write(path, fits.PrimaryHDU(counts, header), good_times(EVENTS))


def cube(path: Path, n_bins: int, projection: str, frame: str = "GAL") -> Path:
    """Map of gtbin: CCUBE of the Galactic centre above 10 GeV."""
    edges, header = np.geomspace(1e4, 2e6, n_bins + 1), image_header(projection, frame=frame)
    counts = binned(centre(), header, edges).astype(np.int32)
    header.update(selection(COARSE))
    return write(path, fits.PrimaryHDU(counts, header), ebounds(edges), good_times(COARSE))


def centre_image(path: Path) -> Path:
    """Map of gtbin: CMAP of the Galactic centre in one range of energies."""
    header = image_header("AIT")
    counts = binned(centre(), header, np.array([1e4, 5e5]))[0].astype(np.float32)
    header.update(selection(COARSE, energy="10000:500000"))
    return write(path, fits.PrimaryHDU(counts, header), good_times(COARSE))


def photon_list(path: Path, *, header: bool) -> Path:
    """FT1 of a region at the Galactic centre, with its header or without."""
    photons = centre().within(RADIUS)
    here = galactic(photons).icrs
    start, stop = (good_times(COARSE).data[name].astype(float) for name in ("START", "STOP"))
    place = np.sort(RNG.random(len(here)) * (stop - start).sum())
    interval = np.searchsorted(np.cumsum(stop - start), place)
    time = start[interval] + place - (np.cumsum(stop - start) - (stop - start))[interval]
    bits = np.zeros((2, len(here), 32), dtype=bool)
    bits[0, :, 31 - 7] = True
    bits[1, np.arange(len(here)), 31 - RNG.integers(0, 2, len(here))] = True
    columns = [
        fits.Column("ENERGY", "E", "MeV", array=photons.energy),
        fits.Column("RA", "E", "deg", array=here.ra.deg),
        fits.Column("DEC", "E", "deg", array=here.dec.deg),
        fits.Column("ZENITH_ANGLE", "E", "deg", array=RNG.uniform(20, 100, len(here))),
        fits.Column("TIME", "D", "s", array=time),
        fits.Column("EVENT_CLASS", "32X", array=bits[0]),
        fits.Column("EVENT_TYPE", "32X", array=bits[1]),
    ]
    events = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    if header:
        middle = SkyCoord(0, 0, unit="deg", frame="galactic").icrs
        region = f"CIRCLE({middle.ra.deg:.4f},{middle.dec.deg:.4f},{RADIUS:g})"
        events.header.update(selection(COARSE, region=region))
    return write(path, events, good_times(COARSE))


def gammapy_cube(path: Path) -> Path:
    """Map.write of gammapy: energies in the HDU that BANDSHDU names, no selection, no time."""
    edges, header = np.geomspace(1e4, 2e6, 12), image_header("CAR")
    header["BANDSHDU"], header["META"] = "COUNTS_BANDS", "{}"
    counts = binned(centre(), header, edges).astype(np.float32)
    return write(path, fits.ImageHDU(counts, header, name="COUNTS"), nodes(edges, "COUNTS_BANDS"))


def gammapy_healpix(path: Path) -> Path:
    """Counts of gammapy on HEALPix pixels of a region, by their numbers (EXPLICIT)."""
    edges = np.geomspace(1e4, 2e6, 12)
    counts = healpix(centre(), 512, edges)
    near = np.sort(hp.query_disc(512, [1, 0, 0], np.radians(12)))
    columns = [fits.Column("PIX", "J", array=near)]
    columns += [
        fits.Column(f"CHANNEL{i + 1}", "E", array=one[near]) for i, one in enumerate(counts)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=512)
    table.header.update(INDXSCHM="EXPLICIT", BANDSHDU="SKYMAP_BANDS", HPX_CONV="GADF")
    return write(path, table, nodes(edges, "SKYMAP_BANDS"))


def fermipy_cube(path: Path) -> Path:
    """HEALPix ccube of fermipy: pixels of a region, channels from 0."""
    edges = np.geomspace(1e4, 2e6, 19)
    counts = healpix(centre(), 512, edges)
    near = np.sort(hp.query_disc(512, [1, 0, 0], np.radians(12)))
    columns = [fits.Column("PIX", "J", array=near)]
    columns += [fits.Column(f"CHANNEL{i}", "D", array=one[near]) for i, one in enumerate(counts)]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=512)
    table.header.update(INDXSCHM="EXPLICIT", HPX_REG="DISK(0.0,0.0,12.0)", **selection(COARSE))
    return write(path, table, ebounds(edges), good_times(COARSE))


def given(*paths: Path) -> Callable[[Path], tuple[Path, ...]]:
    """Files as they are in ../shared."""
    return lambda _: paths


KINDS: dict[str, Callable[[Path], Path | tuple[Path, ...]]] = {
    "2FHL photons": given(EVENTS),
    "2FHL cube, HEALPix of gtbin": two_fhl_cube,
    "2FHL image, Galactic centre": two_fhl_image,
    "3FHL cube, 62 bins, CAR": lambda path: cube(path, 62, "CAR"),
    "Galactic-centre cube, 10 bins, TAN in RA, Dec": lambda path: cube(path, 10, "TAN", "CEL"),
    "Galactic-centre image, AIT": centre_image,
    "Galactic-centre photons": lambda path: photon_list(path, header=True),
    "Galactic-centre photons, bare header": lambda path: photon_list(path, header=False),
    "gammapy cube": gammapy_cube,
    "gammapy HEALPix of a region": gammapy_healpix,
    "fermipy HEALPix of a region": fermipy_cube,
    "sky above 10 GeV, HEALPix of gtbin": given(COARSE),
    "fermipy cube of the Crab": given(FERMIPY / "ccube_00.fits.gz"),
    "fermipy cubes of two channels": given(
        FERMIPY / "ccube_00.fits.gz", FERMIPY / "ccube_01.fits.gz"
    ),
    "fermipy photons of the Crab": given(FERMIPY / "ft1_00.fits.gz"),
    "Crab photons of a day": given(CRAB / "ft1.fits.gz"),
    "Crab cube of a day": given(CRAB / "cntmap.fits.gz"),
    "healpy map without energies": given(DATA / "highenergy/energy_10_30.fits.gz"),
}


@kept("kinds_of_files")
def main() -> None:
    """Print the table of docs/validation/lat_files.md."""
    chosen = {
        name: make for name, make in KINDS.items() if name in sys.argv[1:] or not sys.argv[1:]
    }
    known = {"2FHL": two_fhl_sources(), "": four_fgl()}
    print("| file | ends in | sources | known | brightest | flux ratio | verdict |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(chosen.items()):
            made = make(Path(folder) / f"{number}.fits")
            paths = made if isinstance(made, tuple) else (made,)
            reference = known["2FHL" if name.startswith("2FHL") else ""]
            print(f"| {name} | {judged(paths, Path(folder) / f'{number}.ecsv', reference)} |")


@dataclass(frozen=True)
class Known:
    """A catalogue: positions, points, fluxes in a band; and positions of another one."""

    positions: SkyCoord
    points: np.ndarray
    flux: Callable[[Band], np.ndarray]
    others: SkyCoord | None = None


def four_fgl() -> Known:
    """4FGL-DR2, with the fluxes of its spectra."""
    table = read_fermi_sources("4fgl-dr2")
    points = [not str(name).endswith("e") for name in table["name"]]
    flux = partial(band_fluxes, table, index=INDEX)
    return Known(
        SkyCoord(table["ra"], table["dec"]), np.array(points), lambda band: flux([band])[:, 0]
    )


def two_fhl_sources() -> Known:
    """2FHL, with the fluxes above 50 GeV, and the fainter sources of 4FGL-DR2."""
    table = fits.getdata(DATA / "2fhl/gll_psch_v09.fit.gz", 1)
    points = [not name.strip().endswith("e") for name in table["Source_Name"]]
    places = SkyCoord(table["RAJ2000"], table["DEJ2000"], unit="deg")
    return Known(places, np.array(points), lambda _: table["Flux50"], four_fgl().positions)


def judged(paths: tuple[Path, ...], output: Path, known: Known) -> str:
    """Cells of the table: what `gammafind detect` makes of files."""
    command = [sys.executable, "-m", "gammafind", "detect", *map(str, paths), "-o", str(output)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    print(done.stdout, done.stderr, file=sys.stderr)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        return f"an error of {len(lines)} line | - | - | - | - | error"
    counts = gammafind.read_counts(list(paths))
    return f"a catalogue | {verdict(QTable.read(output), known, counts)}"


def verdict(found: QTable, known: Known, counts: gammafind.SkyMap) -> str:
    """Compare with the known sources in the pixels that were searched."""
    if not len(found):
        return "0 | - | - | - | wrong"
    places = SkyCoord(found["RAJ2000"], found["DEJ2000"])
    radius = np.maximum(0.3 * u.deg, counts.pixels[0].pixel_size)
    catalogues = [one for one in (known.positions, known.others) if one is not None]
    near = [places.match_to_catalog_sky(one)[1] < radius for one in catalogues]
    is_known = np.any(near, axis=0)
    pixel = counts.pixels[0].pixel_of(known.positions)
    flux = known.flux(Band("all", counts.bands[0].low, counts.bands[-1].high))
    inside = (pixel >= 0) & counts.valid[0].flat[pixel] & known.points
    brightest = np.flatnonzero(inside)[np.argsort(-flux[inside])][:20]
    index, apart, _ = known.positions[brightest].match_to_catalog_sky(places)
    bright = (
        apart[:5][flux[brightest[:5]] > BRIGHT * flux[brightest[0]]] if len(brightest) else apart
    )
    seen, n = int(np.sum(bright < radius)), len(bright)
    right = seen >= max(1, n - 1) and np.sum(~is_known) <= max(1, (1 - PURE) * len(found))
    ratio = "-"
    if "Flux" in found.colnames:
        ratios = []
        for place, row in zip(known.positions[brightest], index, strict=True):
            all_there = flux[place.separation(known.positions) < radius].sum()
            ratios.append(found["Flux"][row].to_value("cm-2 s-1") / all_there)
        median = float(np.median(np.array(ratios)[apart < radius]))
        wider = 1 + 2 * (found.meta.get("exposure_error") or 0.0)
        right &= FLUX[0] / wider < median < FLUX[1] * wider
        ratio = f"{median:.2f}"
    cells = (len(found), f"{is_known.mean():.2f}", f"{seen} of {n}", ratio)
    return f"{' | '.join(map(str, cells))} | {'right' if right else 'wrong'}"


if __name__ == "__main__":
    main()
