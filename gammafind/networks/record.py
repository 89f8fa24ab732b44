"""What a network is for, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeVar

from astropy.units import Quantity

from gammafind.errors import FileFormatError, GammafindError, WeightsError
from gammafind.sky.bands import Band
from gammafind.utils.files import atomic_output, check_input

__all__ = ["ARCHITECTURE", "read_record", "write_record"]

ARCHITECTURE = "architecture.json"
"""Name of the file in a folder of weights."""

_FORMAT = 1

T = TypeVar("T")


def write_record(
    path: str | PathLike, bands: Sequence[Band], record: Mapping[str, Any], *, overwrite: bool
) -> None:
    """Write the architecture of a network as JSON.

    Parameters
    ----------
    path : path-like
    bands : sequence of Band
    record : mapping
        All else.
    overwrite : bool

    Raises
    ------
    OutputError
        As `gammafind.utils.files.check_output`.
    """
    listed = [{"name": band.name, "low": str(band.low), "high": str(band.high)} for band in bands]
    whole = {"format": _FORMAT, **record, "bands": listed}
    with atomic_output(path, overwrite) as temporary:
        temporary.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def read_record(
    path: str | PathLike, make: Callable[[tuple[Band, ...], dict[str, Any]], T], *, what: str
) -> T:
    """Read what `write_record` wrote.

    Parameters
    ----------
    path : path-like
    make : callable
        Makes the architecture of the bands and of all else.
    what : str
        What the file describes, for messages.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If there is no such file, or it is empty.
    WeightsError
        If it is not what `write_record` writes.
    """
    path = check_input(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format") != _FORMAT:
            raise WeightsError("is of another format")
        bands = tuple(
            Band(one["name"], Quantity(one["low"]), Quantity(one["high"]))
            for one in record.pop("bands")
        )
        return make(bands, record)
    except FileFormatError as error:
        raise WeightsError(error.fault, path=path, remedy=error.remedy) from error
    except (ValueError, LookupError, TypeError, AttributeError, GammafindError) as error:
        raise WeightsError(
            f"does not describe a {what} ({error})",
            path=path,
            remedy=f"It must be the {ARCHITECTURE} of a weights folder.",
        ) from error
