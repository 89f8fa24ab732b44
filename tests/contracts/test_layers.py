"""Imports go one way, and `import gammafind` stays light."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gammafind
from tests.contracts.installed import run_python

ROOT = Path(gammafind.__file__).parent
LAYERS = (
    ("_version", "_moved", "__init__"),
    ("errors",),
    ("units",),
    ("utils",),
    ("sky",),
    ("catalogue",),
    ("roles",),
    ("presets",),
    ("fitting",),
    ("simulation",),
    ("evaluation",),
    ("networks",),
    ("training",),
    ("plugins",),
    ("views",),
    ("pipeline",),
    ("testing",),
    ("cli", "__main__"),
)
"""Parts of the package; each may import its own layer and those above it in this list."""

HEAVY = ("keras", "cv2", "healpy", "matplotlib")
MODULES = sorted(ROOT.rglob("*.py"))


def layer_of(module: str) -> int:
    """Rank of a dotted module name in `LAYERS`."""
    part = (*module.split("."), "__init__")[1]
    ranks = [rank for rank, parts in enumerate(LAYERS) if part in parts]
    assert ranks, f"{module} has no place in the layers"
    return ranks[0]


def dotted(path: Path) -> str:
    """Module name of a file of the package."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def exists(module: str) -> bool:
    """Whether a dotted name is a module or package of gammafind."""
    path = ROOT.parent.joinpath(*module.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Dotted names of the modules of gammafind that a source imports."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            ups = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*ups, *filter(None, [node.module])]) if node.level else node.module
            names = [f"{base}.{alias.name}" for alias in node.names]
            lazy = gammafind._HOMES if base == "gammafind" else {}
            for name in names:
                yield name if exists(name) else lazy.get(name.rpartition(".")[2], base)


def steps_back(source: str, module: str, is_package: bool = False) -> list[str]:
    """Imports that go against the layers, or from one plugin to another."""
    faults = []
    for imported in imports(source, module, is_package):
        if imported.split(".")[0] != "gammafind":
            continue
        back = layer_of(imported) > layer_of(module)
        here, there = module.split(".")[:3], imported.split(".")[:3]
        rival = here[:2] == there[:2] == ["gammafind", "plugins"] and here != there
        if back or rival:
            faults.append(f"{module} imports {imported}")
    return faults


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_no_module_imports_a_later_layer(path):
    source = path.read_text(encoding="utf-8")
    assert steps_back(source, dotted(path), path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gammafind.sky.skymap", "import gammafind.catalogue.schema"),
        ("gammafind.sky.skymap", "from gammafind import pipeline"),
        ("gammafind.sky.skymap", "def f():\n    from ..roles.base import Plugin"),
        ("gammafind.fitting.image.scene", "from gammafind.training.batches import Batches"),
        ("gammafind.plugins.unet.network", "from gammafind.plugins.clusterers import disk"),
        ("gammafind.plugins.unet.network", "from gammafind.pipeline import detect"),
        ("gammafind.catalogue.io", "from gammafind import create"),
    ],
)
def test_a_step_back_is_seen(module, source):
    assert len(steps_back(source, module)) >= 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gammafind.plugins.unet.network", "from gammafind.sky import bands"),
        ("gammafind.plugins.unet.network", "from .layers import block"),
        ("gammafind.catalogue.io", "from gammafind import __version__, units"),
    ],
)
def test_a_step_forward_is_allowed(module, source):
    assert steps_back(source, module) == []


@pytest.mark.parametrize(
    "code",
    [
        "import gammafind",
        "from gammafind import create, hookimpl, load_preset",
        "from gammafind.roles.registry import plugins; plugins()",
    ],
)
def test_imports_load_nothing_heavy(code):
    loaded = f"import sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = run_python(f"{code}\n{loaded}", GAMMAFIND_PLUGINS="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from gammafind.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert not end.code
print("loaded", *[m for m in {HEAVY!r} if m in sys.modules])
"""
    done = run_python(code, GAMMAFIND_PLUGINS="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded"


def test_every_public_name_can_be_imported():
    for name in gammafind.__all__:
        assert getattr(gammafind, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = gammafind.no_such_name
