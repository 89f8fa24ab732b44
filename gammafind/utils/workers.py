"""Work distributed among processes; results do not depend on their number."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from gammafind.errors import OptionError, WorkerError

T = TypeVar("T")
R = TypeVar("R")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "DUCC0_NUM_THREADS")
"""Environment variables that set the number of threads of the libraries in each process."""

_QUEUED = 2
"""Items a process that wait or run at once: no process is idle, and few items take memory."""

_task: Callable[[Any], Any]
"""In a worker process, the function that it applies to each item."""


def in_threads(task: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yield ``task(item)`` for each item, in order, with one thread per core.

    Parameters
    ----------
    task : callable
        Spends its time in numpy and scipy, which release the GIL.
    items : sequence
    """
    with ThreadPoolExecutor(max(1, min(_cores(), len(items)))) as pool:
        yield from pool.map(task, items)


def run_tasks(task: Callable[[T], R], items: Sequence[T], *, workers: int = 1) -> Iterator[R]:
    """Yield ``task(item)`` for each item, in order of completion.

    With one worker the work runs in this process, in order. With more workers it runs in new
    processes, which share the cores, forward their warnings, and end with this process.

    Parameters
    ----------
    task : callable
        Must be picklable; each process keeps one copy.
    items : sequence
        Must be picklable.
    workers : int
        Number of processes.

    Raises
    ------
    OptionError
        If ``workers`` is less than one.
    WorkerError
        If a process ends before its work is complete.
    Exception
        Any exception of ``task``; items that were not started are skipped.
    """
    if workers < 1:
        raise OptionError(f"{workers} workers", remedy="At least one is needed.")
    if workers == 1 or len(items) < 2:
        yield from map(task, items)
    else:
        yield from _run_in_processes(task, items, min(workers, len(items)))


def _run_in_processes(task: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    context = multiprocessing.get_context("spawn")
    with _threads_for_each(workers):
        pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(task,))
        try:
            rest = iter(items)
            with _interrupts_wait():
                running = {pool.submit(_do, item) for item in islice(rest, _QUEUED * workers)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(_do, item) for item in islice(rest, len(done))}
                for future in done:
                    result, warned = future.result()
                    for warning in warned:
                        warnings.warn(warning, stacklevel=2)
                    yield result
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process ended before its work was complete",
                remedy="If memory ran out, use fewer workers. A script that starts workers "
                "must keep its own work under if __name__ == '__main__'.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back while processes start: they inherit this until they can end quietly."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _threads_for_each(workers: int) -> Iterator[None]:
    """Let new processes share the cores; a smaller number in the environment is kept."""
    share = max(1, _cores() // workers)
    before = {name: os.environ.get(name) for name in _THREADS}
    for name, value in before.items():
        given = int(value) if value and value.isdigit() else share
        os.environ[name] = str(min(share, given or share))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin(task: Callable[[Any], Any]) -> None:
    """Prepare a worker process."""
    global _task
    _task = task
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no worker behind when the process that started it is killed."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _do(item: Any) -> tuple[Any, list[Warning]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _task(item)
    return result, [entry.message for entry in caught]
