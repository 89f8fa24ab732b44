"""Common finders for optical images, as localisers."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the finders."""
    from gammafind.plugins.image_finders.daofind import DaoFind
    from gammafind.plugins.image_finders.sep import SourceExtractor

    return [SourceExtractor, DaoFind]
