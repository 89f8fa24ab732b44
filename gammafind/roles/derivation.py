"""What an instrument makes of users' files: its options, what is doubtful, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why files cannot be searched, and the shortest way out.

    Parameters
    ----------
    fault, remedy : str
        Sentences, the first without a full stop.
    """

    fault: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """Options of an instrument that follow from files.

    Parameters
    ----------
    options : mapping
        As in a preset.
    match_radius : Quantity
    used : tuple of str
        What was found in the files and is used, one sentence each.
    doubts : tuple of str
        What the files do not say and was assumed.
    obstacles : tuple of Obstacle
        All that has to be mended before the files can be searched.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    match_radius: Quantity = 0.3 * u.deg
    used: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
