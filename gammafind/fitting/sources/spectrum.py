"""Spectra of one source: power law, log-parabola and cut-off power law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gammafind.fitting.sources.forms import (
    CUT_OFF,
    EXPONENT,
    FREE_CUT_OFF,
    LOG_PARABOLA,
    POWER_LAW,
    BandCounts,
    Form,
)
from gammafind.fitting.sources.local import Fitted, Local, maximise
from gammafind.sky.spectral_forms import energy_flux, photon_flux

CURVED = 9.0
"""TS of curvature from which a curved form describes a source: 3 sigma, as in 4FGL."""
MEV_TO_ERG = 1.602176634e-6
_FOR_CURVES = 3
"""Bands of energies from which curved spectra are fitted."""
_FOR_EXPONENT = 100.0
"""TS of curvature from which the exponent of a cut-off is tried: what changes the curvature is
known only where the curvature is known to 10 %."""
_BANDS_FOR_EXPONENT = 5
"""Bands of energies from which the exponent is tried: one more than parameters."""
_KNOWN_EXPONENT = 0.15
"""Largest error of an exponent that is kept: two of 44 are larger in FL16Y."""
_STEP = 1e-4
"""Step of numerical derivatives."""
_FIRST_PIVOT = 1500.0
"""First pivot energy in MeV."""


@dataclass(frozen=True, eq=False)
class SpectralFit:
    """One form at the maximum of the likelihood.

    Attributes
    ----------
    form : Form
    pivot : float
        In MeV.
    unit : float
        Flux density of amplitude one, in cm-2 s-1 MeV-1.
    fitted : Fitted
    covariance : ndarray, shape (p, p)
        NaN where a parameter is at a limit.
    spread : ndarray, shape (p, p)
        Covariance of all parameters that are fitted, as if there were no limits; NaN for others. A
        flux is as uncertain as its spectrum, also at a limit.
    """

    form: Form
    pivot: float
    unit: float
    fitted: Fitted
    covariance: np.ndarray
    spread: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """Amplitude in units of `unit`, and the parameters of the shape."""
        return self.fitted.values

    @property
    def errors(self) -> np.ndarray:
        """1 sigma errors of the parameters."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def at_limit(self) -> np.ndarray:
        """Whether each parameter of the shape is at a limit."""
        shape = self.values[1:]
        return (shape <= self.form.low) | (shape >= self.form.high)

    def density(self, energy: np.ndarray) -> np.ndarray:
        """Photons per area, time and MeV at energies (n,)."""
        return self.unit * self.form.density(energy, self.pivot, self.values)

    def flux(self, low: float, high: float) -> tuple[float, float]:
        """Photon flux between two energies in MeV, and its error."""
        return self._integral(photon_flux, low, high)

    def energy_flux(self, low: float, high: float) -> tuple[float, float]:
        """Energy flux in erg cm-2 s-1 between two energies in MeV, and its error."""
        value, error = self._integral(energy_flux, low, high)
        return value * MEV_TO_ERG, error * MEV_TO_ERG

    def derived(self, quantity: Callable[[np.ndarray], float]) -> tuple[float, float]:
        """A function of the parameters, and its error."""
        known = np.flatnonzero(np.isfinite(np.diag(self.spread)))
        slope = np.array([self._slope(quantity, i) for i in known])
        variance = slope @ self.spread[np.ix_(known, known)] @ slope
        return float(quantity(self.values)), float(np.sqrt(max(variance, 0.0)))

    def _slope(self, quantity: Callable[[np.ndarray], float], i: int) -> float:
        step = np.zeros(len(self.values))
        step[i] = _STEP
        return (quantity(self.values + step) - quantity(self.values - step)) / (2 * _STEP)

    def _integral(self, integrate: Callable, low: float, high: float) -> tuple[float, float]:
        def total(values: np.ndarray) -> float:
            one = np.concatenate([[1.0], values[1:]])
            shape = lambda energy: self.form.density(energy, self.pivot, one)  # noqa: E731
            return float(self.unit * values[0] * integrate(shape, low, high))

        return self.derived(total)


