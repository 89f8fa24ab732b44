"""Writing count maps in the format of gtbin, for healpy, gammapy and Fermitools."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.fits.selections import selection_cards
from gammafind.sky.pixels import UNSEEN, HealpixPixels, same_pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import atomic_output, check_output
from gammafind.utils.version import running_version

_FORMATS = {"int32": "J", "int64": "K", "float64": "D"}
_COORDSYS = {"galactic": "GAL", "icrs": "CEL", "fk5": "CEL"}
"""As gtbin and gtexpcube2 write them; gammapy does not know ``EQU``."""


def write_counts(
    sky: SkyMap,
    path: str | PathLike,
    *,
    selections: Sequence[Sequence[str]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write counts to one file; all bands must have the same pixels.

    HEALPix maps become a table ``SKYMAP``, images become a cube in the primary HDU. The edges of
    the bands are in ``EBOUNDS`` in keV. Pixels that are not valid become UNSEEN or NaN. Cuts that
    are common to all bands become DSS keywords.

    Parameters
    ----------
    sky : SkyMap
        Of kind ``"counts"``.
    path : path-like
        Gzipped if it ends in ``.gz``.
    selections : sequence of sequence of str, optional
        Cuts on the photons of each band, such as ``"ZENITH_ANGLE = 0:90 deg"``; those of
        ``meta["selections"]`` by default.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        If the map does not contain counts, or ``selections`` has another number of bands.
    ShapeError
        If the bands have different pixels.
    OutputError
        If the file exists, or its directory does not.
    """
    path = check_output(path, overwrite=overwrite)
    if sky.kind != "counts":
        raise OptionError(f"the map contains {sky.kind}", remedy="Only counts can be written.")
    if not all(same_pixels(pixels, sky.pixels[0]) for pixels in sky.pixels):
        raise ShapeError(
            "the bands have different pixels",
            remedy="Write one file for each with write_counts_by_nside.",
        )
    if isinstance(sky.pixels[0], HealpixPixels):
        hdus = [fits.PrimaryHDU(), _healpix_table(sky)]
    else:
        hdus = [_cube(sky)]
    _describe(hdus[0].header, sky)
    hdus[-1].header.update(selection_cards(_shared_cuts(sky, selections)))
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList([*hdus, _ebounds(sky)]).writeto(temporary)
    return path


