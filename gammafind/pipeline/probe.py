"""What is at given places, where nothing was found or somebody expects a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from scipy.stats import chi2

from gammafind.catalogue.columns import numbers_of, texts_of
from gammafind.catalogue.positions import sky_columns, sky_positions
from gammafind.catalogue.publish import source_names
from gammafind.catalogue.schema import DETECTIONS, Column, conform, in_flux_unit
from gammafind.errors import OptionError
from gammafind.fitting.photons.data import SkyData, source_sizes
from gammafind.fitting.photons.known_sky import Probe, known_sky
from gammafind.fitting.photons.limits import CONFIDENCE, LocalFit
from gammafind.pipeline.inputs import Counts, Table, path_of, table_of
from gammafind.pipeline.localise import build_localiser, localise
from gammafind.pipeline.prepare import prepare
from gammafind.presets.preset import Preset
from gammafind.roles.provenance import describe_plugin, provenance
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.utils.checks import require, require_index
from gammafind.utils.progress import stage

Path = str | PathLike

_OWN = 0.5
"""Distance in sizes of a source within which a place is one with a source: their counts overlap by
nine tenths."""
IN_SOURCE, OUTSIDE, UNEXPOSED = "in source", "outside", "no exposure"
"""Flags of a place."""


def _column(name: str, unit: str, ucd: str, description: str, dtype: str = "f8") -> Column:
    return Column(name, unit, ucd, description, dtype)


_LIMIT = f"Upper limit of flux, {100 * CONFIDENCE:.0f} %"
PROBED = (
    _column("name", "", "meta.id;meta.main", "Name of the place", "U"),
    *(column for column in DETECTIONS if column.name in ("ra", "dec", "glon", "glat")),
    *(column for column in DETECTIONS if column.name == "ts"),
    _column("p_value", "", "stat.probability", "Probability of such a TS without a source"),
    *(column for column in DETECTIONS if column.name in ("npred", "flux", "flux_err")),
    _column("flux_limit", "cm-2 s-1", "stat.max;phot.flux", _LIMIT),
    _column("near", "", "meta.id", "Nearest source of the model", "U"),
    _column("separation", "deg", "pos.angDistance", "Distance to the nearest source of the model"),
    _column("flag", "", "meta.code", f"{IN_SOURCE}, {OUTSIDE}, {UNEXPOSED} or empty", "U"),
)
"""Columns of the table of places."""


def probe(
    counts: Counts,
    places: SkyCoord | Table,
    *,
    catalogue: Table | None = None,
    index: float = 2.3,
    preset: Preset | Path | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: Path | None = None,
    spacecraft: Path | Sequence[Path] | None = None,
    background: Path | Sequence[Path] = (),
    seed: int = 0,
    command: str = "",
) -> QTable:
    """Measure or limit the flux at given places, such as those where nothing was found.

    The sky is modelled by its background and the sources of a catalogue, or those that the
    localiser ``likelihood`` finds, all fitted to the counts. At each place one more source is
    fitted; the sources of the model that overlap with it are free.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        As for `gammafind.detect`.
    places : SkyCoord, str, path-like or QTable
        Positions, n of them; a table may name them.
    catalogue : str, path-like or QTable, optional
        Sources of the model, such as a catalogue of `gammafind.detect` from the same counts. Their
        positions are used, and their fluxes fitted. Without it the sky is searched.
    index : float
        Photon index of the sources.
    preset : Preset, str or path-like, optional
        As for `gammafind.detect`.
    options : mapping of str to mapping, optional
        Options of the renderer and of the localiser, by role.
    bands, frame, exposure, spacecraft, background : object
        As for `gammafind.detect`.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    QTable
        One row a place, in order: ``name``, ``ra``, ``dec``, ``glon``, ``glat``; ``ts``, 2 ln of
        the likelihood ratio with and without a source at the place, and ``p_value``, the
        probability of such a TS or a larger one at a fixed place without a source (Chernoff 1954);
        ``npred``, fitted counts; ``flux`` and ``flux_err`` in all bands together, as in a
        catalogue; ``flux_limit``, the upper limit at 95 %; ``near`` and ``separation``, the nearest
        source of the model and its distance; ``flag``.

    Raises
    ------
    OptionError
        If there is no place, or the counts are an image of a camera.
    TableError
        If a table has no positions.
    GammafindError
        If an input cannot be used; the class names the fault.

    Notes
    -----
    A place within the 95 % position error of a source of the model, or nearer to it than half the
    size of a point source (r68 of the PSF and the pixel, in quadrature), has the flag
    ``in source``: this source is taken out of the model, so that the row is the measurement of it
    at that place. Outside, the source stays in the model, and its flux and that of the place are
    fitted together; the error and the limit allow for what they share. Places outside the
    map have the flag ``outside``, and those that were not exposed ``no exposure``; their numbers
    are NaN. Errors and limits are statistical: they do not allow for errors of the background
    model, which matter in the plane.

    References
    ----------
    Chernoff 1954, Ann. Math. Stat. 25, 573 (doi:10.1214/aoms/1177728725); for the limits
    `gammafind.fitting.photons.limits.fit_place`.

    Examples
    --------
    >>> from astropy.coordinates import SkyCoord
    >>> import gammafind
    >>> sky = gammafind.demo_sky("M 87")
    >>> places = SkyCoord([187.71, 190.0], [12.39, 14.0], unit="deg")
    >>> probed = gammafind.probe(sky, places)
    >>> probed["flag"].tolist()
    ['in source', '']
    >>> bool(probed["flux_limit"][1] < 1e-9 * probed["flux"].unit)
    True
    """
    require_index(index)
    require("seed", seed, seed >= 0, "It must not be negative.")
    names, positions = _named_places(places)
    known = table_of(catalogue)
    prepared = prepare(
        counts,
        preset=preset,
        plugins={"localiser": "likelihood"},
        options=options,
        bands=bands,
        frame=frame,
        exposure=exposure,
        spacecraft=spacecraft,
        background=background,
    )
    preset, renderer, observation = prepared.preset, prepared.renderer, prepared.observation
    if renderer.sees != "maps":
        raise OptionError(
            f"places are probed in counts of photons, and {renderer.name} reads electrons",
            remedy="Give maps of counts or photon lists.",
        )
    used = {"renderer": renderer}
    if known is None:
        known = _found(observation, preset, seed)
    table = _probed(observation, known, names, positions, index)
    table.meta |= provenance(
        preset=preset.name,
        used=used,
        inputs=prepared.inputs,
        seed=seed,
        command=command,
        catalogue=_origin(catalogue, known),
        index=index,
        confidence=CONFIDENCE,
        bands=[band.name for band in observation.counts.bands],
        doubts=list(preset.doubts),
    )
    if catalogue is None:
        table.meta["plugins"].append(describe_plugin("localiser", build_localiser(preset)))
    return table


def _named_places(places: SkyCoord | Table) -> tuple[np.ndarray, SkyCoord]:
    """Names and positions of places; a name after the position where there is none."""
    if isinstance(places, SkyCoord):
        positions = places.icrs.reshape(-1)
        names = np.full(len(positions), "")
    else:
        table = table_of(places)
        positions, names = sky_positions(table, what="the table of places"), _names(table)
    if not len(positions):
        path = None if isinstance(places, SkyCoord) else path_of(places)
        raise OptionError("no place is given", path=path, remedy="Give at least one.")
    after = np.char.strip(source_names(positions, prefix=""))
    return np.where(names == "", after, names), positions


def _names(table: QTable) -> np.ndarray:
    return texts_of(table, "source_name")


def _found(observation: Observation, preset: Preset, seed: int) -> QTable:
    """What the localiser finds, and would publish."""
    localiser = build_localiser(preset)
    found = localise(localiser, observation, preset, seed=seed).detections
    return found[np.asarray(found["score"]) >= localiser.published_score]


def _probed(
    observation: Observation,
    catalogue: QTable,
    names: np.ndarray,
    positions: SkyCoord,
    index: float,
) -> QTable:
    """Table of the places, without metadata."""
    sources = sky_positions(catalogue, what="the catalogue") if len(catalogue) else positions[:0]
    with stage("modelling the sky with its sources"):
        model, rows = known_sky(observation, sources, index=index)
    labels = _labels(catalogue, sources)[rows]
    radii = _radii(model.data, model.vectors, numbers_of(catalogue, "r95", "deg")[rows])
    vectors = vectors_in(model.data.frame, positions)
    near, apart, own = _nearest(vectors, model.vectors, radii)
    with stage("measuring the places"):
        fits = list(Probe(model).fits(vectors, own))
    exposed = model.data.sensitivity(vectors).sum(axis=1)
    inside = model.data.inside(vectors)
    flag = np.where(own >= 0, IN_SOURCE, "")
    flag[[fit is None for fit in fits]] = UNEXPOSED
    flag = np.where(inside, flag, OUTSIDE)
    measured = _measured(fits, exposed)
    unit = observation.flux_unit
    table = QTable(
        {
            "name": names,
            **sky_columns(positions),
            "ts": measured["ts"],
            "p_value": np.where(measured["ts"] == 0, 1.0, chi2.sf(measured["ts"], 1) / 2),
            "npred": measured["npred"],
            **{name: measured[name] * unit for name in ("flux", "flux_err", "flux_limit")},
            "near": np.where(near >= 0, np.append(labels, "")[near], ""),
            "separation": apart * u.deg,
            "flag": flag,
        }
    )
    return conform(table, _schema(unit), what="the table of places")


def _schema(unit: u.UnitBase) -> tuple[Column, ...]:
    return in_flux_unit(PROBED, unit)


def _labels(catalogue: QTable, sources: SkyCoord) -> np.ndarray:
    """Names of the sources of a catalogue, after their positions where they have none."""
    if not len(catalogue):
        return np.zeros(0, dtype="U1")
    names = texts_of(catalogue, "source_name")
    return np.where(names == "", source_names(sources), names)


def _radii(data: SkyData, vectors: np.ndarray, r95: np.ndarray) -> np.ndarray:
    """Distance in degrees within which a place is in a source."""
    if not len(vectors):
        return np.zeros(0)
    return np.fmax(r95, _OWN * source_sizes(data, vectors))


def _nearest(
    vectors: np.ndarray, sources: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest source of each place, its distance in degrees, and the source that it is in or -1."""
    if not len(sources):
        none = np.full(len(vectors), -1)
        return none, np.full(len(vectors), np.nan), none
    near, apart, own = [], [], []
    for vector in vectors:
        chord = np.linalg.norm(sources - vector, axis=1)
        distance = np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1)))
        near.append(int(distance.argmin()))
        apart.append(distance.min())
        share = distance / radii
        own.append(int(share.argmin()) if share.min() <= 1 else -1)
    return np.array(near), np.array(apart), np.array(own)


def _measured(fits: Sequence[LocalFit | None], exposed: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers of the fits, NaN where there is none."""
    rows = [
        (np.nan,) * 4 if fit is None else (fit.ts, fit.counts, fit.error, fit.limit) for fit in fits
    ]
    ts, npred, error, limit = np.array(rows, dtype=float).T
    per_count = np.divide(1, exposed, out=np.full(len(exposed), np.nan), where=exposed > 0)
    return {
        "ts": ts,
        "npred": npred,
        "flux": npred * per_count,
        "flux_err": error * per_count,
        "flux_limit": limit * per_count,
    }


def _origin(catalogue: Table | None, known: QTable) -> dict[str, Any]:
    """What the sources of the model are."""
    if catalogue is None:
        return {"found by": "likelihood", "sources": len(known)}
    stated = {key: str(known.meta[key]) for key in ("name", "sha256") if key in known.meta}
    return {**stated, "sources": len(known)}
