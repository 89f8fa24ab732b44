"""Extended sources in the model of a sky: their shares of counts in the pixels of each band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from scipy import sparse
from scipy.spatial import cKDTree

from gammafind.catalogue.extended import EDGE_OF_GAUSSIAN, layout_of
from gammafind.fitting.photons.data import BandData, SkyData
from gammafind.fitting.photons.extended_profiles import seen_through
from gammafind.fitting.photons.likelihood import AmplitudeFit, fit_amplitudes
from gammafind.fitting.photons.templates import distinct
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import to_frame, vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import COARSE, stamps
from gammafind.sky.shapes import Shape
from gammafind.utils.workers import in_threads

_CONTAINMENT = 0.99
"""Share of the counts in the pixels of a source: what is left out is faint and far."""
_FARTHEST = 10.0
"""Distance in degrees from the data beyond which a source has no counts in them."""
_POINT = 0.5
"""Smallest r68 over that of the sharpest PSF: smaller sources are points, and would take the place
of the pulsars in them."""
_POINTS = 2000
"""Points of a shape per step: limits memory."""
_WHOLE = 0.95
"""Share of the counts within the radius of a shape that is not round: its outskirts are faint."""


@dataclass(frozen=True, eq=False)
class ExtendedSource:
    """An extended source in the pixels of all bands.

    Attributes
    ----------
    vector : ndarray, shape (3,)
        Centre, in the frame of the pixels.
    places, shares : tuple of ndarray
        Per band: places in its arrays, and the share of the counts in each.
    radius : float
        In degrees, around the centre; points within it are on the source.
    r68 : float
        Radius in degrees that contains 68 % of its counts.
    name : str
        Of a source that is known beforehand.
    model : str
        Shape: disc, ring, gaussian or map.
    ts : float
        Of the extension: 2 ln of the likelihood ratio to points; NaN if it was not tested.
    r68_error, sigma : float
        1 sigma errors in degrees of the radius, and of the position along one axis; NaN if both
        are given.
    """

    vector: np.ndarray
    places: tuple[np.ndarray, ...]
    shares: tuple[np.ndarray, ...]
    radius: float
    r68: float
    name: str = ""
    model: str = "disc"
    ts: float = np.nan
    r68_error: float = np.nan
    sigma: float = np.nan

    def holds(self, vectors: np.ndarray, margin: np.ndarray | float = 0.0) -> np.ndarray:
        """Whether unit vectors are on the source, or within a ``margin`` in degrees of it."""
        chord = np.linalg.norm(vectors - self.vector, axis=-1)
        return np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1))) < self.radius + margin


def r68_of(shape: Shape) -> float:
    """Radius in degrees that contains 68 % of the counts of a shape, along its longer axis."""
    if shape.model == "gaussian":
        return float(np.degrees(shape.radius))
    inner, outer = shape.inner**2, shape.radius**2
    return float(np.degrees(np.sqrt(inner + 0.68 * (outer - inner))))


def known_sources(data: SkyData, table: QTable) -> list[ExtendedSource]:
    """Extended sources of a table that are on the sky of some data, and not points there.

    Parameters
    ----------
    data : SkyData
    table : QTable
        With ``extension_model`` and so on, as for `gammafind.catalogue.extended.layout_of`; rows
        with an empty model are points, and left out.

    Raises
    ------
    TableError, InputFileError
        If a shape is impossible, or a map cannot be used.
    """
    models = np.char.strip(np.asarray(table["extension_model"], dtype=str))
    near = (models != "") & _near_data(data, table)
    table, models = table[near], models[near]
    layout = layout_of(table)
    centres = to_frame(layout.centres, data.frame).reshape(-1, 3)
    points = to_frame(layout.vectors, data.frame).reshape(-1, 3)
    names = np.asarray(table["name"], dtype=str)

    def source_of(row: int) -> ExtendedSource:
        shape = layout.round.get(row)
        if shape is not None:
            source = round_source(data, centres[row], shape)
        else:
            own = layout.rows == row
            source = _of_points(data, centres[row], points[own], layout.shares[own])
        return replace(source, name=str(names[row]), model=str(models[row]))

    sharpest = min(band.psf.containment_radius(0.68).to_value("deg") for band in data.bands)
    found = in_threads(source_of, range(len(table)))
    seen = [one for one in found if any(np.any(share > 0) for share in one.shares)]
    return [one for one in seen if one.r68 > _POINT * sharpest]


def _near_data(data: SkyData, table: QTable) -> np.ndarray:
    """Which rows may have counts in valid pixels."""
    band = min(data.bands, key=lambda one: np.count_nonzero(one.valid))
    valid = np.flatnonzero(band.valid)
    if len(valid) == len(band.valid) and isinstance(band.pixels, HealpixPixels):
        return np.ones(len(table), dtype=bool)
    centres = vectors_in(data.frame, SkyCoord(table["ra"], table["dec"], frame="icrs"))
    apart, _ = cKDTree(band.vectors(valid)).query(centres.reshape(-1, 3))
    return np.degrees(2 * np.arcsin(np.minimum(apart / 2, 1))) < _FARTHEST


def round_source(data: SkyData, vector: np.ndarray, shape: Shape) -> ExtendedSource:
    """Source of a round shape around a unit vector."""
    parts = [_stamp(band, vector[None], seen_through(band.psf, shape)) for band in data.bands]
    places, shares = zip(*parts, strict=True)
    edge = EDGE_OF_GAUSSIAN if shape.model == "gaussian" else 1.0
    radius = edge * float(np.degrees(shape.radius))
    return ExtendedSource(vector, places, shares, radius, r68_of(shape), model=shape.model)


def joined(
    touched: np.ndarray,
    templates: sparse.csc_array,
    sources: Sequence[ExtendedSource],
    band: int,
) -> tuple[np.ndarray, sparse.csc_array]:
    """Places near point sources and on extended ones, and the share of all of them there.

    Parameters
    ----------
    touched : ndarray of int, shape (n_places,)
        Increasing places near the points.
    templates : sparse array, shape (n_places, n_points)
    sources : sequence of ExtendedSource
    band : int

    Returns
    -------
    touched : ndarray of int, shape (n_all,)
    templates : sparse array, shape (n_all, n_points + n_extended)
    """
    if not sources:
        return touched, templates
    places = [one.places[band] for one in sources]
    merged = np.concatenate([touched, *places])
    every, number = distinct(merged, int(merged.max(initial=0)) + 1)
    rows = number[touched][templates.indices]
    points = sparse.csc_array(
        (templates.data, rows, templates.indptr), shape=(len(every), templates.shape[1])
    )
    start = np.concatenate([[0], np.cumsum([len(place) for place in places])])
    row = number[np.concatenate(places)]
    share = np.concatenate([one.shares[band] for one in sources])
    shape = (len(every), len(sources))
    return every, sparse.hstack([points, sparse.csc_array((share, row, start), shape)], "csc")


def all_counts(
    sources: Sequence[ExtendedSource], counts: np.ndarray, band: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places in the arrays of a band and counts of sources there; places may repeat."""
    none = np.zeros(0)
    places = [one.places[band] for one in sources]
    values = [one.shares[band] * number for one, number in zip(sources, counts, strict=True)]
    return np.concatenate([none.astype(int), *places]), np.concatenate([none, *values])


