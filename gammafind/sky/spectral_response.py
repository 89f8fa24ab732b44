"""How a band sees spectra: the flux that it measures, and the PSF of each spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.psf import RadialPsf

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
"""Quadrature in ln E of a band that measures energies exactly."""


@dataclass(frozen=True, eq=False)
class SpectralResponse:
    """Response of one band to photons of each true energy.

    Attributes
    ----------
    energy : ndarray, shape (n,)
        True energies in MeV.
    weight : ndarray, shape (n,)
        In MeV: the sum of a spectrum (photons per area, time and MeV) at these energies with
        these weights, times the exposure of the band, is the counts of a source.
    psfs : tuple of RadialPsf
        PSFs that are mixed for the spectrum of a source.
    inside : ndarray, shape (n,)
        Share of the photons of each energy within a radius.
    contained : ndarray, shape (n_psfs,)
        Share of the counts of each PSF within this radius, increasing.
    """

    energy: np.ndarray
    weight: np.ndarray
    psfs: tuple[RadialPsf, ...]
    inside: np.ndarray
    contained: np.ndarray

    @classmethod
    def exact(cls, low: float, high: float, psf: RadialPsf) -> SpectralResponse:
        """Band with one PSF that measures energies from ``low`` to ``high`` MeV exactly."""
        half = np.log(high / low) / 2
        energy = low * np.exp(half * (1 + _POINTS))
        none = np.zeros(len(energy))
        return cls(energy, half * _WEIGHTS * energy, (psf,), none, np.zeros(1))

    def seen(self, spectrum: np.ndarray) -> np.ndarray:
        """Counts over exposure of spectra at `energy`, shape (..., n); shape (...)."""
        return spectrum @ self.weight

    def place_of(self, spectrum: np.ndarray) -> float:
        """Place of the PSF of one spectrum at `energy`, shape (n,), among `psfs`.

        From 0 to the number of `psfs` less one, as in `gammafind.sky.source_psfs.SourcePsfs`.
        """
        counts = float(self.seen(spectrum))
        if len(self.psfs) == 1 or not counts > 0:
            return 0.0
        share = float((spectrum * self.inside) @ self.weight) / counts
        return float(np.interp(share, self.contained, np.arange(len(self.psfs))))
