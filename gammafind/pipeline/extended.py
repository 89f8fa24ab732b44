"""Known extended sources of the sky that is searched."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.extended import extended_sources, on_extended
from gammafind.catalogue.flags import Flag
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.pipeline.inputs import Table, path_of, table_of
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.utils.files import of_file

NO_EXTENDED = "none"
"""What a person says where no extended source is known beforehand."""


_SHAPES = tuple(
    f"extension_{name}" for name in ("model", "radius", "inner", "ratio", "angle", "map")
)
"""Columns of shapes."""


def with_extended(
    observation: Observation, renderer: SkyRenderer, extended: Table | None
) -> tuple[Observation, str]:
    """Add the sources that are known to be extended.

    Parameters
    ----------
    observation : Observation
    renderer : SkyRenderer
        By default they are those of its ``extended_catalogue``.
    extended : str, path-like or QTable, optional
        A catalogue by name, a file or a table with positions and shapes, or ``"none"``.

    Returns
    -------
    observation : Observation
    name : str
        Of the catalogue, for the record; empty if there is none.

    Raises
    ------
    OptionError
        If there is a catalogue for an image of a camera.
    TableError
        If a table has no shapes.
    """
    if isinstance(extended, str) and extended.lower() == NO_EXTENDED:
        return replace(observation, extended=None), ""
    if extended is None and (observation.extended is not None or observation.is_image):
        return observation, "" if observation.extended is None else "of the observation"
    if observation.is_image:
        raise OptionError(
            "extended sources are given for an image of a camera",
            remedy="Leave them out: they are for maps of photons.",
        )
    source = renderer.extended_catalogue or None if extended is None else extended
    table = table_of(source)
    if table is None:
        return observation, ""
    path = path_of(source)
    with of_file(path):
        known = extended_sources(table)
    return replace(observation, extended=known), "a table" if path is None else str(path)


def shapes_of_names(catalogue: QTable, known: QTable, names: np.ndarray) -> QTable:
    """Add the shapes of the extended sources that a catalogue names.

    Parameters
    ----------
    catalogue : QTable
        n rows; ``Extended_Source_Name`` says which are extended. One that has shapes stays.
    known : QTable
        Extended sources with their shapes.
    names : ndarray of str
        Their names, one a row of ``known``.
    """
    own = texts_of(catalogue, "Extended_Source_Name")
    rows = {name: row for row, name in enumerate(names.tolist()) if name}
    found = np.array([rows.get(name, -1) for name in own.tolist()], dtype=int)
    if "extension_model" in catalogue.colnames or not np.any(found >= 0):
        return catalogue
    shaped = QTable(catalogue, copy=False)
    for column in _SHAPES:
        if column in known.colnames:
            values = known[column][found]
            values[found < 0] = "" if values.dtype.kind == "U" else np.nan
            shaped[column] = values
    return shaped


def flagged(detections: QTable, observation: Observation) -> QTable:
    """Flag detections on known extended sources, where the localiser does not say which they are.

    Parameters
    ----------
    detections : QTable
        Schema DETECTIONS.
    observation : Observation
    """
    if observation.extended is None or "flags" in detections.colnames or not len(detections):
        return detections
    detections = QTable(detections, copy=False)
    places = sky_positions(detections, what="the table of detections")
    psf = min(one.containment_radius(0.68) for one in observation.psfs)
    margin = np.hypot(psf, observation.counts.finest_pixels.pixel_size).to(u.deg)
    on_one = on_extended(places, observation.extended, margin)
    detections["flags"] = np.where(on_one, int(Flag.ON_EXTENDED), 0)
    return detections
