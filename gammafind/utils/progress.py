"""Progress bars of long computations; silent unless switched on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO, TypeVar

T = TypeVar("T")

_log = logging.getLogger("gammafind")
_stream: ContextVar[TextIO | None] = ContextVar("progress stream", default=None)


@contextmanager
def progress_bars(stream: TextIO) -> Iterator[None]:
    """Show the progress of everything that runs within the block.

    Parameters
    ----------
    stream : text stream
        Where the bars are drawn; nothing is drawn if it is not a terminal.
    """
    token = _stream.set(stream if stream.isatty() else None)
    try:
        yield
    finally:
        _stream.reset(token)


def track(items: Iterable[T], what: str, *, total: int | None = None) -> Iterator[T]:
    """Yield ``items`` and show how many are done.

    Parameters
    ----------
    items : iterable
    what : str
        Name of the work, as a noun phrase: ``"search"``.
    total : int, optional
        Number of items, if ``len`` does not give it.
    """
    stream = _stream.get()
    if stream is None:
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, desc=what, total=total, file=stream, leave=False, dynamic_ncols=True)


@contextmanager
def byte_bar(what: str, *, total: int = 0) -> Iterator[Callable[[int], None]]:
    """Show how many bytes there are.

    Parameters
    ----------
    what : str
        Name of the file.
    total : int
        Bytes of the whole; 0 where they are not known.

    Yields
    ------
    callable
        Called with the number of bytes that there are so far.
    """
    stream = _stream.get()
    if stream is None:
        yield lambda done: None
        return
    from tqdm import tqdm

    units = {"unit": "B", "unit_scale": True, "dynamic_ncols": True}
    with tqdm(desc=what, total=total or None, file=stream, leave=False, **units) as bar:
        yield lambda done: bar.update(done - bar.n)


@contextmanager
def stage(what: str) -> Iterator[None]:
    """Show the name of a step while it runs, and log its duration.

    Parameters
    ----------
    what : str
        Name of the step: ``"reading the maps"``.
    """
    start = time.perf_counter()
    stream = _stream.get()
    if stream is None:
        yield
    else:
        from tqdm import tqdm

        with tqdm(desc=what, file=stream, leave=False, bar_format="{desc} ..."):
            yield
    _log.debug("%s: %.1f s", what, time.perf_counter() - start)
