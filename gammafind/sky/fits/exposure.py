"""Exposure maps from FITS files, averaged over bands and interpolated to the pixels of a map."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import (
    AssumptionWarning,
    CoordinateSystemError,
    EnergyEdgesError,
    ExtrapolationWarning,
    FileFormatError,
    InputDataError,
    ShapeError,
)
from gammafind.sky.bands import Band, check_bands
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.energies import format_edges
from gammafind.sky.fits.layers import Layers, read_layers
from gammafind.sky.known import interpolate_known
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame, to_frame
from gammafind.sky.skymap import SkyMap

_RTOL = 1e-3
"""Relative tolerance for band edges at the first and last energy, above the rounding of files."""
_NONE = 1e-6
"""Share of the largest exposure of a map below which a pixel was not observed."""
_NAMES = {"sec": "s", "secs": "s", "seconds": "s", "second": "s", "cm^2": "cm2", "m^2": "m2"}
"""Spellings of units that astropy does not know in all formats."""
_COUNTED = ("", "ph", "photon", "count", "ct")
"""What an exposure may be per: a photon has no unit of its own."""


def read_exposure(
    path: str | PathLike,
    *,
    bands: Sequence[Band],
    pixels: Sequence[Pixels] | None = None,
    index: float = 2.2,
    frame: str | None = None,
) -> SkyMap:
    """Read the exposure in each band from a gtexpcube2 file or a healpy map.

    Parameters
    ----------
    path : path-like
        HEALPix (``HPXEXPOSURES`` and ``ENERGIES``) or WCS cube, a cube of gammapy, or maps without
        energies, one per band. ``maps.fits[EXPOSURE]`` chooses an HDU.
    bands : sequence of Band
    pixels : sequence of Pixels, optional
        Pixels of the result, one per band; the exposure is interpolated. By default the pixels of
        the file.
    index : float
        Photon index of the power law that weights the average over a band; 2.2 is typical of 4FGL
        sources.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of a HEALPix map if the header has no ``COORDSYS``. By default that of ``pixels``.

    Returns
    -------
    SkyMap
        Of kind ``"exposure"``, in cm2 s; pixels outside the file are not valid, and on other
        ``pixels`` those without exposure are not either. ``meta["unit"]`` is the unit that the
        file states: empty if it does not, and the values are as they stand in the file.

    Raises
    ------
    EnergyEdgesError
        If the energies do not cover a band, or the number of maps without energies is not the
        number of bands.
    InputDataError
        If an exposure is negative, or all are zero.
    InputFileError
        If the file cannot be used; the subclass describes the fault.

    Warns
    -----
    AssumptionWarning
        If the frame is that of ``pixels``, because the header does not say it.
    ExtrapolationWarning
        If a part of a band is beyond the energies of the file.
    """
    bands = check_bands(bands)
    layers, unit = _read(path, pixels, frame)
    values = _band_values(layers, bands, index)
    valid = np.logical_and.reduce(layers.valid)
    observed = [valid & has_exposure(array) for array in values]
    if not all(good.any() for good in observed):
        raise InputDataError("the exposure of a band is zero in all pixels", path=path)
    if pixels is None:
        pixels = [layers.pixels] * len(bands)
        placed = [(array, valid) for array in values]
    else:
        if len(pixels) != len(bands):
            raise ShapeError(f"{len(pixels)} pixelisations for {len(bands)} bands")
        placed = _placed(layers.pixels, values, observed, pixels)
    return SkyMap(
        bands=bands,
        pixels=tuple(pixels),
        values=tuple(array for array, _ in placed),
        kind="exposure",
        valid=tuple(good for _, good in placed),
        meta={
            "inputs": (describe_input(path),),
            "selections": layers.selections,
            "unit": unit,
        },
    )


def band_weights(energies: Quantity, band: Band, *, index: float) -> np.ndarray:
    """Weights of the nodes of an exposure cube in the average over a band.

    The exposure is linear in the logarithm of the energy between the nodes and constant beyond
    them. It is weighted by a power law of photon index ``index``.

    Parameters
    ----------
    energies : Quantity, shape (n,)
        Increasing.
    band : Band
    index : float

    Returns
    -------
    ndarray, shape (n,)
        Weights with the sum 1.
    """
    nodes = np.log(energies.to_value(u.keV))
    low, high = np.sort(np.log(band.edges.to_value(u.keV, u.spectral())))
    points = low + (high - low) * (np.arange(200) + 0.5) / 200
    spectrum = np.exp((1 - index) * (points - low))
    spectrum /= spectrum.sum()
    return np.array([spectrum @ np.interp(points, nodes, unit) for unit in np.eye(len(nodes))])


def _read(
    path: str | PathLike, pixels: Sequence[Pixels] | None, frame: str | None
) -> tuple[Layers, str]:
    """Layers in cm2 s, and the unit that the file states."""
    try:
        layers = read_layers(path, frame=frame, want="exposure")
    except CoordinateSystemError:
        if frame is not None or not pixels:
            raise
        assumed = pixels[0].frame
        layers = read_layers(path, frame=assumed, want="exposure")
        if not isinstance(layers.pixels, HealpixPixels):
            raise
        warnings.warn(
            f"{path}: the header has no COORDSYS; the exposure is taken as {assumed}, as the "
            "counts are (--frame says another)",
            AssumptionWarning,
            stacklevel=3,
        )
    factor, unit = _unit(layers)
    if factor == 1:
        return layers, unit
    return replace(layers, values=tuple(array * factor for array in layers.values)), unit


def _unit(layers: Layers) -> tuple[float, str]:
    """Factor to cm2 s, and the unit of the file; empty if neither file nor convention says it."""
    if not layers.unit:
        fermitools = layers.hdu == "HPXEXPOSURES" or any(
            "IRF_VERSION" in cut for cut in layers.selections
        )
        return 1.0, "cm2 s" if fermitools else ""
    text = " ".join(_NAMES.get(word, word) for word in layers.unit.replace("*", " ").split())
    for each in _COUNTED:
        unit = u.Unit(f"{text} {each}".strip(), parse_strict="silent")
        for per in (unit, unit / u.Unit(each or "") ** 2):
            if per.is_equivalent("cm2 s"):
                return per.to("cm2 s"), layers.unit
    raise FileFormatError(
        f"the exposure is in {layers.unit!r}", path=layers.path, remedy="It must be in cm2 s."
    )


def has_exposure(values: np.ndarray) -> np.ndarray:
    """Which pixels of a map have any exposure."""
    return values > _NONE * values.max(initial=0)


def _band_values(layers: Layers, bands: Sequence[Band], index: float) -> list[np.ndarray]:
    maps = [
        np.where(good, array, 0).astype(float)
        for good, array in zip(layers.valid, layers.values, strict=True)
    ]
    if any(np.any(array < 0) for array in maps):
        raise InputDataError("exposures are negative", path=layers.path)
    energies = layers.nodes
    if energies is None and layers.bins is not None:
        energies = np.sqrt(layers.bins[:, 0] * layers.bins[:, 1])
    if energies is None:
        if len(maps) != len(bands):
            raise EnergyEdgesError(
                f"{len(maps)} maps without energies for {len(bands)} bands",
                path=layers.path,
                remedy="Add a table ENERGIES, or give one map per band.",
            )
        return maps
    _check_reach(energies, bands, layers)
    weights = [band_weights(energies, band, index=index) for band in bands]
    return [sum(w * array for w, array in zip(row, maps, strict=True) if w) for row in weights]


def _check_reach(energies: Quantity, bands: Sequence[Band], layers: Layers) -> None:
    """Raise an error for a band completely outside the energies; warn of one partly outside.

    Energies at the centres of bins reach half a step beyond the first and the last.
    """
    nodes = energies.to_value(u.keV)
    first, last = nodes[[0, -1]]
    steps = np.sqrt(nodes[1:] / nodes[:-1]) if len(nodes) > 1 else np.array([np.inf])
    lowest, highest = first / steps[0], last * steps[-1]
    if layers.bins is not None:
        lowest, highest = layers.bins.to_value(u.keV).flat[[0, -1]]
    for band in bands:
        low, high = np.sort(band.edges.to_value(u.keV, u.spectral()))
        reach = f"from {first / 1e6:.4g} to {last / 1e6:.4g} GeV"
        if high < first * (1 - _RTOL) or low > last * (1 + _RTOL):
            raise EnergyEdgesError(
                f"the exposures reach {reach}, outside the band {format_edges([band])}",
                path=layers.path,
            )
        if low < lowest * (1 - _RTOL) or high > highest * (1 + _RTOL):
            warnings.warn(
                f"{layers.path}: the exposures reach {reach}; in the rest of the band "
                f"{format_edges([band])} they are taken as constant",
                ExtrapolationWarning,
                stacklevel=4,
            )


def _placed(
    home: Pixels,
    values: Sequence[np.ndarray],
    observed: Sequence[np.ndarray],
    pixels: Sequence[Pixels],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Exposure and validity at the centres of other pixels, between pixels with exposure alone."""
    maps, known = (np.reshape(arrays, (len(values), -1)) for arrays in (values, observed))
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for target in dict.fromkeys(pixels):
        here = [i for i, other in enumerate(pixels) if other == target]
        if target == home:
            found |= {i: (values[i], observed[i]) for i in here}
            continue
        vectors = to_frame(from_frame(target.vectors, target.frame), home.frame)
        there = interpolate_known(home, maps[here], known[here], vectors)
        for i, array in zip(here, there.reshape(len(here), *target.shape), strict=True):
            inside = np.isfinite(array)
            if not isinstance(target, HealpixPixels):
                inside &= target.on_sky
            found[i] = np.where(inside, array, 0), inside
    return [found[i] for i in range(len(pixels))]
