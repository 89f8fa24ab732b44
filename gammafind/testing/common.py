"""What the checks of all roles share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import Column
from gammafind.errors import ConformanceError
from gammafind.roles.base import PLUGIN_NAME, Plugin


def check_plugin(plugin: type[Plugin], role: type[Plugin]) -> None:
    """Check the class itself: role, name, summary, options.

    Parameters
    ----------
    plugin : type
    role : type
        Base class of the role.

    Raises
    ------
    ConformanceError
        If it is no subclass of the role, its name is not in kebab-case, it has no docstring,
        or it is no frozen keyword-only dataclass.

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import check_plugin
    >>> check_plugin(gammafind.get_plugin("clusterer", "disk"), gammafind.Clusterer)
    """
    require(issubclass(plugin, role), f"{plugin.__name__} is no {role.__name__}")
    name = getattr(plugin, "name", None)
    require(
        isinstance(name, str) and bool(PLUGIN_NAME.fullmatch(name)),
        f"the name of {plugin.__name__} is {name!r}, not a word in kebab-case",
    )
    require(bool(plugin.__dict__.get("__doc__")), f"{plugin.__name__} has no docstring")
    require(
        "__dataclass_params__" in plugin.__dict__ and plugin.__dataclass_params__.frozen,
        f"{plugin.__name__} is no frozen dataclass",
    )
    loose = [f.name for f in dataclasses.fields(plugin) if f.init and not f.kw_only]
    require(not loose, f"options of {plugin.__name__} are not keyword-only: {', '.join(loose)}")


def rules_of(plugin: type[Plugin] | Plugin) -> Callable[[bool, str], None]:
    """`require` for one plugin, whose name comes before each breach."""
    return lambda kept, breach: require(bool(kept), f"{plugin.name}: {breach}")


def require(kept: bool, breach: str) -> None:
    """Raise ConformanceError unless a rule is kept."""
    if not kept:
        raise ConformanceError(breach)


def same(one: QTable, other: QTable) -> bool:
    """Whether two tables have the same columns and values; NaN is NaN."""
    return one.colnames == other.colnames and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one.colnames
    )


def check_schema(
    table: QTable, schema: Iterable[Column], must: Callable[[bool, str], None]
) -> None:
    """Require the columns of a schema, with finite numbers."""
    missing = [c.name for c in schema if c.required and c.name not in table.colnames]
    must(not missing, f"the table lacks {', '.join(missing)}")
    numbers = [c.name for c in schema if c.dtype != "U" and c.required]
    for column in numbers:
        values = getattr(table[column], "value", table[column])
        must(np.all(np.isfinite(values)), f"{column} is not finite")
