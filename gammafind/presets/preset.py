"""Presets: TOML files with the plugins and options for the sky of an instrument.

The format of a preset is as follows. ``[renderer]`` and ``[localiser]`` are required, everything
else has a default. All keys next to the name of a plugin are its options; a quantity is written as
text such as ``"0.3 deg"``. Unknown keys are errors.

.. code-block:: toml

    [preset]
    name = "fermi-lat-psf3-2-20"
    description = "Fermi-LAT, best PSF quartile, 2-20 GeV"
    only_by_name = true     # never chosen for files because of their bands; default: false

    [renderer]
    name = "fermi-lat"

    [localiser]
    name = "likelihood"

    [fallback]              # searches skies that the localiser cannot; default: none
    name = "likelihood"

    [fallback_clusterer]    # default: the fallback's own
    name = "peaks"
    threshold = 9.0

    [clusterer]             # default: the localiser's own
    name = "peaks"
    threshold = 16.0

    [classifier]            # default: none
    name = "cnn"

    [population]            # default: none; required to simulate name = "4fgl-dr2"

    [patches]
    size = "12.8 deg"       # side of a patch
    nside = 8               # patches are centred on the HEALPix pixels of this nside
    n_pixels = [16, 32]     # pixels per side in each energy band; default: as fine as the maps

    [match]
    radius = "0.5 deg"      # a detection within this radius of a source found it

    [catalogue] score_threshold = 16.0  # lowest score kept; default: that of the localiser

``[clusterer]`` and ``score_threshold`` belong to the localiser of the preset: another localiser
(`gammafind.presets.choose.with_plugins`) uses its own.

The presets of a renderer are the package resources that its class lists in
`~gammafind.roles.renderer.SkyRenderer.presets`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import astropy.units as u
from astropy.units import Quantity

from gammafind.errors import (
    BrokenPluginWarning,
    ConfigError,
    GammafindError,
    OptionError,
)
from gammafind.roles.base import Plugin
from gammafind.roles.options import check_options
from gammafind.roles.registry import create, get_plugin, plugins
from gammafind.sky.bands import Band
from gammafind.sky.pixels import HealpixPixels
from gammafind.units import degrees
from gammafind.utils.checks import require
from gammafind.utils.names import close_match
from gammafind.utils.tomlfile import TomlFile

_ROLES = ("renderer", "localiser", "clusterer", "classifier", "population")
_SECTIONS = ("preset", *_ROLES, "fallback", "fallback_clusterer", "patches", "match", "catalogue")
_FINEST, _WIDEST = 128, 8192
"""Largest nside of the patches, and pixels a side: more fill the memory with a typing error."""
_OF_PRESET = {"name": str, "description": str, "only_by_name": bool, "format": int}
PRESET_FORMAT = 1
"""Format of the file: it grows when a key changes its meaning or goes. Files without one have 1."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """A plugin by name, with its options.

    Parameters
    ----------
    role : str
    name : str
    options : mapping of str to object
        Options as written in the file.
    source : str
        The file, for messages.
    plugin : Plugin, optional
        An instance that is used instead of one made from name and options.
    """

    role: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = field(default="", compare=False)
    plugin: Plugin | None = None


@dataclass(frozen=True, kw_only=True)
class PatchLayout:
    """The division of the sky into patches.

    Parameters
    ----------
    size : Quantity
        Side of a patch.
    nside : int
        HEALPix nside of the centres.
    n_pixels : tuple of int
        Pixels per side in each energy band; if empty, they follow from the maps.
    """

    size: Quantity = 12.8 * u.deg
    nside: int = 8
    n_pixels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < degrees(self.size, name="size of the patches") < 90:
            raise OptionError(
                f"the patches are {self.size} wide", remedy="Sizes up to 90 deg are accepted."
            )
        HealpixPixels(self.nside)
        if self.nside > _FINEST:
            raise OptionError(
                f"the nside of the patches is {self.nside}",
                remedy=f"At most {_FINEST} is accepted: {12 * _FINEST**2} patches.",
            )
        if any(type(width) is not int or not 1 <= width <= _WIDEST for width in self.n_pixels):
            raise OptionError(
                f"n_pixels of the patches is {list(self.n_pixels)}",
                remedy=f"Give integers from 1 to {_WIDEST}, one for each energy band.",
            )

    def widths(self, n_bands: int) -> tuple[int, ...] | None:
        """Pixels per side in each of ``n_bands`` bands, None if they follow from the maps.

        Further bands are those of other channels, in the same order.

        Raises
        ------
        ConfigError
            If the number of bands is not a multiple of that of ``n_pixels``.
        """
        if not self.n_pixels:
            return None
        if n_bands % len(self.n_pixels):
            raise ConfigError(
                f"{len(self.n_pixels)} n_pixels of the patches for {n_bands} bands",
                remedy="Give one for each energy band, or none.",
            )
        return self.n_pixels * (n_bands // len(self.n_pixels))


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Plugins and settings that fit together.

    Parameters
    ----------
    name, description : str
    renderer, localiser : Component
    clusterer, classifier, population : Component, optional
    fallback : Component, optional
        Localiser of the skies that ``localiser`` cannot search, such as images with a WCS.
    fallback_clusterer : Component, optional
        Clusterer of the fallback; its own by default.
    patches : PatchLayout
    match_radius : Quantity
        A detection within this radius of a source found it.
    score_threshold : float, optional
        Lowest score kept in the catalogue; by default that of the localiser
        (`~gammafind.roles.localiser.Localiser.published_score`).
    source : str
        The file of the preset.
    only_by_name : bool
        Whether it is never chosen because files have its bands: many have, with other photons of
        other times.
    notes, doubts : tuple of str
        Of a preset that was made from files: what was found there, and what had to be assumed.
    """

    name: str
    renderer: Component
    localiser: Component
    description: str = ""
    clusterer: Component | None = None
    classifier: Component | None = None
    fallback: Component | None = None
    fallback_clusterer: Component | None = None
    population: Component | None = None
    patches: PatchLayout = PatchLayout()
    match_radius: Quantity = 0.3 * u.deg
    score_threshold: float | None = None
    source: str = field(default="", compare=False)
    only_by_name: bool = field(default=False, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    doubts: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not 0 < degrees(self.match_radius, name="match radius") <= 180:
            raise OptionError(
                f"the match radius is {self.match_radius}", remedy="Accepted is up to 180 deg."
            )
        if self.score_threshold is not None:
            require("score_threshold", self.score_threshold, True, "It must be a finite number.")

    @property
    def bands(self) -> tuple[Band, ...]:
        """Bands of the renderer."""
        return build(self.renderer).bands


def build(component: Component, **given: Any) -> Plugin:
    """Create the plugin of a component.

    Parameters
    ----------
    component : Component
    **given
        Options that replace those of the component, such as a clusterer.

    Returns
    -------
    Plugin

    Raises
    ------
    ConfigError
        If an option is unknown, missing, of the wrong type or out of range.
    PluginError
        If there is no such plugin, or it cannot be used.
    """
    plugin, options = component.plugin, {**component.options, **given}
    try:
        if plugin is not None:
            return replace(plugin, **check_options(type(plugin), {**vars(plugin), **options}))
        return create(component.role, component.name, **options)
    except OptionError as error:
        raise ConfigError(
            f"[{component.role}] {error.fault}", path=component.source or None, remedy=error.remedy
        ) from error
    except GammafindError as error:
        if error.path or not component.source:
            raise
        raise type(error)(error.fault, path=component.source, remedy=error.remedy) from error


def presets() -> dict[str, Preset]:
    """Presets of all renderers by name.

    A preset that cannot be read, or whose name exists already, is skipped with a
    BrokenPluginWarning.
    """
    found: dict[str, Preset] = {}
    for resource in _resources():
        try:
            preset = read_preset(resource)
            if preset.name in found:
                raise ConfigError(
                    f"the preset {preset.name!r} already exists in {found[preset.name].source}",
                    path=resource,
                )
        except GammafindError as error:
            warnings.warn(f"a preset is skipped: {error}", BrokenPluginWarning, stacklevel=2)
        else:
            found[preset.name] = preset
    return found


def load_preset(name_or_path: str | PathLike) -> Preset:
    """Return a preset by its name, or read it from a TOML file.

    Parameters
    ----------
    name_or_path : str or path-like
        Text is a name unless it ends in ``.toml``.

    Returns
    -------
    Preset

    Raises
    ------
    ConfigError
        If no preset has the name, or the file is not a valid preset.
    MissingFileError
        If there is no such file.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.load_preset("fermi-lat").localiser.name
    'unet'
    """
    if not isinstance(name_or_path, str) or name_or_path.endswith(".toml"):
        return read_preset(name_or_path)
    known = presets()
    if name_or_path not in known:
        raise ConfigError(
            f"there is no preset {name_or_path!r}{close_match(name_or_path, known)}",
            remedy=f"Known are {', '.join(known) or 'none'}; a file must end in .toml.",
        )
    return known[name_or_path]


def read_preset(path: str | PathLike) -> Preset:
    """Read a preset from a file or from a package resource ``package:file.toml``.

    Raises
    ------
    ConfigError
        If the file is not TOML, a key is unknown or missing, or a value is of the wrong type.
    MissingFileError
        If there is no such file.
    """
    toml = TomlFile.parse(path)
    _check_format(toml)
    toml.check(_SECTIONS, required=("preset", "renderer", "localiser"))
    of_preset = toml.values("preset", _OF_PRESET, required=("name",))
    of_preset.pop("format", None)
    match = toml.values("match", {"radius": u.deg})
    try:
        return Preset(
            **of_preset,
            **{role: _component(toml, role) for role in _ROLES},
            fallback=_component(toml, "fallback", role="localiser"),
            fallback_clusterer=_component(toml, "fallback_clusterer", role="clusterer"),
            **toml.values("catalogue", {"score_threshold": float}),
            **{f"match_{key}": value for key, value in match.items()},
            patches=_patches(toml),
            source=toml.path,
        )
    except OptionError as error:
        raise ConfigError(error.fault, path=toml.path, remedy=error.remedy) from error


def _check_format(toml: TomlFile) -> None:
    """Refuse a preset of a later gammafind before any of its keys is taken for a mistake."""
    table = toml.tables.get("preset")
    found = table.get("format", PRESET_FORMAT) if isinstance(table, dict) else PRESET_FORMAT
    if found != PRESET_FORMAT:
        raise ConfigError(
            f"the preset has format {found!r}, and this gammafind reads format {PRESET_FORMAT}",
            path=toml.path,
            remedy="Use the version of gammafind that it was written for, or write it again.",
        )


def _patches(toml: TomlFile) -> PatchLayout:
    values = toml.values("patches", {"size": u.deg, "nside": int, "n_pixels": list})
    return PatchLayout(**{**values, "n_pixels": tuple(values.get("n_pixels", ()))})


def _component(toml: TomlFile, section: str, *, role: str = "") -> Component | None:
    if section not in toml.tables:
        return None
    options = dict(toml.tables[section])
    name = toml.values(section, {"name": str}, required=("name",), others=True)["name"]
    options.pop("name")
    return Component(role=role or section, name=name, options=options, source=toml.path)


def _resources() -> list[str]:
    """Preset files of all renderers that can be used."""
    names = [info.name for info in plugins("renderer") if info.error is None]
    renderers = [get_plugin("renderer", name) for name in names]
    return list(dict.fromkeys(r for renderer in renderers for r in renderer.presets))
