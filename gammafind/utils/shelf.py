"""Large objects on disk, one of them in memory at a time."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir
from types import TracebackType
from typing import Generic, Self, TypeVar

from gammafind.utils.files import naming_output
from gammafind.utils.locks import living_folder, sweep

T = TypeVar("T")

_PREFIX = "gammafind-"
"""Of the names of the temporary folders, by which those of killed runs are found."""


class Shelf(Generic[T]):
    """Objects that are kept in a temporary folder, and read one after the other.

    Parameters
    ----------
    objects : iterable
        Each is written before the next is made.

    Examples
    --------
    >>> from gammafind.utils.shelf import Shelf
    >>> with Shelf(range(3)) as shelf:
    ...     print(sum(shelf), sum(shelf))
    3 3
    """

    def __init__(self, objects: Iterable[T]) -> None:
        sweep(Path(gettempdir()), prefix=_PREFIX)
        self._opened = ExitStack()
        self._folder = self._opened.enter_context(living_folder(Path(gettempdir()), _PREFIX))
        self._paths: list[Path] = []
        for number, one in enumerate(objects):
            path = self._folder / f"{number}.pickle"
            with naming_output(path), path.open("wb") as file:
                pickle.dump(one, file, protocol=pickle.HIGHEST_PROTOCOL)
            self._paths.append(path)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[T]:
        for path in self._paths:
            with path.open("rb") as file:
                yield pickle.load(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()
