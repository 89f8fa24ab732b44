"""Training of networks on skies whose instrument and population vary as a recipe says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gammafind.training.localiser import LocaliserTraining
from gammafind.training.variation import Variation, check_values, read_variation


@dataclass(frozen=True, eq=False, kw_only=True)
class VariedTraining(LocaliserTraining):
    """One stage of such a training.

    Parameters
    ----------
    recipe, folder, options : see `LocaliserTraining`

    Raises
    ------
    ConfigError
        If a value varies that cannot.
    """

    def __post_init__(self) -> None:
        check_values(self.recipe.preset, self.variation, self.recipe.source)

    @cached_property
    def variation(self) -> Variation:
        """Options of population and renderer that differ from one sky to the next."""
        return read_variation(self.recipe.toml)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        return {**super().settings, **({"vary": self.variation} if self.variation else {})}
