"""Training of classifiers on detections of simulated skies: what those of all kinds share.

The tables of a recipe, next to those of `gammafind.training.recipe`:

.. code-block:: toml

    [training]
    batch_size = 256
    turns = true              # turn and flip cut-outs at random
    epochs = 40               # and all else of TrainingOptions

    [detections]
    min_score = 0.2           # least score of the detections
    random_fakes = 500        # positions at random in each sky, away from sources

    [localiser]
    name = "unet"             # and its options

    [classifier]
    name = "cnn"              # what is trained

    [cutouts]
    n_pixels = 7
    epoch_width = 0.0         # degrees; 0: that of the widest band

    [network]
    name = "gammafind"        # and its options
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.optimize import minimize_scalar

from gammafind.errors import OptionError
from gammafind.networks.classifiers import ClassifierNetwork
from gammafind.networks.folder import export_network
from gammafind.roles.trainer import Learned
from gammafind.sky.cutouts import CutoutLayout
from gammafind.training.card import listed, model_card
from gammafind.training.detections import (
    LOCALISER_SCORE,
    DetectionMaker,
    DetectionOptions,
    read_detections,
)
from gammafind.training.labelled import LabelledBatches, LabelledCutouts
from gammafind.training.loop import Loss
from gammafind.training.network import NetworkOptions, NetworkTraining
from gammafind.training.options import at_least
from gammafind.utils.progress import stage

if TYPE_CHECKING:
    import keras


_LOOKED_AT = 16384
"""Detections from which the mean and the spread of each input are taken."""
_TEMPERATURES = (0.2, 5.0)
_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """How detections are seen.

    Parameters
    ----------
    batch_size : int
    turns : bool
        Turn and flip cut-outs at random.
    """

    batch_size: int = 256
    turns: bool = True

    def __post_init__(self) -> None:
        at_least("batch_size", self.batch_size, 1)


@dataclass(frozen=True, kw_only=True)
class CutoutOptions:
    """Size of the cut-outs.

    Parameters
    ----------
    n_pixels, epoch_width : object
        As for `CutoutLayout`.
    """

    n_pixels: int = 7
    epoch_width: float = 0.0

    def __post_init__(self) -> None:
        _ = self.layout

    @property
    def layout(self) -> CutoutLayout:
        """Layout without the widths, which follow from the maps."""
        return CutoutLayout(**asdict(self))


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(NetworkOptions):
    """What recipes of all networks that classify have.

    Parameters
    ----------
    network, network_options, training : see `NetworkOptions`
        Of all networks.
    detections : DetectionOptions
    samples : SampleOptions
    cutouts : CutoutOptions
    """

    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "training": ("samples", "training"),
        **{name: (name,) for name in ("detections", "cutouts")},
    }

    detections: DetectionOptions
    samples: SampleOptions
    cutouts: CutoutOptions

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        settings = super().settings
        del settings["cutouts"]
        return {**settings, "layout": asdict(self.cutouts.layout)}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassifierTraining(NetworkTraining):
    """One stage of the training of a classifier.

    What a plugin adds: how its detections are made, which of them are seen and how, and what is
    trained.

    Parameters
    ----------
    recipe, folder : see `NetworkTraining`
    options : ClassifierOptions
    """

    roles: ClassVar[tuple[str, ...]] = ("population", "renderer", "localiser")

    classes: ClassVar[tuple[str, ...]]
    upright: ClassVar[bool] = False
    """Whether columns of cut-outs differ from rows, so that they are flipped but not turned."""
    everywhere: ClassVar[bool] = False
    """Whether cut-outs over the edge of the map, and positions at random in all sets, are used."""

    options: ClassifierOptions

    @property
    @abc.abstractmethod
    def maker(self) -> DetectionMaker:
        """Simulates and searches the skies."""

    @abc.abstractmethod
    def architecture(self) -> ClassifierNetwork:
        """Return the network that is trained."""

    @property
    def hidden_scores(self) -> float:
        """Share of the detections of the training whose score is hidden."""
        return 0.0

    def seen(self, split: str, data: LabelledCutouts) -> LabelledCutouts:
        """Return the detections of a set as they are seen."""
        return data

    def known(self, architecture: ClassifierNetwork) -> ClassifierNetwork:
        """Return the architecture with what is known of the detections of the training."""
        return architecture

    @property
    def loss(self) -> Loss:
        """Mean of the negative logarithm of the probability of the true class."""
        return _cross_entropy

    def of_sky(self) -> dict[str, Any]:
        """What makers of all kinds are given."""
        used, preset, options = self.used, self.recipe.preset, self.options
        return {
            **used,
            "folder": self.recipe.data_folder(self.folder / "detections"),
            "settings": self.described,
            "seed": self.recipe.data.seed,
            "detections": options.detections,
            "patches": preset.patches,
            "radius": preset.match_radius,
        }

    @cached_property
    def data(self) -> dict[str, LabelledCutouts]:
        """Detections of each set that is not empty, read once.

        Raises
        ------
        OptionError
            If nothing was detected.
        """
        splits = self.recipe.data.splits
        with stage("reading detections"):
            return {name: self._read(name, rows) for name, rows in splits.items() if len(rows)}

    def drawn(self, split: str, **common: Any) -> LabelledBatches:
        """Batches of a set; only those of the training are turned, and lack scores."""
        data, in_training = self.data[split], split == "train"
        options = self.options.samples
        return LabelledBatches(
            data=data,
            features=self.architecture().features,
            n_classes=len(self.classes),
            batch_size=min(options.batch_size, len(data)),
            turns=options.turns and in_training,
            upright=self.upright,
            hidden_scores=self.hidden_scores if in_training else 0.0,
            **common,
        )

    def looked_at(self, batches: LabelledBatches) -> tuple[np.ndarray, ...]:
        """Inputs of detections of the whole training."""
        data = batches.data
        rows = np.linspace(0, len(data) - 1, min(_LOOKED_AT, len(data))).astype(int)
        return self.architecture().features(data[rows].arrays)

    def publish(
        self, weights: Path, network: keras.Model, learned: Learned, test_loss: float | None
    ) -> None:
        """Write the folder of weights, with the temperature that the validation teaches."""
        architecture, known = self.known(self.architecture()), self.data["validation"]
        temperature = fit_temperature(_output(network, architecture, known), known.label)
        architecture = replace(architecture, temperature=temperature, shares=self._shares(known))
        rows = {
            "detections in the training": listed(self._numbers(self.data["train"].label)),
            "cut-outs": listed(learned.stages[-1][0]["layout"]),
            "temperature": f"{temperature:.4f}",
        }
        export_network(weights, network, architecture, card=model_card(learned, test_loss, rows))

    def _read(self, split: str, indices: range) -> LabelledCutouts:
        """Detections of a set."""
        data = read_detections(self.maker.folder, indices, everywhere=self.everywhere)
        seen = self.seen(split, data)
        if not len(seen):
            raise OptionError(
                f"nothing was detected in the catalogues for {split}",
                remedy="Lower min_score of the detections, or take more catalogues.",
            )
        return seen

    def _shares(self, data: LabelledCutouts) -> tuple[float, ...]:
        """Share of each class among published detections, or all, none of them zero."""
        published = self.maker.localiser.published_score
        chosen = self.everywhere | (data.arrays[LOCALISER_SCORE] >= published)
        numbers = np.array(list(self._numbers(data.label[chosen]).values())) + 1
        return tuple((numbers / numbers.sum()).tolist())

    def _numbers(self, label: np.ndarray) -> dict[str, int]:
        """How many detections there are of each class."""
        classes = self.classes
        numbers = np.bincount(label, minlength=len(classes)).tolist()
        return dict(zip(classes, numbers, strict=True))


def fit_temperature(output: np.ndarray, label: np.ndarray) -> float:
    """Temperature with which probabilities are true.

    Parameters
    ----------
    output : ndarray, shape (n, n_classes)
        Logarithms of probabilities, of detections that the network was not trained on.
    label : ndarray of int, shape (n,)

    Returns
    -------
    float
        Of the least cross-entropy; between 0.2 and 5.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.
    """

    def loss(logarithm: float) -> float:
        scaled = output / np.exp(logarithm)
        norm = np.logaddexp.reduce(scaled, axis=1)
        return float(np.mean(norm - scaled[np.arange(len(label)), label]))

    bounds = tuple(np.log(_TEMPERATURES))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _cross_entropy(target: Any, output: Any) -> Any:
    """Mean of the negative logarithm of the probability of the true class."""
    from keras import ops

    return -ops.mean(ops.sum(target * output, axis=-1))


def _output(
    network: keras.Model, architecture: ClassifierNetwork, data: LabelledCutouts
) -> np.ndarray:
    """What the network returns for all detections of a set."""
    parts = [
        data[np.arange(start, min(start + _AT_ONCE, len(data)))]
        for start in range(0, len(data), _AT_ONCE)
    ]
    return np.concatenate(
        [network.predict_on_batch(list(architecture.features(part.arrays))) for part in parts]
    ).astype(float)
