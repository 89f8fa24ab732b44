"""What the plugins of all roles have in common."""

from __future__ import annotations

import abc
import re
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["PLUGIN_NAME", "Plugin"]

PLUGIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What the name of a plugin matches: kebab-case."""


@dataclass(frozen=True, kw_only=True)
class Plugin(abc.ABC):
    """Base of all roles.

    Attributes
    ----------
    name : str
        Name of the plugin, kebab-case, unique within its role.
    """

    name: ClassVar[str]