def ts_alone(data: SkyData, sources: Sequence[ExtendedSource], counts: np.ndarray) -> np.ndarray:
    """TS of each source with all others in the model, shape (n,).

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    sources : sequence of ExtendedSource
    counts : ndarray, shape (n, n_bands)
        Their counts in the model.
    """
    found = [alone(data, one, own).ts[0] for one, own in zip(sources, counts, strict=True)]
    return np.array(found, dtype=float)


def alone(data: SkyData, source: ExtendedSource, counts: np.ndarray) -> AmplitudeFit:
    """Fit the counts of one source, in all bands together, with all others in the model."""
    total = counts.sum()
    spectrum = counts / total if total > 0 else data.shares(source.vector[None])[0]
    seen, model, template = [], [], []
    for i, band in enumerate(data.bands):
        place, share = source.places[i], source.shares[i]
        seen.append(band.counts[place].astype(float))
        without = band.model[place] - share * counts[i]
        weight = band.weights(place)
        seen[-1] *= weight
        model.append(np.maximum(without, band.background[place]) * weight)
        template.append(share * spectrum[i] * weight)
    return fit_amplitudes(*(np.concatenate(part)[None] for part in (seen, model, template)))


def _stamp(
    band: BandData, vectors: np.ndarray, profile: RadialPsf
) -> tuple[np.ndarray, np.ndarray]:
    found = stamps(vectors, band.pixels, profile, containment=_CONTAINMENT, sampling=COARSE)
    return _held(band, found.pixel.ravel(), found.fraction.ravel())


def _held(band: BandData, pixel: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places and shares of the pixels of a band that are held and valid, each once."""
    place = band.places(pixel)
    good = band.valid[place]
    unique, inverse = np.unique(place[good], return_inverse=True)
    return unique, np.bincount(inverse, share[good], minlength=len(unique))


def _of_points(
    data: SkyData, centre: np.ndarray, points: np.ndarray, weights: np.ndarray
) -> ExtendedSource:
    """Source that is a sum of points with weights that add up to one."""
    places, shares = [], []
    parts = np.array_split(np.arange(len(points)), len(points) // _POINTS + 1)
    for band in data.bands:
        pixel, share = [], []
        for part in parts:
            found = stamps(
                points[part], band.pixels, band.psf, containment=_CONTAINMENT, sampling=COARSE
            )
            pixel.append(found.pixel.ravel())
            share.append((found.fraction * weights[part, None]).ravel())
        place, share = _held(band, np.concatenate(pixel), np.concatenate(share))
        places.append(place)
        shares.append(share)
    apart = np.degrees(np.linalg.norm(points - centre, axis=1))
    order = np.argsort(apart)
    r68, radius = np.interp((0.68, _WHOLE), np.cumsum(weights[order]), apart[order])
    return ExtendedSource(centre, tuple(places), tuple(shares), float(radius), float(r68))
