"""Conversion of option values to the types of their annotations."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.units import as_value, parse_quantity

_MODULES = re.compile(r"\b(?:\w+\.)+(?=\w)")
"""Module path in front of the name of a type."""


_LARGEST = 1 << 63
"""Integers beyond 64 bits are mistakes."""


class _UnfitError(Exception):
    """A value does not fit a type."""


def annotated_kind(annotation: Any, module: str) -> Any:
    """Type of an annotation in a module; `typing.Any` if it is not known there."""
    names = vars(sys.modules[module]) if module in sys.modules else {}
    annotated = SimpleNamespace(__annotations__={"option": annotation})
    try:
        return get_type_hints(annotated, names, {"Quantity": Quantity})["option"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return Any


def convert(
    value: Any, kind: Any, what: str, *, default: Any = None, infinite: bool = False
) -> Any:
    """Convert the value of an option to its type.

    Parameters
    ----------
    value : object
    kind : type
        As returned by `annotated_kind`.
    what : str
        Name of the value, for messages.
    default : object
        If it is a Quantity, the value is converted to its unit. Where it has infinite numbers,
        the value may too.
    infinite : bool
        Whether numbers may be infinite.

    Raises
    ------
    OptionError
        If the value is of another type.
    """
    kinds = _alternatives(kind)
    is_text = isinstance(value, str) and str not in kinds
    if Quantity in kinds and (
        is_text or (value is not None and set(kinds) <= {Quantity, NoneType})
    ):
        return _quantity(value, default, what)
    try:
        fitted = _fitted(value, kind)
    except _UnfitError:
        raise OptionError(
            f"{what} is {value!r}", remedy=f"It must be of type {_kind_name(kind)}."
        ) from None
    unbounded = infinite or not _is(math.isfinite, default)
    if not _is(_is_number if unbounded else math.isfinite, fitted):
        raise OptionError(f"{what} is {value!r}", remedy="It must be finite.")
    return fitted


def _is(rule: Callable[[float], bool], value: Any) -> bool:
    """Whether a number, or each of several, keeps a rule; other values do."""
    if isinstance(value, tuple):
        return all(_is(rule, one) for one in value)
    return not isinstance(value, float) or rule(value)


def _is_number(value: float) -> bool:
    return not math.isnan(value)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Members of a union; any other type alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _fitted(value: Any, kind: Any) -> Any:
    """Value converted to a type; `_UnfitError` if it does not fit."""
    alternatives = _alternatives(kind)
    if len(alternatives) > 1:
        return _fitted_to_one(value, alternatives)
    origin = get_origin(kind) or kind
    if origin is Literal:
        return _required(value, value in get_args(kind))
    if origin in (tuple, list, Sequence):
        return _fitted_items(value, kind)
    if kind is float and type(value) is int:
        return float(_required(value, abs(value) < _LARGEST))
    if kind is None or kind is NoneType:
        return _required(value, value is None)
    if kind is Any or not isinstance(origin, type):
        return tuple(value) if isinstance(value, list) else value
    is_flag = isinstance(value, bool) and kind in (int, float)
    return _required(value, isinstance(value, origin) and not is_flag)


def _fitted_to_one(value: Any, kinds: Sequence[Any]) -> Any:
    """Value converted to the first type that fits; its own type is tried first."""
    for kind in sorted(kinds, key=lambda kind: kind is not type(value)):
        try:
            return _fitted(value, kind)
        except _UnfitError:
            continue
    raise _UnfitError


def _fitted_items(value: Any, kind: Any) -> tuple[Any, ...]:
    """Items of a tuple, a list or a sequence, each converted to its own type."""
    kinds = get_args(kind)
    if isinstance(value, str):
        value = (value,)
    _required(value, isinstance(value, list | tuple))
    if not kinds:
        return tuple(value)
    if get_origin(kind) is not tuple or kinds[-1] is Ellipsis:
        return tuple(_fitted(item, kinds[0]) for item in value)
    _required(value, len(value) == len(kinds))
    return tuple(_fitted(item, one) for item, one in zip(value, kinds, strict=True))


def _required(value: Any, fits: bool) -> Any:
    if not fits:
        raise _UnfitError
    return value


def _kind_name(kind: Any) -> str:
    """Name of a type, without modules."""
    return kind.__name__ if isinstance(kind, type) else _MODULES.sub("", str(kind))


def _quantity(value: Any, default: Any, what: str) -> Quantity:
    """Quantity, parsed if it is text, in the unit of the default if that has one."""
    unit = default.unit if isinstance(default, Quantity) else None
    if isinstance(value, str):
        return parse_quantity(value, unit or _unit_of(value, what), name=what)
    if not isinstance(value, Quantity):
        raise OptionError(
            f"{what} is {value!r}", remedy="Write a number and a unit, such as '0.3 deg'."
        )
    if not np.all(np.isfinite(value.value)) and not (default is not None and value is default):
        raise OptionError(f"{what} is {value}", remedy="It must be finite.")
    return value if unit is None else as_value(value, unit, name=what) * unit


def _unit_of(text: str, what: str) -> Any:
    try:
        return Quantity(text).unit
    except (TypeError, ValueError):
        raise OptionError(
            f"{what} is {text!r}", remedy="Write a number and a unit, such as '0.3 deg'."
        ) from None
