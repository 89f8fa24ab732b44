"""The Fermi Large Area Telescope: responses, catalogues, diffuse emission, renderer."""

from __future__ import annotations

from gammafind.hookspecs import hookimpl
from gammafind.interfaces import SkyRenderer

__all__ = ["gammafind_renderers"]


@hookimpl
def gammafind_renderers() -> list[type[SkyRenderer]]:
    """Return the LAT renderer."""
    from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer

    return [FermiLatRenderer]
