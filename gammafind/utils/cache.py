"""Cache on disk for arrays that take long to compute, under a key of all their inputs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from gammafind.errors import CacheWarning, GammafindError, OptionError
from gammafind.utils.files import atomic_output

CACHE_LIMIT = 2_000_000_000
"""Largest size in bytes; beyond it the least recently used files are deleted."""

_KEY = "key"
_ARRAY = "array/"
_FILE = re.compile(r"[0-9a-f]{64}\.npz")
DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and zipfile raise for a damaged file, which is then made again."""


def cached_arrays(
    key: Mapping[str, Any], compute: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return arrays from the cache, or compute and store them.

    Parameters
    ----------
    key : mapping
        Everything that the arrays depend on, as JSON values: a name, the version of the algorithm,
        options, pixels, `~gammafind.utils.files.file_checksum` of files.
    compute : callable
        Called without arguments if the cache lacks the key or the file is damaged.

    Returns
    -------
    dict of ndarray
        The same bytes, whether computed or read.

    Raises
    ------
    OptionError
        If ``key`` cannot be written as JSON, or an array holds Python objects.

    Warns
    -----
    CacheWarning
        If the arrays cannot be written: the folder is read-only, or the disk is full.

    Notes
    -----
    Files are written atomically, so several processes may share the folder. If two processes miss
    the same key, both compute it. The key is stored in the file and compared.
    """
    text = _canonical(key)
    folder = cache_folder()
    if folder is None:
        return _computed(compute)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"
    arrays = _load(path, text)
    if arrays is None:
        arrays = _computed(compute)
        _store(path, text, arrays)
    return arrays


def cache_folder() -> Path | None:
    """Folder of the cache, which may not exist yet; None if the cache is switched off.

    ``GAMMAFIND_CACHE`` names it; ``off`` or an empty value switches it off. If the variable is not
    set, it is the cache folder of the system: ``$XDG_CACHE_HOME/gammafind`` or
    ``~/.cache/gammafind``, on macOS ``~/Library/Caches/gammafind``, on Windows
    ``%LOCALAPPDATA%/gammafind/Cache``.
    """
    chosen = os.environ.get("GAMMAFIND_CACHE")
    if chosen in ("", "off"):
        return None
    try:
        if chosen is not None:
            return Path(chosen).expanduser()
        return user_cache_path("gammafind", appauthor=False)
    except RuntimeError as error:  # Of a user without a home.
        if chosen is None:
            return None
        raise OptionError(
            f"GAMMAFIND_CACHE is {chosen!r}: {error}", remedy="Name a folder, or 'off'."
        ) from None


def _canonical(key: Mapping[str, Any]) -> str:
    try:
        return json.dumps(key, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"the key of the cache is {key!r} ({error})",
            remedy="Use text, finite numbers, booleans, None, and lists and mappings of these.",
        ) from None


def _computed(compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(array) for name, array in compute().items()}
    objects = [name for name, array in arrays.items() if array.dtype.hasobject]
    if objects:
        raise OptionError(f"{', '.join(objects)} cannot be stored: arrays of Python objects")
    return arrays


def _load(path: Path, text: str) -> dict[str, np.ndarray] | None:
    """Arrays of the file; None if it is missing or damaged, or has another key.

    Each array of an NPZ file has a CRC, which is checked on reading.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if str(file[_KEY]) != text:
                return None
            names = [name for name in file.files if name.startswith(_ARRAY)]
            if not names:
                return None
            arrays = {name.removeprefix(_ARRAY): file[name] for name in names}
    except DAMAGE:
        return None
    with suppress(OSError):
        os.utime(path)
    return arrays


def _store(path: Path, text: str, arrays: Mapping[str, np.ndarray]) -> None:
    if sum(array.nbytes for array in arrays.values()) > CACHE_LIMIT:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_output(path, overwrite=True) as temporary:
            named = {f"{_ARRAY}{name}": array for name, array in arrays.items()}
            np.savez(temporary, **{_KEY: np.array(text)}, **named)
        _prune(path)
    except (OSError, GammafindError) as error:
        warnings.warn(
            f"the cache cannot be written ({error}), so the same arrays are computed each time; "
            "set GAMMAFIND_CACHE to a folder that can be written, or to 'off'",
            CacheWarning,
            stacklevel=3,
        )


def _prune(newest: Path) -> None:
    """Delete the least recently used files beyond `CACHE_LIMIT`.

    The folder may contain other files of the user: these are not touched.
    """
    files, total = [], 0
    for path in newest.parent.iterdir():
        try:
            status = path.stat()
        except OSError:
            continue
        if _FILE.fullmatch(path.name):
            files.append((status.st_mtime, status.st_size, path))
            total += status.st_size
    for _, size, path in sorted(files):
        if total <= CACHE_LIMIT:
            return
        if path != newest:
            path.unlink(missing_ok=True)
            total -= size
