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

    [network]
    name = "gammafind"        # and its options

    [features]                # FeatureSpec
    [targets]                 # TargetOptions
    [draw]                    # DrawOptions
    [loss]                    # LossOptions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from gammafind.choice import with_plugins
from gammafind.config import Preset, load_preset
from gammafind.errors import ConfigError, OptionError
from gammafind.learning.batches import DrawOptions
from gammafind.learning.features import FeatureSpec
from gammafind.learning.losses import LossOptions
from gammafind.learning.targets import TargetOptions
from gammafind.learning.training import TrainingOptions
from gammafind.tomlfile import TomlFile

__all__ = ["BatchOptions", "DataOptions", "Recipe", "read_recipe"]

T = TypeVar("T")

_PARTS = {
    "features": FeatureSpec,
    "targets": TargetOptions,
    "draw": DrawOptions,
    "loss": LossOptions,
}
_SECTIONS = ("training", "data", "population", "renderer", "network", *_PARTS)
_KINDS = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which catalogues a network is trained and tried on; none is in two sets.

    Parameters
    ----------
    train, validation, test : int
        Number of catalogues, with the indices from 0 up in this order.
    seed : int
        Of the catalogues.
    folder : str
        Where they are kept, seen from the recipe; where it is empty, in the output folder.
    """

    train: int = 8
    validation: int = 1
    test: int = 1
    seed: int = 0
    folder: str = ""

    def __post_init__(self) -> None:
        for name, least in {"train": 1, "validation": 1, "test": 0, "seed": 0}.items():
            _at_least(f"{name} of the data", getattr(self, name), least)

    @property
    def splits(self) -> dict[str, range]:
        """Indices of the catalogues of each set."""
        ends = (0, self.train, self.train + self.validation)
        last = ends[-1] + self.test
        return {
            "train": range(*ends[:2]),
            "validation": range(*ends[1:]),
            "test": range(ends[-1], last),
        }


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
        _at_least("batch_size", self.batch_size, 1)
        for name in ("patches_per_epoch", "validation_patches"):
            _at_least(name, getattr(self, name), self.batch_size)


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
    start: str = ""
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _at_least("seed", self.seed, 0)

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
        network = _free(toml, "network")
        return Recipe(
            preset=_preset(toml, general.pop("preset")),
            seed=general.pop("seed", 0),
            start=general.pop("start", ""),
            batches=_chosen(BatchOptions, general),
            training=_chosen(TrainingOptions, general),
            data=DataOptions(**toml.values("data", _kinds(DataOptions))),
            network=network.pop("name", "gammafind"),
            network_options=network,
            **{name: part(**toml.values(name, _kinds(part))) for name, part in _PARTS.items()},
            source=toml.path,
        )
    except OptionError as error:
        raise ConfigError(error.fault, path=toml.path, remedy=error.remedy) from error


def _preset(toml: TomlFile, name: str) -> Preset:
    """Preset with the options of the recipe laid over; files are sought beside the recipe."""
    beside = Path(toml.path).parent / name
    preset = load_preset(str(beside) if name.endswith(".toml") else name)
    if preset.population is None:
        raise ConfigError(
            f"the preset {preset.name} names no population",
            path=toml.path,
            remedy="Name one in the preset: sources are drawn from it.",
        )
    options = {role: _free(toml, role) for role in ("population", "renderer")}
    return with_plugins(preset, {}, {role: given for role, given in options.items() if given})


def _general_kinds() -> dict[str, type]:
    named = {"preset": str, "seed": int, "start": str}
    return {**named, **_kinds(BatchOptions), **_kinds(TrainingOptions)}


def _kinds(options: type) -> dict[str, type]:
    """Type of each field of a dataclass of plain options."""
    return {entry.name: _KINDS[entry.type] for entry in fields(options)}


def _chosen(options: type[T], values: Mapping[str, Any]) -> T:
    """Options of a class, from among those of several."""
    return options(**{name: values[name] for name in _kinds(options) if name in values})


def _free(toml: TomlFile, section: str) -> dict[str, Any]:
    """Values of a section whose keys a plugin or a network knows."""
    kinds = {"name": str} if section == "network" else {}
    return {**toml.tables.get(section, {}), **toml.values(section, kinds, others=True)}


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise OptionError(f"{name} is {value}", remedy=f"It must be {least} or more.")
