"""The training of a network that classifies from cut-outs of maps, spectra and light curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from gammafind.errors import ConfigError, OptionError
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.features import TIMES, without_times
from gammafind.plugins.cnn.networks import CLASSES, FAKE
from gammafind.training.classifier import ClassifierOptions, ClassifierTraining, SampleOptions
from gammafind.training.detections import LOCALISER_SCORE, DetectionMaker
from gammafind.training.labelled import LabelledCutouts


@dataclass(frozen=True, kw_only=True)
class TimedOptions(SampleOptions):
    """How detections are seen.

    Parameters
    ----------
    batch_size, turns : object
        As for `SampleOptions`.
    time : {"yes", "no", "shuffled"}
        Whether the network uses the epochs; ``shuffled`` puts each photon in any of them.
    hidden_scores : float
        Share of the detections whose score is hidden.
    """

    time: str = "yes"
    hidden_scores: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.time not in TIMES:
            raise OptionError(f"time is {self.time!r}", remedy=f"It is one of {', '.join(TIMES)}.")


@dataclass(frozen=True, kw_only=True)
class CnnOptions(ClassifierOptions):
    """What recipes of classifiers of maps have.

    Parameters
    ----------
    network, network_options, training, detections, cutouts : see `ClassifierOptions`
        Of all networks that classify.
    samples : TimedOptions
    """

    samples: TimedOptions


@dataclass(frozen=True, eq=False, kw_only=True)
class CutoutTraining(ClassifierTraining):
    """One stage of the training of a classifier of maps.

    Parameters
    ----------
    recipe, folder : see `ClassifierTraining`
    options : CnnOptions

    Raises
    ------
    ConfigError
        If the renderer knows no epochs and ``time`` wants some.
    """

    sections: ClassVar[tuple[str, ...]] = ("network", "detections", "cutouts")
    reads: ClassVar[type[ClassifierOptions]] = CnnOptions
    classes: ClassVar[tuple[str, ...]] = CLASSES

    options: CnnOptions

    def __post_init__(self) -> None:
        renderer = self.used["renderer"]
        if self.options.samples.time != "no" and not renderer.epochs:
            raise ConfigError(
                f"{renderer.name} knows no epochs with the options of {self.recipe.preset.name}",
                path=self.recipe.source,
                remedy='Set time = "no", or choose an exposure that is given for each epoch.',
            )

    @cached_property
    def maker(self) -> DetectionMaker:
        """Simulates and searches the skies."""
        return DetectionMaker(
            classes=CLASSES,
            fake=FAKE,
            layout=self.options.cutouts.layout.of(self.used["renderer"].pixels),
            **self.of_sky(),
        )

    @property
    def hidden_scores(self) -> float:
        """Share of the detections of the training whose score is hidden."""
        return self.options.samples.hidden_scores

    def architecture(self) -> CnnArchitecture:
        """Return the network that is trained."""
        maker, time = self.maker, self.options.samples.time
        return CnnArchitecture(
            network=self.options.network,
            bands=maker.renderer.bands,
            layout=maker.layout,
            n_epochs=0 if time == "no" else len(maker.renderer.epochs),
            time=time,
            options=self.options.network_options,
        )

    def seen(self, split: str, data: LabelledCutouts) -> LabelledCutouts:
        """Detections with epochs as the recipe wants; positions at random are only trained on."""
        if split != "train":
            data = data[np.flatnonzero(np.isfinite(data.arrays[LOCALISER_SCORE]))]
        if self.options.samples.time != "shuffled":
            return data
        rng = np.random.default_rng([self.recipe.seed, *split.encode()])
        return replace(data, arrays=without_times(data.arrays, rng=rng))
