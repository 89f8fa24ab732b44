"""The distributions hold what the program needs, and what is said twice agrees."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

NOT_COPIED = shutil.ignore_patterns(
    ".*", "*.egg-info", "__pycache__", "_version.py", "build", "dist", "_build", "gammafind-demo"
)


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    """Content of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def distributions(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with wheel and sdist, built without network from a tree without git, as a tarball."""
    folder = tmp_path_factory.mktemp("packaging")
    tree = folder / "gammafind-source"
    shutil.copytree(root, tree, ignore=NOT_COPIED)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, tree]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> zipfile.ZipFile:
    """The wheel, open."""
    (path,) = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        yield file


def package_files(root: Path) -> set[str]:
    """Files of the package in the source tree, by their names in a wheel."""
    return {
        path.relative_to(root).as_posix()
        for path in (root / "gammafind").rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != "_version.py"
    }


def test_wheel_holds_every_file_of_the_package(root: Path, wheel: zipfile.ZipFile) -> None:
    assert package_files(root) - set(wheel.namelist()) == set()


def test_wheel_holds_the_embedded_tables(wheel: zipfile.ZipFile) -> None:
    tables = [name for name in wheel.namelist() if name.endswith(".fits.gz")]
    assert "gammafind/plugins/fermi_lat/data/4fgl_dr2.fits.gz" in tables
    assert sum(wheel.getinfo(name).file_size for name in tables) > 1e6


def test_wheel_holds_only_the_package(wheel: zipfile.ZipFile) -> None:
    folders = {name.split("/")[0] for name in wheel.namelist()}
    assert {re.sub(r"-.*\.", ".", name) for name in folders} == {"gammafind", "gammafind.dist-info"}


def test_wheel_holds_the_licences(root: Path, wheel: zipfile.ZipFile) -> None:
    held = {Path(name).name for name in wheel.namelist() if "/licenses/" in name}
    assert held == {path.name for path in (root / "licenses").iterdir()}


def test_sdist_builds_the_same_wheel(
    distributions: Path, wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as file:
        names = {name.split("/", 1)[1] for name in file.getnames() if "/" in name}
    assert {name for name in wheel.namelist() if name.startswith("gammafind/")} <= names
    assert {"pyproject.toml", "README.md", "licenses/LICENSE.rst"} <= names


def test_distributions_are_as_large_as_the_page_for_reviewers_says(
    root: Path, distributions: Path
) -> None:
    page = (root / "docs" / "reviewers.md").read_text()
    stated = re.search(r"wheel ([\d.]+) MB, sdist ([\d.]+) MB", page)
    for pattern, megabytes in zip(("*.whl", "*.tar.gz"), stated.groups(), strict=True):
        (path,) = distributions.glob(pattern)
        assert path.stat().st_size / 1e6 < 1.1 * float(megabytes), path.name


def test_version_without_git_is_the_fallback(wheel: zipfile.ZipFile, project: dict) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Version"] == project["tool"]["setuptools_scm"]["fallback_version"]
    assert metadata["License-Expression"] == "BSD-3-Clause"


def test_every_embedded_file_has_its_origin_under_licenses(root: Path) -> None:
    told = "".join(path.read_text() for path in (root / "licenses").glob("*.rst"))
    embedded = [path for path in (root / "gammafind").rglob("data/*.fits.gz")]
    assert [path.name for path in embedded if path.name not in told] == []
    assert embedded


def bounds_of(requirements: list[str]) -> dict[str, str]:
    """Lower bound of each package."""
    return dict(requirement.split(">=") for requirement in requirements)


def test_oldest_dependencies_are_the_lower_bounds(root: Path, project: dict) -> None:
    pinned = dict(re.findall(r"^    ([a-z0-9-]+)==(\S+)$", (root / "tox.ini").read_text(), re.M))
    core = bounds_of(project["project"]["dependencies"])
    train = bounds_of(project["project"]["optional-dependencies"]["train"])
    assert core.keys() < pinned.keys() < (core | train).keys()
    for name, version in pinned.items():
        assert f"{version}.".startswith(f"{(core | train)[name]}."), name


def test_pre_commit_uses_the_versions_of_codestyle(root: Path, project: dict) -> None:
    hooks = (root / ".pre-commit-config.yaml").read_text()
    used = set(re.findall(r'additional_dependencies: \["(\S+)"\]', hooks))
    assert used == set(project["dependency-groups"]["codestyle"])


def test_what_trains_networks_is_no_core_dependency(project: dict) -> None:
    core = bounds_of(project["project"]["dependencies"])
    train = bounds_of(project["project"]["optional-dependencies"]["train"])
    assert core.keys().isdisjoint({*train, "torch", "jax", "tensorflow"})


def test_gammapy_dask_and_galsim_are_no_core_dependencies(project: dict) -> None:
    core = bounds_of(project["project"]["dependencies"])
    assert core.keys().isdisjoint({"gammapy", "dask", "galsim"})


def test_the_old_name_of_the_extra_for_training_works(project: dict) -> None:
    assert project["project"]["optional-dependencies"]["onnx"] == ["gammafind[train]"]


def test_command_line_of_the_installed_package() -> None:
    command = [Path(sys.executable).with_name("gammafind"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "usage: gammafind" in done.stdout
