"""A localiser of a third party is trained by ``gammafind train``, and searches."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.contracts.installed import TESTS, install, run_python

COMMANDS = """
from gammafind.cli.main import main

for line in {lines!r}:
    assert main(line.split()) == 0, line
"""
EXAMPLE = TESTS / "example_trainable"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    install(TESTS / "example_plugin", path)
    install(EXAMPLE, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with the recipe and the preset."""
    for name in ("recipe.toml", "radio.toml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def run(site: Path, folder: Path, *lines: str, **environment: str):
    code = f"import os; os.chdir({str(folder)!r})\n{COMMANDS.format(lines=lines)}"
    return run_python(code, site, PYTHONWARNINGS="error", **environment)


def test_it_learns_and_searches(site, folder):
    options = "--preset radio.toml --option localiser.weights=net/weights"
    done = run(
        site,
        folder,
        "train recipe.toml -o net",
        "simulate --preset radio.toml --seed 9 -o skies",
        f"detect skies/catalogue-0000/counts_nside32.fits {options} -o found.ecsv",
        "evaluate found.ecsv skies/catalogue-0000/sources.fits",
        "train localiser recipe.toml -o net --resume",
    )
    assert done.returncode == 0, done.stderr
    assert "--localiser bright-pixels --option localiser.weights=net/weights" in done.stdout
    slope, offset = json.loads((folder / "net/weights/curve.json").read_text())
    assert slope > 0 > offset
    record = json.loads((folder / "net/training.json").read_text())
    assert record["settings"]["trained"] == "localiser bright-pixels"
    assert 0 < record["test_loss"] < 0.1
    assert sorted(path.name for path in (folder / "net/weights").iterdir()) == [
        "card.md",
        "curve.json",
        "history.ecsv",
        "recipe.toml",
    ]


def test_its_stages_go_on_from_each_other(site, folder):
    with (folder / "recipe.toml").open("a") as recipe:
        recipe.write("\n[[stage]]\ntraining = { steps = 1 }\n[[stage]]\ntraining = { steps = 2 }\n")
    done = run(site, folder, "train recipe.toml -o net")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((folder / f"net/stage-{i}/curve.json").read_text()) for i in (1, 2))
    assert first != second
    assert json.loads((folder / "net/weights/curve.json").read_text()) == second


def test_faults_of_its_recipe_are_named(site, folder):
    text = (folder / "recipe.toml").read_text()
    (folder / "recipe.toml").write_text(text.replace("steps", "stpes"))
    done = run(site, folder, "train recipe.toml -o net")
    assert "unknown key [training] stpes (did you mean 'steps'?)" in done.stderr
    assert not (folder / "net").exists()


def test_it_keeps_the_contract_of_its_roles(site):
    code = """
from gammafind import get_plugin
from gammafind.testing import check_localiser, check_population
check_localiser(get_plugin("localiser", "bright-pixels"))
check_population(get_plugin("population", "beacons"))
"""
    done = run_python(code, site, PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr
