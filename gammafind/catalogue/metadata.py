"""The metadata of catalogues of gammafind, whose entries have known types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from astropy.units import Quantity

from gammafind.errors import TableError


def check_metadata(meta: Mapping[str, Any]) -> None:
    """Refuse entries that would be taken for something else where they are used.

    Parameters
    ----------
    meta : mapping
        Of a table; entries of other names may hold anything.

    Raises
    ------
    TableError
    """
    for name, (is_right, wanted) in _KNOWN.items():
        if name in meta and not is_right(meta[name]):
            raise TableError(
                f"the entry {name} of the metadata is {meta[name]!r}",
                remedy=f"It must be {wanted}; remove it if it is not known.",
            )


def _is_number_or_none(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (plain and bool(np.isfinite(value)))


def _is_angle(value: Any) -> bool:
    try:
        angle = Quantity(value).to_value("deg") if isinstance(value, str) else np.nan
    except (TypeError, ValueError):
        return False
    return bool(0 < angle <= 180)


def _are_plugins(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, Mapping) and {"role", "name"} <= set(one) for one in value
    )


_KNOWN: dict[str, tuple[Callable[[Any], bool], str]] = {
    "plugins": (_are_plugins, "a list of mappings with role and name"),
    "match_radius": (_is_angle, "an angle with its unit, such as '0.3 deg'"),
    "min_score": (_is_number_or_none, "a finite number"),
    "max_fake": (_is_number_or_none, "a finite number"),
}
