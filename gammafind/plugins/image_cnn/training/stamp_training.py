"""The training of a network that classifies from stamps of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from gammafind.errors import ConfigError
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.features import SCORE
from gammafind.plugins.image_cnn.network import BOGUS, CLASSES
from gammafind.plugins.image_cnn.training.frame_detections import FrameMaker
from gammafind.training.classifier import ClassifierTraining
from gammafind.training.classifier_options import ClassifierOptions, SampleOptions
from gammafind.training.labelled import LabelledCutouts
from gammafind.training.recipe import Recipe
from gammafind.training.variation import check_values
from gammafind.utils.tomlfile import TomlFile

__all__ = ["StampTraining"]


@dataclass(frozen=True, eq=False, kw_only=True)
class StampTraining(ClassifierTraining):
    """One stage of the training of a classifier of images.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the whole training.
    options : ClassifierOptions
    vary : mapping of str to mapping
        Values of options of the renderer and the population, of which each image has one at random.
    """

    classes: ClassVar[tuple[str, ...]] = CLASSES
    upright: ClassVar[bool] = True
    everywhere: ClassVar[bool] = True

    recipe: Recipe
    folder: Path
    options: ClassifierOptions
    vary: Mapping[str, Mapping[str, Sequence[Any]]]

    @classmethod
    def read(cls, recipe: Recipe, folder: Path) -> Self:
        """Read the part of a recipe that is of images.

        Raises
        ------
        ConfigError, OptionError
            If the recipe cannot be.
        """
        vary = _varied(recipe.toml)
        check_values(recipe.preset, vary, recipe.source)
        options = ClassifierOptions.read(recipe, SampleOptions, network="stamps", n_pixels=25)
        return cls(recipe=recipe, folder=folder, options=options, vary=vary)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        return {**super().settings, "vary": {role: dict(v) for role, v in self.vary.items()}}

    @cached_property
    def maker(self) -> FrameMaker:
        """Simulates and searches the images."""
        return FrameMaker(
            classes=CLASSES,
            fake=BOGUS[-1],
            layout=self.options.layout,
            preset=self.recipe.preset,
            vary=self.vary,
            **self.of_sky(),
        )

    def architecture(self) -> StampArchitecture:
        """Return the network that is trained."""
        return StampArchitecture(
            network=self.options.network,
            n_pixels=self.options.layout.n_pixels,
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


def _varied(toml: TomlFile) -> dict[str, dict[str, list[Any]]]:
    """Lists of values by role and option."""
    varied = toml.values("vary", {"renderer": dict, "population": dict})
    for role, lists in varied.items():
        for name, values in lists.items():
            if not isinstance(values, list) or not values:
                raise ConfigError(
                    f"[vary.{role}] {name} is {values!r}",
                    path=toml.path,
                    remedy="Give a list of values.",
                )
    return varied
