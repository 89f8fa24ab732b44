"""Maps of expected background from FITS files: models, source maps and predicted counts."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import (
    AssumptionWarning,
    EnergyEdgesError,
    FileFormatError,
    InputDataError,
    OptionError,
)
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band
from gammafind.sky.fits.choosing import is_map
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.energies import bins_in_band, energy_cut, format_edges
from gammafind.sky.fits.layers import Layers, read_layers
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.pixels import HealpixPixels, Pixels, same_pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import several, split_hdu

Spectrum = Callable[[np.ndarray], np.ndarray]
"""Factor of a source map at energies in MeV."""

ISOTROPIC = ""
"""Key of the spectrum of flat source maps that have none of their own."""
_BARE = 1e3
"""Counts of a source map, of those observed, from which on it lacks the factor of a spectrum."""
_POINTED = 30
"""Highest pixel over the mean of a point source in 100 pixels at least; 1.5 of a flat map."""

_log = logging.getLogger("gammafind")


def read_background(
    paths: Sequence[str | PathLike] | str | PathLike,
    *,
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    frame: str | None = None,
    spectra: Mapping[str, Spectrum] | None = None,
) -> dict[str, SkyMap]:
    """Read the expected counts of background components.

    Parameters
    ----------
    paths : sequence of path-like
        Models of gtmodel and predicted counts of gammapy (each file is a component), or source
        maps of gtsrcmaps (each HDU is one). ``maps.fits[HDU]`` chooses one HDU.
    bands : sequence of Band
        To which the energy bins are summed.
    pixels : sequence of Pixels
        Of the result, one per band. On others than those of the file, counts per solid angle are
        interpolated.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps if the header has no ``COORDSYS``; by default that of ``pixels``.
    spectra : mapping of str to callable, optional
        Factors of source maps by the name of their component, in upper or lower case, as functions
        of the energy in MeV; that of the key `ISOTROPIC` for flat maps that lack a spectrum, and 1
        for others. gtsrcmaps leaves out the spectrum of all but cubes. Point sources without one
        are left to be found.

    Returns
    -------
    dict of str to SkyMap
        Expected counts by the name of the component; pixels outside the file are not valid.

    Raises
    ------
    EnergyEdgesError
        If the bins of a file do not add up to the bands.
    InputDataError
        If values are negative, or a source map lacks its spectrum.
    OptionError
        If two components have the same name.
    InputFileError
        If a file cannot be used; the subclass describes the fault.
    """
    components: dict[str, SkyMap] = {}
    for path in several(paths):
        for name, layers in _components(path, frame or pixels[0].frame, spectra or {}):
            if name in components:
                raise OptionError(
                    f"two components of the background are called {name}",
                    remedy="Rename one of the files or HDUs.",
                )
            components[name] = _on_pixels(layers, bands, pixels)
    return components


def _components(
    path: str | PathLike, frame: str, spectra: Mapping[str, Spectrum]
) -> list[tuple[str, Layers]]:
    """Name and counts per bin of each component of a file."""
    sources = [] if split_hdu(path)[1] else _source_maps(path)
    if not sources:
        layers = read_layers(path, frame=frame, want="background")
        return [(split_hdu(path)[1] or split_hdu(path)[0].name.split(".")[0], layers)]
    seen = read_layers(path, frame=frame, want="counts")
    observed = sum(float(np.sum(values)) for values in seen.values)
    alike = {name.casefold(): spectrum for name, spectrum in spectra.items() if name}
    found = []
    for name in sources:
        layers = read_layers(f"{split_hdu(path)[0]}[{name}]", frame=frame, want="background")
        spectrum = alike.get(name.casefold())
        if spectrum is None and _lacks_spectrum(layers, observed):
            if _is_pointed(layers):
                _log.info("%s: the source %s is left out, to be found", path, name)
                continue
            spectrum = _assumed(spectra, name, path)
        found.append((name, _integrated(layers, spectrum)))
    return found


def _lacks_spectrum(layers: Layers, observed: float) -> bool:
    """Whether a source map is one of exposures: far above what was observed."""
    total = sum(float(np.sum(values)) for values in _integrated(layers, None).values)
    return total > _BARE * max(observed, 1)


def _is_pointed(layers: Layers) -> bool:
    """Whether a map is that of a point source: most pixels are far below the highest."""
    sharpest = layers.values[-1]
    return float(np.max(sharpest)) > _POINTED * float(np.mean(sharpest))


def _assumed(spectra: Mapping[str, Spectrum], name: str, path: str | PathLike) -> Spectrum:
    """Spectrum of an isotropic component without one."""
    if ISOTROPIC not in spectra:
        raise InputDataError(
            f"the source map {name} lacks its spectrum",
            path=path,
            remedy="Give the XML model next to it, or a map of gtmodel instead.",
        )
    warnings.warn(
        f"{path}: the source map {name} lacks its spectrum; it is taken as the isotropic one of "
        "the preset (an XML model next to it gives another)",
        AssumptionWarning,
        stacklevel=5,
    )
    return spectra[ISOTROPIC]


def _source_maps(path: str | PathLike) -> list[str]:
    """Names of the maps of gtsrcmaps, empty if the file is another."""
    with open_fits(path) as file:
        maps = [hdu for hdu in file if is_map(hdu)]
        if len(maps) < 2 or "EBOUNDS" not in [hdu.name for hdu in file]:
            return []
        return [hdu.name for hdu in maps[1:] if _n_planes(hdu) == _n_planes(maps[0]) + 1]


def _n_planes(hdu: fits.ImageHDU | fits.BinTableHDU) -> int:
    if isinstance(hdu, fits.BinTableHDU):
        return sum(name.upper() not in ("PIX", "KEY") for name in hdu.columns.names)
    return int(np.prod(hdu.shape[:-2]))


def _integrated(layers: Layers, spectrum: Spectrum | None) -> Layers:
    """Counts in the bins between the energies of source maps, which are counts per MeV.

    Between two energies they are a power law, where both are positive, as in the Fermitools.
    """
    energy = layers.nodes.to_value(u.MeV)
    factor = np.ones(len(energy)) if spectrum is None else spectrum(energy)
    planes = [np.asarray(v, dtype=float) * f for v, f in zip(layers.values, factor, strict=True)]
    log = np.log(energy[1:] / energy[:-1])
    counts = []
    for i, step in enumerate(log):
        first, last = planes[i] * energy[i], planes[i + 1] * energy[i + 1]
        both = (first > 0) & (last > 0)
        ratio = np.log(np.divide(last, first, out=np.ones_like(first), where=both))
        steep = np.abs(ratio) > 1e-6
        power = np.divide(last - first, ratio, out=first.copy(), where=steep) * step
        counts.append(np.where(both, power, (first + last) / 2 * step))
    return replace(
        layers,
        names=layers.names[:-1],
        values=tuple(counts),
        valid=tuple(a & b for a, b in zip(layers.valid[1:], layers.valid[:-1], strict=True)),
        bins=np.stack([layers.nodes[:-1], layers.nodes[1:]], axis=1),
        nodes=None,
    )


def _on_pixels(layers: Layers, bands: Sequence[Band], pixels: Sequence[Pixels]) -> SkyMap:
    """Expected counts in bands on other pixels."""
    placed = []
    for i, (band, target) in enumerate(zip(bands, pixels, strict=True)):
        chosen = _layers_of(layers, band, i, len(bands))
        valid = np.logical_and.reduce([layers.valid[j] for j in chosen])
        total = sum(np.where(valid, layers.values[j], 0).astype(float) for j in chosen)
        if np.any(total < 0):
            raise InputDataError("expected counts are negative", path=layers.path)
        placed.append(_place(layers.pixels, total, valid, target))
    return SkyMap(
        bands=tuple(bands),
        pixels=tuple(pixels),
        values=tuple(values for values, _ in placed),
        kind="expected counts",
        valid=tuple(good for _, good in placed),
        meta={"inputs": (describe_input(layers.path),)},
    )


def _layers_of(layers: Layers, band: Band, number: int, n_bands: int) -> list[int]:
    """Layers that make up a band: by their energies, or in order if the file has none."""
    bins = _bins(layers)
    if bins is None:
        if len(layers.names) != n_bands:
            raise EnergyEdgesError(
                f"{len(layers.names)} maps without energies for {n_bands} bands",
                path=layers.path,
                remedy="Add a table EBOUNDS, or give one map per band.",
            )
        return [number]
    fit = bins_in_band(bins, band)
    if fit is None:
        raise EnergyEdgesError(
            f"no bins of the background add up to {format_edges([band])}; they are "
            f"{format_edges(bins)}",
            path=layers.path,
            remedy="Each edge of the bands must be an edge of the bins.",
        )
    return fit


def _bins(layers: Layers) -> Quantity | None:
    if layers.bins is not None:
        return layers.bins
    if layers.nodes is not None:
        raise FileFormatError(
            "the maps hold for one energy each, not for bins",
            path=layers.path,
            remedy="Give expected counts in bins: maps of gtmodel, or source maps of gtsrcmaps.",
        )
    return energy_cut(layers.selections) if len(layers.names) == 1 else None


def _place(
    pixels: Pixels, values: np.ndarray, valid: np.ndarray, target: Pixels
) -> tuple[np.ndarray, np.ndarray]:
    """Expected counts on other pixels: their density is interpolated."""
    if same_pixels(pixels, target):
        return np.where(valid, values, 0), valid
    areas = pixel_areas(pixels).reshape(pixels.shape)
    known = valid & (areas > 0)
    density = np.divide(values, areas, out=np.zeros(pixels.shape), where=known)
    centres = target.centres()
    nearest = pixels.pixel_of(centres)
    inside = (nearest >= 0) & known.flat[nearest]
    if not isinstance(target, HealpixPixels):
        inside &= target.on_sky
    weight = np.nan_to_num(pixels.interpolate(known.astype(float), centres))
    total = np.nan_to_num(pixels.interpolate(density, centres))
    mean = np.divide(total, weight, out=np.zeros(target.shape), where=inside)
    return np.maximum(mean, 0) * pixel_areas(target).reshape(target.shape), inside
