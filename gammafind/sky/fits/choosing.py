"""Which HDU of a file is the map that is wanted."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from astropy.io import fits

from gammafind.errors import FileFormatError
from gammafind.sky.fits.stored import image_shape
from gammafind.utils.files import split_hdu

Wanted = Literal["counts", "exposure", "background"]
"""What a map is read for."""
MapHDU = fits.BinTableHDU | fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU

_ACCEPTED = "a HEALPix table (gtbin, gtexpcube2, healpy) or an image with a celestial WCS"
_NAMES: dict[Wanted, tuple[str, ...]] = {
    "counts": ("COUNTS", "SKYMAP", "CCUBE", "CMAP"),
    "exposure": ("EXPOSURE", "HPXEXPOSURES"),
    "background": ("BACKGROUND", "NPRED", "SKYMAP"),
}
"""Names of the HDU among several maps; an image in the primary HDU comes after them."""
_OTHERS = {
    "EVENTS": ("a photon list", "Bin it into a map first."),
    "SC_DATA": ("a spacecraft file (FT2)", ""),
    "CTHETABOUNDS": ("a livetime cube (gtltcube)", ""),
    "DRM": ("an energy dispersion (gtdrm)", "The response of the preset contains it."),
    "THETA": ("a PSF (gtpsf)", "The response of the preset contains it."),
    "LAT_POINT_SOURCE_CATALOG": ("a catalogue of sources", "Give it as the reference."),
}
"""Files without a map by the name of an HDU: what they are, and what helps."""


def choose_map(file: fits.HDUList, path: str | PathLike, *, want: Wanted = "counts") -> MapHDU:
    """HDU of the map that is wanted.

    Parameters
    ----------
    file : HDUList
    path : path-like
        Name of the file; ``maps.fits[COUNTS]`` or ``maps.fits[2]`` chooses an HDU.
    want : {"counts", "exposure", "background"}
        What it is read for.

    Raises
    ------
    FileFormatError
        If there is no map, no such HDU, or several maps of which none stands out.
    """
    chosen = split_hdu(path)[1]
    if chosen:
        return _named(file, chosen, Path(path))
    maps = [hdu for hdu in file if is_map(hdu)]
    if not maps:
        raise _no_map(file, Path(path), want)
    if want == "counts" and maps[0].name == "HPXEXPOSURES":
        raise FileFormatError(
            "this is a map of exposures, not of counts",
            path=path,
            remedy="Give it as the exposure (--exposure) of a map of counts.",
        )
    if len(maps) == 1:
        return maps[0]
    likely = [hdu for hdu in maps if hdu.name.upper() in _NAMES[want]]
    likely.sort(key=lambda hdu: _NAMES[want].index(hdu.name.upper()))
    first = likely or [hdu for hdu in maps if isinstance(hdu, fits.PrimaryHDU)]
    if not first:
        raise FileFormatError(
            f"there are {len(maps)} maps: {_listed(file, maps)}",
            path=path,
            remedy=f"Choose one with its name or number in brackets: "
            f"'{Path(path).name}[{maps[0].name or file.index(maps[0])}]'.",
        )
    return first[0]


def is_map(hdu: fits.hdu.base.ExtensionHDU) -> bool:
    """Whether an HDU is a map on the sky: a HEALPix table, an image, or a list of its pixels."""
    if isinstance(hdu, fits.BinTableHDU):
        return is_healpix(hdu) or is_pixel_list(hdu)
    shape = image_shape(hdu) if hdu.is_image else ()
    return len(shape) >= 2 and all(n > 0 for n in shape) and shape[-1] * shape[-2] > 1


def is_healpix(hdu: fits.BinTableHDU) -> bool:
    """Whether a table is a HEALPix map according to a keyword or its name."""
    marked = str(hdu.header.get("PIXTYPE", "")).strip().upper() == "HEALPIX"
    named = "NSIDE" in hdu.header or hdu.name in ("SKYMAP", "HPXEXPOSURES")
    return (marked or named) and not is_pixel_list(hdu) and "COSBINS" not in hdu.columns.names


def is_pixel_list(hdu: fits.BinTableHDU) -> bool:
    """Whether a table lists the pixels of an image that are not zero, as gammapy writes it."""
    return "CTYPE1" in hdu.header and {"PIX", "VALUE"} <= set(hdu.columns.names)


def _named(file: fits.HDUList, chosen: str, path: Path) -> MapHDU:
    names = [str(hdu.name).upper() for hdu in file]
    index = int(chosen) if chosen.isdecimal() else -1
    if chosen.upper() in names:
        index = names.index(chosen.upper())
    if not 0 <= index < len(file):
        raise FileFormatError(
            f"there is no HDU {chosen!r}", path=path, remedy=f"There are {_listed(file, file)}."
        )
    if not is_map(file[index]):
        raise FileFormatError(
            f"the HDU {chosen!r} has no map", path=path, remedy=f"Accepted is {_ACCEPTED}."
        )
    return file[index]


def _listed(file: fits.HDUList, hdus: list[MapHDU] | fits.HDUList) -> str:
    return ", ".join(
        f"{i} {hdu.name or '(no name)'}"
        for i, hdu in enumerate(file)
        if any(hdu is h for h in hdus)
    )


def _no_map(file: fits.HDUList, path: Path, want: Wanted) -> FileFormatError:
    names = [hdu.name for hdu in file]
    remedy = f"Accepted is {_ACCEPTED}."
    for name in names:
        if name.upper() in _OTHERS:
            kind, help_text = _OTHERS[name.upper()]
            return FileFormatError(
                f"this is {kind}, not a map of {want}", path=path, remedy=help_text or remedy
            )
    return FileFormatError(f"no map among the HDUs {', '.join(names)}", path=path, remedy=remedy)
