"""What the metadata of a catalogue say of how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
from astropy.table import QTable

from gammafind.catalogue.measured_columns import ENERGY_EDGES
from gammafind.roles.base import Plugin
from gammafind.roles.classifier import Classifier
from gammafind.roles.localiser import Localiser
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band


def energy_edges(bands: Sequence[Band]) -> dict[str, list[list[float]]]:
    """Entry of the edges of bands of energies in MeV, each once; none for other bands."""
    if not all(band.low.unit.is_equivalent(u.MeV) for band in bands):
        return {}
    edges = [tuple(band.edges.to_value(u.MeV).tolist()) for band in bands]
    return {ENERGY_EDGES: [list(pair) for pair in dict.fromkeys(edges)]}


def used_plugins(
    renderer: SkyRenderer, localiser: Localiser, classifier: Classifier | None
) -> dict[str, Plugin]:
    """Plugins of a search by role."""
    used: dict[str, Plugin] = {"renderer": renderer, "localiser": localiser}
    if localiser.clusterer is not None:
        used["clusterer"] = localiser.clusterer
    if classifier is not None:
        used["classifier"] = classifier
    return used


def origin_of(reference: QTable | None) -> Any:
    """Where a reference catalogue comes from, as far as its metadata say."""
    if reference is None:
        return None
    known = ("name", "sha256", "release", "version")
    return {key: str(reference.meta[key]) for key in known if key in reference.meta}
