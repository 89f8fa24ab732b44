"""What recipes of all networks have in common: catalogues, the preset, how options are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from gammafind.errors import ConfigError, OptionError, ShapeError
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, load_preset
from gammafind.utils.tomlfile import TomlFile

__all__ = [
    "DataOptions",
    "at_least",
    "chosen",
    "chosen_preset",
    "free_values",
    "kinds",
    "of_recipe",
]

T = TypeVar("T")

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
            at_least(f"{name} of the data", getattr(self, name), least)

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


def chosen_preset(
    toml: TomlFile, name: str, roles: Sequence[str] = ("population", "renderer")
) -> Preset:
    """Preset with the options of the recipe laid over; files are sought beside the recipe."""
    beside = Path(toml.path).parent / name
    preset = load_preset(str(beside) if name.endswith(".toml") else name)
    if preset.population is None:
        raise ConfigError(
            f"the preset {preset.name} names no population",
            path=toml.path,
            remedy="Name one in the preset: sources are drawn from it.",
        )
    options = {role: free_values(toml, role) for role in roles}
    given = {role: values for role, values in options.items() if values}
    return with_plugins(preset, {}, given, source=toml.path)


def kinds(options: type) -> dict[str, type]:
    """Type of each field of a dataclass of plain options."""
    return {entry.name: _KINDS[entry.type] for entry in fields(options)}


def chosen(options: type[T], values: Mapping[str, Any]) -> T:
    """Options of a class, from among those of several."""
    return options(**{name: values[name] for name in kinds(options) if name in values})


def free_values(toml: TomlFile, section: str) -> dict[str, Any]:
    """Values of a section whose keys a plugin or a network knows."""
    kinds = {"name": str} if section == "network" else {}
    return {**toml.tables.get(section, {}), **toml.values(section, kinds, others=True)}


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small."""
    if value < least:
        raise OptionError(f"{name} is {value}", remedy=f"It must be {least} or more.")


@contextmanager
def of_recipe(source: str) -> Iterator[None]:
    """Let errors of options that show only here name the recipe in which they stand."""
    try:
        yield
    except (ConfigError, OptionError, ShapeError) as error:
        path = error.path or source or None
        raise ConfigError(error.fault, path=path, remedy=error.remedy) from error
