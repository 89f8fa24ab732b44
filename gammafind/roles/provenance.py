"""How a product was made: versions, plugins, options, inputs, command, date."""

from __future__ import annotations

import dataclasses
import math
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from astropy.units import Quantity

from gammafind.roles.base import Plugin
from gammafind.roles.registry import plugins
from gammafind.utils.data_folder import located
from gammafind.utils.files import file_checksum
from gammafind.utils.version import running_version

_BRACES = re.compile(r"\{\w+\}")
_LIBRARIES = ("astropy", "numpy", "scipy", "healpy", "ducc0")


def provenance(
    *,
    preset: str,
    used: Mapping[str, Plugin],
    inputs: Sequence[Mapping[str, str]],
    seed: int,
    command: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Describe how a product is made.

    Parameters
    ----------
    preset : str
        Name of the preset.
    used : mapping of str to Plugin
        Plugins by role.
    inputs : sequence of mapping
        Name and SHA-256 of each input file.
    seed : int
        Of the random generator.
    command : str
        Command line; empty where the product is made from Python.
    **more
        Further entries: text, numbers, lists and dicts of them.

    Returns
    -------
    dict
        Entries that go into the metadata of a table, all of them JSON.
    """
    return {
        "creator": f"gammafind {running_version()}",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "preset": preset,
        "plugins": [describe_plugin(role, plugin) for role, plugin in used.items()],
        "seed": seed,
        "inputs": [dict(entry) for entry in inputs],
        "software": {"python": platform.python_version(), **_versions()},
        **more,
    }


def describe_plugin(role: str, plugin: Plugin) -> dict[str, Any]:
    """Role, name, distribution, version and options of a plugin, and checksums of its files."""
    values = {field.name: getattr(plugin, field.name) for field in dataclasses.fields(plugin)}
    files = [path for value in values.values() for path in _files(value)]
    home = next((info for info in plugins(role) if info.name == plugin.name), None)
    return {
        "role": role,
        "name": plugin.name,
        "distribution": home.distribution if home else "",
        "version": home.version if home else "",
        "options": {name: _plain(value) for name, value in values.items()},
        "files": {path.name: file_checksum(path) for path in (*files, *plugin.further_files)},
    }


def _files(value: Any) -> list[Path]:
    """Files that an option names; braces in a name stand for any text."""
    if not isinstance(value, str) or not value:
        return []
    path = located(value)
    try:
        if not path.is_file() and "{" in path.name:
            return sorted(path.parent.glob(_BRACES.sub("*", path.name)))
        return [path] if path.is_file() else []
    except OSError:
        return []


def _plain(value: Any) -> Any:
    """Value of an option as JSON holds it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Plugin):
        return value.name
    if isinstance(value, Quantity):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return str(value)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _LIBRARIES}
