"""A sky of blazars and pulsars, and a localiser of its bright pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind import HealpixPixels, hookimpl
from gammafind.plugins.cnn.classifier import Cnn
from gammafind.roles.localiser import Localiser
from tests.simulation.toy_sky import Few
from tests.training.toy import Counting


@dataclass(frozen=True, kw_only=True)
class BlazarCounting(Counting):
    """The toy instrument on finer pixels, with no opinion on classes."""

    name: ClassVar[str] = "blazar-counting"
    presets: ClassVar[tuple[str, ...]] = ("tests.plugins.cnn.training:blazars.toml",)
    classes: ClassVar[tuple[str, ...]] = ()

    @property
    def pixels(self):
        return (HealpixPixels(8), HealpixPixels(16))


@dataclass(frozen=True, kw_only=True)
class Blazars(Few):
    """Sources of which half are blazars."""

    name: ClassVar[str] = "blazars"

    def _sample(self, rng):
        table = super()._sample(rng)
        table["class_label"] = np.array(["BLL", "PSR"])[np.arange(len(table)) % 2]
        table["flux"] = 20 * table["flux"]
        return table


@dataclass(frozen=True, kw_only=True)
class BrightPixels(Localiser):
    """Pixels of the finest band with many counts."""

    name: ClassVar[str] = "pixels"
    score_name: ClassVar[str] = "probability"
    scores_are_probabilities: ClassVar[bool] = True
    published_score: ClassVar[float] = 0.8

    def _localise(self, patches):
        raise NotImplementedError

    def _localise_sky(self, observation, grid, n_pixels, rng):
        counts = observation.counts.values[1]
        chosen = np.flatnonzero(counts > 5)
        here = observation.counts.pixels[1].centres()[chosen].icrs
        return QTable(
            {"ra": here.ra, "dec": here.dec, "score": counts[chosen] / (counts[chosen] + 4)}
        )


@hookimpl
def gammafind_renderers():
    return [BlazarCounting]


@hookimpl
def gammafind_populations():
    return [Blazars]


@hookimpl
def gammafind_localisers():
    return [BrightPixels]


@hookimpl
def gammafind_classifiers():
    return [Cnn]
