"""Count maps from standard FITS files, summed to the chosen bands."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import (
    CoverageWarning,
    EmptySkyWarning,
    EnergyEdgesError,
    InputDataError,
    SelectionWarning,
)
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band, check_bands, energy_bands
from gammafind.sky.fits.choosing import MapHDU, choose_map
from gammafind.sky.fits.contents import check_counts, refuse_other_maps
from gammafind.sky.fits.energies import (
    bins_in_band,
    energy_cut,
    format_edges,
    overlapping,
    read_energies,
)
from gammafind.sky.fits.healpix import value_columns
from gammafind.sky.fits.layers import Layers, read_layers
from gammafind.sky.fits.listed import with_empty_pixels
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.selections import file_selections, in_field
from gammafind.sky.fits.stored import image_shape
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import file_checksum, several, split_hdu

_RTOL = 1e-3
"""Relative difference of equal energies, above the rounding of files."""
_ALIKE = 0.8
"""Ratio of the areas of two bands that may differ by rims of coarse pixels and a few holes."""
_IN_NAME = re.compile(r"(\d+(?:\.\d+)?)[-_](\d+(?:\.\d+)?)[-_ ]?((?:[MGT]|k)eV)?(?![\d.]*\d)")
"""Energies in the name of a file, such as ``energy_10_30.fits`` or ``2-20GeV.fits``."""

_Choice = tuple[Layers, list[int]]
"""A file, and the indices of its layers that make up a band."""


def read_counts(
    paths: Sequence[str | PathLike] | str | PathLike,
    *,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
) -> SkyMap:
    """Read a count map from one or several files.

    Parameters
    ----------
    paths : sequence of path-like
        gtbin HEALPix files, healpy maps, or images and cubes with a celestial WCS, plain or
        gzipped. Each may contain some of the bands, on its own pixels.
    bands : sequence of Band, optional
        Bands to which the energy bins of the files are summed. Files without ``EBOUNDS`` must
        contain one map, in order, for each band that is in no other file. By default each bin of
        the files becomes a band.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps if the header has no ``COORDSYS``.

    Returns
    -------
    SkyMap
        Counts as int64. Pixels without data, and pixels outside the circle of the photon selection
        (``POS(RA,DEC)``), are not valid.

    Raises
    ------
    EnergyEdgesError
        If the bins of the files overlap, or cannot be summed to the bands.
    InputDataError
        If values are negative or not integers, or a band has no valid pixel.
    InputFileError
        If a file cannot be used; the subclass describes the fault.

    Warns
    -----
    MaskedPixelsWarning
        If pixels are NaN, UNSEEN or null.
    AssumptionWarning
        If pixels that a list leaves out are taken as empty.
    CoverageWarning
        If the bands cover different parts of the sky.
    SelectionWarning
        If a band is narrower than the energies that the photons were selected in.
    EmptySkyWarning
        If there are no counts.
    """
    paths = several(paths)
    files = [_read_one(path, frame) for path in paths]
    if bands is None:
        bands, choices = _own_bands(files)
    else:
        bands = check_bands(bands)
        choices = _choose(files, bands)
    sums = [_sum_counts(*choice) for choice in choices]
    sky = SkyMap(
        bands=bands,
        pixels=tuple(file.pixels for file, _ in choices),
        values=tuple(values for values, _ in sums),
        valid=tuple(valid for _, valid in sums),
        meta={
            "inputs": tuple(describe_input(path) for path in paths),
            "selections": tuple(dict.fromkeys(cut for file in files for cut in file.selections)),
        },
    )
    names = ", ".join(str(path) for path in paths)
    _warn_of_coverage(sky, names)
    if not any(values.any() for values in sky.values):
        warnings.warn(f"{names}: the sky has no counts", EmptySkyWarning, stacklevel=2)
    return sky


def read_energy_edges(paths: Sequence[str | PathLike] | str | PathLike) -> Quantity:
    """Energy bins of the files, sorted, without reading their maps.

    Returns
    -------
    Quantity, shape (n, 2)

    Raises
    ------
    EnergyEdgesError
        If a file has no table of bins and no cut on energies, or the bins overlap.
    InputFileError
        If a file cannot be opened, or has no map.
    """
    paths = several(paths)
    edges = []
    for path in paths:
        with open_fits(path) as file:
            edges.append(file_energy_edges(file, path))
    return _in_order(np.concatenate(edges), paths)


def file_energy_edges(file: fits.HDUList, path: str | PathLike) -> Quantity:
    """Energy bins of an open file, as `read_energy_edges`."""
    bins = file_energy_bins(file, path)
    if bins is None:
        raise _no_edges(Path(path))
    return bins


def file_energy_bins(file: fits.HDUList, path: str | PathLike) -> Quantity | None:
    """Energy bins of an open file of counts, sorted, shape (n, 2); None if it has none.

    Raises
    ------
    EnergyEdgesError
        If bins cannot be read, or overlap.
    """
    hdu = choose_map(file, path)
    n_maps = _n_maps(hdu, Path(path))
    bins = read_energies(file, hdu, path).of(n_maps, counted=True).bins
    if bins is None and n_maps == 1:
        bins = energy_cut(file_selections(file))
    return None if bins is None else _in_order(bins, [path])


def _n_maps(hdu: MapHDU, path: Path) -> int:
    """Number of maps in an HDU; 0 if only its values say it."""
    if not isinstance(hdu, fits.BinTableHDU):
        return int(np.prod(image_shape(hdu)[:-2]))
    return 0 if "VALUE" in hdu.columns.names else len(value_columns(hdu, path))


def describe_input(path: str | PathLike) -> dict[str, str]:
    """Name and SHA-256 of an input file."""
    return {"name": Path(path).name, "sha256": file_checksum(path)}


def _read_one(path: str | PathLike, frame: str | None) -> Layers:
    """Layers of a file of counts."""
    file = read_layers(path, frame=frame)
    refuse_other_maps(file)
    return with_empty_pixels(file)


def _with_cut(file: Layers) -> Layers:
    """Layers with the bin of the cut on energies, where a single map has no table of bins."""
    bins = energy_cut(file.selections) if file.bins is None and len(file.names) == 1 else None
    return file if bins is None else replace(file, bins=bins)


def _own_bands(files: Sequence[Layers]) -> tuple[tuple[Band, ...], list[_Choice]]:
    """Each bin of the files as a band, from low to high energy."""
    files = [_with_cut(file) for file in files]
    for file in files:
        if file.bins is None:
            raise _no_edges(file.path)
    found = [(edges, file, i) for file in files for i, edges in enumerate(file.bins)]
    found.sort(key=lambda item: item[0][0])
    bins = u.Quantity([edges for edges, _, _ in found])
    _refuse_overlap(bins, [file.path for file in files])
    bands = [energy_bands(edges.to(u.GeV))[0] for edges in bins]
    return check_bands(bands), [(file, [i]) for _, file, i in found]


def _choose(files: Sequence[Layers], bands: Sequence[Band]) -> list[_Choice]:
    """For each band the file that contains it, and the layers to sum."""
    with_edges = [file for file in files if file.bins is not None]
    choices: list[list[_Choice]] = [
        [(file, fit) for file in with_edges if (fit := bins_in_band(file.bins, band)) is not None]
        for band in bands
    ]
    for band, found in zip(bands, choices, strict=True):
        if len(found) > 1:
            raise EnergyEdgesError(
                f"band {band.name} is also in {found[0][0].path}",
                path=found[1][0].path,
                remedy="Give each band in only one file.",
            )
    spare = iter([(file, [i]) for file in files if file.bins is None for i in _layer_range(file)])
    filled = [found[0] if found else next(spare, None) for found in choices]
    for band, choice in zip(bands, filled, strict=True):
        if choice is not None:
            _compare_cut(choice[0], band)
    _refuse_gaps(files, bands, filled)
    if next(spare, None) is not None:
        file = next(file for file in files if file.bins is None)
        raise EnergyEdgesError(
            f"{_layer_count(files)} for {len(bands)} bands ({format_edges(bands)})",
            path=file.path,
            remedy="Without EBOUNDS, give one band for each map.",
        )
    return filled


def _compare_cut(file: Layers, band: Band) -> None:
    """Compare the band of a map without energies with the cut on those of its photons."""
    cut = energy_cut(file.selections) if file.bins is None else None
    if cut is None:
        return
    low, high = np.sort(band.edges.to_value("keV", u.spectral()))
    first, last = cut[0].to_value("keV")
    if low < first * (1 - _RTOL) or high > last * (1 + _RTOL):
        raise EnergyEdgesError(
            f"the photons were selected in {format_edges(cut)}, the band is {band.name}",
            path=file.path,
            remedy="Give the band that the header states, or correct the header.",
        )
    if low > first * (1 + _RTOL) or high < last * (1 - _RTOL):
        warnings.warn(
            f"{file.path}: the photons were selected in {format_edges(cut)}; the map is taken as "
            f"one of {band.name} alone",
            SelectionWarning,
            stacklevel=4,
        )


def _layer_range(file: Layers) -> range:
    return range(len(file.names))


def _layer_count(files: Sequence[Layers]) -> str:
    n = sum(len(file.names) for file in files if file.bins is None)
    return f"{n} map{'s' if n > 1 else ''} without EBOUNDS"


def _refuse_gaps(
    files: Sequence[Layers], bands: Sequence[Band], filled: Sequence[_Choice | None]
) -> None:
    missing = [band for band, choice in zip(bands, filled, strict=True) if choice is None]
    used = {id(choice[0]) for choice in filled if choice is not None}
    unused = [file for file in files if file.bins is not None and id(file) not in used]
    if not missing and not unused:
        return
    blamed = unused[0] if unused else files[0]
    held = [
        format_edges(file.bins) if file.bins is not None else _layer_count([file]) for file in files
    ]
    what = f"no bins add up to {format_edges(missing)}" if missing else "none of the bands is in it"
    raise EnergyEdgesError(
        f"{what}; the energy bins are {' and '.join(held)}",
        path=blamed.path,
        remedy=f"Each edge of the bands ({format_edges(bands)}) must be an edge of the bins.",
    )


def _in_order(bins: Quantity, paths: Sequence[str | PathLike]) -> Quantity:
    """Bins from low to high energy; an error if they overlap."""
    bins = bins[np.argsort(bins[:, 0])]
    _refuse_overlap(bins, paths)
    return bins


def _refuse_overlap(bins: Quantity, paths: Sequence[str | PathLike]) -> None:
    if overlapping(bins):
        raise EnergyEdgesError(
            f"energy bins overlap: {format_edges(bins)}",
            path=", ".join(str(path) for path in paths),
            remedy="Each photon must be in only one bin of one file.",
        )


def _no_edges(path: Path) -> EnergyEdgesError:
    name = split_hdu(path)[0].name
    match = _IN_NAME.search(name)
    hint = "Give the band of each map: --band LOW-HIGHunit, or bands in Python."
    if match:
        low, high, unit = match.groups()
        hint += f" By its name it may be --band {low}-{high}{unit or 'GeV'}."
    return EnergyEdgesError(
        "there is no EBOUNDS table, so the energies are unknown", path=path, remedy=hint
    )


def _warn_of_coverage(sky: SkyMap, names: str) -> None:
    """Warn of bands that cover much less of the sky than others."""
    seen = [
        float(np.sum(pixel_areas(pixels), where=good.ravel()))
        for pixels, good in zip(sky.pixels, sky.valid, strict=True)
    ]
    least, most = int(np.argmin(seen)), int(np.argmax(seen))
    if seen[least] < _ALIKE * seen[most]:
        share = seen[least] / seen[most]
        warnings.warn(
            f"{names}: the band {sky.bands[least].name} covers {share:.2g} of the sky that "
            f"{sky.bands[most].name} covers; elsewhere the others are searched without it",
            CoverageWarning,
            stacklevel=3,
        )


def _sum_counts(file: Layers, layers: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Counts and validity of a band."""
    valid = np.logical_and.reduce([file.valid[i] for i in layers])
    valid &= in_field(file.selections, file.pixels)
    name = file.names[layers[0]]
    if not valid.any():
        raise InputDataError(f"{name}: no pixel has data", path=file.path)
    total = np.zeros(file.pixels.shape, dtype=np.int64)
    for i in layers:
        values = np.where(valid, file.values[i], 0)
        check_counts(values, file.names[i], file.path)
        total += values.astype(np.int64)
    return total, valid