@dataclass(frozen=True, eq=False)
class Spectra:
    """All forms of one source.

    Attributes
    ----------
    fits : mapping of str to SpectralFit
        By the name of the form.
    best : SpectralFit
        Of a cut-off with its exponent free, where that is known.
    """

    fits: Mapping[str, SpectralFit]
    best: SpectralFit

    @property
    def cut_off(self) -> SpectralFit | None:
        """Cut-off power law, with its exponent free where that is known."""
        if self.best.form is FREE_CUT_OFF:
            return self.best
        return self.fits.get(CUT_OFF.name)

    @property
    def good(self) -> bool:
        """Whether all fits converged."""
        return all(fit.fitted.good for fit in self.fits.values())

    @property
    def of_fluxes(self) -> SpectralFit:
        """Fit whose integrals are the fluxes: the best one, or a log-parabola for a power law.

        Real spectra are curved, also where that is not significant: integrals of a power law would
        be too low by a part of their error.
        """
        bent = self.fits.get(LOG_PARABOLA.name)
        if self.best.form is not POWER_LAW or bent is None:
            return self.best
        return bent if bent.fitted.good else self.best

    def curvature(self, form: Form) -> float:
        """TS of a curved form against the power law."""
        plain = self.fits[POWER_LAW.name].fitted.log_likelihood
        return max(2 * (self.fits[form.name].fitted.log_likelihood - plain), 0.0)


def fit_form(
    local: Local,
    bands: BandCounts,
    form: Form,
    pivot: float,
    *,
    fixed_shape: tuple[float, ...] | None = None,
    like: SpectralFit | None = None,
) -> SpectralFit:
    """Fit one form.

    Parameters
    ----------
    local : Local
    bands : BandCounts
    form : Form
    pivot : float
        In MeV.
    fixed_shape : tuple of float, optional
        Parameters of the shape that are not fitted.
    like : SpectralFit, optional
        Fit of a form with fewer parameters, from which this one starts.
    """
    shape = form.start if fixed_shape is None else fixed_shape
    factors = None
    if like is not None:
        known = like.values[1:]
        shape = (*known, *form.start[len(known) :]) if fixed_shape is None else fixed_shape
        factors = like.fitted.factors
    one = bands.of(form, pivot, np.array([1.0, *shape]))
    seen = one[local.band] * local.share
    unit = 1 / max(_spread(one, seen, local), 1e-300)
    first = 1.0
    if like is not None:
        first = like.values[0] * like.unit / unit * (pivot / like.pivot) ** -like.values[1]
    low, high = np.array([0.0, *form.low]), np.array([np.inf, *form.high])
    if fixed_shape is not None:
        low[1:] = high[1:] = fixed_shape
    start = np.array([first, *shape])

    def slopes(values: np.ndarray) -> np.ndarray:
        found = unit * bands.slopes(form, pivot, values)
        found[:, 1:] *= values[0]
        return found

    fitted = maximise(
        local,
        lambda values: unit * bands.of(form, pivot, values),
        slopes,
        start,
        low=low,
        high=high,
        factors=factors,
    )
    inside = (fitted.values > low) & (fitted.values < high)
    covariances = _covariance(fitted, inside), _covariance(fitted, low < high)
    return SpectralFit(form, pivot, unit, fitted, *covariances)


def _spread(counts: np.ndarray, seen: np.ndarray, local: Local) -> float:
    """Counts of amplitude one over those at which a source is about as bright as its noise."""
    model = local.fixed + local.others.sum(axis=0)
    return float(np.sqrt((seen**2 / model).sum()))


def _covariance(fitted: Fitted, used: np.ndarray) -> np.ndarray:
    """Covariance of the amplitude and the parameters that are used, NaN for the others."""
    p = len(fitted.values)
    used = used | (np.arange(p) == 0)
    free = np.concatenate([used, np.ones(len(fitted.factors), dtype=bool)])
    found = np.full((p, p), np.nan)
    found[np.ix_(used, used)] = fitted.covariance(free)
    return found


