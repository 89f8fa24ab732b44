"""Models of sources as gammapy reads them: ``gammapy.modeling.models.Models.read``."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from astropy.io.misc import yaml
from astropy.table import QTable

from gammafind.catalogue.formats.source_models import (
    EARLY_CUTOFF,
    SourceModel,
    Spatial,
    source_models,
)
from gammafind.sky.shapes import GAUSSIAN_R68

_log = logging.getLogger("gammafind")

_DENSITY = "cm-2 s-1 MeV-1"
_TYPES = {
    "PowerLaw": ("PowerLawSpectralModel", {"index": "index"}),
    "LogParabola": ("LogParabolaSpectralModel", {"index": "alpha", "beta": "beta"}),
    "PLSuperExpCutoff": (
        "SuperExpCutoffPowerLaw4FGLDR3SpectralModel",
        {"index": "index_1", "exponent": "index_2", "factor": "expfactor"},
    ),
    EARLY_CUTOFF: (
        "SuperExpCutoffPowerLaw4FGLSpectralModel",
        {"index": "index_1", "exponent": "index_2", "factor": "expfactor"},
    ),
}
"""Class of each form, and the names of its parameters."""
_EDGE = 0.01
"""Width over which the edge of a disc is smoothed, in radii: the default of gammapy."""


def write_gammapy_models(table: QTable, path: Path) -> None:
    """Write the sources of a catalogue as models of gammapy.

    Parameters are free but for positions, shapes, pivot energies and the exponent of cut-offs.
    gammapy has no rings: they are discs of the outer radius. Sources that are maps are points.

    Raises
    ------
    TableError
        As `gammafind.catalogue.formats.source_models.source_models`.
    """
    models = {"components": [_component(model) for model in source_models(table)]}
    path.write_text(yaml.dump(models, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _component(model: SourceModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "type": "SkyModel",
        "spectral": _spectral(model),
        "spatial": _spatial(model),
    }


def _spectral(model: SourceModel) -> dict[str, Any]:
    kind, names = _TYPES[model.form]
    norm = model.values["norm"]
    parameters = [_parameter("amplitude", *norm, unit=_DENSITY)]
    parameters.append(_parameter("reference", model.pivot, unit="MeV", frozen=True))
    for key, name in names.items():
        value = model.values[key]
        # Of DR1 and DR2 the factor is in MeV to the power of minus the exponent.
        parameters.append(_parameter(name, *value, frozen=key == "exponent"))
    return {"type": kind, "parameters": parameters}


def _spatial(model: SourceModel) -> dict[str, Any]:
    shape = model.spatial
    if shape is not None and shape.form == "map":
        _log.warning("%s is a map and is written as a point", model.name)
        shape = None
    parameters = [
        _parameter("lon_0", model.ra, unit="deg", frozen=True),
        _parameter("lat_0", model.dec, unit="deg", frozen=True),
    ]
    if shape is None:
        return {"type": "PointSpatialModel", "frame": "icrs", "parameters": parameters}
    if shape.form == "ring":
        _log.warning("%s is a ring and is written as a disc", model.name)
    return _extended(shape, parameters)


def _extended(shape: Spatial, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    gaussian = shape.form == "gaussian"
    size, width = ("sigma", shape.radius / GAUSSIAN_R68) if gaussian else ("r_0", shape.radius)
    parameters += [
        _parameter(size, width, unit="deg", frozen=True),
        _parameter("e", math.sqrt(max(0.0, 1 - shape.ratio**2)), frozen=True),
        _parameter("phi", (shape.angle + 180) % 360 - 180, unit="deg", frozen=True),
    ]
    if not gaussian:
        parameters.append(_parameter("edge_width", _EDGE, frozen=True))
    kind = "GaussianSpatialModel" if gaussian else "DiskSpatialModel"
    return {"type": kind, "frame": "icrs", "parameters": parameters}


def _parameter(
    name: str, value: float, error: float = 0.0, *, unit: str = "", frozen: bool = False
) -> dict[str, Any]:
    known = math.isfinite(error) and error > 0
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "error": error if known else 0.0,
        "frozen": frozen,
    }
