"""What is given to be searched becomes an observation, with the preset and renderer that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from gammafind.pipeline.inputs import Counts, Input, OnePath, preset_for, renderer_for, sorted_input
from gammafind.pipeline.observe import observe
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset
from gammafind.roles.base import Plugin
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A sky that can be searched.

    Attributes
    ----------
    preset : Preset
    renderer : SkyRenderer
    observation : Observation
    given : Input
        What it was made of.
    """

    preset: Preset
    renderer: SkyRenderer
    observation: Observation
    given: Input

    @property
    def inputs(self) -> list[dict[str, str]]:
        """Names and checksums of the files of counts, exposure and background."""
        return inputs_of(self.observation)


def prepare(
    counts: Counts,
    *,
    preset: Preset | OnePath | None = None,
    plugins: Mapping[str, str | Plugin | None] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: OnePath | None = None,
    spacecraft: OnePath | Sequence[OnePath] | None = None,
    background: OnePath | Sequence[OnePath] = (),
) -> Prepared:
    """Read a sky as `gammafind.detect` does.

    Parameters
    ----------
    counts, preset : object
        As for `gammafind.detect`.
    plugins : mapping of str to str or Plugin, optional
        By role, instead of those of the preset.
    options, bands, frame, exposure, spacecraft, background : object
        As for `gammafind.detect`.

    Raises
    ------
    GammafindError
        If an input cannot be used; the class names the fault.
    """
    given = sorted_input(counts, exposure, spacecraft)
    chosen = preset_for(given, preset, bands, (options or {}).get("renderer", {}))
    renderer, chosen = renderer_for(with_plugins(chosen, plugins or {}, options), given)
    maps = [background] if isinstance(background, str | PathLike) else list(background)
    observation = observe(given, renderer, frame=frame, background=maps)
    return Prepared(preset=chosen, renderer=renderer, observation=observation, given=given)


def inputs_of(observation: Observation, others: Sequence[SkyMap] = ()) -> list[dict[str, str]]:
    """Names and checksums of the files of counts, exposure and background, and of other maps."""
    maps = (observation.counts, observation.exposure, *observation.background.values(), *others)
    entries = [entry for sky in maps for entry in sky.meta.get("inputs", ())]
    return [entry for i, entry in enumerate(entries) if entry not in entries[:i]]
