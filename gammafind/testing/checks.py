"""The contract of each role, as a check to run."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from astropy.table import QTable, vstack

from gammafind.catalogue.schema import (
    CLUSTERS,
    PATCH_DETECTIONS,
    SOURCES,
    Column,
    empty_table,
)
from gammafind.errors import ConformanceError
from gammafind.roles.base import PLUGIN_NAME, Plugin
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.testing.toys import disc_map, one_source, toy_patches

__all__ = [
    "check_classifier",
    "check_clusterer",
    "check_localiser",
    "check_plugin",
    "check_population",
    "check_renderer",
]

_PLACES = ((14, 20), (44, 20), (30, 46))
_COARSE_NSIDE = 32


def check_plugin(plugin: type[Plugin], role: type[Plugin]) -> None:
    """Check the class itself: role, name, summary, options.

    Raises
    ------
    ConformanceError
        If it is no subclass of the role, its name is not in kebab-case, it has no docstring,
        or it is no frozen keyword-only dataclass.
    """
    _require(issubclass(plugin, role), f"{plugin.__name__} is no {role.__name__}")
    name = getattr(plugin, "name", None)
    _require(
        isinstance(name, str) and bool(PLUGIN_NAME.fullmatch(name)),
        f"the name of {plugin.__name__} is {name!r}, not a word in kebab-case",
    )
    _require(bool(plugin.__dict__.get("__doc__")), f"{plugin.__name__} has no docstring")
    _require(
        "__dataclass_params__" in plugin.__dict__ and plugin.__dataclass_params__.frozen,
        f"{plugin.__name__} is no frozen dataclass",
    )
    loose = [f.name for f in dataclasses.fields(plugin) if f.init and not f.kw_only]
    _require(not loose, f"options of {plugin.__name__} are not keyword-only: {', '.join(loose)}")


def check_population(plugin: type[SourcePopulation], **options: Any) -> None:
    """Check a population: schema, ranges, and that a seed fixes the catalogue.

    Raises
    ------
    ConformanceError
    """
    check_plugin(plugin, SourcePopulation)
    population = plugin(**options)
    sources, again, other = (
        population.sample(rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    _require(_same(sources, again), f"{plugin.name}: one seed gives two catalogues")
    _require(not _same(sources, other), f"{plugin.name}: two seeds give one catalogue")
    _check_schema(sources, SOURCES, plugin.name)
    _check_position(sources, plugin.name)
    flux = sources["flux"].value
    _require(
        bool(np.all(np.isfinite(flux) & (flux >= 0))),
        f"{plugin.name}: fluxes are negative or not finite",
    )
    names = np.asarray(sources["name"])
    _require(len(np.unique(names)) == len(names), f"{plugin.name}: names are not unique")


def check_renderer(
    plugin: type[SkyRenderer], *, sources: QTable | None = None, **options: Any
) -> None:
    """Check a renderer on its own pixels, HEALPix maps at nside 32 at most.

    Parameters
    ----------
    plugin : type
    sources : QTable, optional
        Sources within its field; by default one at the first pixel of the first band, with the
        columns of the schema only.
    **options

    Raises
    ------
    ConformanceError
    """
    check_plugin(plugin, SkyRenderer)
    renderer = plugin(**options)
    bands = renderer.bands
    _require(
        len(bands) == len(renderer.pixels) == len(renderer.psfs()),
        f"{plugin.name}: bands, pixels and PSFs differ in number",
    )
    pixels = tuple(_coarse(p) for p in renderer.pixels)
    _require(renderer.exposure(pixels).bands == bands, f"{plugin.name}: the bands change")
    _require(bool(renderer.background(pixels)), f"{plugin.name}: there is no background")
    nothing = renderer.render(empty_table(SOURCES), pixels)
    _require(not any(v.any() for v in nothing.values), f"{plugin.name}: no sources give counts")
    sources = one_source(pixels[0].centres().ravel()[0]) if sources is None else sources
    before = sources.copy()
    counts = _total(renderer.render(sources, pixels).values)
    _require(_same(sources, before), f"{plugin.name}: render changes the source table")
    _require(counts > 0, f"{plugin.name}: a source of {sources['flux'][0]:g} gives no counts")
    twice = _total(renderer.render(vstack([sources, sources]), pixels).values)
    _require(
        bool(np.isclose(twice, 2 * counts, rtol=1e-3)),
        f"{plugin.name}: each source twice gives {twice / counts:.4f} times the counts",
    )


def check_clusterer(plugin: type[Clusterer], **options: Any) -> None:
    """Check a clusterer on discs of radius 5 and value 1, and on maps without a source.

    Raises
    ------
    ConformanceError
    """
    check_plugin(plugin, Clusterer)
    clusterer = plugin(**options)
    for shape in ((64, 64), (1, 1), (3, 2)):
        empty = clusterer.cluster(np.zeros(shape))
        _require(len(empty) == 0, f"{plugin.name}: a map of zeros gives {len(empty)} clusters")
        _check_schema(empty, CLUSTERS, plugin.name)
    nothing = clusterer.cluster(np.full((64, 64), np.nan))
    _require(len(nothing) == 0, f"{plugin.name}: a map of NaN gives {len(nothing)} clusters")
    image = disc_map(_PLACES)
    before = image.copy()
    found, again = clusterer.cluster(image), clusterer.cluster(image)
    _require(np.array_equal(image, before), f"{plugin.name}: the score map is changed")
    _require(_same(found, again), f"{plugin.name}: one map gives two results")
    _check_schema(found, CLUSTERS, plugin.name)
    _check_discs(found, plugin.name)


def check_localiser(
    plugin: type[Localiser], *, patches: Patches | None = None, **options: Any
) -> None:
    """Check a localiser on one patch with a bright source, and on the same without counts.

    Parameters
    ----------
    plugin : type
    patches : Patches, optional
        For localisers that take certain bands and sizes only; by default those of
        `toy_patches`. They must hold a source that is found.
    **options

    Raises
    ------
    ConformanceError
    """
    check_plugin(plugin, Localiser)
    localiser = plugin(**options)
    _require(
        isinstance(localiser.score_name, str) and bool(localiser.score_name.strip()),
        f"{plugin.name}: the name of its scores is {localiser.score_name!r}",
    )
    _require(
        isinstance(localiser.published_score, int | float)
        and not np.isnan(localiser.published_score),
        f"{plugin.name}: the lowest score published is {localiser.published_score!r}, no number",
    )
    patches = toy_patches() if patches is None else patches
    dark = dataclasses.replace(patches, counts=tuple(np.zeros_like(c) for c in patches.counts))
    nothing = localiser.localise(dark)
    _require(len(nothing) == 0, f"{plugin.name}: no counts give {len(nothing)} detections")
    _check_schema(nothing, PATCH_DETECTIONS, plugin.name)
    before = copy.deepcopy(patches.counts)
    found, again = localiser.localise(patches), localiser.localise(patches)
    _require(
        all(np.array_equal(a, b) for a, b in zip(patches.counts, before, strict=True)),
        f"{plugin.name}: the counts are changed",
    )
    _require(_same(found, again), f"{plugin.name}: one sky gives two results")
    _require(len(found) > 0, f"{plugin.name}: a bright source is not found")
    _check_schema(found, PATCH_DETECTIONS, plugin.name)
    places = np.stack([found["x"].value, found["y"].value])
    _require(
        bool(np.all((places >= -0.5) & (places <= patches.score_width - 0.5))),
        f"{plugin.name}: a detection lies outside its patch",
    )


def check_classifier(
    plugin: type[Classifier], cutouts: Mapping[str, np.ndarray], **options: Any
) -> None:
    """Check a classifier on cut-outs, and on none.

    Parameters
    ----------
    plugin : type
    cutouts : mapping of str to ndarray
        Inputs by name, each of shape (n_sources, ...), with at least one source.
    **options

    Raises
    ------
    ConformanceError
    """
    check_plugin(plugin, Classifier)
    _require(
        set(plugin.fakes) <= set(plugin.classes),
        f"{plugin.name}: the fakes {', '.join(plugin.fakes)} are no classes of it",
    )
    classifier = plugin(**options)
    before = {name: array.copy() for name, array in cutouts.items()}
    found, again = classifier.classify(cutouts), classifier.classify(cutouts)
    _require(
        all(np.array_equal(cutouts[name], before[name], equal_nan=True) for name in before),
        f"{plugin.name}: the cut-outs are changed",
    )
    _require(_same(found, again), f"{plugin.name}: the same cut-outs give two results")
    rows = len(next(iter(cutouts.values())))
    _require(len(found) == rows, f"{plugin.name}: {rows} sources give {len(found)} rows")
    none = classifier.classify({name: array[:0] for name, array in cutouts.items()})
    _require(
        len(none) == 0 and none.colnames == found.colnames,
        f"{plugin.name}: no sources give {len(none)} rows of {', '.join(none.colnames)}",
    )


def _require(kept: bool, breach: str) -> None:
    if not kept:
        raise ConformanceError(breach)


def _same(one: QTable, other: QTable) -> bool:
    return one.colnames == other.colnames and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one.colnames
    )


def _check_schema(table: QTable, schema: Iterable[Column], name: str) -> None:
    """Require the columns of a schema, with finite numbers."""
    missing = [c.name for c in schema if c.required and c.name not in table.colnames]
    _require(not missing, f"{name}: the table lacks {', '.join(missing)}")
    numbers = [c.name for c in schema if c.dtype != "U" and c.required]
    for column in numbers:
        values = getattr(table[column], "value", table[column])
        _require(bool(np.all(np.isfinite(values))), f"{name}: {column} is not finite")


def _check_position(sources: QTable, name: str) -> None:
    ra, dec = sources["ra"].to_value("deg"), sources["dec"].to_value("deg")
    _require(bool(np.all((ra >= 0) & (ra < 360))), f"{name}: ra lies outside 0 to 360 deg")
    _require(bool(np.all(np.abs(dec) <= 90)), f"{name}: dec lies outside -90 to 90 deg")


def _check_discs(found: QTable, name: str) -> None:
    _require(len(found) == len(_PLACES), f"{name}: {len(_PLACES)} discs give {len(found)} clusters")
    x, y = found["x"].value, found["y"].value
    for column, row in _PLACES:
        distance = np.hypot(x - column, y - row).min()
        _require(distance <= 1, f"{name}: a disc is found {distance:.2f} pixels away")


def _coarse(pixels: Pixels) -> Pixels:
    if isinstance(pixels, HealpixPixels):
        return HealpixPixels(min(pixels.nside, _COARSE_NSIDE), pixels.frame)
    return pixels


def _total(values: Iterable[np.ndarray]) -> float:
    return float(sum(array.sum(dtype=float) for array in values))
