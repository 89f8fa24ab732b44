"""What epochs add to a search: sources that are bright in one of them, and light curves."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from astropy.units import Quantity
from scipy.stats import chi2

from gammafind.catalogue.flags import Flag
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_columns, sky_positions
from gammafind.fitting.photons.data import source_sizes
from gammafind.fitting.photons.epoch_search import search_epochs
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.pipeline.light_curves import light_curves
from gammafind.sky.areas import pixel_areas
from gammafind.sky.fits.good_times import mission_date
from gammafind.sky.observation import Observation
from gammafind.sky.projection import positions_of
from gammafind.sky.time_epochs import TimeEpochs
from gammafind.utils.progress import stage

EPOCH = "Epoch"
"""Column with the begin and the end of the only epoch in which a source was found."""
_INDEX = 2.3
"""Photon index of faint sources: typical of those of 4FGL."""
_NOWHERE = SkyCoord(np.zeros(0), np.zeros(0), unit="deg")
"""Positions of no sources."""
_SOME = 200
"""Places at which the size of a point is taken."""


def add_flares(
    detections: QTable,
    observation: Observation,
    epochs: TimeEpochs | None,
    radius: Quantity,
    *,
    likely: bool,
) -> QTable:
    """Add the sources of single epochs to those of the whole time.

    Parameters
    ----------
    detections : QTable
        Schema DETECTIONS, of the whole time.
    observation : Observation
        Of the whole time.
    epochs : TimeEpochs, optional
        Nothing changes without them.
    radius : Quantity, scalar
        Within which two detections are one source.
    likely : bool
        Whether scores are probabilities: that of a flare is the probability that chance gives no
        such peak in any epoch. Otherwise its score is TS in its epoch.

    Returns
    -------
    QTable
        Sorted by score. ``Epoch`` says when a source was found that the whole time lacks; it is
        empty for all others. Position, TS, counts and flux of such a source are those of its
        epoch, and it has the flag ``ONE_EPOCH``.
    """
    if epochs is None:
        return detections
    points = sky_positions(detections)[_not_named(detections)] if len(detections) else _NOWHERE
    with stage("modelling the sky with its sources"):
        model, _ = known_sky(observation, points, index=_INDEX, extended=True)
    found = search_epochs(model, epochs, radius=float(radius.to_value(u.deg)))
    score = _probability(found.ts, model, len(epochs)) if likely else found.ts
    detections = QTable(detections, copy=False)
    detections[EPOCH] = np.full(len(detections), "", dtype="U64")
    if not len(found.ts):
        return detections
    positions = positions_of(found.vectors, model.data.frame)
    unit = observation.flux_unit
    columns = {
        **sky_columns(positions),
        "score": score,
        "pos_err": found.r68 * u.deg,
        "r95": R95_OVER_R68 * found.r68 * u.deg,
        "ts": found.ts,
        "npred": found.counts,
        "flux": found.flux[:, 0] * unit,
        "flux_err": found.flux[:, 1] * unit,
        "flags": np.full(len(found.ts), int(Flag.ONE_EPOCH)),
        EPOCH: np.array([_dates(epochs, i) for i in found.epoch], dtype="U64"),
    }
    joined = _appended(detections, columns)
    return joined[np.argsort(-np.asarray(joined["score"]), kind="stable")]


def add_light_curves(
    catalogue: QTable, observation: Observation, epochs: TimeEpochs | None
) -> QTable:
    """Add the columns of `gammafind.pipeline.light_curves.light_curves` to a catalogue.

    Extended sources have NaN in them.
    """
    if epochs is None or not len(catalogue):
        return catalogue
    places = sky_positions(catalogue, what="the catalogue")
    points = np.flatnonzero(_is_point(catalogue))
    curves = light_curves(observation, epochs, places[points])
    row = np.full(len(catalogue), -1)
    row[points] = np.arange(len(points))
    joined = QTable(catalogue, copy=False)
    for name in curves.colnames:
        joined[name] = _at(curves[name], row)
    joined.meta = {**catalogue.meta, **curves.meta}
    return joined


def _at(values: Quantity | np.ndarray, row: np.ndarray) -> Quantity | np.ndarray:
    """Rows of a column, NaN for -1."""
    unknown = np.full((1, *values.shape[1:]), np.nan)
    every = np.concatenate([getattr(values, "value", values), unknown])[row]
    return every * values.unit if isinstance(values, Quantity) else every


def _is_point(table: QTable) -> np.ndarray:
    """Which rows are no extended sources."""
    for name in ("extension", "Extension"):
        if name in table.colnames:
            return ~(np.asarray(table[name]) > 0)
    return np.ones(len(table), dtype=bool)


def _not_named(detections: QTable) -> np.ndarray:
    """Which rows are no extended sources that the model has as such."""
    if "extended_name" not in detections.colnames:
        return np.ones(len(detections), dtype=bool)
    return np.asarray(detections["extended_name"], dtype=str) == ""


def _probability(ts: np.ndarray, model: SkyModel, n_epochs: int) -> np.ndarray:
    """Probability that chance gives no peak as high in any epoch."""
    data = model.data
    band = min(data.bands, key=lambda one: one.resolution)
    n = len(band.counts) if band.held is None else len(band.held)
    area = float(np.mean(pixel_areas(band.pixels))) * n * np.degrees(1) ** 2
    places = np.linspace(0, n - 1, min(_SOME, n)).astype(int)
    size = float(np.median(source_sizes(data, band.vectors(places))))
    trials = n_epochs * max(area / (np.pi * size**2), 1)
    return np.exp(-trials * chi2.sf(ts, 1) / 2)


def _dates(epochs: TimeEpochs, epoch: int) -> str:
    """Begin and end of an epoch; its number where they are not known."""
    span = epochs.spans[epoch]
    if not np.isfinite(span).all():
        return f"epoch {epoch + 1}"
    return "/".join(mission_date(time) for time in span)


def _appended(detections: QTable, columns: dict[str, object]) -> QTable:
    """Detections with more rows; what is not known of a row is NaN, zero or empty."""
    more = QTable(columns)
    for one, other in ((detections, more), (more, detections)):
        for name in one.colnames:
            if name not in other.colnames:
                other[name] = _unknown(one[name], len(other))
    return vstack([detections, more[detections.colnames]], metadata_conflicts="silent")


def _unknown(like: Quantity | np.ndarray, n: int) -> Quantity | np.ndarray:
    """Rows without values, of the type of a column."""
    array = np.asarray(like)
    empty = {"f": np.nan, "U": ""}.get(array.dtype.kind, 0)
    values = np.full((n, *array.shape[1:]), empty, dtype=array.dtype)
    unit = getattr(like, "unit", None)
    return values if unit is None else values * unit
