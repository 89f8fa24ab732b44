"""Standard output and error, also where they are closed, full, or cannot show a mark."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def mend_streams() -> None:
    """Give closed streams to nobody, and let names that are no UTF-8 be printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The next file that is opened would otherwise be the standard output.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))
    with suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def drop(stream: TextIO) -> None:
    """Let the interpreter flush a stream into nothing when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_broken(stream: TextIO) -> bool:
    """Whether a stream cannot be written."""
    try:
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def drop_if_broken(stream: TextIO) -> None:
    """`drop` a stream that cannot be written."""
    if is_broken(stream):
        drop(stream)
