"""MeerLICHT and similar optical cameras: stars and galaxies, the camera, its artefacts."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer

__all__ = ["gammafind_populations", "gammafind_renderers"]


@hookimpl
def gammafind_populations() -> list[type[SourcePopulation]]:
    """Return the field of stars and galaxies."""
    from gammafind.plugins.meerlicht.population import MeerlichtField

    return [MeerlichtField]


@hookimpl
def gammafind_renderers() -> list[type[SkyRenderer]]:
    """Return the camera."""
    from gammafind.plugins.meerlicht.renderer import MeerlichtRenderer

    return [MeerlichtRenderer]
