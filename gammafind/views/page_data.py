"""All that the script of the page shows of the sources: markers, names, table, charts."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.class_colours import MATCHED, OTHER_COLOUR, UNMATCHED
from gammafind.catalogue.columns import numbers_of, texts_of
from gammafind.catalogue.positions import map_positions
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import vectors_in
from gammafind.sky.skymap import SkyMap
from gammafind.views.charts import flag_data, light_curve_data, spectrum_data
from gammafind.views.rows import Rows
from gammafind.views.source_columns import radii, source_columns

_LIGHTER = {
    "#0072B2": "#5cc2ff", "#E69F00": "#ffc933", "#009E73": "#2fd6a5", "#CC79A7": "#f08bd0",
    "#D55E00": "#ff7f3f", OTHER_COLOUR: "#cfd6dd",
}  # fmt: skip
"""Colours of markers that are bright enough on a dark map, and still differ."""
_OTHER_NAMES = ("ASSOC1", "ASSOC2", "ASSOC_FGL", "Association", "Extended_Source_Name")
"""Columns by whose names people know a source."""
_CUTOUT = 24
"""Pixels of a cut-out on a side: several times the PSF."""
_NEAR, _FARTHEST = 2.0, 0.5
"""Pixels, and at most degrees, within which a detection is shown for a source of the reference."""
_INDEX = 2.3
"""Photon index of sources: typical of 4FGL sources."""


def page_data(
    catalogue: QTable,
    reference: QTable | None,
    counts: SkyMap,
    rows: Rows,
    observation: Observation | None = None,
    score_name: str = "score",
) -> dict[str, Any]:
    """Data of the sources and of the reference, ready for JSON.

    Parameters
    ----------
    catalogue : QTable
        n rows.
    reference : QTable, optional
    counts : SkyMap
        The map in which the sources were found.
    rows : Rows
        The detections.
    observation : Observation, optional
        The counts with exposure and PSFs, from which the counts of a source in each band follow.
    score_name : str
        What the localiser calls its scores.
    """
    pixels = counts.finest_pixels
    known = observation if counts.kind == "counts" else None
    size, text = _cutout_size(counts)
    return {
        "bands": [band.name for band in counts.bands],
        "sources": source_data(catalogue, rows, pixels, reference)
        | {"counts": source_counts(catalogue, known)},
        "reference": reference_data(reference, pixels),
        "table": source_columns(catalogue, rows, pixels, score_name),
        "flags": flag_data(catalogue),
        "spectra": spectrum_data(catalogue),
        "lightCurves": light_curve_data(catalogue),
        "cutout": {"size": size, "text": text},
        "near": min(_NEAR * float(pixels.pixel_size.to_value("deg")), _FARTHEST),
    }


def _cutout_size(counts: SkyMap) -> tuple[float, str]:
    """Width of the cut-outs: degrees on a sky, pixels of an image."""
    pixel = float(counts.finest_pixels.pixel_size.to_value("deg"))
    if isinstance(counts.finest_pixels, HealpixPixels):
        size = float(np.clip(_CUTOUT * pixel, 1.0, 20.0))
        return round(size, 2), f"{size:.2g} deg"
    return _CUTOUT, f"{_CUTOUT} pixels"


def source_data(
    catalogue: QTable, rows: Rows, pixels: Pixels, reference: QTable | None = None
) -> dict[str, Any]:
    """Places, markers and names of the sources, ready for JSON.

    Their names include those that a matched source of the reference has.
    """
    return {
        **_places(catalogue, pixels, what="the catalogue"),
        "radius": radii(catalogue),
        "extent": np.round(np.nan_to_num(numbers_of(catalogue, "extension", "deg")), 4).tolist(),
        "name": rows.name.tolist(),
        "label": [name.split(" ", 1)[-1] for name in rows.name.tolist()],
        "names": _names(catalogue, rows, reference),
        "colour": _colours(rows),
        "matched": None if rows.matched is None else rows.matched.tolist(),
    }


def reference_data(reference: QTable | None, pixels: Pixels) -> dict[str, Any]:
    """Places and names of the sources of the reference."""
    if reference is None or len(reference) == 0 or not pixels.celestial:
        return {"glon": [], "glat": [], "x": [], "y": [], "name": [], "names": []}
    named = _named(reference)
    return {
        **_places(reference, pixels, what="the reference"),
        "name": [name for name, _ in named],
        "names": [names for _, names in named],
    }


def _places(table: QTable, pixels: Pixels, *, what: str) -> dict[str, list[float]]:
    """Galactic degrees; on an image its pixels as well."""
    positions = map_positions(table, pixels, what=what)
    places: dict[str, list[float]] = {}
    if pixels.celestial:
        galactic = positions.galactic
        places |= {"glon": np.round(galactic.l.deg, 6).tolist()}
        places |= {"glat": np.round(galactic.b.deg, 6).tolist()}
    if not isinstance(pixels, HealpixPixels):
        x, y = pixels.xy(positions)
        places |= {"x": np.round(np.nan_to_num(x, nan=-1e6), 3).tolist()}
        places |= {"y": np.round(np.nan_to_num(y, nan=-1e6), 3).tolist()}
    return places


def _names(catalogue: QTable, rows: Rows, reference: QTable | None) -> list[list[str]]:
    """All names of each source of a catalogue."""
    others = {} if reference is None else dict(_named(reference))
    return [
        list(dict.fromkeys([name, *own, *others.get(association, ())]))
        for name, association, (_, own) in zip(
            rows.name.tolist(), rows.association.tolist(), _named(catalogue), strict=True
        )
    ]


def _named(table: QTable) -> list[tuple[str, list[str]]]:
    """Name of each source of a table, and all its names."""
    name = texts_of(table, "source_name").tolist()
    known = zip(name, *(texts_of(table, one).tolist() for one in _OTHER_NAMES), strict=True)
    return [(row[0], list(dict.fromkeys(filter(None, row)))) for row in known]


def _colours(rows: Rows) -> list[str]:
    """Colour of the class of each source, or whether it has a counterpart."""
    if rows.class_colours:
        chosen = [rows.class_colours.get(label, OTHER_COLOUR) for label in rows.class_label]
    elif rows.matched is None:
        chosen = [MATCHED] * len(rows)
    else:
        chosen = np.where(rows.matched, MATCHED, UNMATCHED).tolist()
    return [_LIGHTER.get(colour, colour) for colour in chosen]


def marks_of(rows: Rows) -> list[tuple[str, str, str]]:
    """Colours, shapes (circle or diamond) and meanings of the markers."""
    if rows.class_colours:
        marks = [(colour, "circle", name) for name, colour in rows.class_colours.items()]
        named = set(rows.class_colours)
        others = any(label not in named for label in rows.class_label.tolist())
        marks += [(OTHER_COLOUR, "circle", "others")] if others else []
        lone = rows.matched is not None and not np.all(rows.matched)
        marks += [("currentColor", "diamond", "without a counterpart")] if lone else []
    elif rows.matched is None:
        marks = [(MATCHED, "circle", "sources")]
    else:
        marks = [
            (MATCHED, "circle", "with a counterpart"),
            (UNMATCHED, "diamond", "without one"),
        ]
    return [(_LIGHTER.get(colour, colour), shape, text) for colour, shape, text in marks]


def source_counts(catalogue: QTable, observation: Observation | None) -> list[list[float]] | None:
    """Counts of each source in each band, shape (n_bands, n), for the model; None if not known."""
    counts = numbers_of(catalogue, "npred")
    if observation is None or not np.any(np.isfinite(counts)):
        return None
    shares = _shares(catalogue, observation)
    expected = np.nan_to_num(counts) * shares
    return [[float(f"{value:.4g}") for value in band] for band in expected.tolist()]


def _shares(catalogue: QTable, observation: Observation) -> np.ndarray:
    """Share of the counts of each source in each band, shape (n_bands, n)."""
    bands = observation.counts.n_bands
    if bands == 1 or len(catalogue) == 0:
        return np.ones((bands, len(catalogue)))
    from gammafind.fitting.photons.data import sky_data

    data = sky_data(observation, index=_INDEX)
    positions = map_positions(catalogue, observation.counts.finest_pixels, what="the catalogue")
    return data.shares(vectors_in(data.frame, positions)).T
