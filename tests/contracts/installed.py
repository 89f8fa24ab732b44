"""Makes the plugins of the tests visible to a fresh Python, as pip would, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import gammafind

TESTS = Path(__file__).resolve().parents[1]


def install(project: Path, site: Path) -> None:
    """Copy a project of ``tests/`` into ``site`` with the metadata that its pyproject declares."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    about, setuptools = declared["project"], declared["tool"]["setuptools"]
    for package in setuptools.get("packages", []):
        shutil.copytree(project / package, site / package)
    for module in setuptools.get("py-modules", []):
        shutil.copy(project / f"{module}.py", site)
    info = site / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
    )
    entries = about["entry-points"]["gammafind"]
    lines = [f"{name} = {module}" for name, module in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[gammafind]", *lines, ""]))


def run_python(code: str, *paths: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a fresh Python that sees ``paths``; warnings are shown, not errors."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "GAMMAFIND"))}
    inherited["GAMMAFIND_CACHE"] = os.environ["GAMMAFIND_CACHE"]
    # The package under test comes first, and its metadata: others may lie next to the tests.
    own = (distribution("gammafind").locate_file(""), Path(gammafind.__file__).parents[1])
    search = os.pathsep.join(map(str, [*paths, *own, TESTS.parent]))
    inherited["PYTHONSAFEPATH"] = "1"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "PYTHONPATH": search, "PYTHONWARNINGS": "always", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
