"""HEALPix tables in FITS, in the formats of gtbin, gtexpcube2, healpy and gammapy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from astropy.io import fits

from gammafind.errors import CoordinateSystemError, FileFormatError, HealpixError, OptionError
from gammafind.sky.fits.finer import LARGEST_NSIDE, Finer
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.fits.stored import column_data
from gammafind.sky.pixels import HealpixPixels
from gammafind.utils.limits import check_claim

_FRAMES = {
    **dict.fromkeys(("GAL", "GALACTIC", "G"), "galactic"),
    **dict.fromkeys(("CEL", "CELESTIAL", "C", "EQU", "EQUATORIAL"), "icrs"),
}
_FINEST = 8192
"""Largest nside of a list of pixels, which are added up to larger ones: an eighth of the PSF."""
_NSIDES = (
    f"NSIDE must be a power of two, at most {LARGEST_NSIDE}, or {_FINEST} in a list of pixels."
)
_PIXEL_COLUMNS = ("PIX", "PIXEL", "IPIX")
_MOST_CHANNELS = 1000
"""More than any file has; a sparse table gives the number itself."""
_NUMBERED = re.compile(r"(?:CHANNEL|ENERGY)(\d+)", re.IGNORECASE)


def parse_healpix(
    hdu: fits.BinTableHDU, path: Path, *, frame: str | None, n_channels: int, mean: bool = False
) -> RawMap:
    """Read the columns of a HEALPix table as maps of the whole sky in RING order.

    Pixels of a list that are finer than those of `LARGEST_NSIDE` are added up.

    Parameters
    ----------
    hdu : BinTableHDU
    path : Path
        For messages.
    frame : str or None
        Frame if the header has no ``COORDSYS``.
    n_channels : int
        Number of channels of a sparse table; the last ones may be empty.
    mean : bool
        Whether finer pixels are averaged instead: those of an exposure.

    Raises
    ------
    HealpixError
        If ``NSIDE``, ``ORDERING``, ``INDXSCHM`` and the pixels contradict each other.
    CoordinateSystemError
        If ``COORDSYS`` is unknown, or missing without ``frame``.
    FileFormatError
        If there is no numeric column.
    """
    of_file = HealpixPixels(_nside(hdu, path), _frame(hdu, path, frame))
    finer = Finer(of_file, _nested(hdu, path), mean)
    pixels = finer.target
    names, arrays, present, listed = _layers(hdu, finer, n_channels, path)
    if finer.nested:
        import healpy as hp

        order = hp.ring2nest(pixels.nside, np.arange(pixels.shape[0]))
        arrays = [array[order] for array in arrays]
        present = present[order]
    return RawMap(names, _unit(hdu, names, path), tuple(arrays), present, pixels, listed)


def _nside(hdu: fits.BinTableHDU, path: Path) -> int:
    nside = hdu.header.get("NSIDE")
    order = hdu.header.get("ORDER")
    if nside is None and isinstance(order, int) and 0 <= order <= 29:
        nside = 2**order
    if nside is None:
        raise HealpixError(f"the header of {hdu.name} has no NSIDE", path=path, remedy=_NSIDES)
    try:
        pixels = HealpixPixels(int(nside))
    except (OptionError, TypeError, ValueError):
        raise HealpixError(f"NSIDE is {nside!r}", path=path, remedy=_NSIDES) from None
    if pixels.nside != nside or nside > _FINEST:
        raise HealpixError(f"NSIDE is {nside!r}", path=path, remedy=_NSIDES)
    return pixels.nside


def _unit(hdu: fits.BinTableHDU, names: tuple[str, ...], path: Path) -> str:
    """Unit of the columns, which is the same in all of them."""
    units = dict(zip(hdu.columns.names, hdu.columns.units, strict=True))
    found = list(dict.fromkeys((units.get(name) or "").strip() for name in names))
    if len(found) > 1:
        raise FileFormatError(
            f"the columns of {hdu.name} have different units: {', '.join(map(repr, found))}",
            path=path,
            remedy="All maps of a file must have the same.",
        )
    return found[0]


def _frame(hdu: fits.BinTableHDU, path: Path, frame: str | None) -> str:
    received = hdu.header.get("COORDSYS")
    accepted = f"COORDSYS may be {', '.join(_FRAMES)}."
    blank = received is None or not str(received).strip()
    if blank and frame is None:
        raise CoordinateSystemError(
            f"the header of {hdu.name} has no COORDSYS",
            path=path,
            remedy=f"{accepted} Or set the frame of the map: --frame, or frame in Python.",
        )
    if blank:
        return frame
    known = _FRAMES.get(str(received).strip().upper())
    if known is None:
        raise CoordinateSystemError(f"COORDSYS is {received!r}", path=path, remedy=accepted)
    return "fk5" if known == "icrs" and hdu.header.get("RADESYS") == "FK5" else known


def _nested(hdu: fits.BinTableHDU, path: Path) -> bool:
    received = hdu.header.get("ORDERING")
    ordering = str(received).strip().upper()
    if ordering not in ("RING", "NESTED", "NEST"):
        raise HealpixError(
            "the header has no ORDERING" if received is None else f"ORDERING is {received!r}",
            path=path,
            remedy="Accepted are RING and NESTED.",
        )
    return ordering != "RING"


def _layers(
    hdu: fits.BinTableHDU, finer: Finer, n_channels: int, path: Path
) -> tuple[tuple[str, ...], list[np.ndarray], np.ndarray, bool]:
    """Names, arrays in the order of the file, the pixels it contains, whether it lists them."""
    pixel_column = next((n for n in hdu.columns.names if n.upper() in _PIXEL_COLUMNS), None)
    scheme = hdu.header.get("INDXSCHM", "EXPLICIT" if pixel_column else "IMPLICIT")
    scheme = str(scheme).strip().upper()
    if scheme not in ("IMPLICIT", "EXPLICIT", "SPARSE"):
        raise HealpixError(
            f"INDXSCHM is {scheme!r}",
            path=path,
            remedy="Accepted are IMPLICIT, EXPLICIT and SPARSE.",
        )
    pixels = finer.pixels
    if scheme == "IMPLICIT" and finer.per_pixel > 1:
        raise HealpixError(
            f"a map of all {pixels.shape[0]} pixels of NSIDE {pixels.nside} is too large",
            path=path,
            remedy=f"Degrade it to NSIDE {LARGEST_NSIDE} (healpy.ud_grade, with power=-2 for "
            "counts), or list the pixels of a region (INDXSCHM = EXPLICIT).",
        )
    if scheme == "IMPLICIT":
        names = value_columns(hdu, path)
        arrays = [column_data(hdu, name, path) for name in names]
        _check_length(arrays[0].size, pixels, path)
        return names, arrays, np.ones(pixels.shape, dtype=bool), False
    if scheme == "SPARSE" and {"KEY", "VALUE"} <= set(hdu.columns.names):
        key = _whole_numbers(hdu, "KEY", path)
        channel, index = np.divmod(key, pixels.shape[0])
        return *_sparse_channels(hdu, channel, index, finer, n_channels, path), False
    if pixel_column is None:
        raise HealpixError(f"INDXSCHM is {scheme} but there is no column PIX", path=path)
    index = _pixel_numbers(hdu, pixel_column, pixels, path)
    if scheme == "SPARSE" and {"CHANNEL", "VALUE"} <= set(hdu.columns.names):
        channel = _whole_numbers(hdu, "CHANNEL", path)
        return *_sparse_channels(hdu, channel, index, finer, n_channels, path), False
    names = value_columns(hdu, path)
    held = len(names) * index.size
    check_claim((len(names), *finer.target.shape), hdu.name, path, held=held)
    arrays = [_scatter(column_data(hdu, name, path), index, finer, path) for name in names]
    if scheme == "SPARSE":
        return names, arrays, np.ones(finer.target.shape, dtype=bool), False
    present = _present(arrays, finer.n_listed(index), finer)
    return names, arrays, present, True


def _present(arrays: list[np.ndarray], n_listed: np.ndarray, finer: Finer) -> np.ndarray:
    """Pixels that a list covers: all of the finer ones in them, if it does not leave any out."""
    some = n_listed > 0
    whole = n_listed == finer.per_pixel
    empty = np.all([array[some] == 0 for array in arrays], axis=0).any()
    return whole if empty or whole[some].mean() > 0.5 else some


def _check_length(length: int, pixels: HealpixPixels, path: Path) -> None:
    if length != pixels.shape[0]:
        raise HealpixError(
            f"NSIDE is {pixels.nside}, which means {pixels.shape[0]} pixels, but the table has "
            f"{length}",
            path=path,
            remedy="A map of part of the sky needs INDXSCHM = EXPLICIT and a column PIX.",
        )


def value_columns(hdu: fits.BinTableHDU, path: Path) -> tuple[str, ...]:
    """CHANNELn or ENERGYn in the order of n, or otherwise every numeric column."""
    numbered = [name for name in hdu.columns.names if _NUMBERED.fullmatch(name)]
    if numbered:
        return tuple(sorted(numbered, key=lambda name: int(_NUMBERED.fullmatch(name)[1])))
    names = tuple(
        name
        for name in hdu.columns.names
        if name.upper() not in _PIXEL_COLUMNS and hdu.data[name].dtype.kind in "iuf"
    )
    if not names:
        raise FileFormatError(
            f"{hdu.name} has no numeric column",
            path=path,
            remedy="Use columns CHANNEL1, CHANNEL2, ... or one column of any name.",
        )
    return names


def _whole_numbers(hdu: fits.BinTableHDU, name: str, path: Path) -> np.ndarray:
    values = column_data(hdu, name, path)
    if values.dtype.kind not in "iu" or np.any(values < 0):
        raise HealpixError(
            f"column {name} has values that are not whole numbers from 0 on", path=path
        )
    return values.astype(np.int64)


def _pixel_numbers(
    hdu: fits.BinTableHDU, name: str, pixels: HealpixPixels, path: Path
) -> np.ndarray:
    index = column_data(hdu, name, path)
    if index.dtype.kind not in "iu" or np.any(index < 0) or np.any(index >= pixels.shape[0]):
        raise HealpixError(
            f"column {name} has numbers that are not pixels of NSIDE {pixels.nside}", path=path
        )
    return index.astype(np.int64)


def _scatter(values: np.ndarray, index: np.ndarray, finer: Finer, path: Path) -> np.ndarray:
    if values.size != index.size:
        raise HealpixError(f"{values.size} values for {index.size} pixel numbers", path=path)
    if np.unique(index).size != index.size:
        raise HealpixError("a pixel occurs twice in the list of pixels", path=path)
    return finer.place(values, index)


def _sparse_channels(
    hdu: fits.BinTableHDU,
    channel: np.ndarray,
    index: np.ndarray,
    finer: Finer,
    n_channels: int,
    path: Path,
) -> tuple[tuple[str, ...], list[np.ndarray], np.ndarray]:
    """Rows of channel, pixel and value, as gammapy writes them; all others are zero."""
    values = column_data(hdu, "VALUE", path)
    last = channel.max(initial=0)
    if last >= _MOST_CHANNELS:
        raise HealpixError(
            f"there is a channel {last}", path=path, remedy=f"At most {_MOST_CHANNELS} are read."
        )
    n_channels = max(n_channels, int(last) + 1)
    check_claim((n_channels, *finer.target.shape), hdu.name, path, held=index.size)
    arrays = [
        _scatter(values[channel == i], index[channel == i], finer, path) for i in range(n_channels)
    ]
    names = tuple(f"CHANNEL{i}" for i in range(len(arrays)))
    return names, arrays, np.ones(finer.target.shape, dtype=bool)
