"""The classical localiser: a Poisson likelihood-ratio map."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the likelihood localiser."""
    from gammafind.plugins.likelihood.localiser import Likelihood

    return [Likelihood]
