"""The contracts of populations, clusterers and classifiers, as checks to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import CLUSTERS, SOURCES
from gammafind.roles.base import Sees
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.population import SourcePopulation
from gammafind.testing.common import check_plugin, check_schema, rules_of, same
from gammafind.testing.toys import disc_map

_SEES = (*get_args(Sees), "catalogue")
_PLACES = ((14, 20), (44, 20), (30, 46))


def check_population(plugin: type[SourcePopulation], **options: Any) -> None:
    """Check a population: schema, ranges, and that a seed fixes the catalogue.

    Parameters
    ----------
    plugin : type
    **options
        Of the plugin.

    Raises
    ------
    ConformanceError

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import check_population
    >>> check_population(gammafind.get_plugin("population", "4fgl-dr2"))
    """
    check_plugin(plugin, SourcePopulation)
    must = rules_of(plugin)
    population = plugin(**options)
    sources, again, other = (
        population.sample(rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    must(same(sources, again), "one seed gives two catalogues", "one seed gives one catalogue")
    must(not same(sources, other), "two seeds give one catalogue", "two seeds give two catalogues")
    check_schema(sources, SOURCES, must)
    _check_position(sources, must)
    flux = sources["flux"].value
    must(
        np.all(np.isfinite(flux) & (flux >= 0)),
        "fluxes are negative or not finite",
        "fluxes are finite and not negative",
    )
    names = np.asarray(sources["name"])
    must(len(np.unique(names)) == len(names), "names are not unique", "names are unique")


def check_clusterer(plugin: type[Clusterer], **options: Any) -> None:
    """Check a clusterer on discs of radius 5 and value 1, and on maps without a source.

    Parameters
    ----------
    plugin : type
    **options
        Of the plugin.

    Raises
    ------
    ConformanceError

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import check_clusterer
    >>> check_clusterer(gammafind.get_plugin("clusterer", "disk"))
    """
    check_plugin(plugin, Clusterer)
    must = rules_of(plugin)
    clusterer = plugin(**options)
    for shape in ((64, 64), (1, 1), (3, 2)):
        empty = clusterer.cluster(np.zeros(shape))
        must(
            len(empty) == 0,
            f"a map of zeros gives {len(empty)} clusters",
            f"nothing is found in {shape[0]} x {shape[1]} zeros",
        )
        check_schema(empty, CLUSTERS, must)
    nothing = clusterer.cluster(np.full((64, 64), np.nan))
    must(
        len(nothing) == 0,
        f"a map of NaN gives {len(nothing)} clusters",
        "nothing is found in a map of NaN",
    )
    image = disc_map(_PLACES)
    before = image.copy()
    found, again = clusterer.cluster(image), clusterer.cluster(image)
    must(np.array_equal(image, before), "the score map is changed", "the score map stays as it is")
    must(same(found, again), "one map gives two results", "one map gives one result")
    check_schema(found, CLUSTERS, must)
    _check_discs(found, must)


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

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from gammafind import Classifier
    >>> from gammafind.testing import check_classifier
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Coin(Classifier):
    ...     name = "coin"
    ...     classes = ("heads", "tails")
    ...
    ...     def _classify(self, cutouts):
    ...         return np.full((len(cutouts["counts"]), 2), 0.5)
    >>> check_classifier(Coin, {"counts": np.zeros((1, 1, 7, 7))})
    """
    check_plugin(plugin, Classifier)
    must = rules_of(plugin)
    classifier = plugin(**options)
    must(
        set(classifier.fakes) <= set(classifier.classes),
        f"the fakes {', '.join(classifier.fakes)} are no classes of it",
        "its fakes are among its classes",
    )
    must(
        classifier.sees in _SEES,
        f"it sees {classifier.sees!r}, not one of {', '.join(_SEES)}",
        f"it sees one of {', '.join(_SEES)}",
    )
    before = {name: array.copy() for name, array in cutouts.items()}
    found, again = classifier.classify(cutouts), classifier.classify(cutouts)
    must(
        all(np.array_equal(cutouts[name], before[name], equal_nan=True) for name in before),
        "the cut-outs are changed",
        "the cut-outs stay as they are",
    )
    must(
        same(found, again),
        "the same cut-outs give two results",
        "the same cut-outs give the same result",
    )
    rows = len(next(iter(cutouts.values())))
    must(len(found) == rows, f"{rows} sources give {len(found)} rows", "each source has one row")
    none = classifier.classify({name: array[:0] for name, array in cutouts.items()})
    must(
        len(none) == 0 and none.colnames == found.colnames,
        f"no sources give {len(none)} rows of {', '.join(none.colnames)}",
        "no sources give an empty table with all columns",
    )


def _check_position(sources: QTable, must: Callable[[bool, str, str], None]) -> None:
    ra, dec = sources["ra"].to_value("deg"), sources["dec"].to_value("deg")
    must(np.all((ra >= 0) & (ra < 360)), "ra is outside 0 to 360 deg", "ra is from 0 to 360 deg")
    must(np.all(np.abs(dec) <= 90), "dec is outside -90 to 90 deg", "dec is from -90 to 90 deg")


def _check_discs(found: QTable, must: Callable[[bool, str, str], None]) -> None:
    must(
        len(found) == len(_PLACES),
        f"{len(_PLACES)} discs give {len(found)} clusters",
        "each disc is one cluster",
    )
    if not len(found):
        return
    x, y = found["x"].value, found["y"].value
    for column, row in _PLACES:
        distance = np.hypot(x - column, y - row).min()
        must(
            distance <= 1,
            f"a disc is found {distance:.2f} pixels away",
            "discs are found within a pixel",
        )
