"""Recipes of networks that localise sources, read from TOML.

Only ``preset`` is required; all else has the default that is shown. Unknown keys are errors.

.. code-block:: toml

    [training]
    preset = "fermi-lat"      # name or file: instrument, bands, patches, population
    seed = 0                  # of weights, batches and draws
    start = ""                # folder of weights, beside this file: go on from them
    patches_per_epoch = 19200
    validation_patches = 1536
    batch_size = 32
    epochs = 40               # and all else of TrainingOptions

    [data]
    train = 8                 # catalogues of the training
    validation = 1            # of the validation, which chooses the weights
    test = 1                  # that are looked at once, at the end
    seed = 0                  # of the catalogues
    folder = "shards"         # beside this file; default: within the output folder

    [population]              # options, laid over those of the preset
    flux_min = "1e-13 erg cm-2 s-1"

    [renderer]                # likewise

    [vary.population]         # options of the simulated images of a camera, each drawn between two
    density = [1e3, 6e4]      # values for each image
    [vary.renderer]
    seeing = ["1.5 arcsec", "4 arcsec"]

    [network]
    name = "gammafind"        # and its options

    [features]                # FeatureSpec
    [targets]                 # TargetOptions
    [draw]                    # DrawOptions
    [loss]                    # LossOptions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from gammafind.errors import ConfigError, OptionError
from gammafind.networks.features import FeatureSpec
from gammafind.presets.preset import Preset
from gammafind.recipes.common import (
    DataOptions,
    at_least,
    chosen,
    chosen_preset,
    free_values,
    kinds,
)
from gammafind.recipes.variation import Variation, check_values, read_variation
from gammafind.training.draws import DrawOptions
from gammafind.training.loop import TrainingOptions
from gammafind.training.losses import LossOptions
from gammafind.training.targets import TargetOptions
from gammafind.utils.tomlfile import TomlFile

__all__ = ["STREAMS", "BatchOptions", "DataOptions", "Recipe", "read_recipe"]

_PARTS = {
    "features": FeatureSpec,
    "targets": TargetOptions,
    "draw": DrawOptions,
    "loss": LossOptions,
}
_SECTIONS = ("training", "data", "population", "renderer", "vary", "network", *_PARTS)

STREAMS = {"train": 0, "validation": 1, "test": 2}
"""Random numbers of each set of data."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How many patches are seen.

    Parameters
    ----------
    patches_per_epoch, validation_patches : int
    batch_size : int
    """

    patches_per_epoch: int = 19200
    validation_patches: int = 1536
    batch_size: int = 32

    def __post_init__(self) -> None:
        at_least("batch_size", self.batch_size, 1)
        for name in ("patches_per_epoch", "validation_patches"):
            at_least(name, getattr(self, name), self.batch_size)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """On what a network is trained, and how.

    Parameters
    ----------
    preset : Preset
        With the options of the recipe.
    seed : int
    data : DataOptions
    batches : BatchOptions
    network : str
    network_options : mapping
    features : FeatureSpec
    targets : TargetOptions
    draw : DrawOptions
    loss : LossOptions
    training : TrainingOptions
    variation : mapping
        Options of population and renderer that differ from image to image.
    start : str
        Folder of weights of the same network that it begins with; by default they are random.
    source : str
        The file.
    """

    preset: Preset
    seed: int
    data: DataOptions
    batches: BatchOptions
    network: str
    network_options: Mapping[str, Any]
    features: FeatureSpec
    targets: TargetOptions
    draw: DrawOptions
    loss: LossOptions
    training: TrainingOptions
    variation: Variation = field(default_factory=dict)
    start: str = ""
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        at_least("seed", self.seed, 0)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out, but for the sky; JSON."""
        parts = ("data", "batches", *_PARTS, "training")
        settings = {name: asdict(getattr(self, name)) for name in parts}
        del settings["data"]["folder"]
        network = {"name": self.network, **self.network_options}
        general = {"preset": self.preset.name, "seed": self.seed}
        if self.start:
            general["start"] = self.start
        if self.variation:
            general["vary"] = self.variation
        return {**general, "network": network, **settings}


def read_recipe(path: str | PathLike) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Recipe

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
        general = toml.values("training", _general_kinds(), required=("preset",))
        network = free_values(toml, "network")
        preset, variation = chosen_preset(toml, general.pop("preset")), read_variation(toml)
        check_values(preset, variation, toml.path)
        return Recipe(
            preset=preset,
            seed=general.pop("seed", 0),
            start=general.pop("start", ""),
            batches=chosen(BatchOptions, general),
            training=chosen(TrainingOptions, general),
            data=DataOptions(**toml.values("data", kinds(DataOptions))),
            variation=variation,
            network=network.pop("name", "gammafind"),
            network_options=network,
            **{name: part(**toml.values(name, kinds(part))) for name, part in _PARTS.items()},
            source=toml.path,
        )
    except OptionError as error:
        raise ConfigError(error.fault, path=toml.path, remedy=error.remedy) from error


def _general_kinds() -> dict[str, type]:
    named = {"preset": str, "seed": int, "start": str}
    return {**named, **kinds(BatchOptions), **kinds(TrainingOptions)}
