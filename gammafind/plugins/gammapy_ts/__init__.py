"""The TS maps of gammapy."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the localiser."""
    from gammafind.plugins.gammapy_ts.localiser import GammapyTs

    return [GammapyTs]
