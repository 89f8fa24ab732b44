"""Forms of spectra, and the counts that they give in each band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gammafind.sky.spectral_forms import log_parabola, plec4, power_law
from gammafind.sky.spectral_response import SpectralResponse

EXPONENT = 2 / 3
"""Exponent b of the cut-off power law where it is not fitted: as in 4FGL-DR3."""
_STEP = 1e-4
"""Step of numerical derivatives of shape parameters."""


@dataclass(frozen=True)
class Form:
    """Form of a spectrum: amplitude at the pivot energy, index there, and curvature or not.

    Attributes
    ----------
    name : str
        As in the column ``SpectrumType``.
    function : callable
        Of energies, amplitude, pivot energy and the parameters of the shape.
    low, high : tuple of float
        Limits of the parameters of the shape, those of the fits of 4FGL.
    start : tuple of float
        First guess.
    """

    name: str
    function: Callable[..., np.ndarray]
    low: tuple[float, ...]
    high: tuple[float, ...]
    start: tuple[float, ...]

    def density(self, energy: np.ndarray, pivot: float, values: np.ndarray) -> np.ndarray:
        """Spectra with parameters (..., n_parameters), amplitude first, at energies (n,)."""
        columns = [values[..., i, None] for i in range(values.shape[-1])]
        return self.function(energy, columns[0], pivot, *columns[1:])


POWER_LAW = Form("PowerLaw", power_law, (-0.5,), (6.0,), (2.2,))
LOG_PARABOLA = Form("LogParabola", log_parabola, (-2.0, -0.5), (6.0, 1.0), (2.2, 0.0))
CUT_OFF = Form(
    "PLSuperExpCutoff",
    partial(plec4, exp_index=EXPONENT),
    (-2.0, -0.5),
    (6.0, 2.0),
    (2.2, 0.0),
)
FREE_CUT_OFF = Form(
    CUT_OFF.name, plec4, (*CUT_OFF.low, 0.02), (*CUT_OFF.high, 2.0), (*CUT_OFF.start, EXPONENT)
)
"""With the exponent as a parameter: it is small but not zero in the limit of a log-parabola."""


@dataclass(frozen=True, eq=False)
class BandCounts:
    """Counts in each band of sources with some exposure.

    Parameters
    ----------
    responses : sequence of SpectralResponse
        One per band.
    exposure : ndarray, shape (n_bands,)
    """

    responses: Sequence[SpectralResponse]
    exposure: np.ndarray

    def __post_init__(self) -> None:
        energy = np.concatenate([one.energy for one in self.responses])
        weight = np.zeros((len(self.responses), len(energy)))
        start = 0
        for row, one, exposure in zip(weight, self.responses, self.exposure, strict=True):
            row[start : start + len(one.energy)] = exposure * one.weight
            start += len(one.energy)
        object.__setattr__(self, "_energy", energy)
        object.__setattr__(self, "_weight", weight)

    def of(self, form: Form, pivot: float, values: np.ndarray) -> np.ndarray:
        """Counts for parameters (..., n_parameters), shape (..., n_bands)."""
        density = form.density(self._energy, pivot, np.asarray(values, dtype=float))
        return np.einsum("...e,be->...b", density, self._weight)

    def slopes(self, form: Form, pivot: float, values: np.ndarray) -> np.ndarray:
        """Derivatives of the counts of amplitude one, shape (n_bands, n_parameters)."""
        unit = np.concatenate([[1.0], values[1:]])
        shape = np.diag([0.0] + [_STEP] * (len(values) - 1))[1:]
        every = self.of(form, pivot, np.stack([unit, *(unit + shape), *(unit - shape)]))
        above, below = np.split(every[1:], 2)
        return np.concatenate([every[:1], (above - below) / (2 * _STEP)]).T
