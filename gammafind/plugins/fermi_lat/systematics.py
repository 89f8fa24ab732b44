"""Systematic errors of the LAT as its team states them.

References
----------
Effective area: https://fermi.gsfc.nasa.gov/ssc/data/analysis/scitools/Aeff_Systematics.html.
Background: 3 %, the weight of systematic errors in 4FGL, Abdollahi et al. 2020, ApJS 247, 33
(arXiv:1902.10045), section 3.2. Position: ``ERPOSABS`` of gll_psc_v35.fit (4FGL-DR4). PSF: the size
of the bracketing functions of Ackermann et al. 2018, ApJS 237, 32 (arXiv:1804.08035).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.sky.bands import Band
from gammafind.sky.systematics import Systematics

_BACKGROUND = 0.03
_POSITION = 0.0079
_LOW, _HIGH = 2.0, 5.0
"""Decimal logarithms of the energies in MeV between which the effective area is known best."""
_WITH_DISPERSION = (0.03, 0.14, 0.12)
_WITHOUT = (0.05, 0.20, 0.10)
"""Error of the effective area between these energies, and its rise per decade below and above, with
and without energy dispersion."""
_PSF, _PSF_RISE, _PSF_KNEE = 0.05, 0.10, 4.0
"""Error of the PSF, its rise per decade, and from which energy on."""


def effective_area_error(energy: np.ndarray, *, dispersion: bool = True) -> np.ndarray:
    """Relative systematic error of the effective area, front and back or all event types together.

    Parameters
    ----------
    energy : ndarray
        In MeV.
    dispersion : bool
        Whether the analysis accounts for energy dispersion.
    """
    floor, below, above = _WITH_DISPERSION if dispersion else _WITHOUT
    log = np.log10(np.asarray(energy, dtype=float))
    return floor + below * np.maximum(_LOW - log, 0) + above * np.maximum(log - _HIGH, 0)


def psf_error(energy: np.ndarray) -> np.ndarray:
    """Relative systematic error of the radius of 68 % of the PSF; energies in MeV."""
    log = np.log10(np.asarray(energy, dtype=float))
    return _PSF + _PSF_RISE * np.maximum(log - _PSF_KNEE, 0)


def lat_systematics(bands: Sequence[Band], *, dispersion: bool) -> Systematics:
    """Systematic errors in bands, at the middle of each in the logarithm of energy."""
    edges = np.array([band.edges.to_value("MeV") for band in bands])
    middle = np.sqrt(edges[:, 0] * edges[:, 1])
    return Systematics(
        exposure=tuple(effective_area_error(middle, dispersion=dispersion).tolist()),
        background=(_BACKGROUND,) * len(bands),
        psf=tuple(psf_error(middle).tolist()),
        position=_POSITION,
    )
