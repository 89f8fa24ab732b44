"""The verb ``train``: from a recipe, stage by stage, to a folder of weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Any

from gammafind.roles.trainer import Learned, Row, Training
from gammafind.training.folders import (
    begun,
    finished,
    read_record,
    training_record,
    write_record,
)
from gammafind.training.history import HISTORY, best_row, read_history, write_history
from gammafind.training.options import at_least, of_recipe
from gammafind.training.recipe import Recipe, read_recipe
from gammafind.utils.claims import claimed_folder
from gammafind.utils.files import named_folder

RECIPE = "recipe.toml"
"""Copy of the recipe in the folder of weights."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What a training left.

    Attributes
    ----------
    recipe : Recipe
        Last stage.
    weights : Path
        Folder of weights, for the option ``weights`` of the plugin that was trained.
    history : list of Row
        One row an epoch; with ``stage``, from 1, where the recipe has several.
    test_loss : float or None
        Of the weights that are kept, on the catalogues of the test.
    n_made : int
        Catalogues that were not there before.
    seconds : float
        Wall-clock time of this run.
    """

    recipe: Recipe
    weights: Path
    history: list[Row]
    test_loss: float | None
    n_made: int
    seconds: float


def train(
    recipe: str | PathLike,
    output: str | PathLike,
    *,
    role: str | None = None,
    resume: bool = False,
    workers: int = 1,
    command: str = "",
) -> Trained:
    r"""Train the plugin that a recipe names.

    Parameters
    ----------
    recipe : path-like
        TOML; see `gammafind.training.recipe`.
    output : path-like
        Folder of the training, made if it is not there. Its folder ``weights`` appears as the
        last act; it is the option ``weights`` of the plugin.
    role : {"localiser", "classifier"}, optional
        What is trained; by default what the recipe says.
    resume : bool
        Do what is not done yet of the training in the folder, if there is one.
    workers : int
        Processes that render catalogues, and threads that draw batches. What comes out does not
        depend on it.
    command : str
        Command line, for the record; empty where it is called from Python.

    Returns
    -------
    Trained

    Raises
    ------
    MissingFileError
        If there is no such recipe.
    ConfigError
        If a key of the recipe is unknown or missing, a value cannot be, or a stage does not fit
        the one before.
    MissingBackendError
        If a library is missing that is needed now or at the end.
    OutputError
        If the folder holds a training already and ``resume`` is false, or one of other settings.

    Examples
    --------
    A recipe is read before anything is made:

    >>> import tempfile
    >>> from pathlib import Path
    >>> import gammafind
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recipe = Path(folder) / "recipe.toml"
    ...     _ = recipe.write_text('[training]\npreset = "fermi-lat"\nepohcs = 3')
    ...     try:
    ...         gammafind.train(recipe, f"{folder}/trained")
    ...     except gammafind.GammafindError as error:
    ...         print(error.fault)
    unknown key [training] epohcs (did you mean 'epochs'?)
    """
    start = perf_counter()
    stages = read_recipe(recipe, role)
    folder, last = named_folder(output), stages[-1]
    at_least("workers", workers, 1)
    trainings = _prepared(stages, folder)
    places = _places(folder, len(stages))
    record = training_record(
        _settings(trainings),
        preset=last.preset.name,
        used=trainings[-1].used,
        seed=last.seed,
        command=command,
    )
    made, weights = 0, folder / "weights"

    def finish(part: Path) -> None:
        settings = [_plain(training.settings) for training in trainings]
        learned = Learned(
            folder=places[-1], record=record, stages=list(zip(settings, histories, strict=True))
        )
        result = trainings[-1].finish(part, learned, workers=workers)
        shutil.copyfile(folder / HISTORY, part / HISTORY)
        shutil.copyfile(last.source, part / RECIPE)
        best = best_row(histories[-1])["epoch"]
        write_record(folder, _plain({**record, "best_epoch": best, **result}))

    with (
        of_recipe(last.source),
        claimed_folder(folder),
        begun(folder, record, stages=places, resume=resume),
    ):
        if not weights.exists():
            made = sum(training.make_data(workers) for training in trainings)
            histories = _learned(trainings, places, resume=resume, workers=workers)
            write_history(_joined(histories), folder)
            finished(weights, finish)
        history, test_loss = read_history(folder), read_record(folder).get("test_loss")
    return Trained(
        recipe=last,
        weights=weights,
        history=history,
        test_loss=test_loss,
        n_made=made,
        seconds=perf_counter() - start,
    )


def _prepared(stages: Sequence[Recipe], folder: Path) -> list[Training]:
    """Trainings of all stages, after a check that each can start and finish."""
    names = [f"stage {n}" if len(stages) > 1 else "" for n in range(1, len(stages) + 1)]
    trainings: list[Training] = []
    for name, recipe in zip(names, stages, strict=True):
        with of_recipe(recipe.source, name):
            trainings.append(recipe.prepare(folder))
    before = [None, *trainings[:-1]]
    for name, recipe, training, last in zip(names, stages, trainings, before, strict=True):
        with of_recipe(recipe.source, name):
            training.check(last)
    return trainings


def _places(folder: Path, n: int) -> list[Path]:
    """Folder of each stage; that of a training of one stage is the whole."""
    return [folder / f"stage-{number}" for number in range(1, n + 1)] if n > 1 else [folder]


def _settings(trainings: Sequence[Training]) -> dict[str, Any]:
    """Settings of a training of one stage, or those of each stage."""
    if len(trainings) == 1:
        return dict(trainings[0].settings)
    return {f"stage {i}": dict(one.settings) for i, one in enumerate(trainings, start=1)}


def _learned(
    trainings: Sequence[Training], places: Sequence[Path], *, resume: bool, workers: int
) -> list[Sequence[Row]]:
    """Take each stage to its end, and return the histories."""
    histories, before = [], None
    for training, place in zip(trainings, places, strict=True):
        place.mkdir(exist_ok=True)
        histories.append(training.learn(place, before=before, resume=resume, workers=workers))
        before = place
    return histories


def _joined(histories: Sequence[Sequence[Row]]) -> list[Row]:
    """Histories of all stages; where there are several each row says which."""
    if len(histories) == 1:
        return list(histories[0])
    return [{"stage": i, **row} for i, rows in enumerate(histories, start=1) for row in rows]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON gives them back."""
    return json.loads(json.dumps(values))
