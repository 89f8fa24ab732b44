"""The training of a network that classifies from stamps of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gammafind.errors import ConfigError
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.features import SCORE
from gammafind.plugins.image_cnn.network import BOGUS, CLASSES
from gammafind.plugins.image_cnn.training.frame_detections import FrameMaker
from gammafind.training.classifier import ClassifierOptions, ClassifierTraining, CutoutOptions
from gammafind.training.labelled import LabelledCutouts
from gammafind.training.variation import check_values


@dataclass(frozen=True, kw_only=True)
class _StampSize(CutoutOptions):
    n_pixels: int = 25


@dataclass(frozen=True, kw_only=True)
class StampOptions(ClassifierOptions):
    """What recipes of classifiers of images have.

    Parameters
    ----------
    network, network_options, training, detections, samples, cutouts : see `ClassifierOptions`
        Of all networks that classify.
    """

    default: ClassVar[str] = "stamps"

    cutouts: _StampSize


@dataclass(frozen=True, eq=False, kw_only=True)
class StampTraining(ClassifierTraining):
    """One stage of the training of a classifier of images.

    Parameters
    ----------
    recipe, folder, options : see `ClassifierTraining`

    Raises
    ------
    ConfigError
        If a value varies that cannot.
    """

    sections: ClassVar[tuple[str, ...]] = ("network", "detections", "cutouts", "vary")
    reads: ClassVar[type[ClassifierOptions]] = StampOptions
    classes: ClassVar[tuple[str, ...]] = CLASSES
    upright: ClassVar[bool] = True
    everywhere: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_values(self.recipe.preset, self.vary, self.recipe.source)

    @cached_property
    def vary(self) -> Mapping[str, Mapping[str, Sequence[Any]]]:
        """Values of options of renderer and population, of which each image has one at random."""
        varied = self.recipe.toml.values("vary", {"renderer": dict, "population": dict})
        for role, lists in varied.items():
            for name, values in lists.items():
                if not isinstance(values, list) or not values:
                    raise ConfigError(
                        f"[vary.{role}] {name} is {values!r}",
                        path=self.recipe.source,
                        remedy="Give a list of values.",
                    )
        return varied

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        return {**super().settings, "vary": self.vary}

    @cached_property
    def maker(self) -> FrameMaker:
        """Simulates and searches the images."""
        return FrameMaker(
            classes=CLASSES,
            fake=BOGUS[-1],
            layout=self.options.cutouts.layout,
            preset=self.recipe.preset,
            vary=self.vary,
            **self.of_sky(),
        )

    def architecture(self) -> StampArchitecture:
        """Return the network that is trained."""
        return StampArchitecture(
            network=self.options.network,
            n_pixels=self.options.cutouts.n_pixels,
            scores=self.maker.localiser.score_name == "probability",
            options=self.options.network_options,
        )

    def known(self, architecture: StampArchitecture) -> StampArchitecture:
        """Return the architecture with the widths of the PSF in the training."""
        widths = self.data["train"].arrays["fwhm"]
        return replace(architecture, fwhm=(float(widths.min()), float(widths.max())))

    def seen(self, split: str, data: LabelledCutouts) -> LabelledCutouts:
        """Detections with a probability of the localiser; all, if it gives none."""
        known = np.isfinite(data.arrays[SCORE])
        return data[np.flatnonzero(known)] if known.any() else data
