"""Small FITS files, whole or with a fault, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

NSIDE = 4
N_PIXELS = 12 * NSIDE**2
EDGES_KEV = ((1e6, 2e6), (2e6, 7e6))


def counts(n_channels: int = 2, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(3.0, size=(n_channels, N_PIXELS))


def ebounds(edges=EDGES_KEV, *, unit: str | None = "keV", scale: float = 1.0) -> fits.BinTableHDU:
    low, high = np.array(edges, dtype=float).reshape(-1, 2).T * scale
    columns = [
        fits.Column("CHANNEL", "I", array=np.arange(1, len(low) + 1)),
        fits.Column("E_MIN", "1E", unit=unit, array=low),
        fits.Column("E_MAX", "1E", unit=unit, array=high),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EBOUNDS")


def skymap(
    maps: np.ndarray, *, first: int = 1, prefix: str = "CHANNEL", name: str = "SKYMAP", **keywords
) -> fits.BinTableHDU:
    """HEALPix table as gtbin writes it; a keyword given as None is left out."""
    columns = [
        fits.Column(f"{prefix}{first + i}", "D" if array.dtype.kind == "f" else "J", array=array)
        for i, array in enumerate(np.atleast_2d(maps))
    ]
    return with_keywords(fits.BinTableHDU.from_columns(columns, name=name), **keywords)


def with_keywords(table: fits.BinTableHDU, **keywords) -> fits.BinTableHDU:
    header = {
        "PIXTYPE": "HEALPIX",
        "ORDERING": "RING",
        "NSIDE": NSIDE,
        "FIRSTPIX": 0,
        "LASTPIX": N_PIXELS - 1,
        "COORDSYS": "GAL",
        "INDXSCHM": "IMPLICIT",
        **keywords,
    }
    table.header.update({key: value for key, value in header.items() if value is not None})
    return table


def write(path: Path, *hdus) -> Path:
    first = [] if isinstance(hdus[0], fits.PrimaryHDU) else [fits.PrimaryHDU()]
    fits.HDUList([*first, *hdus]).writeto(path)
    return path


def gtbin_file(path: Path, maps: np.ndarray | None = None, **keywords) -> Path:
    """Two channels and their EBOUNDS."""
    return write(path, skymap(counts() if maps is None else maps, **keywords), ebounds())


def image_wcs(projection: str = "CAR", *, prefix=("GLON", "GLAT"), step: float = 1.0) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"{name:-<4}-{projection}" for name in prefix]
    wcs.wcs.crval = [184.0, 0.0]
    wcs.wcs.crpix = [4.5, 3.5]
    wcs.wcs.cdelt = [-step, step]
    return wcs


def cube(shape=(2, 6, 8), *, projection: str = "CAR", seed: int = 2) -> fits.PrimaryHDU:
    data = np.random.default_rng(seed).poisson(2.0, size=shape).astype(np.int32)
    return fits.PrimaryHDU(data, header=image_wcs(projection).to_header())
