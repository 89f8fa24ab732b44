"""Interval of the flux of one source, by the profile likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gammafind.fitting.sources.forms import BandCounts
from gammafind.fitting.sources.local import Fitted, Local, maximise
from gammafind.fitting.sources.spectrum import SpectralFit
from gammafind.sky.spectral_forms import photon_flux

_STEP = 1e-4
"""Step of numerical derivatives of shape parameters."""
_NEAR = 0.02
"""Difference from 1 of the root of the log-likelihood ratio at which an end is found: 2 % of an
error."""
_ROUNDS = 6
"""Most fits of one end: with the curvature of the last ones two or three are enough."""
_LEAST = 1e-3
"""Least flux that is tried, relative to the best one: a spectrum needs an amplitude."""


def flux_interval(
    local: Local, bands: BandCounts, fit: SpectralFit, low: float, high: float
) -> tuple[float, float]:
    """Distances from the flux of a fit to the ends of its 68 % interval.

    Parameters
    ----------
    local : Local
    bands : BandCounts
    fit : SpectralFit
        Best fit of a form.
    low, high : float
        Energies in MeV.

    Returns
    -------
    tuple of float
        Below and above, in cm-2 s-1. An interval that reaches zero ends there; NaN where no end was
        found.

    Notes
    -----
    The log-likelihood at the ends is 0.5 below its maximum, with the shape of the spectrum and
    everything around the source free. For few counts the error above is larger than that below.
    """
    flux, error = fit.flux(low, high)
    if not (np.isfinite(error) and error > 0):
        return np.nan, np.nan
    profile = _Profile(local, bands, fit, low, high)
    most = flux * (1 - _LEAST)
    below = np.nan
    if flux > 0:
        below = flux if profile.root(-most) < 1 else _end(profile.root, -min(error, most / 2), most)
    return below, _end(profile.root, error, np.inf)


class _Profile:
    """The likelihood against the flux, all else free."""

    def __init__(
        self, local: Local, bands: BandCounts, fit: SpectralFit, low: float, high: float
    ) -> None:
        self._local, self._bands, self._fit, self._edges = local, bands, fit, (low, high)
        self._best = fit.values[0] * self._of_unit(fit.values[1:])
        free = np.isfinite(np.diag(fit.spread))[1:]
        shape = fit.values[1:]
        self._low = np.where(free, fit.form.low, shape)
        self._high = np.where(free, fit.form.high, shape)

    def root(self, move: float) -> float:
        """Root of twice the fall of the log-likelihood, at a distance from the best flux."""
        fitted = self._at(self._best + move)
        fall = self._fit.fitted.log_likelihood - fitted.log_likelihood
        return float(np.sqrt(max(2 * fall, 0.0)))

    def _of_unit(self, shape: np.ndarray) -> float:
        """Flux of amplitude one."""
        fit, one = self._fit, np.concatenate([[1.0], shape])
        density = lambda energy: fit.form.density(energy, fit.pivot, one)  # noqa: E731
        return fit.unit * float(photon_flux(density, *self._edges))

    def _at(self, flux: float) -> Fitted:
        """Fit of shape and surroundings at a flux."""
        fit, bands = self._fit, self._bands

        def counts(shape: np.ndarray) -> np.ndarray:
            values = np.concatenate([[flux / self._of_unit(shape)], shape])
            return fit.unit * bands.of(fit.form, fit.pivot, values)

        def slopes(shape: np.ndarray) -> np.ndarray:
            steps = _STEP * np.eye(len(shape))
            pairs = [(counts(shape + step), counts(shape - step)) for step in steps]
            return np.stack([(one - other) / (2 * _STEP) for one, other in pairs], axis=1)

        return maximise(
            self._local,
            counts,
            slopes,
            fit.values[1:],
            low=self._low,
            high=self._high,
            factors=fit.fitted.factors,
        )


def _end(root: Callable[[float], float], first: float, most: float) -> float:
    """Distance at which a root is 1, found by its nearly linear growth; NaN if it is not found."""
    move, (before, of_before) = first, (0.0, 0.0)
    for _ in range(_ROUNDS):
        now = root(move)
        if abs(now - 1) < _NEAR:
            # The rest is linear.
            return abs(move) / now
        slope = (now - of_before) / (move - before)
        if not slope * move > 0:
            return np.nan
        before, of_before = move, now
        move = float(np.clip(move + (1 - now) / slope, *_range(move)))
        move = float(np.clip(move, -most, most))
    return np.nan


def _range(move: float) -> tuple[float, float]:
    """How far a step may change a distance: keeps its sign, and a steep slope from running away."""
    low, high = sorted((move / 4, move * 4))
    return low, high
