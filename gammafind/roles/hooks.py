"""The five hooks, the whole surface by which gammafind is extended."""

from __future__ import annotations

import pluggy

from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer

hookspec = pluggy.HookspecMarker("gammafind")
hookimpl = pluggy.HookimplMarker("gammafind")


@hookspec
def gammafind_populations() -> list[type[SourcePopulation]]:
    """Return the source populations of this plugin."""


@hookspec
def gammafind_renderers() -> list[type[SkyRenderer]]:
    """Return the sky renderers of this plugin."""


@hookspec
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the localisers of this plugin."""


@hookspec
def gammafind_clusterers() -> list[type[Clusterer]]:
    """Return the clusterers of this plugin."""


@hookspec
def gammafind_classifiers() -> list[type[Classifier]]:
    """Return the classifiers of this plugin."""
