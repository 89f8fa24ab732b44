"""Arrays that take long to compute, kept on disk under a key of everything they depend on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
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

__all__ = ["CACHE_LIMIT", "cache_folder", "cached_arrays"]

CACHE_LIMIT = 2_000_000_000
"""Size in bytes beyond which the files used longest ago are deleted."""

_KEY = "key"
_ARRAY = "array/"
_STALE = 24 * 3600.0
_FILE = re.compile(r"[0-9a-f]{64}\.npz")
_LEFT = re.compile(r"\.[0-9a-f]{64}\.npz\..+")
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def cached_arrays(
    key: Mapping[str, Any], compute: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return arrays from the cache, or compute and keep them.

    Parameters
    ----------
    key : mapping
        Everything that the arrays depend on, of what JSON can hold: what they are, the version
        of the algorithm, options, pixels, `~gammafind.utils.files.file_checksum` of files.
    compute : callable
        Called without arguments where the cache does not hold the key, or a damaged file.

    Returns
    -------
    dict of ndarray
        The same bytes whether they were computed or read.

    Raises
    ------
    OptionError
        If JSON cannot hold ``key``, or an array holds Python objects.

    Warns
    -----
    CacheWarning
        If the arrays cannot be written: the folder is read-only, or the disk full.

    Notes
    -----
    Files appear whole or not at all, so that processes may share the folder; two that miss the
    same key both compute it. The key is kept in the file and compared.
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
    """Folder of the cache, which need not exist; None where it is switched off.

    ``GAMMAFIND_CACHE`` names it; ``off`` or nothing switches it off. Where that variable is not
    set it is the folder for caches of the system: ``$XDG_CACHE_HOME/gammafind`` or
    ``~/.cache/gammafind``, on macOS ``~/Library/Caches/gammafind``, on Windows
    ``%LOCALAPPDATA%/gammafind/Cache``.
    """
    chosen = os.environ.get("GAMMAFIND_CACHE")
    if chosen is not None:
        return None if chosen in ("", "off") else Path(chosen).expanduser()
    return user_cache_path("gammafind", appauthor=False)


def _canonical(key: Mapping[str, Any]) -> str:
    try:
        return json.dumps(key, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"the key of the cache is {key!r} ({error})",
            remedy="It holds text, finite numbers, booleans, None, lists and mappings of these.",
        ) from None


def _computed(compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    arrays = {name: np.asarray(array) for name, array in compute().items()}
    objects = [name for name, array in arrays.items() if array.dtype.hasobject]
    if objects:
        raise OptionError(f"{', '.join(objects)} cannot be kept: arrays of Python objects")
    return arrays


def _load(path: Path, text: str) -> dict[str, np.ndarray] | None:
    """Arrays of the file; None if it is missing, damaged or of another key.

    Each array of an NPZ file carries a CRC, which is compared as it is read.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if str(file[_KEY]) != text:
                return None
            names = [name for name in file.files if name.startswith(_ARRAY)]
            arrays = {name.removeprefix(_ARRAY): file[name] for name in names}
    except _DAMAGE:
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
            f"the cache cannot be written ({error}), so that the same is computed each time; set "
            "GAMMAFIND_CACHE to a folder that can, or to 'off'",
            CacheWarning,
            stacklevel=3,
        )


def _prune(newest: Path) -> None:
    """Delete what was used longest ago beyond `CACHE_LIMIT`, and what killed processes left.

    A user may have named a folder that holds other things: these are left alone.
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
        elif _LEFT.fullmatch(path.name) and time.time() > status.st_mtime + _STALE:
            shutil.rmtree(path, ignore_errors=True)
    for _, size, path in sorted(files):
        if total <= CACHE_LIMIT:
            return
        if path != newest:
            path.unlink(missing_ok=True)
            total -= size
