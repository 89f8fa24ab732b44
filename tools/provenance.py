"""Origin and writing of embedded tables: common parts of the derive scripts."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import healpy as hp
import numpy as np
from astropy.io import fits

__all__ = ["DATA", "Origin", "arguments", "healpix_table", "quantised_map", "write"]

DATA = Path(__file__).resolve().parents[1] / "gammafind" / "plugins" / "fermi_lat" / "data"
"""Folder of the embedded Fermi-LAT tables."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Description of an embedded table in its primary header."""

    title: str
    origin: str
    licence: str
    citation: str
    inputs: Sequence[Path]
    notes: Sequence[str] = ()


def arguments(description: str) -> Path:
    """Parse the command line: the folder with the original Fermi-LAT files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("source", type=Path, help="folder with catalogue/, diffuse/ and sky/")
    return parser.parse_args().source


def _sealed(origin: Origin) -> fits.PrimaryHDU:
    """Primary HDU with the origin, the licence and the checksum of each input."""
    header = fits.PrimaryHDU().header
    header["TITLE"] = origin.title
    header["LICENCE"] = origin.licence
    for text in (origin.origin, f"Cite: {origin.citation}", *origin.notes):
        header["COMMENT"] = text
    for path in origin.inputs:
        header["HISTORY"] = f"Input {path.name}"
        header["HISTORY"] = f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return fits.PrimaryHDU(header=header)


def healpix_table(columns: Sequence[fits.Column], *, name: str, nside: int) -> fits.BinTableHDU:
    """Table of Galactic RING HEALPix maps, one pixel per row, in the format of gtbin."""
    table = fits.BinTableHDU.from_columns(list(columns), name=name)
    table.header.update(
        PIXTYPE="HEALPIX",
        ORDERING="RING",
        ORDER=int(np.log2(nside)),
        NSIDE=nside,
        FIRSTPIX=0,
        LASTPIX=hp.nside2npix(nside) - 1,
        COORDSYS="GAL",
        INDXSCHM="IMPLICIT",
        OBJECT="FULLSKY",
    )
    return table


def quantised_map(
    column: str, values: np.ndarray, step: float, *, extension: str, nside: int, unit: str | None
) -> fits.BinTableHDU:
    """HEALPix map in integer steps, which a FITS reader scales back to ``values``."""
    steps = np.round(values / step).astype(np.int16)
    table = healpix_table(
        [fits.Column(column, "I", unit=unit, array=steps)], name=extension, nside=nside
    )
    table.header["TSCAL1"] = step
    return table


def write(name: str, origin: Origin, tables: Sequence[fits.BinTableHDU]) -> None:
    """Write ``name`` to the data folder; the same input gives the same bytes."""
    buffer = io.BytesIO()
    fits.HDUList([_sealed(origin), *tables]).writeto(buffer)
    path = DATA / name
    path.write_bytes(gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0))
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
