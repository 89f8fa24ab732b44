"""The recipe next to each shipped network trains that network again, and the card adds it up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gammafind
from gammafind.networks.folder import CARD
from gammafind.pipeline.train import RECIPE
from gammafind.roles.trainer import Learned
from gammafind.training.card import hours
from gammafind.training.history import HISTORY, best_row, read_history
from gammafind.training.recipe import read_recipe

ROOT = Path(gammafind.__file__).parent
FOLDERS = sorted(path.parent for path in ROOT.glob("plugins/*/weights/*/architecture.json"))
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "train.md"


def rows_of(card: str) -> dict[str, str]:
    """First table of a card."""
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]*) \|$", card, flags=re.MULTILINE))


def listed(values) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def name_of(folder: Path) -> str:
    return f"{folder.parents[1].name}/{folder.name}"


@pytest.fixture(scope="module", params=FOLDERS, ids=name_of)
def shipped(request, tmp_path_factory):
    """Folder, trainings of the stages, and rows of the card."""
    folder = request.param
    stages = read_recipe(folder / RECIPE)
    trainings = [stage.prepare(tmp_path_factory.getbasetemp() / "net") for stage in stages]
    return folder, trainings, rows_of((folder / CARD).read_text())


def test_every_shipped_network_has_one_recipe():
    assert len(FOLDERS) >= 9
    assert all((path / RECIPE).exists() and (path / CARD).exists() for path in FOLDERS)


def test_the_card_says_what_the_last_stage_of_the_recipe_says(shipped):
    _, trainings, card = shipped
    settings = trainings[-1].settings
    assert card["preset"] == settings["preset"]
    for name in ("network", "training", "targets", "loss", "samples", "detections", "draw"):
        if name in settings:
            assert card[name] == listed(settings[name])
    data = settings["data"]
    assert card["seed"] == str(settings["seed"])
    assert card["catalogues"] == (
        f"{data['train']} for training, {data['validation']} for validation, "
        f"{data['test']} for the test, seed {data['seed']}"
    )


def test_the_stages_add_up_to_what_the_card_says(shipped):
    folder, trainings, card = shipped
    if not (folder / HISTORY).exists():
        pytest.skip("the history was not kept")
    rows = read_history(folder)
    histories = [
        [row for row in rows if row.get("stage", 1) == number]
        for number in range(1, len(trainings) + 1)
    ]
    assert sum(map(len, histories)) == len(rows)
    for training, history in zip(trainings, histories, strict=True):
        n_epochs = training.options.training.n_epochs
        assert [row["epoch"] for row in history] == list(range(1, n_epochs + 1))
    learned = Learned(
        folder=folder,
        record={},
        stages=[(one.settings, rows) for one, rows in zip(trainings, histories, strict=True)],
    )
    assert card["hours"] == f"{hours(learned)}, on torch"
    assert card["weights"].startswith(f"of epoch {best_row(histories[-1])['epoch']},")
    if "patches seen" in card:
        batches = [one.options.batches for one in trainings]
        seen = sum(
            len(h) * (b.patches_per_epoch // b.batch_size) * b.batch_size
            for h, b in zip(histories, batches, strict=True)
        )
        assert card["patches seen"].startswith(f"{seen:,} in {len(rows)} epochs")


def test_a_stage_ends_with_its_learning_rate_unless_it_was_stopped(shipped):
    folder, trainings, _ = shipped
    if not (folder / HISTORY).exists():
        pytest.skip("the history was not kept")
    rows = read_history(folder)
    for number, training in enumerate(trainings, start=1):
        last = [row for row in rows if row.get("stage", 1) == number][-1]
        assert (last["learning_rate"] == 0) == (training.options.training.stop_after == 0)


def test_the_card_names_no_version_that_did_not_make_it(shipped):
    made_by = r"a development version before release( \(commit [0-9a-f]{9}\))?, 2026"
    assert re.match(made_by, shipped[2]["made by"])


def test_the_guide_says_how_long_each_takes(shipped):
    folder, _, card = shipped
    place = folder.relative_to(ROOT.parent).as_posix()
    (row,) = [line for line in GUIDE.read_text().splitlines() if f"`{place}/" in line]
    assert f"| {card['hours'].split(',')[0]} |" in row
