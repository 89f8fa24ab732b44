"""Every source of a catalogue is measured on the counts of a sky."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.position_columns import position_columns
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.publish import source_names
from gammafind.errors import OptionError
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.position import is_coarse
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel
from gammafind.fitting.sources.measure import Settings, measure_source
from gammafind.fitting.sources.region import Instrument, Region, Regions
from gammafind.fitting.sources.table import measured_table
from gammafind.pipeline.epoch_detections import add_light_curves
from gammafind.pipeline.epoch_spans import Times
from gammafind.pipeline.extended import with_extended
from gammafind.pipeline.flags import given_flags, with_geometry
from gammafind.pipeline.groups import Groups
from gammafind.pipeline.inputs import Counts, OnePath, Table, table_of
from gammafind.pipeline.prepare import Prepared, prepare
from gammafind.pipeline.systematics import with_systematics
from gammafind.pipeline.time_epochs import observe_times
from gammafind.presets.preset import Preset
from gammafind.roles.provenance import provenance
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.spectral_response import SpectralResponse
from gammafind.units import FLUX
from gammafind.utils.checks import require, require_index
from gammafind.utils.progress import stage, track
from gammafind.utils.version import running_version
from gammafind.utils.workers import run_tasks

_LEAST_COUNTS = 1e-3
"""First guess of a source without excess counts: positive, so that it can grow."""
INDEX = 2.3
"""Photon index where there is one band: typical of 4FGL sources."""
GROUP = 100
"""Sources that are measured, and kept, together: lost at most at an interruption."""
FLOORS = (0.0042, 0.0068)
"""Systematic position errors of 68 % and 95 % in degrees: those of 4FGL
(doi:10.3847/1538-4365/ab6bcb)."""


def measure(
    counts: Counts,
    catalogue: Table,
    *,
    folder: OnePath | None = None,
    workers: int = 1,
    index: float = INDEX,
    extended: Table | None = None,
    preset: Preset | OnePath | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: OnePath | None = None,
    spacecraft: OnePath | Sequence[OnePath] | None = None,
    background: OnePath | Sequence[OnePath] = (),
    epochs: Times | None = None,
    overwrite: bool = False,
    command: str = "",
) -> QTable:
    """Measure spectrum, band fluxes and position of every source of a catalogue.

    Background and all sources of the catalogue are fitted to the counts of the whole sky first.
    Then each source is fitted by itself; those that overlap with it, and the background of each
    band, are free.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        As for `gammafind.detect`.
    catalogue : str, path-like or QTable
        Sources, n rows with positions: a catalogue of `gammafind.detect`, or of others.
    folder : path-like, optional
        Where finished groups of sources are kept: after an interruption the same call continues.
    workers : int
        Number of processes; the result does not depend on it.
    index : float
        Photon index of all sources where there is one band of energies.
    extended : str, path-like or QTable, optional
        Sources that are known to be extended, as for `gammafind.detect`.
    preset, options, bands, frame, exposure, spacecraft, background : object
        As for `gammafind.detect`.
    epochs : str, int, path-like, Quantity, Time or sequence, optional
        Times of light curves, as for `gammafind.detect`; the counts are photon lists then.
    overwrite : bool
        Whether groups in ``folder`` that were measured with other settings may be replaced.
    command : str
        Command line, for the record.

    Returns
    -------
    QTable
        The rows of ``catalogue`` in their order, with the columns of the catalogues of the LAT:
        positions and ellipses, ``Flux1000``, ``PL_Index``, ``Flux_Band`` and so on. Other columns
        of ``catalogue`` follow. ``Offset`` is the distance from the given position; ``Flags`` says
        what failed.

    Raises
    ------
    OptionError
        If the counts are an image of a camera, or an option is impossible.
    OutputError
        If ``folder`` holds groups that were measured with other settings.
    GammafindError
        If an input cannot be used; the class names the fault.

    Notes
    -----
    Errors are statistical, except for the floor of the position errors: 0.0068 deg at 95 %, as in
    4FGL. Systematic ones are in columns of their own, ``Sys_Flux1000`` and so on.
    Spectra are those at the given position. Rows without data have no values, and the flag
    ``NOT_MEASURED``.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33 (doi:10.3847/1538-4365/ab6bcb); Abdollahi et al. 2022, ApJS
    260, 53 (doi:10.3847/1538-4365/ac6751).

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.demo_sky("M 87")
    >>> measured = gammafind.measure(sky, "4fgl-dr2")  # doctest: +SKIP
    """
    require_index(index)
    require("workers", workers, workers >= 1, "At least one is needed.")
    table = table_of(catalogue)
    prepared = prepare(
        counts,
        preset=preset,
        options=options,
        bands=bands,
        frame=frame,
        exposure=exposure,
        spacecraft=spacecraft,
        background=background,
    )
    renderer = prepared.renderer
    if not measurable(renderer):
        raise OptionError(
            f"sources are measured in counts of photons, and {renderer.name} has none",
            remedy="Give maps of counts or photon lists.",
        )
    observation, known = with_extended(prepared.observation, renderer, extended)
    if epochs is not None:
        pixels = observation.counts.pixels
        times = observe_times(prepared.given, renderer, epochs, pixels=pixels)
    measured = measure_on(
        observation,
        renderer,
        table,
        index=index,
        workers=workers,
        folder=None if folder is None else Path(folder),
        overwrite=overwrite,
    )
    measured = with_geometry(measured, observation, exposure_estimated=_is_estimated(prepared))
    measured = with_systematics(measured, observation, renderer.systematics)
    if epochs is not None:
        measured = add_light_curves(measured, observation, times)
    measured.meta |= provenance(
        preset=prepared.preset.name,
        used={"renderer": renderer},
        inputs=prepared.inputs,
        seed=0,
        command=command,
        index=index,
        extended=known or None,
        doubts=list(prepared.preset.doubts),
        **_record(measured),
    )
    return measured


def _is_estimated(prepared: Prepared) -> bool:
    """Whether the exposure was estimated and not given."""
    return not prepared.given.has_exposure and prepared.renderer.exposure_error > 0


def measurable(renderer: SkyRenderer) -> bool:
    """Whether sources can be measured on what a renderer sees: photons of known energies."""
    return renderer.sees == "maps" and renderer.flux_unit == FLUX


def measure_on(
    observation: Observation,
    renderer: SkyRenderer,
    catalogue: QTable,
    *,
    rows: np.ndarray | None = None,
    index: float = INDEX,
    workers: int = 1,
    folder: Path | None = None,
    overwrite: bool = False,
) -> QTable:
    """Measure the sources of a table on an observation, or only some ``rows``; see `measure`."""
    positions = _positions(catalogue)
    names = texts_of(catalogue, "extended_name")
    chosen = np.arange(len(catalogue)) if rows is None else rows
    groups = [chosen[i : i + GROUP] for i in range(0, len(chosen), GROUP)]
    store = Groups(folder, _wanted(observation, positions, names, index, groups), overwrite)
    tables = {i: table for i in range(len(groups)) if (table := store.found(i)) is not None}
    energies = sorted({_edges(band) for band in observation.counts.bands})
    missing = [i for i in range(len(groups)) if i not in tables]
    if missing:
        with stage("modelling the sky with its sources"):
            sky = _model(observation, positions, names, index)
        frame = sky.model.data.frame
        vectors = vectors_in(frame, positions)
        settings = Settings(
            instrument=Instrument.of(sky.model.data, _responses(renderer, observation)),
            index=index,
            coarse=is_coarse(sky.model.data),
            floors=FLOORS,
        )
        work = _Work(sky, Regions(sky.model, settings.instrument), [groups[i] for i in missing])
        done = run_tasks(partial(_measure_group, settings), work, workers=workers)
        for at, found in track(done, "groups of sources", total=len(missing)):
            i = missing[at]
            table = measured_table(found, vectors[groups[i]], frame, len(energies))
            tables[i] = store.kept(i, table)
    parts = [tables[i] for i in range(len(groups))]
    none = measured_table([], np.zeros((0, 3)), "icrs", len(energies))
    own = vstack(parts, metadata_conflicts="silent") if parts else none
    own.meta.clear()
    return _joined(catalogue[chosen], own, positions[chosen], energies)


@dataclass(frozen=True, eq=False)
class _Sky:
    """A model, and which of its sources each row of the catalogue is: -1 for none."""

    model: SkyModel
    point: np.ndarray
    extended: np.ndarray


@dataclass(frozen=True, eq=False)
class _Work(Sequence):
    """Regions of the rows of some groups, made when they are needed."""

    sky: _Sky
    regions: Regions
    groups: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, i: int) -> tuple[int, list[Region | None]]:
        return i, [self._region(row) for row in self.groups[i]]

    def __iter__(self) -> Iterator[tuple[int, list[Region | None]]]:
        return (self[i] for i in range(len(self)))

    def _region(self, row: int) -> Region | None:
        sky = self.sky
        if sky.extended[row] >= 0:
            region = self.regions.of_extended(int(sky.extended[row]))
        elif sky.point[row] >= 0:
            region = self.regions.of(int(sky.point[row]))
        else:
            return None
        return region if region.exposure.any() else None


def _model(observation: Observation, positions: SkyCoord, names: np.ndarray, index: float) -> _Sky:
    """Fit background and sources; extended ones that the observation knows keep their shapes."""
    n = len(names)
    shapes = _names_of(observation)
    shaped = np.array([name in shapes for name in names], dtype=bool)
    rows = np.flatnonzero(~shaped)
    model, seen = known_sky(observation, positions[rows], index=index, extended=True)
    point, extended = np.full(n, -1), np.full(n, -1)
    point[rows[seen]] = np.arange(len(seen))
    place = {one.name: i for i, one in enumerate(model.extended)}
    extended[shaped] = [place.get(str(name), -1) for name in names[shaped]]
    small = np.flatnonzero(shaped & (extended < 0))
    vectors = vectors_in(model.data.frame, positions[small])
    small, vectors = (part[model.data.inside(vectors)] for part in (small, vectors))
    if len(small):
        # Smaller than the PSF: they are points.
        point[small] = len(model.vectors) + np.arange(len(small))
        model.add(vectors, np.maximum(scan(model.data, vectors).amplitude, _LEAST_COUNTS))
        model.update()
    return _Sky(model, point, extended)


def _names_of(observation: Observation) -> set[str]:
    """Names of the sources of the observation that have shapes."""
    known = observation.extended
    if known is None:
        return set()
    models = np.char.strip(np.asarray(known["extension_model"], dtype=str))
    return set(np.asarray(known["name"], dtype=str)[models != ""].tolist())


def _responses(renderer: SkyRenderer, observation: Observation) -> tuple[SpectralResponse, ...]:
    """How the bands see spectra, with the PSF of the observation where that is another one."""
    pairs = zip(renderer.spectral_responses(), renderer.psfs(), observation.psfs, strict=True)
    edges = [_edges(band) for band in renderer.bands]
    return tuple(
        one if own is psf or own.checksum == psf.checksum else SpectralResponse.exact(*edge, psf)
        for (one, own, psf), edge in zip(pairs, edges, strict=True)
    )


def _edges(band: Band) -> tuple[float, float]:
    low, high = sorted(band.edges.to_value(u.MeV, u.spectral()))
    return float(low), float(high)


def _positions(catalogue: QTable) -> SkyCoord:
    if not len(catalogue):
        return SkyCoord([], [], unit="deg")
    return sky_positions(catalogue, what="the catalogue")


def _measure_group(
    settings: Settings, item: tuple[int, list[Region | None]]
) -> tuple[int, list[dict[str, Any]]]:
    """Measure the sources of one group; in a process of its own, or not."""
    at, regions = item
    return at, [{} if one is None else measure_source(one, settings) for one in regions]


def _wanted(
    observation: Observation,
    positions: SkyCoord,
    names: np.ndarray,
    index: float,
    groups: list[np.ndarray],
) -> dict[str, Any]:
    """Everything that determines the numbers, for the record of each group."""
    skies = (observation.counts, observation.exposure, *observation.background.values())
    digest = sha256()
    for sky in skies:
        for values in sky.values:
            digest.update(np.ascontiguousarray(values))
    sources = sha256(np.ascontiguousarray([positions.ra.deg, positions.dec.deg]).tobytes())
    sources.update("\n".join(map(str, names)).encode())
    extended = sorted(_names_of(observation))
    return {
        "maps": digest.hexdigest(),
        "sources": sources.hexdigest(),
        "extended": sha256("\n".join(extended).encode()).hexdigest(),
        "index": float(index),
        "rows": sha256(repr([group.tolist() for group in groups]).encode()).hexdigest(),
        "version": running_version(),
    }


def _joined(
    catalogue: QTable, own: QTable, positions: SkyCoord, energies: list[tuple[float, float]]
) -> QTable:
    """Measured columns, and all others of the catalogue."""
    names = texts_of(catalogue, "source_name")
    after = source_names(positions) if len(names) else names
    table = QTable({"Source_Name": np.where(names == "", after, names)}, meta=dict(catalogue.meta))
    places = position_columns(catalogue) if len(catalogue) else None
    dropped = set() if places is None else {places.longitude, places.latitude}
    for name in own.colnames:
        table[name] = own[name]
        if own[name].dtype.kind == "U":  # As wide as its longest text.
            table[name] = np.array(own[name].tolist(), dtype=str)
        elif own[name].dtype.kind == "f":  # One kind of NaN: files forget its sign.
            values = np.asarray(table[name])
            values[np.isnan(values)] = np.nan
    if "Flags" in catalogue.colnames:
        table["Flags"] = own["Flags"] | given_flags(catalogue)
    for name in catalogue.colnames:
        if name not in table.colnames and name not in dropped:
            table[name] = catalogue[name]
    table.meta["energy_edges_mev"] = [list(map(float, edges)) for edges in energies]
    return table


def _record(measured: QTable) -> dict[str, Any]:
    return {"sources": len(measured), "position_floor_deg": list(FLOORS)}
