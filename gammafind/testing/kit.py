"""A new plugin as a package whose tests pass as written."""

from __future__ import annotations

import os
from importlib.resources import files
from keyword import iskeyword
from pathlib import Path
from string import Template

from gammafind.errors import OptionError, OutputError
from gammafind.roles.base import PLUGIN_NAME
from gammafind.roles.discovery import discover
from gammafind.simulation.folders import filled_folder
from gammafind.utils.files import naming_output

ROLES = ("population", "renderer", "localiser", "clusterer", "classifier")
"""Roles that a new plugin may have."""
_LONGEST = 60
"""Letters of a name: names of files hold it several times, and have at most 255."""
_PRESETS = {"renderer": "preset.toml"}
"""Further files of a role, next to its module."""
_ALSO = {"renderer": ("population",)}
"""Further roles that the package of a role fills, under the same name."""


def new_plugin(name: str, role: str, folder: Path | None = None) -> tuple[Path, ...]:
    """Write the package of a new plugin.

    Parameters
    ----------
    name : str
        Kebab-case, such as ``x-ray``. The package is called ``gammafind_x_ray``.
    role : {"population", "renderer", "localiser", "clusterer", "classifier"}
        A renderer comes with a population, a preset and the recipe of a small network, so that it
        can be simulated, searched and learned.
    folder : Path, optional
        Where the project goes; ``gammafind-<name>`` by default. It must not exist.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    OptionError
        If the name or the role cannot be one, or a built-in plugin of the role has the name.
    OutputError
        If the folder exists or cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gammafind.testing import new_plugin
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     written = new_plugin("x-ray", "renderer", Path(parent) / "x-ray")
    >>> [path.name for path in written]
    ['pyproject.toml', 'README.md', '__init__.py', 'preset.toml', 'recipe.toml', 'test_x_ray.py']
    """
    title = "".join(word.capitalize() for word in name.split("-"))
    is_name = PLUGIN_NAME.fullmatch(name) and len(name) <= _LONGEST and not iskeyword(title)
    if not is_name or name[0].isdigit():
        raise OptionError(
            f"the name of the plugin is {name!r}",
            remedy="Write lower-case words with hyphens between them, such as x-ray; at most "
            f"{_LONGEST} letters, and no word of Python.",
        )
    if role not in ROLES:
        raise OptionError(f"the role is {role!r}", remedy=f"Roles are {', '.join(ROLES)}.")
    taken = {(one.info.role, one.info.name) for one in discover("")}
    for made in (role, *_ALSO.get(role, ())):
        if (made, name) in taken:
            raise OptionError(
                f"a built-in {made} is called {name}",
                remedy="It would be used in place of the new one; choose another name.",
            )
    folder = Path(f"gammafind-{name}" if folder is None else folder)
    module = name.replace("-", "_")
    package = f"gammafind_{module}"
    words = {
        "name": name,
        "role": role,
        "module": module,
        "package": package,
        "title": title,
    }
    targets = {
        "pyproject.toml": folder / "pyproject.toml",
        f"{role}-README.md" if role == "renderer" else "README.md": folder / "README.md",
        f"{role}.py": folder / package / "__init__.py",
    }
    if role in _PRESETS:
        targets[_PRESETS[role]] = folder / package / "preset.toml"
        targets["recipe.toml"] = folder / "recipe.toml"
    targets[f"test_{role}.py"] = folder / "tests" / f"test_{module}.py"
    texts = {path: _template(source).substitute(words) for source, path in targets.items()}
    _write(folder, texts)
    return tuple(texts)


def _template(name: str) -> Template:
    return Template(
        (files("gammafind.testing") / "data" / "kit" / f"{name}.txt").read_text("utf-8")
    )


def _write(folder: Path, texts: dict[Path, str]) -> None:
    """Write all files into a folder that is made for them."""
    with naming_output(folder, "the plugin cannot be written"):
        if os.path.lexists(folder):
            raise OutputError("the folder exists already", path=folder, remedy="Give another one.")
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with filled_folder(folder) as new:
            for path, text in texts.items():
                place = new / path.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