def write_counts_by_nside(
    sky: SkyMap,
    directory: str | PathLike,
    *,
    selections: Sequence[Sequence[str]] | None = None,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write counts to one file for each nside, ``counts_nside<n>.fits``, or ``counts.fits``.

    Bands of the same energies, such as those of two event types, go to different files. The part of
    their names that differs becomes a part of the file name: ``counts_FRONT_nside<n>.fits``.

    Parameters
    ----------
    sky : SkyMap
        Of kind ``"counts"``, on HEALPix pixels of one frame, or all on the same image.
    directory : path-like
        An existing folder.
    selections : sequence of sequence of str, optional
        As for `write_counts`.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    tuple of Path
        From coarse to fine; `gammafind.sky.fits.read_counts` reads them together.

    Raises
    ------
    OptionError
        If the map does not contain counts.
    ShapeError
        If the pixels are neither HEALPix of one frame nor those of one image.
    OutputError
        If a file exists, or the directory does not.
    """
    frames = {getattr(pixels, "nside", None) and pixels.frame for pixels in sky.pixels}
    one_image = all(same_pixels(pixels, sky.pixels[0]) for pixels in sky.pixels)
    if len(frames) != 1 or (None in frames and not one_image):
        raise ShapeError("the bands are not all on HEALPix pixels of one frame, or on one image")
    groups: dict[tuple[int, str], list[int]] = {}
    for i, (pixels, channel) in enumerate(zip(sky.pixels, _channels(sky.bands), strict=True)):
        groups.setdefault((getattr(pixels, "nside", 0), channel), []).append(i)
    paths = {
        key: check_output(Path(directory) / _file_name(*key), overwrite=overwrite)
        for key in sorted(groups)
    }
    return tuple(
        write_counts(
            sky.select([sky.bands[i].name for i in groups[key]]),
            path,
            selections=None if selections is None else [selections[i] for i in groups[key]],
            overwrite=overwrite,
        )
        for key, path in paths.items()
    )


def _file_name(nside: int, channel: str) -> str:
    parts = ("counts", channel, f"nside{nside}" if nside else "")
    return f"{'_'.join(filter(None, parts))}.fits"


def _channels(bands: Sequence[Band]) -> list[str]:
    """The part of each band name that differs from those of bands with the same energies."""
    channels = []
    for band in bands:
        alike = [set(other.name.split()) for other in bands if same_edges([other], [band])]
        shared = set.intersection(*alike)
        channels.append("-".join(word for word in band.name.split() if word not in shared))
    return channels


def healpix_keywords(pixels: HealpixPixels) -> dict[str, str | int]:
    """Keywords of a table whose rows are all HEALPix pixels in RING order."""
    keywords: dict[str, str | int] = {
        "PIXTYPE": "HEALPIX",
        "ORDERING": "RING",
        "ORDER": int(np.log2(pixels.nside)),
        "NSIDE": pixels.nside,
        "FIRSTPIX": 0,
        "LASTPIX": pixels.shape[0] - 1,
        "COORDSYS": _COORDSYS[pixels.frame],
        "INDXSCHM": "IMPLICIT",
        "OBJECT": "FULLSKY",
    }
    return {**keywords, "RADESYS": "FK5"} if pixels.frame == "fk5" else keywords


def _shared_cuts(sky: SkyMap, selections: Sequence[Sequence[str]] | None) -> list[str]:
    """Cuts that are common to all bands."""
    if selections is None:
        return list(sky.meta.get("selections", ()))
    if len(selections) != sky.n_bands:
        raise OptionError(f"the selections of {len(selections)} bands for {sky.n_bands}")
    return [cut for cut in selections[0] if all(cut in others for others in selections)]


def _marked(sky: SkyMap, mark: float) -> list[np.ndarray]:
    """Arrays as integers, or as float64 with ``mark`` if some pixels are not valid."""
    return [
        _integers(values) if valid.all() else np.where(valid, values.astype(float), mark)
        for values, valid in zip(sky.values, sky.valid, strict=True)
    ]


def _integers(values: np.ndarray) -> np.ndarray:
    """Counts as int32, as gtbin writes them, or as int64 if a value is too large."""
    fits_in_32 = values.max(initial=0) <= np.iinfo(np.int32).max
    return values.astype(np.int32 if fits_in_32 else np.int64)


def _healpix_table(sky: SkyMap) -> fits.BinTableHDU:
    pixels = sky.pixels[0]
    columns = [
        fits.Column(f"CHANNEL{i}", _FORMATS[array.dtype.name], array=array)
        for i, array in enumerate(_marked(sky, UNSEEN), start=1)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(healpix_keywords(pixels), HPX_CONV="FGST-CCUBE")
    return table


def _cube(sky: SkyMap) -> fits.PrimaryHDU:
    """Image of one band or cube of several bands: gtbin CMAP and CCUBE."""
    planes = np.stack(_marked(sky, np.nan))
    data = planes[0] if len(planes) == 1 else planes
    return fits.PrimaryHDU(data, header=sky.pixels[0].wcs.to_header())


def _ebounds(sky: SkyMap) -> fits.BinTableHDU:
    edges = np.array([np.sort(band.edges.to_value(u.keV, u.spectral())) for band in sky.bands])
    columns = [
        fits.Column("CHANNEL", "I", array=np.arange(1, sky.n_bands + 1)),
        fits.Column("E_MIN", "D", unit="keV", array=edges[:, 0]),
        fits.Column("E_MAX", "D", unit="keV", array=edges[:, 1]),
    ]
    return fits.BinTableHDU.from_columns(columns, name="EBOUNDS")


def _describe(header: fits.Header, sky: SkyMap) -> None:
    header["CREATOR"] = f"gammafind {running_version()}"
    for key, value in sky.meta.items():
        entries = value if isinstance(value, list | tuple) else [value]
        for entry in entries:
            header.add_history(f"{key}: {entry}".encode("ascii", "replace").decode())
