"""A localiser that learns from simulated skies how many counts in a pixel make a source."""

import json
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind import Localiser, SourcePopulation, hookimpl

CURVE = "curve.json"


@dataclass(frozen=True, kw_only=True)
class Beacons(SourcePopulation):
    """Sources anywhere on the sky, of fluxes that differ by a factor of a hundred."""

    name = "beacons"
    n: int = 100

    def _sample(self, rng):
        return QTable(
            {
                "name": [f"B{i}" for i in range(self.n)],
                "ra": rng.uniform(0, 360, self.n) * u.deg,
                "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, self.n))) * u.deg,
                "class_label": np.full(self.n, "beacon"),
                "flux": 10 ** rng.uniform(-10, -8, self.n) * u.Unit("cm-2 s-1"),
            }
        )


@dataclass(frozen=True, kw_only=True)
class BrightPixels(Localiser):
    """Pixels with so many counts over the background that a source is likely."""

    name = "bright-pixels"
    score_name = "probability"
    scores_are_probabilities = True
    weights: str = ""

    @classmethod
    def trainer(cls):
        """Return how the localiser learns; imported here to keep this module light."""
        from gammafind_trainable.training import CurveTrainer

        return CurveTrainer()

    def _localise(self, patches):
        score = self._probability(patches.counts[0], patches.background[0])
        patch, y, x = np.nonzero(score > 0.5)
        found = score[patch, y, x]
        return QTable({"patch": patch, "x": x * u.pix, "y": y * u.pix, "score": found})

    def _localise_sky(self, observation, grid, n_pixels, rng):
        background = observation.total_background().values[0]
        score = self._probability(observation.counts.values[0], background)
        rows = np.flatnonzero(score > 0.5)
        here = observation.counts.pixels[0].centres()[rows].icrs
        return QTable({"ra": here.ra, "dec": here.dec, "score": score[rows]})

    def _probability(self, counts, background):
        curve = json.loads((Path(self.weights) / CURVE).read_text()) if self.weights else [1, -5]
        return probability(excess(counts, background), curve)


def excess(counts, background):
    """Counts over the background, in its standard deviations."""
    return (counts - background) / np.sqrt(background + 1)


def probability(values, curve):
    """Logistic curve of two numbers."""
    return 1 / (1 + np.exp(-np.clip(curve[0] * values + curve[1], -30, 30)))


@hookimpl
def gammafind_populations():
    """Return the populations of this plugin."""
    return [Beacons]


@hookimpl
def gammafind_localisers():
    """Return the localisers of this plugin."""
    return [BrightPixels]
