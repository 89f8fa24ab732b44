"""Light curves of sources: fluxes, limits and variability, with the columns of 4FGL."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity
from scipy.spatial import cKDTree

from gammafind.catalogue.measured_columns import EPOCH_EDGES, EPOCH_SPANS
from gammafind.errors import OptionError, ShapeError
from gammafind.fitting.photons.epoch_sky import EpochProbe
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.light_curve import LightCurve, fit_light_curve
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.spectra import fluxes
from gammafind.fitting.photons.variability import (
    SYSTEMATIC,
    fractional_variability,
    is_variable,
    peaks,
    symmetric_errors,
)
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.time_epochs import TimeEpochs
from gammafind.utils.progress import stage, track
from gammafind.utils.workers import in_threads

_INDEX = 2.3
"""Photon index of faint sources: typical of those of 4FGL."""
_OWN = 1e-3
"""Distance in degrees within which a position is that of a source of the model."""
_KNOWN = 0.01
"""Error of the exposure of an epoch from which the level of the background is free: the error is
that of the background too."""


"""Metadata: edges of the epochs, or begin and end of each, in s of the mission elapsed time."""


def light_curves(
    observation: Observation,
    epochs: TimeEpochs,
    positions: SkyCoord,
    *,
    flux: Quantity | None = None,
    model: SkyModel | None = None,
    index: float = _INDEX,
    systematic: float = SYSTEMATIC,
    free_background: bool | None = None,
) -> QTable:
    """Fluxes of sources in each epoch, and whether they vary.

    Parameters
    ----------
    observation : Observation
        Of the whole time.
    epochs : TimeEpochs
        The same photons by their times.
    positions : SkyCoord, shape (n,)
    flux : Quantity, shape (n,), optional
        Flux of each source in the whole time, in the range of energies in which light curves are
        wanted; by default the fitted one in all bands together. Fluxes of epochs are this flux
        times the ratio of amplitudes.
    model : SkyModel, optional
        Fitted to the whole time, with a source at each position that is to be measured with its
        spectrum; by default sources at the positions are fitted.
    index : float
        Photon index of faint sources, where no ``model`` is given; bright ones have their own.
    systematic : float
        Relative systematic error of the flux of an epoch, next to that of its exposure.
    free_background : bool, optional
        Whether the level of the background is free in each epoch; by default it is where the
        exposure of an epoch is not known to 1 %.

    Returns
    -------
    QTable
        One row a position, in order. ``Flux_History`` (n, n_epochs); ``Unc_Flux_History`` (n,
        n_epochs, 2), the lower ones negative, as in 4FGL; ``Sqrt_TS_History``;
        ``Flux_UL_History``, 95 % limits where TS is below 1; ``Variability_Index``;
        ``Frac_Variability`` and its error; ``Signif_Peak``, ``Flux_Peak``, ``Unc_Flux_Peak``,
        ``Time_Peak`` and ``Peak_Interval`` of those that vary with a probability of 99 %. NaN
        without exposure. The metadata have the times of the epochs and the errors of their
        exposures.

    Raises
    ------
    ShapeError
        If the fluxes are not as many as the positions.
    OptionError
        If the observation is an image of a camera.

    Notes
    -----
    All sources are points; extended sources of the observation are in the model and do not vary.
    The spectrum of a source is that of the whole time. Neighbours whose variation would change it
    are free in each epoch. Where TS is below 1 the lower error is NaN, and the upper one half of
    the way from the flux to the limit, as in 4FGL.

    ``Variability_Index`` is ``2 sum w (ln L_i(F_i) - ln L_i(F))``, ``F`` the most likely constant
    flux, with ``w = s_i^2 / (s_i^2 + (f F)^2)`` for statistical errors ``s_i`` and the systematic
    ``f``. For a steady source it follows chi-square with one degree of freedom less than epochs.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, section 3.6 (arXiv:1902.10045); Nolan et al. 2012, ApJS
    199, 31, eq. 4 (arXiv:1108.1435).
    """
    if observation.is_image:
        raise OptionError(
            "light curves are of photons, and this is an image of a camera",
            remedy="Give counts of photons.",
        )
    n = len(positions)
    if flux is not None and np.shape(flux) != (n,):
        raise ShapeError(f"fluxes of shape {np.shape(flux)} for {n} positions")
    if model is None:
        with stage("modelling the sky with its sources"):
            model, _ = known_sky(observation, positions, index=index, extended=True)
    vectors = vectors_in(model.data.frame, positions)
    own = _sources_at(model, vectors)
    relative = np.hypot(systematic, epochs.errors)
    free = bool(np.max(epochs.errors) > _KNOWN) if free_background is None else free_background
    with stage("measuring light curves"):
        curves = _curves(EpochProbe(model, epochs, free), vectors, own, positions, relative)
    whole = _whole_fluxes(model, vectors, own, curves)
    per_count = whole if flux is None else _ratio(flux.value, model, own, curves)
    unit = observation.flux_unit if flux is None else flux.unit
    return _table(curves, per_count, unit, epochs, relative)


def _sources_at(model: SkyModel, vectors: np.ndarray) -> np.ndarray:
    """Source of the model at each place; -1 for none."""
    if not len(model.vectors) or not len(vectors):
        return np.full(len(vectors), -1)
    apart, row = cKDTree(model.vectors).query(vectors)
    return np.where(np.degrees(apart) < _OWN, row, -1)


def _curves(
    probe: EpochProbe,
    vectors: np.ndarray,
    own: np.ndarray,
    positions: SkyCoord,
    systematic: np.ndarray,
) -> list[LightCurve]:
    """Light curve of each place; NaN where there are no data."""
    n_epochs = len(probe.epochs)
    if not len(vectors):
        return []
    shares = probe.epochs.shares_at(positions)
    seen = probe.model.data.inside(vectors)
    seen &= probe.model.data.sensitivity(vectors).sum(axis=1) > 0

    def fit(i: int) -> LightCurve:
        nothing = np.full(n_epochs, np.nan)
        if not seen[i]:
            return LightCurve(*(nothing,) * 5, np.nan, np.nan)
        sky = probe.sky(vectors[i], int(own[i]), shares[..., i])
        return fit_light_curve(sky, systematic=systematic)

    return list(track(in_threads(fit, range(len(vectors))), "light curves", total=len(vectors)))


def _whole_fluxes(
    model: SkyModel, vectors: np.ndarray, own: np.ndarray, curves: Sequence[LightCurve]
) -> np.ndarray:
    """Flux of one count, shape (n,)."""
    if not curves:
        return np.zeros(0)
    shares = model.data.shares(vectors)
    if len(model.vectors):
        of_model = model.data.shares_of(model.vectors, model.counts)
        shares = np.where((own >= 0)[:, None], of_model[own], shares)
    return fluxes(model.data, vectors, shares)


def _ratio(
    flux: np.ndarray, model: SkyModel, own: np.ndarray, curves: Sequence[LightCurve]
) -> np.ndarray:
    """Flux of one count, where the fluxes of the whole time are given; NaN without counts."""
    counts = np.full(len(own), np.nan)
    if len(model.counts):
        counts = np.where(own >= 0, model.counts.sum(axis=1)[own], np.nan)
    constant = np.array([curve.constant for curve in curves])
    counts = np.where(counts > 0, counts, constant)
    return np.divide(flux, counts, out=np.full(len(own), np.nan), where=counts > 0)


def _table(
    curves: Sequence[LightCurve],
    per_count: np.ndarray,
    unit: u.UnitBase,
    epochs: TimeEpochs,
    systematic: np.ndarray,
) -> QTable:
    """Columns of the catalogue."""
    n, n_epochs = len(curves), len(epochs)

    def stacked(name: str) -> np.ndarray:
        return np.array([getattr(curve, name) for curve in curves]).reshape(n, n_epochs)

    scale = per_count[:, None]
    flux, root_ts = stacked("amplitude") * scale, np.sqrt(stacked("ts"))
    errors = np.stack([-stacked("lower") * scale, stacked("upper") * scale], axis=-1)
    error = symmetric_errors(errors)
    variability = np.array([curve.variability for curve in curves])
    fractional, uncertain = fractional_variability(flux, error, systematic=systematic)
    peak = peaks(flux, error, root_ts, is_variable(variability, np.isfinite(flux).sum(axis=1)))
    times = np.append(epochs.spans, [[np.nan, np.nan]], axis=0)[peak.epoch]
    table = QTable(
        {
            "Flux_History": flux * unit,
            "Unc_Flux_History": errors * unit,
            "Sqrt_TS_History": root_ts,
            "Flux_UL_History": stacked("limit") * scale * unit,
            "Variability_Index": variability,
            "Frac_Variability": fractional,
            "Unc_Frac_Variability": uncertain,
            "Signif_Peak": peak.significance,
            "Flux_Peak": peak.flux * unit,
            "Unc_Flux_Peak": peak.error * unit,
            "Time_Peak": times.mean(axis=1) * u.s,
            "Peak_Interval": (times[:, 1] - times[:, 0]) * u.s,
        }
    )
    table.meta |= _times(epochs)
    table.meta["epoch_exposure_errors"] = epochs.errors.tolist()
    return table


def _times(epochs: TimeEpochs) -> dict[str, list]:
    """Times of the epochs for the metadata: edges, or begins and ends where there are gaps."""
    spans = epochs.spans
    if np.isnan(spans).any():
        return {}
    if np.array_equal(spans[1:, 0], spans[:-1, 1]):
        return {EPOCH_EDGES: [*spans[:, 0].tolist(), float(spans[-1, 1])]}
    return {EPOCH_SPANS: spans.tolist()}
