"""The contract of a plugin as a list: what holds, what fails, what is declared."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from gammafind.roles.base import Plugin
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.testing.checks import check_classifier, check_clusterer, check_population
from gammafind.testing.common import Outcome, outcomes
from gammafind.testing.localisers import check_localiser
from gammafind.testing.renderers import check_renderer

_TO_THE_END = "the checks run to their end"


def contract(plugin: type[Plugin], **options: Any) -> list[Outcome]:
    """Check a plugin, and go on after each breach.

    Parameters
    ----------
    plugin : type
    **options
        Of the plugin.

    Returns
    -------
    list of Outcome
        One a rule, in the order in which they were checked; a rule that is checked several times
        has the outcome of the first breach.

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import contract
    >>> rules = contract(gammafind.get_plugin("clusterer", "disk"))
    >>> [rule.breach for rule in rules if rule.fails]
    []
    """
    with outcomes() as found:
        try:
            _check_of(plugin)(plugin, **options)
        except Exception as error:
            found.append(Outcome(_TO_THE_END, f"{type(error).__name__}: {error}{_where(error)}"))
        else:
            found.append(Outcome(_TO_THE_END))
    return _once(found)


def _check_of(plugin: type[Plugin]) -> Callable[..., None]:
    """Check of the role of a plugin."""
    if issubclass(plugin, Classifier):
        return _check_classifier
    checks = {
        SourcePopulation: check_population,
        SkyRenderer: _check_renderer,
        Localiser: check_localiser,
        Clusterer: check_clusterer,
    }
    return next(check for role, check in checks.items() if issubclass(plugin, role))


def _check_renderer(plugin: type[SkyRenderer], **options: Any) -> None:
    check_renderer(plugin, any_pixels=plugin.sees == "maps", **options)


def _check_classifier(plugin: type[Classifier], **options: Any) -> None:
    check_classifier(plugin, toy_cutouts(plugin(**options)), **options)


def toy_cutouts(classifier: Classifier, n_bands: int = 1) -> dict[str, np.ndarray]:
    """Inputs of three sources for a classifier of maps, with counts of a constant.

    Parameters
    ----------
    classifier : Classifier
        Its layout has the size of the cut-outs, and it says how many epochs it uses.
    n_bands : int

    Returns
    -------
    dict of str to ndarray
        As from `gammafind.fitting.photons.cutouts.make_cutouts`.

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import toy_cutouts
    >>> toy_cutouts(gammafind.get_plugin("classifier", "features")())["counts"].shape
    (3, 1, 7, 7)
    """
    size, n_epochs = classifier.layout.n_pixels, classifier.n_epochs
    ones = np.ones((3, n_bands), dtype=np.float32)
    images = np.ones((3, n_bands, size, size), dtype=np.float32)
    arrays = {
        "counts": images,
        "background": 0.5 * images,
        "spectrum": 100 * ones,
        "spectrum_err": 10 * ones,
        "exposure": 1e11 * ones,
        "density": ones,
        "position": np.array([[0, 0], [120, 45], [240, -45]], dtype=np.float32),
        "score": np.full(3, 0.9, dtype=np.float32),
        "pos_err": np.full(3, 0.1, dtype=np.float32),
    }
    if n_epochs:
        epochs = np.ones((3, n_epochs, size, size), dtype=np.float32)
        curve = np.full((3, n_epochs), 100, dtype=np.float32)
        arrays |= {"epoch_counts": epochs, "epoch_background": 0.5 * epochs}
        arrays |= {"light_curve": curve, "light_curve_err": 0.1 * curve}
    return arrays


def _where(error: Exception) -> str:
    """File and line in which an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _once(found: list[Outcome]) -> list[Outcome]:
    """Each rule once, with its first breach."""
    rules: dict[str, Outcome] = {}
    for one in found:
        if one.rule not in rules or (one.breach and not rules[one.rule].breach):
            rules[one.rule] = one
    return list(rules.values())
