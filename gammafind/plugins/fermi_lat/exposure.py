"""Exposure of the presets: the embedded maps, scaled to the response and bands asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import astropy.units as u
import numpy as np

from gammafind.errors import InputDataError, OptionError
from gammafind.plugins.fermi_lat.embedded import load_psf3_exposure
from gammafind.plugins.fermi_lat.irf import Response, load_response
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.exposure import read_exposure
from gammafind.sky.pixels import HealpixPixels, Pixels

__all__ = ["EMBEDDED_EXPOSURES", "exposure_maps"]

EMBEDDED_EXPOSURES = {"ten-years": 3652.5, "573-weeks": 4011.0}
"""Observing times whose exposure comes with the package, in days from 2008-08-04."""

_MEASURED = ("P8R3_ULTRACLEANVETO_V3", "PSF3", (2.0, 20.0))


def exposure_maps(
    source: str,
    response: Response,
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    *,
    index: float,
) -> tuple[np.ndarray, ...]:
    """Exposure in cm2 s of each band at the pixel centres.

    Parameters
    ----------
    source : str
        One of `EMBEDDED_EXPOSURES`, or the path of an exposure file (gtexpcube2 or healpy).
    response : Response
    bands : sequence of Band
    pixels : sequence of Pixels
    index : float
        Photon index over which the effective area is averaged in a band.

    Returns
    -------
    tuple of ndarray

    Raises
    ------
    OptionError
        If ``source`` is neither.
    InputFileError
        If the file cannot be used, or does not cover the pixels.

    Notes
    -----
    The embedded maps are the measured exposure of 573 weeks, 2-20 GeV, PSF3, multiplied with
    the ratio of band-averaged effective areas; its dependence on the inclination at which each
    place was seen, energy by energy, is left out.
    """
    if source not in EMBEDDED_EXPOSURES:
        return _from_file(source, bands, pixels, index)
    irf, event_type, edges = _MEASURED
    measured = load_response(irf, event_type)
    reference = measured.band_effective_area(_band(*edges), index=index)
    pattern = load_psf3_exposure() * EMBEDDED_EXPOSURES[source] / EMBEDDED_EXPOSURES["573-weeks"]
    home = HealpixPixels(128)
    return tuple(
        home.interpolate(pattern, target.centres())
        * float(response.band_effective_area(band, index=index) / reference)
        for band, target in zip(bands, pixels, strict=True)
    )


def _from_file(
    source: str, bands: Sequence[Band], pixels: Sequence[Pixels], index: float
) -> tuple[np.ndarray, ...]:
    if not Path(source).suffix:
        raise OptionError(
            f"exposure is {source!r}",
            remedy=f"Give {', '.join(EMBEDDED_EXPOSURES)} or the path of an exposure file.",
        )
    exposure = read_exposure(source, bands=bands, pixels=pixels, index=index)
    missing = sum(int(np.count_nonzero(~valid)) for valid in exposure.valid)
    if missing:
        raise InputDataError(
            f"the exposure is not known in {missing} pixels",
            path=source,
            remedy="It must cover all pixels of the maps.",
        )
    return exposure.values


def _band(low: float, high: float) -> Band:
    return energy_bands([low, high] * u.GeV)[0]
