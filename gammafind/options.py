"""The options of a plugin: the fields of its dataclass, checked and brought to their types."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.units import as_value, parse_quantity

__all__ = ["check_options", "close_match", "option_defaults"]

_REQUIRED = dataclasses.MISSING


def option_defaults(plugin: type) -> dict[str, str]:
    """Options of a plugin class with their defaults, as text, in the order of the fields."""
    return {field.name: _default_text(field) for field in _fields(plugin)}


def check_options(plugin: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of a plugin and bring them to the types of its fields.

    Text becomes a Quantity, whole numbers become floats and lists become tuples where the
    field says so, so that options from a TOML file or a command line fit.

    Parameters
    ----------
    plugin : type
        A dataclass.
    options : mapping of str to object

    Returns
    -------
    dict

    Raises
    ------
    OptionError
        If an option is unknown, missing or of the wrong type.
    """
    fields = {field.name: field for field in _fields(plugin)}
    for name in options:
        if name not in fields:
            raise OptionError(
                f"{plugin.name} has no option {name!r}{close_match(name, fields)}",
                remedy=_accepted(plugin),
            )
    missing = [n for n, f in fields.items() if _default(f) is _REQUIRED and n not in options]
    if missing:
        raise OptionError(
            f"{plugin.name} needs the option {', '.join(missing)}", remedy=_accepted(plugin)
        )
    return {
        name: _convert(value, fields[name], f"the option {name} of {plugin.name}")
        for name, value in options.items()
    }


def close_match(name: str, known: Iterable[str]) -> str:
    """Text ``" (did you mean ...?)"`` with the nearest known name, empty if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _fields(plugin: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(plugin) if field.init]


def _default(field: dataclasses.Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _default_text(field: dataclasses.Field) -> str:
    default = _default(field)
    if default is _REQUIRED:
        return "required"
    return repr(str(default)) if isinstance(default, Quantity) else repr(default)


def _accepted(plugin: type) -> str:
    known = ", ".join(f"{name} ({text})" for name, text in option_defaults(plugin).items())
    return f"It accepts {known}." if known else "It accepts none."


def _convert(value: Any, field: dataclasses.Field, what: str) -> Any:
    kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
    if "Quantity" in kind and (isinstance(value, str) or _is_quantity(kind, value)):
        return _quantity(value, _default(field), what)
    if isinstance(value, list):
        return tuple(value)
    if kind == "float" and type(value) is int:
        return float(value)
    accepted = {"float": float, "int": int, "bool": bool, "str": str}.get(kind)
    if accepted and (not isinstance(value, accepted) or _is_flag(value) is not (kind == "bool")):
        raise OptionError(f"{what} is {value!r}", remedy=f"It must be of type {kind}.")
    return value


def _is_quantity(kind: str, value: Any) -> bool:
    """Whether a field of type ``kind`` holds nothing but a quantity (or None, which is let be)."""
    kinds = {part.strip().rpartition(".")[2] for part in kind.split("|")}
    return value is not None and kinds <= {"Quantity", "None"}


def _quantity(value: Any, default: Any, what: str) -> Quantity:
    """Quantity from text or as it is, in the unit of the default where that has one."""
    unit = default.unit if isinstance(default, Quantity) else None
    if isinstance(value, str):
        return parse_quantity(value, unit or _unit_of(value, what), name=what)
    if not isinstance(value, Quantity):
        raise OptionError(
            f"{what} is {value!r}", remedy="Write a number and a unit, such as '0.3 deg'."
        )
    return value if unit is None else as_value(value, unit, name=what) * unit


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _unit_of(text: str, what: str) -> Any:
    try:
        return Quantity(text).unit
    except (TypeError, ValueError):
        raise OptionError(
            f"{what} is {text!r}", remedy="Write a number and a unit, such as '0.3 deg'."
        ) from None
