"""Recipes: TOML files that define the data and the settings of a training.

Only ``preset`` is required. Unknown keys are errors. These tables are those of all recipes; each
plugin has more, which `Trainer.sections` of its trainer lists.

.. code-block:: toml

    [localiser]
    name = "unet"             # what is trained; a recipe with [classifier] trains that

    [training]
    preset = "fermi-lat"      # name or file: instrument, bands, patches, population
    seed = 0                  # of weights, batches and draws

    [data]
    train = 8                 # catalogues of the training
    validation = 1            # of the validation, which chooses the weights
    test = 1                  # of the test, which is done once, at the end
    seed = 0                  # of the catalogues
    folder = "shards"         # next to this file; default: within the output folder

    [population]              # options, laid over those of the preset
    [renderer]                # likewise

    [[stage]]                 # one after the other, each from the weights of the one before
    training = { epochs = 24, seed = 1 }
    [[stage]]
    training = { epochs = 12, seed = 2, learning_rate = 1e-3 }

A stage gives keys that take the place of those of the whole recipe. Stages of one ``seed`` of the
data share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from gammafind.errors import ConfigError, OptionError, OutputError, PluginError
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, load_preset
from gammafind.roles.registry import get_plugin, plugins
from gammafind.roles.trainer import Trainer, Training
from gammafind.training.options import DataOptions, at_least, kinds, of_recipe
from gammafind.utils.tomlfile import TomlFile

ROLES = ("localiser", "classifier")
"""Roles that learn."""

_DEFAULTS = {"localiser": "unet", "classifier": "cnn"}
"""What is trained where neither the recipe nor its preset names a plugin that learns."""
_SECTIONS = ("training", "data", "population", "renderer", "localiser")
_GENERAL = {"preset": str, "seed": int}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One stage of a recipe.

    Attributes
    ----------
    role : {"localiser", "classifier"}
    plugin : str
        Name of what is trained.
    trainer : Trainer
        Of the plugin.
    preset : Preset
        With the options of the recipe; for a classifier with the localiser whose detections it is
        given.
    seed : int
    data : DataOptions
    toml : TomlFile
        Tables of this stage.
    suffix : str
        Of the names of folders of data: empty where they are those of the whole recipe.
    """

    role: str
    plugin: str
    trainer: Trainer = field(compare=False)
    preset: Preset
    seed: int
    data: DataOptions
    toml: TomlFile
    suffix: str = ""

    def __post_init__(self) -> None:
        at_least("seed", self.seed, 0)

    @property
    def source(self) -> str:
        """The file."""
        return self.toml.path

    @property
    def settings(self) -> dict[str, Any]:
        """What decides what comes out, of that which all recipes have; JSON."""
        data = asdict(self.data)
        del data["folder"]
        trained = {"trained": f"{self.role} {self.plugin}", "preset": self.preset.name}
        return {**trained, "seed": self.seed, "data": data}

    def prepare(self, folder: Path) -> Training:
        """Return the training of this stage; see `Trainer.prepare`.

        Raises
        ------
        ConfigError
            If the plugin knows no such key, or a value cannot be.
        """
        with of_recipe(self.source):
            return self.trainer.prepare(self, folder)

    def options(self, section: str, *types: type[T]) -> tuple[T, ...]:
        """Read a table whose keys are the fields of dataclasses of plain options.

        Parameters
        ----------
        section : str
        *types : type
            Dataclasses whose fields are whole numbers, numbers, truths and text.

        Returns
        -------
        tuple
            An instance of each.

        Raises
        ------
        ConfigError, OptionError
            If a key is unknown, or a value is of the wrong type or out of range.
        """
        known = [kinds(one) for one in types]
        general = _GENERAL if section == "training" else {}
        accepted = {name: kind for one in (general, *known) for name, kind in one.items()}
        values = self.toml.values(section, accepted)
        return tuple(
            one(**{name: values[name] for name in names if name in values})
            for one, names in zip(types, known, strict=True)
        )

    def named(self, section: str, default: str) -> tuple[str, dict[str, Any]]:
        """Name and options in a table whose other keys are known to what it names."""
        values = _free_values(self.toml, section)
        return values.pop("name", default), values

    def data_folder(self, default: Path) -> Path:
        """Folder of the data: the one that the recipe names, next to it, or the default.

        Raises
        ------
        OutputError
            If it is a file.
        """
        name = self.data.folder
        folder = Path(self.source).parent / name if name else default
        folder = folder.with_name(f"{folder.name}{self.suffix}")
        if folder.exists() and not folder.is_dir():
            raise OutputError(
                "the folder of the training data is a file",
                path=folder,
                remedy="Name another folder under [data].",
            )
        return folder


