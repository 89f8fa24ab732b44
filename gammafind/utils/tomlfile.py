"""TOML files whose unknown keys are errors."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from typing import Any

from astropy.units import Quantity, UnitBase

from gammafind.errors import ConfigError, MissingFileError, OptionError
from gammafind.units import parse_quantity
from gammafind.utils.files import check_input
from gammafind.utils.names import close_match

_RESOURCE = re.compile(r"([A-Za-z_]\w+(?:\.\w+)*):([^\\]+)")


_LARGEST = 1 << 63


@dataclass(frozen=True)
class TomlFile:
    """The tables of a TOML file, checked section by section.

    Parameters
    ----------
    path : str
        Path of the file, for messages.
    tables : mapping of str to mapping
        Sections by name.
    """

    path: str
    tables: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(
        cls, path: str | PathLike, sections: Iterable[str], required: Iterable[str] = ()
    ) -> TomlFile:
        """Read a file, or a package resource ``package:file.toml``.

        Parameters
        ----------
        path : str or path-like
        sections : iterable of str
            Sections that the file may have.
        required : iterable of str
            Sections that it must have.

        Raises
        ------
        MissingFileError
            If there is no such file.
        ConfigError
            If it is not TOML, or a section is unknown, missing or not a table.
        """
        toml = cls.parse(path)
        toml.check(sections, required)
        return toml

    @classmethod
    def parse(cls, path: str | PathLike) -> TomlFile:
        """Read a file as `read` does, and check none of its sections.

        Raises
        ------
        MissingFileError
            If there is no such file.
        ConfigError
            If it is no TOML.
        """
        try:
            return cls(str(path), parsed_toml(_read_text(path)))
        except ValueError as error:
            raise ConfigError(f"this is not valid TOML: {error}", path=path) from None

    def check(self, sections: Iterable[str], required: Iterable[str] = ()) -> None:
        """Refuse sections that are unknown, missing or not tables.

        Raises
        ------
        ConfigError
        """
        self._check_keys("", self.tables, tuple(sections), required)
        for name, table in self.tables.items():
            if not isinstance(table, dict):
                raise ConfigError(f"{name} is {table!r}", path=self.path, remedy=f"Write [{name}].")

    def values(
        self,
        section: str,
        kinds: Mapping[str, type | UnitBase],
        *,
        required: Iterable[str] = (),
        others: bool = False,
    ) -> dict[str, Any]:
        """Read the values of a section.

        Parameters
        ----------
        section : str
        kinds : mapping of str to type or unit
            Type of each key; a unit means a quantity that converts to it.
        required : iterable of str
            Keys that must be present.
        others : bool
            Whether other keys are ignored instead of an error.

        Returns
        -------
        dict
            Empty if the file has no such section.

        Raises
        ------
        ConfigError
            If a key is unknown or missing, or a value has another type.
        """
        table = self.tables.get(section, {})
        self._check_keys(f"[{section}] ", table, [*kinds, *(table if others else ())], required)
        return {
            key: self._value(f"[{section}] {key}", table[key], kind)
            for key, kind in kinds.items()
            if key in table
        }

    def _value(self, what: str, value: Any, kind: type | UnitBase) -> Any:
        if isinstance(kind, UnitBase):
            return self._quantity(what, value, kind)
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is float and not math.isfinite(value):
            raise ConfigError(
                f"{what} is {value}", path=self.path, remedy="It must be a finite number."
            )
        if type(value) is not kind:
            raise ConfigError(
                f"{what} is {value!r}",
                path=self.path,
                remedy=f"It must be of type {kind.__name__}.",
            )
        return value

    def _quantity(self, what: str, value: Any, unit: UnitBase) -> Quantity:
        remedy = f"Write a number and a unit in quotes, such as '1 {unit}'."
        if not isinstance(value, str):
            raise ConfigError(f"{what} is {value!r}", path=self.path, remedy=remedy)
        try:
            return parse_quantity(value, unit, name=what)
        except OptionError as error:
            raise ConfigError(error.fault, path=self.path, remedy=remedy) from None

    def _check_keys(
        self, where: str, table: Mapping[str, Any], known: Iterable[str], required: Iterable[str]
    ) -> None:
        accepted = f"Accepted are {', '.join(known)}."
        for key in table:
            if key not in known:
                raise ConfigError(
                    f"unknown key {where}{key}{close_match(key, known)}",
                    path=self.path,
                    remedy=accepted,
                )
        missing = [key for key in required if key not in table]
        if missing:
            raise ConfigError(
                f"missing key {where}{', '.join(missing)}", path=self.path, remedy=accepted
            )


def parsed_toml(text: str) -> dict[str, Any]:
    """Parse a text as TOML, whose integers have 64 bits as the standard says.

    Raises
    ------
    ValueError
        If it is no TOML.
    """
    try:
        parsed = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check_integers(parsed)
    return parsed


def _check_integers(value: Any) -> None:
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise ValueError("an integer has more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else ():
        _check_integers(inner)
    for inner in value if isinstance(value, list) else ():
        _check_integers(inner)


def _read_text(path: str | PathLike) -> str:
    resource = _RESOURCE.fullmatch(path) if isinstance(path, str) else None
    try:
        source = files(resource[1]) / resource[2] if resource else check_input(path)
        return source.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"this is not a text file: {error}", path=path) from None
    except ModuleNotFoundError as error:
        raise MissingFileError(f"there is no such package: {error}", path=path) from None
    except (OSError, ValueError) as error:
        raise MissingFileError(
            f"the file cannot be read: {getattr(error, 'strerror', None) or error}",
            path=path,
            remedy="It must be a TOML file.",
        ) from None
