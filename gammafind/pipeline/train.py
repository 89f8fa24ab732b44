"""The verb ``train``: from a recipe to a folder of weights."""

from __future__ import annotations

from os import PathLike

from gammafind.training.recipe import read_recipe
from gammafind.training.run import Trained, run_training

__all__ = ["train"]


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
        If a key of the recipe is unknown or missing, or a value cannot be.
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
    stages = read_recipe(recipe, role)
    return run_training(stages, output, resume=resume, workers=workers, command=command)
