"""Exposure maps from FITS files, averaged over bands and interpolated to the pixels of a map."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import EnergyEdgesError, FileFormatError, InputDataError, ShapeError
from gammafind.sky.bands import Band, check_bands
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.energies import format_edges
from gammafind.sky.fits.layers import Layers, read_layers
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap

_RTOL = 1e-3
"""Relative tolerance for band edges at the first and last energy, above the rounding of files."""


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
        HEALPix (``HPXEXPOSURES`` and ``ENERGIES``) or WCS cube, or maps without energies,
        one per band.
    bands : sequence of Band
    pixels : sequence of Pixels, optional
        Pixels of the result, one per band; the exposure is interpolated. By default the pixels of
        the file.
    index : float
        Photon index of the power law that weights the average over a band; 2.2 is typical of 4FGL
        sources.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of a HEALPix map if the header has no ``COORDSYS``.

    Returns
    -------
    SkyMap
        Of kind ``"exposure"``, in cm2 s; pixels outside the file are not valid.

    Raises
    ------
    EnergyEdgesError
        If the energies do not cover a band, or the number of maps without energies is not the
        number of bands.
    InputDataError
        If an exposure is negative.
    InputFileError
        If the file cannot be used; the subclass describes the fault.
    """
    bands = check_bands(bands)
    layers = read_layers(path, frame=frame)
    values = _band_values(layers, bands, index)
    valid = np.logical_and.reduce(layers.valid)
    if pixels is None:
        pixels = [layers.pixels] * len(bands)
        placed = [(array, valid) for array in values]
    else:
        if len(pixels) != len(bands):
            raise ShapeError(f"{len(pixels)} pixelisations for {len(bands)} bands")
        placed = [
            _place(layers.pixels, array, valid, target)
            for array, target in zip(values, pixels, strict=True)
        ]
    return SkyMap(
        bands=bands,
        pixels=tuple(pixels),
        values=tuple(array for array, _ in placed),
        kind="exposure",
        valid=tuple(good for _, good in placed),
        meta={"inputs": (describe_input(path),), "selections": layers.selections},
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


def _band_values(layers: Layers, bands: Sequence[Band], index: float) -> list[np.ndarray]:
    factor = _unit_factor(layers)
    maps = [
        np.where(good, array, 0).astype(float) * factor
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
    """Raise an error for a band that is completely outside the energies of the file."""
    first, last = energies[[0, -1]].to_value(u.keV)
    for band in bands:
        low, high = np.sort(band.edges.to_value(u.keV, u.spectral()))
        if high < first * (1 - _RTOL) or low > last * (1 + _RTOL):
            raise EnergyEdgesError(
                f"the exposures reach from {first / 1e6:.4g} to {last / 1e6:.4g} GeV, "
                f"outside the band {format_edges([band])}",
                path=layers.path,
            )


def _unit_factor(layers: Layers) -> float:
    """Factor to cm2 s; maps without a unit are assumed to be in cm2 s."""
    if not layers.unit:
        return 1.0
    unit = u.Unit(layers.unit.strip(), parse_strict="silent")
    if not unit.is_equivalent("cm2 s"):
        raise FileFormatError(
            f"the exposure is in {layers.unit!r}", path=layers.path, remedy="It must be in cm2 s."
        )
    return unit.to("cm2 s")


def _place(
    pixels: Pixels, values: np.ndarray, valid: np.ndarray, target: Pixels
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate at the centres of ``target``; use the nearest value if a neighbour is missing."""
    if pixels == target:
        return values, valid
    centres = target.centres()
    nearest = pixels.pixel_of(centres)
    inside = (nearest >= 0) & valid.flat[nearest]
    complete = pixels.interpolate(valid.astype(float), centres) > 1 - 1e-6
    interpolated = pixels.interpolate(values, centres)
    return np.where(inside, np.where(complete, interpolated, values.flat[nearest]), 0), inside
