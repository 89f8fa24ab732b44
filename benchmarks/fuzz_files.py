"""Small whole files of every kind that is read, and the function that reads each of them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind.catalogue.extended import extended_sources, layout_of
from gammafind.catalogue.io import write_table
from gammafind.pipeline.inputs import read_catalogue
from gammafind.presets.preset import load_preset
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_background, read_counts, read_events, read_exposure
from gammafind.sky.fits.facts import read_facts
from gammafind.sky.pixels import HealpixPixels
from gammafind.training.recipe import read_recipe
from gammafind.utils.files import of_file
from gammafind.utils.listing import listed

__all__ = ["CORPUS", "Seed", "write_corpus"]

BANDS = energy_bands([2, 20] * u.GeV)
NSIDE = 16
_RNG = 7


@dataclass(frozen=True)
class Seed:
    """A whole file and how it is read.

    Parameters
    ----------
    name : str
        Of the file.
    read : tuple of callable
        Each takes the path.
    """

    name: str
    read: tuple[Callable[[Path], object], ...]


def _exposure(path: Path) -> object:
    return read_exposure(path, bands=BANDS)


def _background(path: Path) -> object:
    return read_background([path], bands=BANDS, pixels=[HealpixPixels(NSIDE)])


def _preset(path: Path) -> object:
    return load_preset(path)


def _extended(path: Path) -> object:
    with of_file(path):
        return layout_of(extended_sources(read_catalogue(path)))


_counts = (read_counts, read_facts)
CORPUS = (
    Seed("hpx.fits", _counts),
    Seed("sparse.fits", _counts),
    Seed("healpy.fits", (partial(read_counts, bands=BANDS, frame="galactic"), read_facts)),
    Seed("image.fits", _counts),
    Seed("image.fits.gz", _counts),
    Seed("packed.fits", _counts),
    Seed("cube.fits", _counts),
    Seed("exposure.fits", (_exposure, read_facts)),
    Seed("expcube.fits", (_exposure,)),
    Seed("background.fits", (_background,)),
    Seed("ft1.fits", (read_events, read_facts)),
    Seed("truth.fits", (read_catalogue,)),
    Seed("truth.ecsv", (read_catalogue,)),
    Seed("truth.vot", (read_catalogue,)),
    Seed("truth.csv", (read_catalogue,)),
    Seed("plain.csv", (read_catalogue,)),
    Seed("extended.ecsv", (_extended,)),
    Seed("preset.toml", (_preset,)),
    Seed("recipe.toml", (read_recipe,)),
    Seed("list.txt", (lambda path: list(listed([f"@{path}"])),)),
)
"""Files by kind; `write_corpus` makes them."""


def write_corpus(folder: Path) -> dict[str, Path]:
    """Write all files of `CORPUS`; the same bytes each time."""
    rng = np.random.default_rng(_RNG)
    counts = rng.poisson(2, 12 * NSIDE**2)
    paths = {seed.name: folder / seed.name for seed in CORPUS}
    _write(paths["hpx.fits"], _skymap({"CHANNEL1": counts}), _ebounds())
    some = np.arange(0, len(counts), 3)
    listed_pixels = _skymap({"PIX": some, "CHANNEL1": counts[some]}, INDXSCHM="EXPLICIT")
    _write(paths["sparse.fits"], listed_pixels, _ebounds())
    healpy = _skymap({"T": counts.astype(np.float32)})
    del healpy.header["COORDSYS"]
    _write(paths["healpy.fits"], healpy)
    _write_images(paths, rng)
    exposure = {f"ENERGY{i}": np.full(len(counts), 1e11 * i) for i in (1, 2, 3)}
    table = _skymap(exposure)
    table.name = "HPXEXPOSURES"
    _write(paths["exposure.fits"], table, _energies())
    _write(paths["background.fits"], _skymap({"CHANNEL1": counts * 0.5}), _ebounds())
    _write(paths["ft1.fits"], _events(rng), _gti())
    _write_tables(paths)
    paths["preset.toml"].write_text(_PRESET)
    paths["recipe.toml"].write_text(_RECIPE)
    paths["list.txt"].write_text("hpx.fits\nsparse.fits\n# a remark\n")
    return paths


def _write(path: Path, *hdus: fits.hdu.base._BaseHDU) -> None:
    first = [] if isinstance(hdus[0], fits.PrimaryHDU) else [fits.PrimaryHDU()]
    fits.HDUList([*first, *hdus]).writeto(path)


def _skymap(columns: dict[str, np.ndarray], **cards: str) -> fits.BinTableHDU:
    codes = {"i": "J", "f": "D"}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, codes[a.dtype.kind], array=a) for name, a in columns.items()],
        name="SKYMAP",
    )
    keys = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "COORDSYS": "GAL", "NSIDE": NSIDE}
    table.header.update({**keys, "INDXSCHM": "IMPLICIT", **cards})
    cut = {"NDSKEYS": 1, "DSTYP1": "ENERGY", "DSUNI1": "MeV", "DSVAL1": "2000:20000"}
    table.header.update(cut)
    return table


def _ebounds() -> fits.BinTableHDU:
    columns = [
        fits.Column("CHANNEL", "I", array=[1]),
        fits.Column("E_MIN", "E", "keV", array=[2e6]),
        fits.Column("E_MAX", "E", "keV", array=[2e7]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EBOUNDS")


def _energies() -> fits.BinTableHDU:
    column = fits.Column("Energy", "D", "MeV", array=[2e3, 6e3, 2e4])
    return fits.BinTableHDU.from_columns([column], name="ENERGIES")


def _wcs() -> fits.Header:
    keys = {"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL1": 0.0, "CRVAL2": 0.0}
    keys |= {"CRPIX1": 16.5, "CRPIX2": 16.5, "CDELT1": -0.5, "CDELT2": 0.5}
    return fits.Header({**keys, "CUNIT1": "deg", "CUNIT2": "deg"})


def _write_images(paths: dict[str, Path], rng: np.random.Generator) -> None:
    plane = rng.poisson(3, (32, 32)).astype(np.int32)
    _write(paths["image.fits"], fits.PrimaryHDU(plane, _wcs()), _ebounds())
    packed = gzip.compress(paths["image.fits"].read_bytes(), mtime=0)
    paths["image.fits.gz"].write_bytes(packed)
    image = fits.CompImageHDU(plane, _wcs(), compression_type="RICE_1")
    _write(paths["packed.fits"], image, _ebounds())
    cube = fits.PrimaryHDU(plane[None], _wcs())
    _write(paths["cube.fits"], cube, _ebounds())
    planes = np.full((3, 32, 32), 1e11, dtype=np.float32)
    _write(paths["expcube.fits"], fits.PrimaryHDU(planes, _wcs()), _energies())


def _events(rng: np.random.Generator, n: int = 60) -> fits.BinTableHDU:
    columns = [
        fits.Column("ENERGY", "E", "MeV", array=rng.uniform(2e3, 2e4, n)),
        fits.Column("RA", "E", "deg", array=rng.uniform(0, 360, n)),
        fits.Column("DEC", "E", "deg", array=rng.uniform(-80, 80, n)),
        fits.Column("TIME", "D", "s", array=np.sort(rng.uniform(3e8, 3.1e8, n))),
        fits.Column("ZENITH_ANGLE", "E", "deg", array=rng.uniform(0, 90, n)),
        fits.Column("EVENT_CLASS", "32X", array=np.ones((n, 32), dtype=bool)),
        fits.Column("EVENT_TYPE", "32X", array=np.ones((n, 32), dtype=bool)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    keys = {"NDSKEYS": 2, "DSTYP1": "ENERGY", "DSUNI1": "MeV", "DSVAL1": "2000:20000"}
    keys |= {"DSTYP2": "POS(RA,DEC)", "DSUNI2": "deg", "DSVAL2": "CIRCLE(0,0,180)"}
    table.header.update({**keys, "TSTART": 3e8, "TSTOP": 3.1e8})
    return table


def _gti() -> fits.BinTableHDU:
    columns = [
        fits.Column("START", "D", "s", array=[3e8]),
        fits.Column("STOP", "D", "s", array=[3.1e8]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="GTI")


def _write_tables(paths: dict[str, Path]) -> None:
    table = QTable(
        {
            "name": ["J0001", "J0002", "J0003"],
            "ra": [10.0, 20.0, 30.0] * u.deg,
            "dec": [-5.0, 0.0, 5.0] * u.deg,
            "class_label": ["BLL", "FSRQ", "PSR"],
            "flux": [1e-9, 2e-9, 3e-9] * u.Unit("cm-2 s-1"),
        },
        meta={"creator": "nobody", "plugins": [{"role": "renderer", "name": "x"}]},
    )
    for name in ("truth.fits", "truth.ecsv", "truth.vot", "truth.csv"):
        write_table(table, paths[name])
    paths["plain.csv"].write_text(
        'name,ra,dec,flux\n"J1, the first",10.5,-3,1e-9\nJ2,20.5,4,2e-9\nJ3,30,5,3e-9\n'
    )
    extended = QTable(table[["name", "ra", "dec"]])
    extended["shape"] = ["disc", "gaussian", "ring"]
    extended["radius"], extended["extension_inner"] = [1.0, 2.0, 0.5] * u.deg, [0, 0, 0.2] * u.deg
    extended.meta = {}
    write_table(extended, paths["extended.ecsv"])


_PRESET = """\
[preset]
name = "mine"
description = "One band"

[renderer]
name = "fermi-lat"
[renderer.options]
energies = "2 GeV, 20 GeV"

[localiser]
name = "likelihood"

[patches]
nside = 4
size = "10 deg"

[match]
radius = "0.5 deg"

[catalogue]
score_threshold = 25.0
"""

_RECIPE = """\
[localiser]
name = "unet"

[training]
preset = "fermi-lat-psf3-2-20"
epochs = 3
"""
