"""The training of a network for images, on tiles of simulated images with their artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from gammafind.errors import ConfigError
from gammafind.networks.folder import Runner
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.training.calibrate_tiles import calibrate_tiles
from gammafind.plugins.image_unet.training.tile_batches import TileBatches
from gammafind.plugins.image_unet.training.tile_maker import TileMaker
from gammafind.plugins.image_unet.training.tile_set import TileSet
from gammafind.presets.preset import build
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import describe_plugin
from gammafind.training.localiser import LocaliserOptions, LocaliserTraining
from gammafind.training.options import STREAMS
from gammafind.training.recipe import Recipe
from gammafind.training.variation import Variation, check_values, read_variation

__all__ = ["TileTraining"]

_SIDE = 256
"""Pixels a side of a tile: large against the widest PSF, small against an image."""


@dataclass(frozen=True, kw_only=True)
class TurnOptions:
    """How tiles are drawn.

    Parameters
    ----------
    turns : bool
        Turn each tile by a random number of quarters, and flip half of them.
    """

    turns: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class TileTraining(LocaliserTraining):
    """One stage of the training of a network for images.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the whole training.
    options : LocaliserOptions
    turns : bool
    variation : mapping
        Options of population and renderer that differ from image to image.
    """

    recipe: Recipe
    folder: Path
    options: LocaliserOptions
    turns: bool
    variation: Variation

    @classmethod
    def read(cls, recipe: Recipe, folder: Path) -> Self:
        """Read the part of a recipe that is of images.

        Raises
        ------
        ConfigError, OptionError
            If the recipe cannot be, or the renderer makes no images of a camera.
        """
        variation = read_variation(recipe.toml)
        check_values(recipe.preset, variation, recipe.source)
        (draw,) = recipe.options("draw", TurnOptions)
        options = LocaliserOptions.read(recipe)
        renderer = build(recipe.preset.renderer)
        if renderer.sees != "image":
            raise ConfigError(
                f"{renderer.name} makes no images of a camera",
                path=recipe.source,
                remedy="Name a localiser for maps under [localiser], such as unet.",
            )
        return cls(
            recipe=recipe, folder=folder, options=options, turns=draw.turns, variation=variation
        )

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        vary = {"vary": self.variation} if self.variation else {}
        return {
            **self.recipe.settings,
            **vary,
            **self.options.settings,
            "draw": {"turns": self.turns},
            **self.maker.settings,
        }

    @cached_property
    def maker(self) -> TileMaker:
        """Simulates the images."""
        recipe = self.recipe
        return TileMaker(
            folder=recipe.data_folder(self.folder / "shards"),
            preset=recipe.preset,
            settings={role: describe_plugin(role, plugin) for role, plugin in self.used.items()},
            variation=self.variation,
            seed=recipe.data.seed,
            side=_SIDE,
        )

    @cached_property
    def used(self) -> dict[str, Plugin]:
        """Plugins that make the data, by role, without what varies."""
        preset = self.recipe.preset
        return {"population": build(preset.population), "renderer": build(preset.renderer)}

    def architecture(self) -> TileArchitecture:
        """Return the network that is trained."""
        return TileArchitecture(
            network=self.options.network,
            bands=self.used["renderer"].bands,
            side=_SIDE,
            options=self.options.network_options,
        )

    def batches(self, split: str, workers: int) -> TileBatches | None:
        """Batches of a set, None where it is empty; only those of the training ever change."""
        recipe, in_training = self.recipe, split == "train"
        tiles = TileSet(self.maker.folder, recipe.data.splits[split])
        if not len(tiles):
            return None
        options = self.options.batches
        return TileBatches(
            tiles=tiles,
            n_tiles=options.patches_per_epoch if in_training else options.validation_patches,
            batch_size=options.batch_size,
            seed=(recipe.seed, STREAMS[split]),
            targets=self.options.targets,
            turns=self.turns and in_training,
            fixed=not in_training,
            threads=workers,
        )

    def calibrated(self, run: Runner, architecture: TileArchitecture) -> TileArchitecture:
        """Learn what scores mean from the images of the validation."""
        recipe, splits = self.recipe, self.recipe.data.splits
        return calibrate_tiles(
            run,
            architecture,
            self.maker,
            splits["validation"],
            fwhm=TileSet(self.maker.folder, splits["train"]).fwhm,
            least_ts=self.options.targets.least_ts,
            radius=recipe.preset.match_radius,
        )
