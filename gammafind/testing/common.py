"""What the checks of all roles share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

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
    require(
        issubclass(plugin, role),
        f"{plugin.__name__} is no {role.__name__}",
        f"it is a subclass of {role.__name__}",
    )
    name = getattr(plugin, "name", None)
    require(
        isinstance(name, str) and bool(PLUGIN_NAME.fullmatch(name)),
        f"the name of {plugin.__name__} is {name!r}, not a word in kebab-case",
        "its name is a word in kebab-case",
    )
    require(
        bool(plugin.__dict__.get("__doc__")),
        f"{plugin.__name__} has no docstring",
        "it has a docstring",
    )
    require(
        "__dataclass_params__" in plugin.__dict__ and plugin.__dataclass_params__.frozen,
        f"{plugin.__name__} is no frozen dataclass",
        "it is a frozen dataclass",
    )
    loose = [f.name for f in dataclasses.fields(plugin) if f.init and not f.kw_only]
    require(
        not loose,
        f"options of {plugin.__name__} are not keyword-only: {', '.join(loose)}",
        "its options are keyword-only",
    )


def rules_of(plugin: type[Plugin] | Plugin) -> Callable[[bool, str, str], None]:
    """`require` for one plugin, whose name comes before each breach.

    Rules that it declares to break are not enforced.
    """

    def must(kept: bool, breach: str, rule: str) -> None:
        require(
            bool(kept), f"{plugin.name}: {breach}", rule, plugin.declared_failures.get(rule, "")
        )

    return must


def require(kept: bool, breach: str, rule: str, declared: str = "") -> None:
    """Raise ConformanceError unless a rule is kept, or write the outcome down.

    Parameters
    ----------
    kept : bool
    breach : str
        What is wrong, if it is not kept.
    rule : str
        What must hold.
    declared : str
        Why the plugin breaks the rule on purpose; empty where it does not.
    """
    outcomes = _OUTCOMES.get()
    if outcomes is not None:
        outcomes.append(Outcome(rule, "" if kept else breach, declared if not kept else ""))
    elif not kept and not declared:
        raise ConformanceError(breach)


@dataclass(frozen=True)
class Outcome:
    """A rule of a contract, and how a plugin keeps it.

    Attributes
    ----------
    rule : str
        What must hold.
    breach : str
        What is wrong; empty where the rule is kept.
    declared : str
        Why the plugin breaks it on purpose; empty where it does not.
    """

    rule: str
    breach: str = ""
    declared: str = ""

    @property
    def fails(self) -> bool:
        """Whether the rule is broken and the plugin does not declare it."""
        return bool(self.breach) and not self.declared


_OUTCOMES: ContextVar[list[Outcome] | None] = ContextVar("outcomes", default=None)


@contextmanager
def outcomes() -> Iterator[list[Outcome]]:
    """Collect the outcomes of all rules; a breach ends no check."""
    found: list[Outcome] = []
    token = _OUTCOMES.set(found)
    try:
        yield found
    finally:
        _OUTCOMES.reset(token)


def same(one: QTable, other: QTable) -> bool:
    """Whether two tables have the same columns and values; NaN is NaN."""
    return one.colnames == other.colnames and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        for name in one.colnames
    )


def check_schema(
    table: QTable, schema: Iterable[Column], must: Callable[[bool, str, str], None]
) -> None:
    """Require the columns of a schema, with finite numbers."""
    missing = [c.name for c in schema if c.required and c.name not in table.colnames]
    must(
        not missing,
        f"the table lacks {', '.join(missing)}",
        "its table has all columns of the schema",
    )
    numbers = [c.name for c in schema if c.dtype != "U" and c.required]
    for column in numbers:
        values = getattr(table[column], "value", table[column])
        must(np.all(np.isfinite(values)), f"{column} is not finite", f"{column} is finite")
