"""The spectral form of each class: catalogue columns, ranges, and energy flux."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from gammafind.plugins.fermi_lat.spectra import energy_flux, log_parabola, plec

_LOW_MEV, _HIGH_MEV = 1e3, 1e5
"""Range of the energy flux."""
_ERG = u.MeV.to(u.erg)


@dataclass(frozen=True, kw_only=True)
class SpectralForm:
    """A spectral form of 4FGL.

    Parameters
    ----------
    kind : str
        ``SpectrumType``.
    amplitude : str
        Column of the flux density F0 at the pivot energy.
    shape : tuple of str
        Columns of pivot energy (MeV), index and curvature.
    families : tuple of str
        Family of the distribution of each shape parameter in the paper (sect. 2).
    ranges : tuple of (float, float)
        Physical range of each shape parameter.
    """

    kind: str
    amplitude: str
    shape: tuple[str, str, str]
    families: tuple[str, str, str]
    ranges: tuple[tuple[float, float], ...]

    def unit_energy_flux(self, shape: np.ndarray, exp_index: np.ndarray | float) -> np.ndarray:
        """Energy flux 1-100 GeV of sources with F0 = 1 cm-2 s-1 MeV-1.

        Parameters
        ----------
        shape : ndarray, shape (..., 3)
            Pivot energy in MeV, index, curvature.
        exp_index : array_like, shape (...)
            Exponent b of the cut-off; not used for log-parabolas.

        Returns
        -------
        ndarray, shape (...)
            In erg cm-2 s-1.
        """
        exp_index = np.asarray(exp_index)[..., np.newaxis]
        pivot, index, curvature = np.moveaxis(np.asarray(shape, float)[..., np.newaxis], -2, 0)

        def spectrum(energy: np.ndarray) -> np.ndarray:
            if self.kind == "LogParabola":
                return log_parabola(energy, 1.0, pivot, index, curvature)
            return plec(energy, 1.0, pivot, index, curvature, exp_index)

        return _ERG * energy_flux(spectrum, _LOW_MEV, _HIGH_MEV)


def with_exponent(shape: np.ndarray, exp_index: np.ndarray, common: float) -> np.ndarray:
    """Convert cut-offs to another exponent b, with the same slope and curvature at the pivot.

    Parameters
    ----------
    shape : ndarray, shape (n, 3)
        Pivot energy in MeV, Gamma, a.
    exp_index : ndarray, shape (n,)
        Exponent of each.
    common : float
        New exponent.

    Returns
    -------
    ndarray, shape (n, 3)
    """
    pivot, index, curvature = shape.T
    # In ln E, a (E0^b - E^b) has the slope -a b E0^b and the curvature -a b^2 E0^b at E0.
    bend = curvature * exp_index**2 * pivot**exp_index
    other = bend / (common**2 * pivot**common)
    return np.column_stack([pivot, index + bend / exp_index - bend / common, other])


LOG_PARABOLA = SpectralForm(
    kind="LogParabola",
    amplitude="LP_Flux_Density",
    shape=("Pivot_Energy", "LP_Index", "LP_beta"),
    families=("lognorm", "lognorm", "gumbel_r"),
    ranges=((50.0, 5e5), (0.0, 5.0), (-0.2, 1.0)),
)
"""F0 (E/E0)^(-alpha - beta ln(E/E0))."""

CUTOFF = SpectralForm(
    kind="PLSuperExpCutoff",
    amplitude="PLEC_Flux_Density",
    shape=("Pivot_Energy", "PLEC_Index", "PLEC_Expfactor"),
    families=("lognorm", "norm", "cauchy"),
    ranges=((50.0, 5e5), (0.0, 5.0), (0.0, 0.1)),
)
"""F0 (E/E0)^(-Gamma) exp(a (E0^b - E^b))."""

FORMS = (LOG_PARABOLA, CUTOFF)
FORM_OF = {"BLL": LOG_PARABOLA, "FSRQ": LOG_PARABOLA, "PSR": CUTOFF, "PWN+SNR": LOG_PARABOLA}
"""Form of each class."""
