"""What the plugins of all roles have in common."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

PLUGIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What the name of a plugin matches: kebab-case."""

API_VERSION = 1
"""Version of the interface of plugins: it grows when a plugin must be changed to work."""
OLDEST_API_VERSION = 1
"""Oldest version whose plugins still work."""

Sees = Literal["maps", "image"]
"""What an instrument makes and a plugin takes: maps of counts, or the image of a camera."""


@dataclass(frozen=True, kw_only=True)
class Plugin(abc.ABC):
    """Base of all roles.

    Attributes
    ----------
    name : str
        Name of the plugin, kebab-case, unique within its role.
    """

    name: ClassVar[str]

    api_version: ClassVar[int] = API_VERSION
    """Version of the interface that the plugin was written for; by default that of this gammafind.
    A plugin of another interface is left out, with the reason."""

    declared_failures: ClassVar[Mapping[str, str]] = {}
    """Rules of the contract that it breaks on purpose, and why; `gammafind plugins check` shows
    both."""

    _old_names: ClassVar[Mapping[str, Callable[[type], None]]] = {}
    """What to do with a class that uses a name of the release before."""

    @property
    def further_files(self) -> tuple[Path, ...]:
        """Files that it reads and no option names; the record of a product has their checksums."""
        return ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, adopt in cls._old_names.items():
            if name in vars(cls):
                adopt(cls)
