"""The sources of a fitted model as a table of detections."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.flags import Flag
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_columns
from gammafind.fitting.photons.data import SkyData, source_sizes
from gammafind.fitting.photons.extended_templates import ts_alone
from gammafind.fitting.photons.position import R68_PER_SIGMA, position_errors
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.photons.spectra import fit_spectra, fluxes
from gammafind.sky.projection import positions_of

_POSITION_FACTOR = 1.05
"""Systematic factor of position errors: allows for errors of the model."""
_POSITION_FLOORS = (0.0042, 0.0068)
"""Systematic position errors of 68 % and 95 % in degrees, which matter for bright sources: as in
4FGL (doi:10.3847/1538-4365/ab6bcb)."""
_RAISED, _LEFT = 2.0, 0.8
"""Rise of the background in systematic errors, and share of TS that must be left then: balance the
purity of rows with and without the flag (benchmarks/background_errors.py)."""
_FLAT = 1.5
"""Ratio of both radii below which the border of a pixel limits a position (1.3 in a square, 1.62
for a Gaussian); errors of the model do not matter there."""


def alone(model: SkyModel, rows: np.ndarray | None = None) -> np.ndarray:
    """TS of points with all others in the model, at their most likely positions and spectra.

    Parameters
    ----------
    model : SkyModel
    rows : ndarray of int, shape (n,), optional
        Some of its points; all by default.
    """
    data, counts = model.fine()
    chosen = slice(None) if rows is None else rows
    return fit_spectra(data, model.vectors[chosen], counts[chosen], model.peaks[chosen]).ts


def detections_of(model: SkyModel, ts_extension: np.ndarray, flux_unit: u.UnitBase) -> QTable:
    """Table of the sources of a model, each measured with all others in place.

    Parameters
    ----------
    model : SkyModel
    ts_extension : ndarray, shape (n_points,)
        TS of the extension of the points.
    flux_unit : unit

    Returns
    -------
    QTable
        Points first, then the extended sources.
    """
    extended, points = model.extended, model.vectors
    data, counts = model.fine()
    fitted = fit_spectra(data, points, counts, model.peaks)
    every = np.concatenate([model.counts, model.extended_counts]).sum(axis=1)
    error = model.errors() / np.maximum(every, 1e-300)
    if model.finer:
        counts = fitted.counts
        error[: len(points)] = np.maximum(error[: len(points)], fitted.error)
    centres = np.concatenate([np.zeros((0, 3)), *(one.vector[None] for one in extended)])
    flux = np.append(
        fluxes(data, points, counts), fluxes(model.data, centres, model.extended_counts)
    )
    ts = np.append(fitted.ts, ts_alone(model.data, extended, model.extended_counts))
    radii = position_errors(data, points, counts, model.sigma)
    sigma = np.array([one.sigma for one in extended])
    of_extended = R68_PER_SIGMA * sigma * np.array([[1.0], [R95_OVER_R68]])
    r68, r95 = _with_systematics(*np.concatenate([radii, of_extended], axis=1))
    table = QTable(
        {
            **sky_columns(positions_of(np.concatenate([points, centres]), data.frame)),
            "score": ts,
            "pos_err": r68 * u.deg,
            "r95": r95 * u.deg,
            "ts": ts,
            "npred": np.append(counts.sum(axis=1), model.extended_counts.sum(axis=1)),
            "flux": flux * flux_unit,
            "flux_err": flux * error * flux_unit,
        }
    )
    none = np.zeros(len(model.counts))
    table["ts_ext"] = np.append(ts_extension, [one.ts for one in extended])
    table["extension"] = np.append(none, [one.r68 for one in extended]) * u.deg
    table["extension_err"] = np.append(none * np.nan, [one.r68_error for one in extended]) * u.deg
    table["extended_name"] = [""] * len(none) + [one.name for one in extended]
    flags = _on_extended(model) | _diffuse_limited(model, data, counts)
    table["flags"] = np.append(flags, np.zeros(len(extended), dtype=int))
    return table


def _diffuse_limited(model: SkyModel, data: SkyData, counts: np.ndarray) -> np.ndarray:
    """Flags of the points whose TS depends on the systematic error of the background."""
    if not model.systematic:
        return np.zeros(len(counts), dtype=int)
    own, shares = (model.vectors, counts), data.shares_of(model.vectors, counts)
    ts, worst = (
        scan(sky, model.peaks, without=own, shares=shares).ts
        for sky in (data, data.raised(_RAISED * model.systematic))
    )
    return np.where(worst < _LEFT * ts, int(Flag.DIFFUSE_LIMITED), 0)


def _on_extended(model: SkyModel) -> np.ndarray:
    """Flags of the points that are on an extended source or next to it."""
    margin = source_sizes(model.data, model.vectors)
    on_one = np.zeros(len(model.vectors), dtype=bool)
    for one in model.extended:
        on_one |= one.holds(model.vectors, margin)
    return np.where(on_one, int(Flag.ON_EXTENDED), 0)


def _with_systematics(r68: np.ndarray, r95: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position errors with systematic errors: a factor, and a floor in degrees."""
    factor = np.where(r95 < _FLAT * r68, 1.0, _POSITION_FACTOR)
    low, high = _POSITION_FLOORS
    return np.hypot(factor * r68, low), np.hypot(factor * r95, high)
