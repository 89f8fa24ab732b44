"""A classifier of a third party is trained from a recipe, by what any plugin may use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from astropy.table import QTable

from gammafind import Classifier, Localiser
from gammafind.errors import OutputError, TrainingError
from gammafind.pipeline.train import train
from gammafind.presets.preset import build
from gammafind.roles import registry
from gammafind.roles.discovery import Candidate, PluginInfo, discover
from gammafind.simulation.sky import simulated_sky
from gammafind.training.detections import labels_of

RECIPE = """\
[classifier]
name = "shares"

[training]
preset = "two-years"

[localiser]
name = "all-pixels"

[data]
train = 2
test = 0
"""


@dataclass(frozen=True, kw_only=True)
class AllPixels(Localiser):
    """Pixels with counts."""

    name: ClassVar[str] = "all-pixels"

    def _localise(self, patches):
        raise NotImplementedError

    def _localise_sky(self, observation, grid, n_pixels, rng):
        counts = observation.counts.values[1]
        rows = np.flatnonzero(counts)
        here = observation.counts.pixels[1].centres()[rows].icrs
        return QTable({"ra": here.ra, "dec": here.dec, "score": counts[rows].astype(float)})


@dataclass(frozen=True, kw_only=True)
class Shares(Classifier):
    """As probable as classes are frequent."""

    name: ClassVar[str] = "shares"
    classes: ClassVar[tuple[str, ...]] = ("A", "B", "FAKE")
    fakes: ClassVar[tuple[str, ...]] = ("FAKE",)
    weights: str = ""

    @classmethod
    def trainer(cls):
        return SharesTrainer()

    def _classify(self, cutouts):
        shares = json.loads((Path(self.weights) / "shares.json").read_text())
        return np.tile(shares, (len(cutouts["score"]), 1))


class SharesTrainer:
    sections = ()

    def prepare(self, recipe, folder):
        recipe.options("training")
        return SharesTraining(recipe)


class SharesTraining:
    fault: ClassVar[type[BaseException] | None] = None

    def __init__(self, recipe):
        preset = recipe.preset
        self.recipe, self.settings = recipe, recipe.settings
        parts = (preset.population, preset.renderer, preset.localiser)
        self.used = {one.role: build(one) for one in parts}

    def check(self, before):
        pass

    def make_data(self, workers):
        return 0

    def learn(self, folder, *, before, resume, workers):
        numbers = sum(map(self._numbers, self.recipe.data.splits["train"]))
        (folder / "shares.json").write_text(json.dumps((numbers / numbers.sum()).tolist()))
        return [{"epoch": 1, "loss": 1.0, "val_loss": 1.0, "seconds": 0.0}]

    def finish(self, weights, learned, *, workers):
        (weights / "half").write_text("")
        if SharesTraining.fault:
            raise SharesTraining.fault
        (weights / "half").rename(weights / "shares.json")
        (weights / "shares.json").write_text((learned.folder / "shares.json").read_text())
        return {}

    def _numbers(self, index):
        used = self.used
        sky = simulated_sky(used["renderer"], used["population"], seed=0, index=index)
        found = used["localiser"].localise_sky(sky.observation)
        label, _ = labels_of(
            found,
            sky.sources,
            classes=Shares.classes,
            fake="FAKE",
            radius=self.recipe.preset.match_radius,
        )
        return np.bincount(label, minlength=3)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    offered = {"localiser": AllPixels, "classifier": Shares}
    more = tuple(
        Candidate(PluginInfo(role=role, name=one.name, distribution="toy", version=""), one)
        for role, one in offered.items()
    )
    known = discover("", ("tests.simulation.toy_sky",))
    monkeypatch.setattr(registry, "discover", lambda chosen: (*known, *more))
    registry.reset()
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    yield path
    registry.reset()


def test_it_learns_and_classifies(recipe, tmp_path):
    done = train(recipe, tmp_path / "net")
    assert (done.recipe.role, done.recipe.plugin) == ("classifier", "shares")
    assert done.test_loss is None
    named = Shares(weights=str(done.weights)).classify({"score": np.ones(3)})
    assert np.all(named["prob_FAKE"] > 0)
    record = json.loads((tmp_path / "net/training.json").read_text())
    assert record["settings"]["trained"] == "classifier shares"
    assert record["best_epoch"] == 1


@pytest.mark.parametrize("fault", [KeyboardInterrupt, TrainingError("no")])
def test_what_was_interrupted_is_no_folder_of_weights(recipe, tmp_path, monkeypatch, fault):
    monkeypatch.setattr(SharesTraining, "fault", fault)
    with pytest.raises(type(fault) if isinstance(fault, Exception) else fault):
        train(recipe, tmp_path / "net")
    assert not (tmp_path / "net/weights").exists()
    monkeypatch.setattr(SharesTraining, "fault", None)
    done = train(recipe, tmp_path / "net", resume=True)
    assert not (done.weights / "half").exists()


def test_a_training_is_not_written_over(recipe, tmp_path):
    train(recipe, tmp_path / "net")
    with pytest.raises(OutputError, match="has begun here already"):
        train(recipe, tmp_path / "net")
