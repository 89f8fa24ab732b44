"""Recipes of networks that classify sources, read from TOML.

Only ``preset`` is required; all else has the default that is shown. Unknown keys are errors.

.. code-block:: toml

    [training]
    preset = "fermi-lat"      # name or file: instrument, bands, patches, population
    seed = 0                  # of weights and batches
    time = "yes"              # "no": without epochs; "shuffled": photons put in any epoch
    batch_size = 256
    hidden_scores = 0.1       # share of the detections whose score is hidden
    turns = true              # turn and flip cut-outs at random
    epochs = 40               # and all else of TrainingOptions

    [data]                    # as for localisers
    train = 8
    validation = 1
    test = 1
    seed = 0
    folder = "detections"     # beside this file; default: within the output folder

    [detections]
    min_score = 0.2           # least score of the detections
    random_fakes = 500        # positions at random in each sky, away from sources

    [population]              # options, laid over those of the preset
    [renderer]                # likewise
    [vary.renderer]           # of images: lists of values, of which each image has one at random
    [vary.population]         # likewise

    [localiser]
    name = "unet"             # and its options

    [classifier]
    name = "cnn"              # or "image-cnn", for images

    [cutouts]
    n_pixels = 7              # of images 25
    epoch_width = 0.0         # degrees; 0: that of the widest band

    [network]
    name = "gammafind"        # of images "stamps"; and its options
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from gammafind.errors import ConfigError, OptionError
from gammafind.plugins.cnn.features import TIMES
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset
from gammafind.recipes.common import (
    DataOptions,
    at_least,
    chosen,
    chosen_preset,
    free_values,
    kinds,
)
from gammafind.recipes.variation import check_values
from gammafind.sky.cutouts import CutoutLayout
from gammafind.training.loop import TrainingOptions
from gammafind.utils.tomlfile import TomlFile

__all__ = ["ClassifierRecipe", "DetectionOptions", "SampleOptions", "read_classifier_recipe"]

_SECTIONS = (
    "training",
    "data",
    "detections",
    "population",
    "renderer",
    "localiser",
    "classifier",
    "vary",
    "cutouts",
    "network",
)

_DEFAULTS = {
    "cnn": {"n_pixels": 7, "network": "gammafind", "varies": False},
    "image-cnn": {"n_pixels": 25, "network": "stamps", "varies": True},
}
"""Defaults that depend on the classifier."""


@dataclass(frozen=True, kw_only=True)
class DetectionOptions:
    """Which detections a classifier is trained on.

    Parameters
    ----------
    min_score : float
        Least score.
    random_fakes : int
        Positions at random in each sky, away from sources; they are FAKE too.
    """

    min_score: float = 0.2
    random_fakes: int = 500

    def __post_init__(self) -> None:
        at_least("random_fakes", self.random_fakes, 0)


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """How detections are seen.

    Parameters
    ----------
    time : {"yes", "no", "shuffled"}
        Whether the network looks at the epochs; ``shuffled`` puts each photon in any of them.
    batch_size : int
    hidden_scores : float
        Share of the detections whose score is hidden.
    turns : bool
        Turn and flip cut-outs at random.
    """

    time: str = "yes"
    batch_size: int = 256
    hidden_scores: float = 0.1
    turns: bool = True

    def __post_init__(self) -> None:
        at_least("batch_size", self.batch_size, 1)
        if self.time not in TIMES:
            raise OptionError(f"time is {self.time!r}", remedy=f"It is one of {', '.join(TIMES)}.")


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """On what a classifier is trained, and how.

    Parameters
    ----------
    preset : Preset
        With the options of the recipe, and the localiser.
    seed : int
    data : DataOptions
    detections : DetectionOptions
    samples : SampleOptions
    layout : CutoutLayout
    network : str
    network_options : mapping
    classifier : str
        What is trained.
    vary : mapping of str to mapping
        As for `gammafind.recipes.frame_detections.FrameMaker`.
    training : TrainingOptions
    source : str
        The file.
    """

    preset: Preset
    seed: int
    data: DataOptions
    detections: DetectionOptions
    samples: SampleOptions
    layout: CutoutLayout
    network: str
    network_options: Mapping[str, Any]
    training: TrainingOptions
    classifier: str = "cnn"
    vary: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        at_least("seed", self.seed, 0)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out, but for the sky; JSON."""
        parts = ("data", "detections", "samples", "layout", "training")
        settings = {name: asdict(getattr(self, name)) for name in parts}
        del settings["data"]["folder"]
        network = {"name": self.network, **self.network_options}
        return {"preset": self.preset.name, "seed": self.seed, "network": network, **settings}


def read_classifier_recipe(path: str | PathLike) -> ClassifierRecipe:
    """Read a recipe.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ClassifierRecipe

    Raises
    ------
    MissingFileError
        If there is no such file.
    ConfigError
        If it is no TOML, a key is unknown or missing, or a value is of the wrong type or out of
        range.
    """
    toml = TomlFile.read(path, _SECTIONS, required=("training",))
    try:
        general_kinds = {"preset": str, "seed": int}
        general_kinds |= kinds(SampleOptions) | kinds(TrainingOptions)
        general = toml.values("training", general_kinds, required=("preset",))
        network = free_values(toml, "network")
        localiser = free_values(toml, "localiser")
        preset = chosen_preset(toml, general.pop("preset"))
        names = {"localiser": localiser.pop("name", "unet")}
        classifier = toml.values("classifier", {"name": str}).get("name", "cnn")
        defaults = _defaults(classifier)
        cutouts = toml.values("cutouts", {"n_pixels": int, "epoch_width": float})
        vary = _varied(toml) if defaults["varies"] else toml.values("vary", {})
        check_values(preset, vary, toml.path)
        return ClassifierRecipe(
            preset=with_plugins(preset, names, {"localiser": localiser}, source=toml.path),
            seed=general.pop("seed", 0),
            samples=chosen(SampleOptions, general),
            training=chosen(TrainingOptions, general),
            data=DataOptions(**toml.values("data", kinds(DataOptions))),
            detections=DetectionOptions(**toml.values("detections", kinds(DetectionOptions))),
            layout=CutoutLayout(**{"n_pixels": defaults["n_pixels"], **cutouts}),
            network=network.pop("name", defaults["network"]),
            network_options=network,
            classifier=classifier,
            vary=vary,
            source=toml.path,
        )
    except OptionError as error:
        raise ConfigError(error.fault, path=toml.path, remedy=error.remedy) from error


def _defaults(classifier: str) -> dict[str, Any]:
    if classifier not in _DEFAULTS:
        raise OptionError(
            f"the classifier is {classifier!r}",
            remedy=f"Recipes are for {', '.join(_DEFAULTS)}.",
        )
    return _DEFAULTS[classifier]


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
