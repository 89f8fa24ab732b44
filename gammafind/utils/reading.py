"""Whatever goes wrong while a file is read becomes an error of ours that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from gammafind.errors import (
    FileFormatError,
    GammafindError,
    GammafindWarning,
    InputFileError,
    MissingFileError,
)
from gammafind.utils.files import of_file


@contextmanager
def reading(
    path: str | PathLike,
    fault: str = "the file is damaged",
    *,
    kind: type[GammafindError] = FileFormatError,
    remedy: str | None = None,
) -> Iterator[None]:
    """Convert every exception of a reader to a named error.

    Libraries raise errors of any class for damaged files. Errors of ours keep their class, and get
    the name of the file where they have none.

    Parameters
    ----------
    path : path-like
    fault : str
        What is wrong where a library fails; its message follows in brackets.
    kind : type
        Of the error where a library fails.
    remedy : str, optional
        For that error.

    Raises
    ------
    MissingFileError
        If the system refuses to read on.
    InputFileError
        If the memory does not suffice.
    kind
        For all else.
    """
    try:
        with of_file(path):
            yield
    except (GammafindError, GammafindWarning):
        raise
    except MemoryError as error:
        raise InputFileError(
            "the file needs more memory than there is",
            path=path,
            remedy="Read a smaller part of it, or free some memory.",
        ) from error
    except RecursionError as error:
        raise kind(f"{fault} (it is nested too deeply)", path=path, remedy=remedy) from error
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise MissingFileError(
                f"the file cannot be read ({error.strerror})", path=path
            ) from error
        said = str(error).strip() or type(error).__name__
        raise kind(f"{fault} ({said})", path=path, remedy=remedy) from error
