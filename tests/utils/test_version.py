"""What records say of the code that made a product."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import gammafind
from gammafind.utils import version


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose package was installed long ago, and a function that runs git in it."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")

    def git(*arguments: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    package = tmp_path / "gammafind" / "__init__.py"
    package.parent.mkdir()
    package.write_text("")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    monkeypatch.setattr(gammafind, "__file__", str(package))
    monkeypatch.setattr(gammafind, "__version__", "1.2.dev3+gstale")
    version.running_version.cache_clear()
    yield git
    version.running_version.cache_clear()


def test_a_checkout_is_named_by_its_commit_and_not_by_that_of_its_installation(checkout):
    commit = checkout("rev-parse", "HEAD")[:9]
    assert version.running_version() == f"1.2.dev3 (commit {commit})"


def test_changes_since_the_commit_are_said(checkout):
    Path(gammafind.__file__).write_text("changed = True\n")
    assert version.running_version().endswith(", changed)")


def test_a_package_without_a_checkout_has_its_own_version(checkout):
    shutil.rmtree(Path(gammafind.__file__).parents[1] / ".git")
    assert version.running_version() == "1.2.dev3+gstale"


def test_without_git_it_is_the_version_of_the_package(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert version.running_version() == "1.2.dev3+gstale"


def test_products_are_recorded_with_the_running_version(checkout):
    from gammafind.roles.provenance import provenance

    record = provenance(preset="", used={}, inputs=[], seed=0)
    assert record["creator"] == f"gammafind {version.running_version()}"
