"""Expected counts of the diffuse emission in the LAT."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import astropy.units as u
import numpy as np
from scipy.optimize import brentq

from gammafind.errors import ExtrapolationWarning, InputDataError
from gammafind.plugins.fermi_lat.cells import fill_cells
from gammafind.plugins.fermi_lat.embedded import (
    interstellar_path,
    load_interstellar,
    load_isotropic,
)
from gammafind.plugins.fermi_lat.interstellar import band_intensity, energy_integral
from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.isotropic import IsotropicSpectrum, read_isotropic
from gammafind.plugins.fermi_lat.weighted import Weight, weighted_integral
from gammafind.sky.bands import Band
from gammafind.sky.harmonics import angles_of, convolve
from gammafind.sky.patch_points import PatchPoints
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame, unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.upsample import upsample
from gammafind.utils.cache import cached_arrays
from gammafind.utils.data_folder import located
from gammafind.utils.files import file_checksum, split_hdu

_EMBEDDED_NSIDE = 256
"""Resolution of the embedded emission: half of that of its structure, so that it is smooth."""
_FILE_NSIDE = 512
"""Resolution for cubes: about the pixels of gll_iem_v07, 0.125 deg."""
_VERSION = 3
"""Version of the algorithm; the cache ignores arrays of other versions."""


def interstellar_intensity(
    source: str, bands: Sequence[Band], weights: Sequence[Weight] | None = None
) -> tuple[HealpixPixels, tuple[np.ndarray, ...]]:
    """Intensity of the interstellar emission in each band, in cm-2 s-1 sr-1.

    Parameters
    ----------
    source : str
        ``"embedded"``, or the path of a gll_iem cube; a name without a folder is looked for among
        fetched files too.
    bands : sequence of Band
        Above 814 GeV, the last energy of gll_iem_v07, the spectrum continues as a power law.
    weights : sequence of Weight, optional
        Energies in MeV and weights of each band, over true energy: the integral of intensity times
        weight, instead of the intensity in the band.

    Raises
    ------
    BandError
        If a band begins below the energies of the cube, 50 MeV.
    InputDataError
        If the cube does not cover the whole sky.
    """
    pixels, intensity = _known_intensity(source, bands, weights)
    if not all(np.all(np.isfinite(array)) for array in intensity):
        raise InputDataError(
            "the cube does not cover the whole sky",
            path=source,
            remedy="A cut-out serves a search inside it, but no simulation.",
        )
    return pixels, intensity


def _known_intensity(
    source: str, bands: Sequence[Band], weights: Sequence[Weight] | None
) -> tuple[HealpixPixels, tuple[np.ndarray, ...]]:
    """Intensity as of `interstellar_intensity`; NaN outside a cut-out."""
    if source == "embedded":
        return HealpixPixels(_EMBEDDED_NSIDE), tuple(_embedded(bands, weights))
    pixels = HealpixPixels(_FILE_NSIDE)
    return pixels, band_intensity(located(source), bands, pixels, weights)


def _embedded(bands: Sequence[Band], weights: Sequence[Weight] | None) -> Iterator[np.ndarray]:
    """Embedded emission in each band: cells are integrated over energy, then filled."""
    energies, cells, structure = load_interstellar()
    pixels = HealpixPixels(_EMBEDDED_NSIDE)
    home = HealpixPixels(int(np.sqrt(structure.size / 12)))
    fine = home.interpolate(structure, pixels.centres())
    for band, weight in zip(bands, weights or [None] * len(bands), strict=True):
        sums = energy_integral(energies, cells.__getitem__, band, weight, interstellar_path())
        yield fill_cells(sums, fine, pixels)


@cache
def interstellar_index(band: Band) -> float:
    """Photon index of the embedded interstellar emission in a band, mean over the sky.

    The index of the power law with the same mean logarithm of the energy.
    """
    energies, cells, _ = load_interstellar()
    area = np.cos(np.radians(np.linspace(-89.375, 89.375, cells.shape[1])))
    mean = (cells.mean(axis=2) @ area)[:, None]
    low, high = band.edges.to_value(u.MeV, u.spectral())
    ends, logs = np.array([low, high]), np.log([1, high / low])
    total, first = (
        weighted_integral(energies, mean.__getitem__, (ends, weight))[0]
        for weight in (np.ones(2), logs)
    )

    def excess(index: float) -> float:
        at = np.linspace(0, logs[1], 513)
        photons = np.exp((1 - index) * at)
        return float(np.trapezoid(at * photons, at) / np.trapezoid(photons, at) - first / total)

    return float(brentq(excess, -10, 20))


def isotropic_intensity(
    source: str, response: Response, bands: Sequence[Band], *, index: float
) -> np.ndarray:
    """Intensity of the isotropic emission in each band, shape (n_bands,), in cm-2 s-1 sr-1.

    It is that of a power law with ``index`` that has the counts of the emission. The spectra were
    fitted to counts without energy dispersion, so it is not applied to them.

    Parameters
    ----------
    source : str
        ``"embedded"``, or the path of an ``iso_*.txt`` file.
    response : Response
        Selects the embedded spectrum of each event type.
    bands : sequence of Band
    index : float
        Photon index of the exposure by which the intensity is multiplied.

    Warns
    -----
    ExtrapolationWarning
        If a band is beyond the energies of a spectrum.
    """
    spectra = isotropic_spectra(source, response)
    _warn_beyond(spectra, bands)
    return np.array([_isotropic_in_band(spectra, response, band, index) for band in bands])


def isotropic_spectra(source: str, response: Response) -> tuple[IsotropicSpectrum, ...]:
    """Isotropic spectrum of each event type; parameters as for `isotropic_intensity`."""
    if source == "embedded":
        return tuple(load_isotropic(response.irf, name) for name in response.event_types)
    return (read_isotropic(located(source)),) * len(response.event_types)


def interstellar_at_pixels(
    source: str, band: Band, psf: RadialPsf, pixels: Pixels, weight: Weight | None = None
) -> np.ndarray:
    """Intensity of the interstellar emission, convolved with the PSF, in pixels.

    The mean of a HEALPix pixel that is larger than those of the emission, otherwise the value at
    the centre. Stored in the cache for HEALPix pixels. Around a cut-out, as far as the PSF reaches,
    the emission is the embedded one, scaled to that of the cut-out.

    Parameters
    ----------
    source : str
        As for `interstellar_intensity`.
    band : Band
    psf : RadialPsf
    pixels : Pixels
    weight : Weight, optional
        As in `interstellar_intensity`.

    Returns
    -------
    ndarray of float32, shape of ``pixels``
        In cm-2 s-1 sr-1; NaN outside a cut-out.
    """

    def compute() -> dict[str, np.ndarray]:
        home, seen = _seen(source, band, psf, weight)
        values = _on(pixels, home, seen)
        return {"intensity": np.maximum(values, 0).astype(np.float32)}

    if not isinstance(pixels, HealpixPixels):
        return compute()["intensity"]
    key = _key("interstellar emission at pixels", source, band, psf, weight, pixels=repr(pixels))
    return cached_arrays(key, compute)["intensity"]


def interstellar_in_patches(
    source: str,
    band: Band,
    psf: RadialPsf,
    points: PatchPoints,
    weight: Weight | None = None,
) -> np.ndarray:
    """Intensity of the interstellar emission, convolved with the PSF, in all pixels of patches.

    If patch pixels are smaller than half a pixel of the emission, they are interpolated.

    Returns
    -------
    ndarray of float32, shape (n_patches, width, width)
        In cm-2 s-1 sr-1.
    """
    home, seen = _seen(source, band, psf, weight)
    import healpy as hp

    half = home.pixel_size.to_value(u.deg) / 2
    enough = int(2 ** max(1, np.ceil(np.log2(points.grid.pixel_size(1) / half))))
    width = min(points.width, enough)
    nodes = points if width == points.width else PatchPoints(points.grid, width)
    galactic = (_galactic_angles(angles, points.grid.frame) for angles in nodes.angles)
    values = [np.ravel(hp.get_interp_val(seen, *at.T)).astype(np.float32) for at in galactic]
    coarse = np.concatenate(values).reshape(len(points.grid), width, width)
    if np.isnan(coarse).any():
        raise InputDataError(
            "the cube does not cover the patches", path=source, remedy="Give a larger cut-out."
        )
    return np.maximum(upsample(coarse, points.width), 0)


def _on(pixels: Pixels, home: HealpixPixels, seen: np.ndarray) -> np.ndarray:
    """Means in HEALPix pixels that are larger than those of the map, else interpolated values."""
    import healpy as hp

    nests = isinstance(pixels, HealpixPixels) and pixels.frame == home.frame
    if nests and pixels.nside < home.nside:
        unknown = np.isnan(seen)
        if not unknown.any():
            return hp.ud_grade(seen, pixels.nside)
        means = hp.ud_grade(np.where(unknown, 0, seen), pixels.nside)
        # ud_grade would turn NaN into a number of its own.
        return np.where(hp.ud_grade(unknown.astype(float), pixels.nside) > 0, np.nan, means)
    return home.interpolate(seen, pixels.centres())


def seen_intensity(intensity: np.ndarray, home: HealpixPixels, psf: RadialPsf) -> np.ndarray:
    """Convolve an intensity map on the pixels ``home`` with the PSF.

    At the poles, the sum over pixels is uneven if the PSF is narrower than the pixels. The same sum
    over a flat sky corrects for this.
    """
    window = psf.window(3 * home.nside - 1)
    seen, flat = (
        convolve(array, home.nside, window, home.nside)
        for array in (intensity, np.ones_like(intensity))
    )
    return seen / flat


def _seen(
    source: str, band: Band, psf: RadialPsf, weight: Weight | None
) -> tuple[HealpixPixels, np.ndarray]:
    """Intensity of the interstellar emission convolved with the PSF, on its own pixels."""

    def compute() -> dict[str, np.ndarray]:
        weights = None if weight is None else [weight]
        home, (intensity,) = _known_intensity(source, [band], weights)
        known = np.isfinite(intensity)
        if known.all():
            return {"intensity": seen_intensity(intensity, home, psf)}
        seen = seen_intensity(_completed(intensity, home, source, band, weights), home, psf)
        return {"intensity": np.where(known, seen, np.nan)}

    key = _key("interstellar emission", source, band, psf, weight)
    seen = cached_arrays(key, compute)["intensity"]
    return HealpixPixels(int(np.sqrt(len(seen) / 12))), seen


def _completed(
    intensity: np.ndarray,
    home: HealpixPixels,
    source: str,
    band: Band,
    weights: Sequence[Weight] | None,
) -> np.ndarray:
    """A cut-out with the embedded emission around it, scaled to the same median."""
    known = np.isfinite(intensity)
    if not known.any():
        raise InputDataError("the cube covers no part of the sky", path=source)
    coarse = next(_embedded([band], weights))
    around = HealpixPixels(_EMBEDDED_NSIDE).interpolate(coarse, home.centres())
    ratio = np.median(intensity[known]) / np.median(around[known])
    return np.where(known, intensity, ratio * around)


def _galactic_angles(angles: np.ndarray, frame: str) -> np.ndarray:
    """Galactic colatitudes and longitudes, shape (n, 2), of those in a frame."""
    if frame == "galactic":
        return angles
    longitude, latitude = np.degrees(angles[:, 1]), 90 - np.degrees(angles[:, 0])
    return angles_of(from_frame(unit_vectors(longitude, latitude), frame))


def _key(
    array: str, source: str, band: Band, psf: RadialPsf, weight: Weight | None, **more: str
) -> dict[str, Any]:
    """Cache key: all inputs of the interstellar emission in a band."""
    hdu = split_hdu(source)[1]
    return {
        "array": array,
        "version": _VERSION,
        "source": file_checksum(interstellar_path() if source == "embedded" else located(source)),
        "band": band.edges.to_value(u.GeV, u.spectral()).tolist(),
        "weight": None if weight is None else [np.asarray(part).tolist() for part in weight],
        "psf": psf.checksum,
        **({"hdu": hdu} if hdu else {}),
        **more,
    }


def _warn_beyond(spectra: Sequence[IsotropicSpectrum], bands: Sequence[Band]) -> None:
    edges = np.concatenate([band.edges.to_value(u.GeV, u.spectral()) for band in bands])
    first = max(spectrum.energy[0].to_value(u.GeV) for spectrum in spectra)
    last = min(spectrum.energy[-1].to_value(u.GeV) for spectrum in spectra)
    if edges.min() < first * (1 - 1e-6) or edges.max() > last * (1 + 1e-6):
        warnings.warn(
            f"the isotropic spectrum is known from {first:.3g} to {last:.4g} GeV: in the bands "
            f"from {edges.min():.3g} to {edges.max():.4g} GeV it continues as a power law",
            ExtrapolationWarning,
            stacklevel=2,
        )


def _isotropic_in_band(
    spectra: Sequence[IsotropicSpectrum], response: Response, band: Band, index: float
) -> float:
    exact = response.undispersed.band(band)
    photons = np.array([exact.photons_of(spectrum.differential) for spectrum in spectra])
    return float((photons * exact.area_by_type).sum() / response.band(band).effective_area(index))
