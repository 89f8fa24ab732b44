"""The Fermi Large Area Telescope: responses, catalogues, diffuse emission, renderer, sources."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer

__all__ = ["gammafind_populations", "gammafind_renderers"]


@hookimpl
def gammafind_populations() -> list[type[SourcePopulation]]:
    """Return the synthetic 4FGL and the uniform sky."""
    from gammafind.plugins.fermi_lat.population.plugin import FermiPopulation
    from gammafind.plugins.fermi_lat.population.uniform import UniformPopulation

    return [FermiPopulation, UniformPopulation]


@hookimpl
def gammafind_renderers() -> list[type[SkyRenderer]]:
    """Return the LAT renderer."""
    from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer

    return [FermiLatRenderer]
