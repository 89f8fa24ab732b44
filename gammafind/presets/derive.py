"""A preset made from files that fill none of the shipped ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gammafind.errors import ConfigError
from gammafind.presets.preset import Component, Preset
from gammafind.roles.derivation import Derivation
from gammafind.roles.registry import get_plugin, plugins
from gammafind.sky.bands import Band
from gammafind.sky.fits.facts import FileFacts

DERIVED = "from-files"
"""Name of a preset that was made from files."""
_LOCALISER = "likelihood"
"""Needs no training, so that it searches any bands."""


def derived_preset(
    files: Sequence[FileFacts],
    bands: Sequence[Band] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Preset | None:
    """Make a preset from the headers of files.

    Parameters
    ----------
    files : sequence of FileFacts
        Photon lists or count maps and, where given, their exposure.
    bands : sequence of Band, optional
        Of maps whose files do not give them.
    options : mapping, optional
        Options of the renderer that the user gives.

    Returns
    -------
    Preset or None
        With `~gammafind.presets.preset.Preset.notes` and ``doubts``; None where no instrument
        knows such files.

    Raises
    ------
    ConfigError
        If something is missing: all of it, with a way out of each.
    """
    derivations = _derivations(files, bands, options)
    if not derivations:
        return None
    name, found = min(derivations, key=lambda pair: len(pair[1].obstacles))
    if found.obstacles:
        raise ConfigError(
            "; ".join(_numbered(one.fault for one in found.obstacles)),
            path=", ".join(str(file.path) for file in files),
            remedy=" ".join(_numbered(one.remedy for one in found.obstacles)),
        )
    return Preset(
        name=DERIVED,
        description="made from " + ", ".join(file.path.name for file in files),
        renderer=Component(role="renderer", name=name, options=dict(found.options)),
        localiser=Component(role="localiser", name=_LOCALISER),
        match_radius=found.match_radius,
        notes=found.used,
        doubts=found.doubts,
    )


def _derivations(
    files: Sequence[FileFacts], bands: Sequence[Band] | None, options: Mapping[str, Any] | None
) -> list[tuple[str, Derivation]]:
    """Names of the renderers that know the files, and what they make of them."""
    names = [info.name for info in plugins("renderer") if info.error is None]
    found = [(name, get_plugin("renderer", name).derive(files, bands, options)) for name in names]
    return [(name, derivation) for name, derivation in found if derivation is not None]


def _numbered(sentences: Sequence[str]) -> list[str]:
    """Sentences with numbers, if there are several."""
    listed = list(sentences)
    if len(listed) == 1:
        return listed
    return [f"({number}) {text}" for number, text in enumerate(listed, start=1)]
