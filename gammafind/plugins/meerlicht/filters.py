"""The six filters of MeerLICHT, and the conversion of magnitudes to photons."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.constants as const
import astropy.units as u
import numpy as np

from gammafind.sky.bands import Band

_PHOTONS_OF_AB_ZERO = (
    (0 * u.ABmag).to(u.erg / u.s / u.cm**2 / u.Hz) / const.h.cgs
).decompose(bases=[u.cm, u.s]).value  # fmt: skip
"""Photons cm-2 s-1 per unit of ln(wavelength) for AB magnitude 0: 5.48e6."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of a camera.

    Parameters
    ----------
    low, high : float
        Wavelengths at the edges, in nm.
    zero_point : float
        AB magnitude that gives one electron per second without atmosphere.
    extinction : float
        Magnitudes per airmass.
    sky : float
        AB magnitude of dark sky per square arcsecond.

    References
    ----------
    Groot et al. 2024, doi:10.1088/1538-3873/ad8b6a (edges); Ivezic et al. 2019,
    doi:10.3847/1538-4357/ab042c, table 2 (dark sky of ugriz; that of q is between g and r).
    """

    low: float
    high: float
    zero_point: float
    extinction: float
    sky: float

    def band(self, name: str) -> Band:
        """Spectral band of the filter."""
        return Band(name, self.low * u.nm, self.high * u.nm)


FILTERS = {
    "u": Filter(low=350, high=410, zero_point=22.4, extinction=0.52, sky=22.96),
    "g": Filter(low=410, high=550, zero_point=23.3, extinction=0.23, sky=22.26),
    "q": Filter(low=440, high=720, zero_point=23.8, extinction=0.15, sky=21.6),
    "r": Filter(low=563, high=690, zero_point=22.9, extinction=0.12, sky=21.20),
    "i": Filter(low=690, high=840, zero_point=22.3, extinction=0.08, sky=20.48),
    "z": Filter(low=840, high=990, zero_point=21.4, extinction=0.06, sky=19.60),
}
"""Zero points and extinction as published by the survey."""


def photon_flux(magnitudes: np.ndarray, band: Filter) -> np.ndarray:
    """Photons cm-2 s-1 above the atmosphere, in a filter, of AB magnitudes.

    The flux density is assumed to be constant in frequency, so the number of photons is ``f / h *
    ln(high / low)``.
    """
    width = np.log(band.high / band.low)
    return _PHOTONS_OF_AB_ZERO * width * 10 ** (-0.4 * np.asarray(magnitudes, dtype=float))


def magnitude(flux: np.ndarray, band: Filter) -> np.ndarray:
    """AB magnitudes of photon fluxes in cm-2 s-1, NaN if a flux is not positive."""
    flux = np.asarray(flux, dtype=float)
    ratio = np.where(flux > 0, flux, np.nan) / photon_flux(0.0, band)
    return -2.5 * np.log10(ratio)
