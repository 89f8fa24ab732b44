"""What differs between trainings of classifiers: what they look at, and of what skies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gammafind.errors import ConfigError
from gammafind.networks.classifiers import ClassifierNetwork
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.classifier import Cnn
from gammafind.plugins.cnn.features import without_times
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.classifier import ImageCnn
from gammafind.plugins.image_cnn.features import SCORE
from gammafind.presets.preset import Preset, build
from gammafind.recipes.classifier_recipe import ClassifierRecipe
from gammafind.recipes.detections import TOLD, DetectionMaker
from gammafind.recipes.folders import data_folder
from gammafind.recipes.frame_detections import FrameMaker
from gammafind.roles.classifier import Classifier
from gammafind.roles.provenance import describe_plugin
from gammafind.training.labelled import LabelledCutouts

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a classifier is trained.

    Parameters
    ----------
    classifier : type of Classifier
    maker : callable
        From a recipe and the folder of the training to what makes labelled detections.
    architecture : callable
        From a recipe and its maker to the architecture.
    known : callable
        From an architecture and the detections of the training to one that tells of them.
    seen : callable
        From a recipe, the name of a set and its detections to these as they are seen.
    scores_matter : bool
        Whether the score of the localiser is seen.
    upright : bool
        Whether columns of cut-outs differ from rows.
    everything : bool
        Whether cut-outs over the edge of the map, and positions at random in all sets, are used.
    """

    classifier: type[Classifier]
    maker: Callable[[ClassifierRecipe, Path], DetectionMaker]
    architecture: Callable[[ClassifierRecipe, DetectionMaker], ClassifierNetwork]
    known: Callable[[ClassifierNetwork, LabelledCutouts], ClassifierNetwork]
    seen: Callable[[ClassifierRecipe, str, LabelledCutouts], LabelledCutouts]
    scores_matter: bool
    upright: bool
    everything: bool


def _of_sky(recipe: ClassifierRecipe, folder: Path) -> dict[str, Any]:
    """What makers of all kinds are given."""
    preset: Preset = recipe.preset
    used = {
        "renderer": build(preset.renderer),
        "population": build(preset.population),
        "localiser": build(preset.localiser),
    }
    return {
        **used,
        "folder": data_folder(recipe.source, recipe.data.folder, folder / "detections"),
        "settings": {role: describe_plugin(role, plugin) for role, plugin in used.items()},
        "seed": recipe.data.seed,
        "min_score": recipe.detections.min_score,
        "random_fakes": recipe.detections.random_fakes,
        "nside": preset.patches.nside,
        "size": preset.patches.size,
        "n_pixels": preset.patches.widths(len(used["renderer"].bands)),
        "radius": preset.match_radius,
    }


def _map_maker(recipe: ClassifierRecipe, folder: Path) -> DetectionMaker:
    """Simulates and searches the skies of a recipe."""
    common = _of_sky(recipe, folder)
    renderer = common["renderer"]
    if recipe.samples.time != "no" and not renderer.epochs:
        raise ConfigError(
            f"{renderer.name} knows no epochs with the options of {recipe.preset.name}",
            path=recipe.source or None,
            remedy='Set time = "no", or choose an exposure that is given apart for each epoch.',
        )
    layout = recipe.layout.of(renderer.pixels)
    return DetectionMaker(classes=Cnn.classes, fake=Cnn.fakes[0], layout=layout, **common)


def _frame_maker(recipe: ClassifierRecipe, folder: Path) -> FrameMaker:
    return FrameMaker(
        classes=ImageCnn.classes,
        fake=ImageCnn.fakes[-1],
        layout=recipe.layout,
        preset=recipe.preset,
        vary=recipe.vary,
        **_of_sky(recipe, folder),
    )


def _map_architecture(recipe: ClassifierRecipe, maker: DetectionMaker) -> CnnArchitecture:
    time = recipe.samples.time
    return CnnArchitecture(
        network=recipe.network,
        bands=maker.renderer.bands,
        layout=maker.layout,
        n_epochs=0 if time == "no" else len(maker.renderer.epochs),
        time=time,
        options=recipe.network_options,
    )


def _stamp_architecture(recipe: ClassifierRecipe, maker: DetectionMaker) -> StampArchitecture:
    return StampArchitecture(
        network=recipe.network,
        n_pixels=recipe.layout.n_pixels,
        scores=maker.localiser.scores_are_probabilities,
        options=recipe.network_options,
    )


def _with_probabilities(
    recipe: ClassifierRecipe, split: str, data: LabelledCutouts
) -> LabelledCutouts:
    """Detections of which the localiser told a probability; all, if it told none."""
    told = np.isfinite(data.arrays[SCORE])
    return data[np.flatnonzero(told)] if told.any() else data


def _with_widths(architecture: StampArchitecture, data: LabelledCutouts) -> StampArchitecture:
    widths = data.arrays["fwhm"]
    return replace(architecture, fwhm=(float(widths.min()), float(widths.max())))


def _with_times(recipe: ClassifierRecipe, split: str, data: LabelledCutouts) -> LabelledCutouts:
    """Detections with epochs as the recipe wants them; positions at random are only trained on."""
    if split != "train":
        data = data[np.flatnonzero(np.isfinite(data.arrays[TOLD]))]
    if recipe.samples.time != "shuffled":
        return data
    rng = np.random.default_rng([recipe.seed, *split.encode()])
    return replace(data, arrays=without_times(data.arrays, rng=rng))


KINDS: dict[str, Kind] = {
    "cnn": Kind(
        classifier=Cnn,
        maker=_map_maker,
        architecture=_map_architecture,
        known=lambda architecture, data: architecture,
        seen=_with_times,
        scores_matter=True,
        upright=False,
        everything=False,
    ),
    "image-cnn": Kind(
        classifier=ImageCnn,
        maker=_frame_maker,
        architecture=_stamp_architecture,
        known=_with_widths,
        seen=_with_probabilities,
        scores_matter=False,
        upright=True,
        everything=True,
    ),
}
"""Classifiers that can be trained, by name."""
