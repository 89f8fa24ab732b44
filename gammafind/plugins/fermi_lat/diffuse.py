"""Expected counts of the diffuse emission in the LAT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np

from gammafind.errors import BandError, InputDataError
from gammafind.plugins.fermi_lat.embedded import (
    interstellar_path,
    load_interstellar,
    load_isotropic,
)
from gammafind.plugins.fermi_lat.interstellar import band_intensity
from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.isotropic import IsotropicSpectrum, read_isotropic
from gammafind.sky.bands import Band
from gammafind.sky.harmonics import angles_of, convolve
from gammafind.sky.patch_points import PatchPoints
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame, unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.upsample import upsample
from gammafind.utils.cache import cached_arrays
from gammafind.utils.files import file_checksum

_EMBEDDED_NSIDE = 128
"""Resolution of the embedded emission."""
_FILE_NSIDE = 512
"""Resolution for cubes: about the pixels of gll_iem_v07, 0.125 deg."""
_VERSION = 1
"""Version of the algorithm; the cache ignores arrays of other versions."""


def interstellar_intensity(
    source: str, bands: Sequence[Band]
) -> tuple[HealpixPixels, tuple[np.ndarray, ...]]:
    """Intensity of the interstellar emission in each band, in cm-2 s-1 sr-1.

    Parameters
    ----------
    source : str
        ``"embedded"``, or the path of a gll_iem cube.
    bands : sequence of Band

    Raises
    ------
    BandError
        If the embedded emission, given in the six bands of the paper, cannot be summed to a
        band.
    InputDataError
        If the cube does not cover the whole sky.
    """
    if source == "embedded":
        known, intensity = load_interstellar()
        return HealpixPixels(_EMBEDDED_NSIDE), tuple(
            intensity[_filling(known, band)].sum(axis=0).astype(float) for band in bands
        )
    pixels = HealpixPixels(_FILE_NSIDE)
    intensity = band_intensity(source, bands, pixels)
    if not all(np.all(np.isfinite(array)) for array in intensity):
        raise InputDataError(
            "the cube does not cover the whole sky", path=source, remedy="It must."
        )
    return pixels, intensity


def isotropic_intensity(source: str, response: Response, bands: Sequence[Band]) -> np.ndarray:
    """Intensity of the isotropic emission in each band, shape (n_bands,), in cm-2 s-1 sr-1.

    Parameters
    ----------
    source : str
        ``"embedded"``, or the path of an ``iso_*.txt`` file.
    response : Response
        Selects the embedded spectrum; for several event types it is their mean, weighted by
        effective area.
    bands : sequence of Band
    """
    if source != "embedded":
        return _intensities(read_isotropic(Path(source)), bands)
    spectra = [load_isotropic(response.irf, name) for name in response.event_types]
    areas = np.array([_area(response, name, bands) for name in response.event_types])
    values = np.array([_intensities(spectrum, bands) for spectrum in spectra])
    return (values * areas).sum(axis=0) / areas.sum(axis=0)


def interstellar_at_pixels(source: str, band: Band, psf: RadialPsf, pixels: Pixels) -> np.ndarray:
    """Intensity of the interstellar emission, convolved with the PSF, at pixel centres.

    Stored in the cache for HEALPix pixels.

    Parameters
    ----------
    source : str
        As for `interstellar_intensity`.
    band : Band
    psf : RadialPsf
    pixels : Pixels

    Returns
    -------
    ndarray of float32, shape of ``pixels``
        In cm-2 s-1 sr-1.
    """

    def compute() -> dict[str, np.ndarray]:
        home, seen = _seen(source, band, psf)
        values = home.interpolate(seen, pixels.centres())
        return {"intensity": np.maximum(values, 0).astype(np.float32)}

    if not isinstance(pixels, HealpixPixels):
        return compute()["intensity"]
    key = _key("interstellar emission at pixels", source, band, psf, pixels=repr(pixels))
    return cached_arrays(key, compute)["intensity"]


def interstellar_in_patches(
    source: str, band: Band, psf: RadialPsf, points: PatchPoints
) -> np.ndarray:
    """Intensity of the interstellar emission, convolved with the PSF, in all pixels of patches.

    If patch pixels are smaller than half a pixel of the emission, they are interpolated.

    Returns
    -------
    ndarray of float32, shape (n_patches, width, width)
        In cm-2 s-1 sr-1.
    """
    home, seen = _seen(source, band, psf)
    import healpy as hp

    half = home.pixel_size.to_value(u.deg) / 2
    enough = int(2 ** max(1, np.ceil(np.log2(points.grid.pixel_size(1) / half))))
    width = min(points.width, enough)
    nodes = points if width == points.width else PatchPoints(points.grid, width)
    galactic = (_galactic_angles(angles, points.grid.frame) for angles in nodes.angles)
    values = [np.ravel(hp.get_interp_val(seen, *at.T)).astype(np.float32) for at in galactic]
    coarse = np.concatenate(values).reshape(len(points.grid), width, width)
    return np.maximum(upsample(coarse, points.width), 0)


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


def _seen(source: str, band: Band, psf: RadialPsf) -> tuple[HealpixPixels, np.ndarray]:
    """Intensity of the interstellar emission convolved with the PSF, on its own pixels."""

    def compute() -> dict[str, np.ndarray]:
        home, (intensity,) = interstellar_intensity(source, [band])
        return {"intensity": seen_intensity(intensity, home, psf)}

    seen = cached_arrays(_key("interstellar emission", source, band, psf), compute)["intensity"]
    return HealpixPixels(int(np.sqrt(len(seen) / 12))), seen


def _galactic_angles(angles: np.ndarray, frame: str) -> np.ndarray:
    """Galactic colatitudes and longitudes, shape (n, 2), of those in a frame."""
    if frame == "galactic":
        return angles
    longitude, latitude = np.degrees(angles[:, 1]), 90 - np.degrees(angles[:, 0])
    return angles_of(from_frame(unit_vectors(longitude, latitude), frame))


def _key(array: str, source: str, band: Band, psf: RadialPsf, **more: str) -> dict[str, Any]:
    """Cache key: all inputs of the interstellar emission in a band."""
    return {
        "array": array,
        "version": _VERSION,
        "source": file_checksum(interstellar_path() if source == "embedded" else source),
        "band": band.edges.to_value(u.GeV, u.spectral()).tolist(),
        "psf": psf.checksum,
        **more,
    }


def _filling(known: Sequence[Band], band: Band) -> list[int]:
    """Indices of the known bands that add up to ``band``."""
    low, high = band.edges.to_value(u.GeV, u.spectral())
    inside = [
        i
        for i, part in enumerate(known)
        if part.low.to_value(u.GeV) > low * 0.999 and part.high.to_value(u.GeV) < high * 1.001
    ]
    edges = [known[i].edges.to_value(u.GeV) for i in inside]
    if not inside or not np.allclose([edges[0][0], edges[-1][1]], [low, high], rtol=1e-3):
        raise BandError(
            f"the embedded interstellar emission does not include {band.name}",
            remedy=f"It includes {', '.join(part.name for part in known)} and sums of these; "
            "for other bands give the path of a gll_iem file.",
        )
    return inside


def _intensities(spectrum: IsotropicSpectrum, bands: Sequence[Band]) -> np.ndarray:
    return np.array([spectrum.band_intensity(band.low, band.high).value for band in bands])


def _area(response: Response, event_type: str, bands: Sequence[Band]) -> list[float]:
    alone = response.only(event_type)
    return [alone.band_effective_area(band).value for band in bands]
