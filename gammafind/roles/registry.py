"""Plugins by role and name, built-in and third-party.

Third-party plugins are modules named by an entry point of the group ``gammafind``. The
environment variable ``GAMMAFIND_PLUGINS`` chooses among them: unset takes all, empty takes
none, a comma list takes the entry points it names. A plugin that cannot be used is listed with
its reason, warned of once, and stops only who asks for it by name.
"""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

from gammafind.errors import (
    BrokenPluginError,
    BrokenPluginWarning,
    DuplicatePluginError,
    UnknownPluginError,
)
from gammafind.roles.base import Plugin
from gammafind.roles.discovery import GROUP, ROLES, Candidate, PluginInfo, discover
from gammafind.roles.options import check_options
from gammafind.utils.names import close_match


def plugins(role: str | None = None) -> list[PluginInfo]:
    """List the plugins of a role, or of all roles.

    Those that cannot be used are in the list, with `PluginInfo.error`; where the fault came
    before the role was known they are listed for every role.

    Parameters
    ----------
    role : str, optional
        A key of `ROLES`.

    Returns
    -------
    list of PluginInfo
        Built-in first.

    Raises
    ------
    UnknownPluginError
        If there is no such role.
    """
    return [candidate.info for candidate in _candidates(role)]


def get_plugin(role: str, name: str) -> type[Plugin]:
    """Class of a plugin.

    Parameters
    ----------
    role : str
        A key of `ROLES`.
    name : str

    Returns
    -------
    type

    Raises
    ------
    UnknownPluginError
        If no plugin of the role has this name.
    BrokenPluginError
        If it could not be loaded.
    DuplicatePluginError
        If two distributions claim the name.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.get_plugin("clusterer", "disk").__name__
    'DiskClusterer'
    """
    candidates = _candidates(role)
    named = [candidate for candidate in candidates if candidate.info.name == name]
    for candidate in named:
        if candidate.info.error is None:
            return candidate.plugin
    if named:
        kind = DuplicatePluginError if named[0].plugin else BrokenPluginError
        raise kind(
            f"the {role} {name} cannot be used: {named[0].info.error}",
            remedy="Mend or remove the package, or leave it out by GAMMAFIND_PLUGINS.",
        )
    known = sorted(c.info.name for c in candidates if c.info.error is None)
    broken = sorted(c.info.name for c in candidates if c.info.error)
    raise UnknownPluginError(
        f"there is no {role} {name!r}{close_match(name, known)}",
        remedy=f"Known are {', '.join(known) or 'none'}"
        + (f"; broken are {', '.join(broken)}." if broken else "."),
    )


def create(role: str, name: str, **options: Any) -> Plugin:
    """Instance of a plugin with these options.

    Parameters
    ----------
    role : str
        A key of `ROLES`.
    name : str
    **options
        Fields of the plugin; text such as ``"0.3 deg"`` is accepted for a Quantity.

    Returns
    -------
    Plugin

    Raises
    ------
    UnknownPluginError, BrokenPluginError, DuplicatePluginError
        As `get_plugin`.
    OptionError
        If an option is unknown, missing, of the wrong type or out of range.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.create("localiser", "likelihood", threshold=25).threshold
    25.0
    """
    plugin = get_plugin(role, name)
    return plugin(**check_options(plugin, options))


def failed_plugin(error: BaseException) -> PluginInfo | None:
    """Plugin of a third party in which an error arose, or that gave what led to it.

    Returns
    -------
    PluginInfo or None
        The innermost one that was at work; None if there was none.
    """
    known = {c.plugin: c.info for c in _discovered() if c.plugin and c.info.distribution != GROUP}
    found = None
    trace = error.__traceback__
    while trace is not None:
        found = known.get(type(trace.tb_frame.f_locals.get("self")), found)
        trace = trace.tb_next
    return found


def role_of(name: str) -> str:
    """Role of the plugin of a name.

    Raises
    ------
    UnknownPluginError
        If no plugin has this name, or plugins of several roles have it.
    """
    found = plugins()
    roles = sorted({info.role for info in found if info.name == name and info.role})
    if len(roles) == 1:
        return roles[0]
    if roles:
        raise UnknownPluginError(
            f"plugins of several roles are called {name}", remedy=f"Name one: {', '.join(roles)}."
        )
    known = sorted({info.name for info in found})
    raise UnknownPluginError(
        f"there is no plugin {name!r}{close_match(name, known)}",
        remedy="'gammafind plugins' lists those that are installed.",
    )


def reset() -> None:
    """Forget what was found, so that the next call looks again."""
    _discovered.cache_clear()


def _candidates(role: str | None) -> list[Candidate]:
    if role is not None and role not in ROLES:
        raise UnknownPluginError(
            f"there is no role {role!r}{close_match(role, ROLES)}",
            remedy=f"Roles are {', '.join(ROLES)}.",
        )
    return [c for c in _discovered() if role is None or c.info.role in (role, None)]


@functools.cache
def _discovered() -> tuple[Candidate, ...]:
    found = discover(os.environ.get("GAMMAFIND_PLUGINS"))
    for info in (candidate.info for candidate in found if candidate.info.error):
        origin = f" of {info.distribution} {info.version}" if info.distribution else ""
        warnings.warn(
            f"the plugin {info.name}{origin} is left out: {info.error}",
            BrokenPluginWarning,
            stacklevel=2,
        )
    return found
