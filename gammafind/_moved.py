"""Modules that have moved, importable under their old names for one release."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ROLES = ("base", "population", "renderer", "localiser", "clusterer", "classifier")
_MOVED = {
    "gammafind.choice": ("gammafind.presets.choose",),
    "gammafind.config": ("gammafind.presets.preset", "gammafind.presets.choose"),
    "gammafind.discovery": ("gammafind.roles.discovery",),
    "gammafind.hookspecs": ("gammafind.roles.hooks",),
    "gammafind.interfaces": tuple(f"gammafind.roles.{role}" for role in _ROLES),
    "gammafind.options": ("gammafind.roles.options",),
    "gammafind.registry": ("gammafind.roles.registry",),
}
"""Old names that authors of plugins used, with the modules that hold their contents now."""


class _Moved(MetaPathFinder, Loader):
    """Finds and fills modules by their old names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in _MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        homes = _MOVED[module.__name__]
        warnings.warn(
            f"{module.__name__} has moved to {', '.join(homes)}; the old name goes with the next "
            "release",
            DeprecationWarning,
            stacklevel=2,
        )
        for home in map(import_module, homes):
            offered = {name: it for name, it in vars(home).items() if not name.startswith("_")}
            vars(module).update(offered)


def announce_moved() -> None:
    """Let old names be imported, each with a DeprecationWarning."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