def fit_spectra(
    local: Local, bands: BandCounts, like: SpectralFit, index: float | None, *, energies: int
) -> Spectra:
    """Fit all forms at the pivot energy of the power law.

    Parameters
    ----------
    local : Local
    bands : BandCounts
    like : SpectralFit
        A first power law; its pivot energy is used.
    index : float, optional
        Photon index if it is not fitted.
    energies : int
        Number of bands of energies, which channels share; curved forms need several.
    """
    shape = None if index is None else (index,)
    first = fit_form(local, bands, POWER_LAW, like.pivot, like=like, fixed_shape=shape)
    fits = {POWER_LAW.name: first}
    plain = fits[POWER_LAW.name]
    if energies >= _FOR_CURVES:
        for form in (LOG_PARABOLA, CUT_OFF):
            fits[form.name] = fit_form(local, bands, form, plain.pivot, like=plain)
    best = max(fits.values(), key=lambda fit: fit.fitted.log_likelihood)
    gain = 2 * (best.fitted.log_likelihood - plain.fitted.log_likelihood)
    if gain <= CURVED:
        best = plain
    elif gain > _FOR_EXPONENT and energies >= _BANDS_FOR_EXPONENT:
        free = fit_form(local, bands, FREE_CUT_OFF, plain.pivot, like=fits[CUT_OFF.name])
        best = free if _is_known(free, best) else best
    return Spectra(fits, best)


def _is_known(free: SpectralFit, best: SpectralFit) -> bool:
    """Whether a fit with the exponent free describes a source, instead of the best other one."""
    if not free.fitted.good or free.at_limit.any() or not free.errors[-1] < _KNOWN_EXPONENT:
        return False
    # A log-parabola needs one parameter less, and is the limit of a small exponent.
    gain = 2 * (free.fitted.log_likelihood - best.fitted.log_likelihood)
    return best.form is CUT_OFF or gain > CURVED


def first_power_law(
    local: Local, bands: BandCounts, edges: tuple[float, float], index: float | None
) -> SpectralFit:
    """Fit a power law and move its pivot energy to where its flux density is known best.

    Parameters
    ----------
    local : Local
    bands : BandCounts
    edges : tuple of float
        Lowest and highest energy in MeV, between which the pivot energy is.
    index : float, optional
        Photon index if it is not fitted.
    """
    low, high = edges
    start = float(np.clip(_FIRST_PIVOT, low, high))
    shape = None if index is None else (index,)
    if shape is not None:
        return fit_form(local, bands, POWER_LAW, float(np.sqrt(low * high)), fixed_shape=shape)
    fit = fit_form(local, bands, POWER_LAW, start)
    amplitude, covariance = fit.values[0], fit.covariance
    if not (amplitude > 0 and np.isfinite(covariance).all()):
        return fit
    shift = covariance[0, 1] / amplitude / covariance[1, 1]
    pivot = float(np.clip(start * np.exp(shift), low, high))
    return fit_form(local, bands, POWER_LAW, pivot, like=fit)


def peak_energy(fit: SpectralFit) -> tuple[float, float]:
    """Energy in MeV at which energy per logarithm of energy peaks, and its error.

    NaN where there is no such peak.
    """

    def log_peak(values: np.ndarray) -> float:
        _, index, bend, *free = values
        if fit.form is LOG_PARABOLA:
            return np.log(fit.pivot) + (2 - index) / (2 * bend)
        exponent = free[0] if free else EXPONENT
        return np.log(fit.pivot) + np.log(max(1 + exponent * (2 - index) / bend, 1e-300)) / exponent

    _, index, bend, *free = fit.values
    exponent = free[0] if free else EXPONENT
    if not (bend > 0 and (fit.form is LOG_PARABOLA or bend > exponent * (index - 2))):
        return np.nan, np.nan
    value, error = fit.derived(log_peak)
    return float(np.exp(value)), float(np.exp(value) * error)
