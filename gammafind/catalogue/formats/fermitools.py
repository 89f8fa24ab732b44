"""Models of sources in XML, as the Fermitools and fermipy read them.

References
----------
https://fermi.gsfc.nasa.gov/ssc/data/analysis/scitools/xml_model_defs.html and source_models.html
"""

from __future__ import annotations

import logging
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.formats.source_models import EARLY_CUTOFF, SourceModel, source_models
from gammafind.sky.shapes import GAUSSIAN_R68

_log = logging.getLogger("gammafind")

GALACTIC, ISOTROPIC = "gll_iem_v07.fits", "iso_P8R3_SOURCE_V3_v1.txt"
"""Files of the diffuse emission that the model names; those of the SOURCE class."""

_LIMITS = {"Index": (0, 10), "alpha": (-5, 10), "beta": (-5, 10), "IndexS": (-5, 10)}
_WIDE = (-1e3, 1e3)


def write_fermitools(table: QTable, path: Path) -> None:
    """Write the sources of a catalogue and the diffuse emission as a source library.

    The spectra are those of the catalogue, their norms, indices and curvatures free. Radii of
    shapes that are not round are geometric means of their semi-axes.

    Raises
    ------
    TableError
        As `gammafind.catalogue.formats.source_models.source_models`.
    """
    library = ElementTree.Element("source_library", title="source library")
    for model in source_models(table):
        library.append(_source(model))
    library.extend(_diffuse())
    ElementTree.indent(library)
    ElementTree.ElementTree(library).write(path, encoding="utf-8", xml_declaration=True)


def _source(model: SourceModel) -> ElementTree.Element:
    kind = "PointSource" if model.spatial is None else "DiffuseSource"
    source = ElementTree.Element("source", name=model.name, type=kind)
    if math.isfinite(model.ts):
        source.set("TS_value", repr(model.ts))
    source.append(_spectrum(model))
    source.append(_place(model))
    return source


def _spectrum(model: SourceModel) -> ElementTree.Element:
    norm, index = model.values["norm"], model.values["index"]
    if model.form == "PowerLaw":
        spectrum = _element("PowerLaw", "Prefactor")
        _norm(spectrum, "Prefactor", norm)
        _parameter(spectrum, "Index", index, scale=-1)
        _fixed(spectrum, "Scale", model.pivot)
        return spectrum
    if model.form == "LogParabola":
        spectrum = _element("LogParabola", "norm")
        _norm(spectrum, "norm", norm)
        _parameter(spectrum, "alpha", index)
        _parameter(spectrum, "beta", model.values["beta"])
        _fixed(spectrum, "Eb", model.pivot)
        return spectrum
    return _cutoff(model)


def _cutoff(model: SourceModel) -> ElementTree.Element:
    """Cut-off power law, in the form of 4FGL-DR3 or in that of DR1 and DR2."""
    factor, exponent = model.values["factor"], model.values["exponent"]
    norm, suffix, form = model.values["norm"], "S", "PLSuperExpCutoff4"
    if model.form == EARLY_CUTOFF:
        # There the norm is that of the power law below the cut-off.
        growth = math.exp(factor[0] * model.pivot ** exponent[0])
        norm, suffix, form = (norm[0] * growth, norm[1] * growth), "", EARLY_CUTOFF
    spectrum = _element(form, "Prefactor")
    _norm(spectrum, "Prefactor", norm)
    _parameter(spectrum, f"Index{suffix or 1}", model.values["index"], scale=-1)
    _fixed(spectrum, "Scale", model.pivot)
    _parameter(spectrum, f"Expfactor{suffix}", factor)
    _fixed(spectrum, "Index2", exponent[0], limits=(0, 10))
    return spectrum


def _place(model: SourceModel) -> ElementTree.Element:
    shape = model.spatial
    if shape is None:
        place = ElementTree.Element("spatialModel", type="SkyDirFunction")
    elif shape.form == "map":
        place = ElementTree.Element("spatialModel", type="SpatialMap", file=shape.file)
        _fixed(place, "Prefactor", 1.0, limits=(1e-3, 1e3))
        return place
    else:
        radius = shape.radius * math.sqrt(shape.ratio)
        if shape.ratio < 1 or shape.form == "ring":
            _log.warning(
                "%s is written as a round %s", model.name, shape.form.replace("ring", "disc")
            )
        gaussian = shape.form == "gaussian"
        kind = "RadialGaussian" if gaussian else "RadialDisk"
        place = ElementTree.Element("spatialModel", type=kind)
        width = radius / GAUSSIAN_R68 if gaussian else radius
        _fixed(place, "Sigma" if gaussian else "Radius", width, limits=(0, 20))
    _fixed(place, "RA", model.ra, limits=(-360, 360))
    _fixed(place, "DEC", model.dec, limits=(-90, 90))
    return place


def _diffuse() -> list[ElementTree.Element]:
    """The emission between the stars and the isotropic one."""
    galactic = ElementTree.Element("source", name="galdiff", type="DiffuseSource")
    spectrum = ElementTree.SubElement(galactic, "spectrum", type="PowerLaw")
    _parameter(spectrum, "Prefactor", (1.0, math.nan), limits=(0, 10))
    _fixed(spectrum, "Index", 0.0, limits=(-1, 1))
    _fixed(spectrum, "Scale", 1000.0)
    cube = ElementTree.SubElement(galactic, "spatialModel", type="MapCubeFunction", file=GALACTIC)
    _fixed(cube, "Normalization", 1.0, limits=(1e-3, 1e3))
    isotropic = ElementTree.Element("source", name="isodiff", type="DiffuseSource")
    spectrum = ElementTree.SubElement(isotropic, "spectrum", type="FileFunction", file=ISOTROPIC)
    spectrum.set("apply_edisp", "false")
    _parameter(spectrum, "Normalization", (1.0, math.nan), limits=(0, 10))
    everywhere = ElementTree.SubElement(isotropic, "spatialModel", type="ConstantValue")
    _fixed(everywhere, "Value", 1.0, limits=(0, 10))
    return [galactic, isotropic]


def _element(form: str, norm: str) -> ElementTree.Element:
    return ElementTree.Element("spectrum", type=form, normPar=norm)


def _norm(parent: ElementTree.Element, name: str, value: tuple[float, float]) -> None:
    """Free norm in a power of ten of its own: the minimisers of the tools need numbers near one."""
    scale = 10.0 ** math.floor(math.log10(value[0])) if value[0] > 0 else 1e-14
    _parameter(parent, name, value, scale=scale, limits=(0, 1e4))


def _fixed(
    parent: ElementTree.Element, name: str, value: float, limits: tuple[float, float] | None = None
) -> None:
    around = (min(value, 20.0), max(value, 1e6))
    _parameter(parent, name, (value, math.nan), free=False, limits=limits or around)


def _parameter(
    parent: ElementTree.Element,
    name: str,
    value: tuple[float, float],
    *,
    scale: float = 1.0,
    free: bool = True,
    limits: tuple[float, float] | None = None,
) -> None:
    """Parameter in units of its scale; with its error where that is known."""
    number, error = value[0] / abs(scale), value[1] / abs(scale)
    low, high = limits or _LIMITS.get(name, _WIDE)
    attributes = {
        "name": name,
        "value": repr(float(number)),
        "scale": repr(float(scale)),
        "min": repr(float(min(low, number))),
        "max": repr(float(max(high, number))),
        "free": str(int(free)),
    }
    if np.isfinite(error) and error > 0:
        attributes["error"] = repr(float(error))
    ElementTree.SubElement(parent, "parameter", attributes)
