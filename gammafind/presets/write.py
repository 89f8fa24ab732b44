"""Writing a preset as TOML, for the next time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from gammafind.errors import OptionError
from gammafind.presets.preset import PRESET_FORMAT, Component, Preset
from gammafind.utils.files import atomic_output

_ROLES = (
    "renderer", "localiser", "fallback", "fallback_clusterer", "clusterer", "classifier",
    "population",
)  # fmt: skip


def write_preset(preset: Preset, path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Write a preset to a file that `gammafind.presets.preset.read_preset` reads.

    Parameters
    ----------
    preset : Preset
        Of plugins by name. Its notes and doubts become comments.
    path : path-like
        Must end in ``.toml``; its name becomes that of the preset.
    overwrite : bool
        Whether a file that exists is replaced.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        If the name does not end in ``.toml``.
    OutputError
        If the file exists, or cannot be written.
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise OptionError(f"the preset is to be written to {path}", remedy="End it in .toml.")
    with atomic_output(path, overwrite) as temporary:
        temporary.write_text(preset_text(preset, name=path.stem), encoding="utf-8")
    return path


def preset_text(preset: Preset, *, name: str) -> str:
    """Preset as TOML."""
    heads = [f"# {note}" for note in preset.notes] + [f"# doubtful: {d}" for d in preset.doubts]
    tables = {"preset": {"name": name, "description": preset.description}}
    tables["preset"]["format"] = PRESET_FORMAT
    tables |= {role: _table(getattr(preset, role)) for role in _ROLES if getattr(preset, role)}
    layout = preset.patches
    tables["patches"] = {"size": str(layout.size), "nside": layout.nside}
    if layout.n_pixels:
        tables["patches"]["n_pixels"] = layout.n_pixels
    tables["match"] = {"radius": str(preset.match_radius)}
    if preset.score_threshold is not None:
        tables["catalogue"] = {"score_threshold": float(preset.score_threshold)}
    blocks = [_block(section, values) for section, values in tables.items()]
    return "\n\n".join(["\n".join(heads), *blocks] if heads else blocks) + "\n"


def _table(component: Component) -> dict[str, Any]:
    if component.plugin is not None:
        raise OptionError(
            f"the {component.role} {component.name} is an instance, not a name with options",
            remedy="Only presets of plugins by name can be written.",
        )
    return {"name": component.name, **component.options}


def _block(section: str, values: Mapping[str, Any]) -> str:
    return "\n".join([f"[{section}]", *(f"{key} = {_value(v)}" for key, v in values.items())])


def _value(value: Any) -> str:
    """One value in TOML, where text is written as in JSON."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return repr(float(value))
    if isinstance(value, list | tuple | np.ndarray):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(str(value), ensure_ascii=False)
