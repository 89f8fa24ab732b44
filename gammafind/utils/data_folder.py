"""The folder of files that were fetched, which is kept until the user deletes it."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from platformdirs import user_data_path

from gammafind.errors import OptionError
from gammafind.utils.files import split_hdu

_PACKED = ".gz"


def data_folder() -> Path:
    """Folder of fetched files, which may not exist yet.

    ``GAMMAFIND_DATA`` names it. If the variable is not set, it is the data folder of the system:
    ``$XDG_DATA_HOME/gammafind`` or ``~/.local/share/gammafind``, on macOS
    ``~/Library/Application Support/gammafind``, on Windows ``%LOCALAPPDATA%/gammafind``.
    """
    chosen = os.environ.get("GAMMAFIND_DATA")
    try:
        if chosen:
            return Path(chosen).expanduser()
        return user_data_path("gammafind", appauthor=False)
    except RuntimeError as error:  # Of a user without a home.
        raise OptionError(
            f"the folder of fetched files is not known: {error}", remedy="Set GAMMAFIND_DATA."
        ) from None


def located(path: str | PathLike) -> Path:
    """Find a file: where the path says or, for a name without a folder, among fetched files.

    Parameters
    ----------
    path : path-like
        An HDU in brackets after the name stays there.

    Returns
    -------
    Path
        As given if there is no such file in either place.
    """
    given, hdu = split_hdu(path)
    if hdu:
        return Path(f"{located(given)}[{hdu}]")
    if given.name != str(given) or os.path.lexists(given):
        return given
    try:
        folder = data_folder()
    except OptionError:
        return given
    kept = [folder / name for name in (given.name, f"{given.name}{_PACKED}")]
    return next((one for one in kept if os.path.isfile(one)), given)