def read_recipe(path: str | PathLike, role: str | None = None) -> tuple[Recipe, ...]:
    """Read a recipe.

    Parameters
    ----------
    path : path-like
    role : {"localiser", "classifier"}, optional
        What is trained; by default what the recipe says.

    Returns
    -------
    tuple of Recipe
        Its stages in order, one where it names none. What the plugin itself reads is read when
        `Recipe.prepare` is called.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ConfigError
        If it is no TOML, a key is unknown or missing, or a value is of the wrong type or out of
        range; or if the plugin does not learn.
    """
    toml = TomlFile.parse(path)
    parts = _stages(toml)
    role = role or ("classifier" if "classifier" in toml.tables else "localiser")
    base_seed = _data_seed(_without_stages(toml))
    recipes = []
    for number, part in enumerate(parts, start=1):
        with of_recipe(toml.path, f"stage {number}" if len(parts) > 1 else ""):
            seed = _data_seed(part)
            suffix = "" if seed == base_seed else f"-{seed}"
            recipes.append(_read_stage(part, role, suffix))
    if len({one.plugin for one in recipes}) > 1:
        raise ConfigError(
            f"the stages train {', '.join(dict.fromkeys(one.plugin for one in recipes))}",
            path=toml.path,
            remedy=f"Name one {role} for the whole recipe.",
        )
    return tuple(recipes)


def _read_stage(toml: TomlFile, role: str, suffix: str) -> Recipe:
    """One stage from its tables, all in one."""
    toml.check(toml.tables, required=("training",))
    general = toml.values("training", _GENERAL, required=("preset",), others=True)
    preset = _preset(toml, general["preset"])
    plugin, trainer = _trained(toml, role, preset)
    own = ("classifier",) if role == "classifier" else ()
    toml.check((*_SECTIONS, *own, *trainer.sections))
    given = {one: _free_values(toml, one) for one in ("population", "renderer")}
    options = {one: values for one, values in given.items() if values}
    names: dict[str, str] = {}
    if role == "classifier":
        values = _free_values(toml, "localiser")
        names["localiser"] = values.pop("name", _DEFAULTS["localiser"])
        options["localiser"] = values
    return Recipe(
        role=role,
        plugin=plugin,
        trainer=trainer,
        preset=with_plugins(preset, names, options, source=toml.path),
        seed=general.get("seed", 0),
        data=DataOptions(**toml.values("data", kinds(DataOptions))),
        toml=toml,
        suffix=suffix,
    )


def _stages(toml: TomlFile) -> list[TomlFile]:
    """Tables of each stage: those of the recipe, with the keys that the stage gives."""
    stages = toml.tables.get("stage", [{}])
    listed = isinstance(stages, list) and stages and all(isinstance(one, dict) for one in stages)
    if not listed or not all(isinstance(t, dict) for one in stages for t in one.values()):
        raise ConfigError(
            f"stage is {stages!r}",
            path=toml.path,
            remedy="Write [[stage]], and below it tables such as training = { epochs = 10 }.",
        )
    base = _without_stages(toml).tables
    return [
        TomlFile(toml.path, {**base, **{k: {**base.get(k, {}), **t} for k, t in one.items()}})
        for one in stages
    ]


def _without_stages(toml: TomlFile) -> TomlFile:
    return TomlFile(toml.path, {name: t for name, t in toml.tables.items() if name != "stage"})


def _data_seed(toml: TomlFile) -> Any:
    data = toml.tables.get("data", {})
    return data.get("seed", DataOptions.seed) if isinstance(data, Mapping) else DataOptions.seed


def _preset(toml: TomlFile, name: str) -> Preset:
    """Preset of a recipe; files are looked for next to the recipe."""
    beside = Path(toml.path).parent / name
    preset = load_preset(str(beside) if name.endswith(".toml") else name)
    if preset.population is None:
        raise ConfigError(
            f"the preset {preset.name} names no population",
            path=toml.path,
            remedy="Name one in the preset: sources are drawn from it.",
        )
    return preset


def _trained(toml: TomlFile, role: str, preset: Preset) -> tuple[str, Trainer]:
    """Name of the plugin that is trained, and its trainer."""
    given = toml.values(role, {"name": str}).get("name")
    own = getattr(preset, role)
    names = [given] if given else [*([own.name] if own else []), _DEFAULTS[role]]
    for name in names:
        try:
            trainer = get_plugin(role, name).trainer()
        except PluginError as error:
            raise OptionError(f"[{role}] {error.fault}", remedy=error.remedy) from error
        if trainer is not None:
            return name, trainer
    learning = sorted(
        one.name
        for one in plugins(role)
        if one.error is None and get_plugin(role, one.name).trainer() is not None
    )
    raise OptionError(
        f"the {role} {names[-1]} does not learn",
        remedy=f"Those that do are {', '.join(learning) or 'none'}.",
    )


def _free_values(toml: TomlFile, section: str) -> dict[str, Any]:
    """Values of a section whose keys a plugin or a network knows."""
    named = {} if section in ("population", "renderer") else {"name": str}
    return {**toml.tables.get(section, {}), **toml.values(section, named, others=True)}
