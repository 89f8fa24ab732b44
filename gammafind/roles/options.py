"""The options of a plugin: the fields of its dataclass, checked and brought to their types."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.utils.kinds import annotated_kind, convert
from gammafind.utils.names import close_match

_REQUIRED = dataclasses.MISSING


def option_defaults(plugin: type) -> dict[str, str]:
    """Options of a plugin class with their defaults, as text, in the order of the fields."""
    return {field.name: _default_text(field) for field in _fields(plugin)}


def check_options(plugin: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of a plugin and bring them to the types of its fields.

    Text becomes a Quantity, whole numbers become floats and lists become tuples where the
    field says so, so that options from a TOML file or a command line fit. A single text for a
    tuple of texts is its one entry.

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
        name: convert(
            value,
            _kind_of(plugin, fields[name]),
            f"the option {name} of {plugin.name}",
            default=_default(fields[name]),
            infinite=fields[name].metadata.get("infinite", False),
        )
        for name, value in options.items()
    }


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


def _kind_of(plugin: type, field: dataclasses.Field) -> Any:
    """Type of a field, read in the module of the class that has it."""
    owners = [one for one in plugin.__mro__ if field.name in inspect.get_annotations(one)]
    return annotated_kind(field.type, (owners or [plugin])[0].__module__)
