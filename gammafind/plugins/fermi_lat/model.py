"""Models of the sky in XML, as the Fermitools and fermipy write them: their diffuse components."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from xml.etree import ElementTree

import astropy.units as u
import numpy as np

from gammafind.errors import FileFormatError, MissingFileError
from gammafind.plugins.fermi_lat.isotropic import DIFFERENTIAL_INTENSITY, read_isotropic
from gammafind.roles.official import official_file
from gammafind.utils.data_folder import data_folder
from gammafind.utils.files import check_input

_LARGEST = 1 << 26
"""Bytes of a model: 64 MiB, ten times one of the whole sky."""
_CUBES = ("MapCubeFunction", "DiffuseMapCube")
_FLAT = ("ConstantValue", "DiffuseIsotropic")
_VARIABLE = re.compile(r"\$\(?\{?(\w+)\}?\)?")
_DIFFUSE = ("FERMI_DIFFUSE_DIR", "GALPROP_MODELS", "CALDB", "FERMI_DIR")
"""Variables of the folders in which the Fermitools look for diffuse files."""


@dataclass(frozen=True, eq=False)
class Diffuse:
    """A diffuse component of a model.

    Attributes
    ----------
    name : str
    kind : str
        ``"interstellar"`` (a cube) or ``"isotropic"`` (a spectrum).
    path : Path or None
        Its cube or text file; None if the model names none.
    factor : callable
        By which the model multiplies the file, as a function of the energy in MeV.
    """

    name: str
    kind: str
    path: Path | None
    factor: Callable[[np.ndarray], np.ndarray]

    def spectrum(self, energy: np.ndarray) -> np.ndarray:
        """Factor of a source map of gtsrcmaps: that of the model, times an isotropic spectrum."""
        if self.kind == "interstellar" or self.path is None:
            return self.factor(energy)
        intensity = read_isotropic(self.path).differential(energy * u.MeV)
        return self.factor(energy) * intensity.to_value(DIFFERENTIAL_INTENSITY)


def is_model(path: str | PathLike) -> bool:
    """Whether a file is called a model in XML."""
    return str(path).casefold().endswith(".xml")


def read_model(path: str | PathLike) -> tuple[Diffuse, ...]:
    """Read the diffuse components of a model; its other sources are left to be found.

    Their files are looked for where the model says, next to it, in the folders of the Fermitools
    (``FERMI_DIFFUSE_DIR``, ``CALDB``, ``FERMI_DIR``), and among fetched files.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    tuple of Diffuse

    Raises
    ------
    FileFormatError
        If it is no model in XML, or has no diffuse component.
    MissingFileError
        If it, or a file that a component needs, is not there.
    """
    path = check_input(path)
    if path.stat().st_size > _LARGEST:
        raise FileFormatError("the model has more than 64 MiB", path=path)
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError) as fault:
        raise FileFormatError(f"this is not a model in XML ({fault})", path=path) from None
    found = [one for source in root.iter("source") if (one := _diffuse(source, path)) is not None]
    if not found:
        raise FileFormatError(
            "the model has no diffuse component",
            path=path,
            remedy="It needs a MapCubeFunction or a ConstantValue with a FileFunction.",
        )
    return tuple(found)


def _diffuse(source: ElementTree.Element, path: Path) -> Diffuse | None:
    """Diffuse component of a source, None if it is another."""
    spectrum, spatial = source.find("spectrum"), source.find("spatialModel")
    if spectrum is None or spatial is None:
        return None
    name, shape = str(source.get("name", "")), spatial.get("type")
    if shape in _CUBES:
        file = _find(spatial.get("file", ""), name, path)
        return Diffuse(name, "interstellar", file, _factor(spectrum, spatial, path))
    if shape in _FLAT and spectrum.get("type") == "FileFunction":
        file = _find(spectrum.get("file", ""), name, path)
        return Diffuse(name, "isotropic", file, _factor(spectrum, spatial, path))
    return None


def _find(text: str, name: str, model: Path) -> Path:
    """File of a component: where the model says, next to it, or in a folder of such files."""
    said = Path(os.path.expanduser(_VARIABLE.sub(lambda m: os.environ.get(m[1], m[0]), text)))
    known = [Path(os.environ[key]) for key in _DIFFUSE if os.environ.get(key)]
    known += [folder / "refdata/fermi/galdiffuse" for folder in known]
    folders = [model.parent, *known, data_folder()]
    places = [said, model.parent / said, *(folder / said.name for folder in folders)]
    places += [place.with_name(f"{place.name}.gz") for place in places if place.name]
    there = next((place for place in places if place.is_file()), None)
    if there is None:
        remedy = f"Put it next to the model, as {model.parent / said.name}"
        if official_file(said.name) is not None:
            remedy += f", or fetch it: 'gammafind fetch {said.name} --download'"
        raise MissingFileError(
            f"the component {name!r} needs the file {text!r}, which is not there",
            path=model,
            remedy=f"{remedy}.",
        )
    return there


def _factor(
    spectrum: ElementTree.Element, spatial: ElementTree.Element, path: Path
) -> Callable[[np.ndarray], np.ndarray]:
    """Normalisation and, for a power law, the tilt of a component."""
    values = _parameters(spectrum, path)
    norm = _parameters(spatial, path)
    scale = norm.get("normalization", norm.get("value", 1.0))
    for key in ("normalization", "prefactor", "value"):
        scale *= values.get(key, 1.0)
    index, pivot = values.get("index", 0.0), values.get("scale", 1.0)
    return lambda energy: scale * (np.asarray(energy, dtype=float) / pivot) ** index


def _parameters(element: ElementTree.Element, path: Path) -> dict[str, float]:
    try:
        return {
            str(one.get("name", "")).casefold(): float(one.get("value", 1))
            * float(one.get("scale", 1))
            for one in element.iter("parameter")
        }
    except ValueError as fault:
        raise FileFormatError(f"a parameter is no number ({fault})", path=path) from None
