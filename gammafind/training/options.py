"""Options of trainings: which catalogues, and how options of any kind are read from a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from gammafind.errors import ConfigError, OptionError, ShapeError

STREAMS = {"train": 0, "validation": 1, "test": 2}
"""Random numbers of each set of data."""

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


def kinds(options: type) -> dict[str, type]:
    """Type of each field of a dataclass of plain options, annotated by types or their names."""
    return {entry.name: _KINDS.get(entry.type, entry.type) for entry in fields(options)}


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small."""
    if value < least:
        raise OptionError(f"{name} is {value}", remedy=f"It must be {least} or more.")


@contextmanager
def of_recipe(source: str | Path, stage: str = "") -> Iterator[None]:
    """Let errors of options that show only here name the recipe, and the stage, that holds them."""
    try:
        yield
    except (ConfigError, OptionError, ShapeError) as error:
        path, fault = error.path or source or None, error.fault
        named = f"{stage}: {fault}" if stage else fault
        raise ConfigError(named, path=path, remedy=error.remedy) from error
