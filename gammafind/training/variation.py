"""What varies from one simulated sky of a training to the next: options of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from astropy.units import Quantity

from gammafind.errors import ConfigError, OptionError
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build
from gammafind.utils.tomlfile import TomlFile

Variation = Mapping[str, Mapping[str, Sequence[Any]]]
"""Least and largest value of options, by role and by name."""

_ROLES = ("population", "renderer")


def read_variation(toml: TomlFile) -> Variation:
    """Options that vary, of the tables ``[vary.population]`` and ``[vary.renderer]``.

    Raises
    ------
    ConfigError
        If one is no pair of rising numbers above 0, or of such quantities.
    """
    tables = toml.values("vary", dict.fromkeys(_ROLES, dict))
    for role, options in tables.items():
        for name, limits in options.items():
            if not _is_range(limits):
                raise ConfigError(
                    f"[vary.{role}] {name} is {limits!r}",
                    path=toml.path,
                    remedy="Give two numbers, or two quantities such as '2 arcsec', both above 0, "
                    "the lower one first.",
                )
    return tables


def in_order(variation: Variation) -> list[list[Any]]:
    """What varies and between which limits, in the order of drawing; JSON."""
    return [[role, *option] for role, of in variation.items() for option in of.items()]


def check_values(preset: Preset, variation: Variation, path: str | PathLike) -> None:
    """Refuse values that a plugin does not take, before any sky is made.

    Parameters
    ----------
    preset : Preset
    variation : mapping
        Values of options, by role and by name.
    path : path-like
        The recipe, for the message.

    Raises
    ------
    ConfigError
    """
    for role, options in variation.items():
        for name, values in options.items():
            for value in values:
                try:
                    build(getattr(with_plugins(preset, {}, {role: {name: value}}), role))
                except (ConfigError, OptionError) as error:
                    raise ConfigError(
                        f"[vary.{role}] {name} = {value!r}: {error.fault}",
                        path=path,
                        remedy=error.remedy,
                    ) from error


def varied(preset: Preset, variation: Variation, *, rng: np.random.Generator) -> Preset:
    """Return a preset with options drawn between their limits, evenly in their logarithm.

    They are drawn in the order in which they are given: in another order other values come out.

    Parameters
    ----------
    preset : Preset
    variation : mapping
    rng : numpy.random.Generator
    """
    drawn = {
        role: {name: _draw(limits, rng) for name, limits in options.items()}
        for role, options in variation.items()
    }
    return with_plugins(preset, {}, drawn)


def _draw(limits: Sequence[Any], rng: np.random.Generator) -> Any:
    low, high = map(Quantity, limits)
    value = float(low.value * (high / low).to_value("") ** rng.uniform())
    return f"{value} {low.unit}" if isinstance(limits[0], str) else value


def _is_range(limits: Any) -> bool:
    try:
        low, high = map(Quantity, limits)
        return bool(0 * low.unit < low < high)
    except (TypeError, ValueError):
        return False
