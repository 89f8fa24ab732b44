"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def close_match(name: str, known: Iterable[str]) -> str:
    """Text ``" (did you mean ...?)"`` with the nearest known name, empty if none is close."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
