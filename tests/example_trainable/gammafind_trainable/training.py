"""How `BrightPixels` learns: the curve that fits pixels with and without sources best."""

import json
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.presets.preset import build
from gammafind.simulation.sky import simulated_sky
from gammafind_trainable import CURVE, excess, probability


@dataclass(frozen=True, kw_only=True)
class Options:
    """Keys of ``[training]``, next to those of all recipes."""

    steps: int = 20


class CurveTrainer:
    """Reads the recipe."""

    sections = ()

    def prepare(self, recipe, folder):
        """Return the training of one stage."""
        (options,) = recipe.options("training", Options)
        return CurveTraining(recipe, options)


@dataclass
class CurveTraining:
    """One stage: its skies are quick to make, so that none is kept."""

    recipe: object
    options: Options

    def __post_init__(self):
        preset = self.recipe.preset
        self.used = {p.role: build(p) for p in (preset.population, preset.renderer)}
        self.settings = {**self.recipe.settings, "steps": self.options.steps}

    def check(self, before):
        """Nothing is needed that could be missing."""

    def make_data(self, workers):
        """Nothing is kept."""
        return 0

    def learn(self, folder, *, before, resume, workers):
        """Fit the curve by Newton's method, and keep it in the folder."""
        start, curve = perf_counter(), np.array([1.0, -5.0])
        if before is not None:
            curve = np.array(json.loads((before / CURVE).read_text()))
        values, truth = self._pixels("train")
        inputs = np.stack([values, np.ones_like(values)])
        for _ in range(self.options.steps):
            p = probability(values, curve)
            slope = inputs @ (p - truth) + curve
            curvature = (inputs * p * (1 - p)) @ inputs.T + np.eye(2)
            curve = curve - np.linalg.solve(curvature, slope)
        (folder / CURVE).write_text(json.dumps(curve.tolist()))
        losses = {"loss": loss(values, truth, curve), "val_loss": self._loss("validation", curve)}
        return [{"epoch": 1, **losses, "seconds": perf_counter() - start}]

    def finish(self, weights, learned, *, workers):
        """Test the curve, and write what the option ``weights`` reads."""
        text = (learned.folder / CURVE).read_text()
        (weights / CURVE).write_text(text)
        (weights / "card.md").write_text(f"# bright-pixels\n\nBy {learned.record['creator']}.\n")
        return {"test_loss": self._loss("test", json.loads(text))}

    def _pixels(self, split):
        """Excess in the pixels of the skies of a set, and whether a source is there."""
        parts = []
        for index in self.recipe.data.splits[split]:
            sky = simulated_sky(
                self.used["renderer"],
                self.used["population"],
                seed=self.recipe.data.seed,
                index=index,
            )
            pixels = sky.observation.counts.pixels[0]
            truth = np.zeros(pixels.shape)
            truth[pixels.pixel_of(SkyCoord(sky.sources["ra"], sky.sources["dec"]))] = 1
            background = sky.observation.total_background().values[0]
            parts.append((excess(sky.observation.counts.values[0], background), truth))
        return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))

    def _loss(self, split, curve):
        return loss(*self._pixels(split), curve)


def loss(values, truth, curve):
    """Mean cross-entropy."""
    p = np.clip(probability(values, curve), 1e-9, 1 - 1e-9)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p)))
