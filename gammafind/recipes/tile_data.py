"""What a network for images is trained on: tiles of simulated images, with their artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gammafind.errors import ConfigError
from gammafind.networks.features import FeatureSpec
from gammafind.networks.folder import Runner
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.presets.preset import build
from gammafind.recipes.calibrate_tiles import calibrate_tiles
from gammafind.recipes.folders import data_folder
from gammafind.recipes.recipe import STREAMS, Recipe
from gammafind.recipes.tile_maker import TileMaker
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import describe_plugin
from gammafind.training.draws import DrawOptions
from gammafind.training.tile_batches import TileBatches
from gammafind.training.tile_set import TileSet

__all__ = ["TileData"]

_SIDE = 256


@dataclass(frozen=True, eq=False)
class TileData:
    """Training data of tiles.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the training.

    Raises
    ------
    ConfigError
        If the recipe says what images do not know.
    """

    recipe: Recipe
    folder: Path

    def __post_init__(self) -> None:
        recipe = self.recipe
        draw = DrawOptions(turns=recipe.draw.turns)
        foreign = {"features": recipe.features != FeatureSpec(), "draw": recipe.draw != draw}
        if any(foreign.values()):
            raise ConfigError(
                f"[{', '.join(name for name, told in foreign.items() if told)}] is not of images",
                path=recipe.source or None,
                remedy="Of these sections images know turns alone.",
            )

    @cached_property
    def maker(self) -> TileMaker:
        """Simulates the images."""
        recipe = self.recipe
        return TileMaker(
            folder=data_folder(recipe.source, recipe.data.folder, self.folder / "shards"),
            preset=recipe.preset,
            settings={role: describe_plugin(role, plugin) for role, plugin in self.used.items()},
            variation=recipe.variation,
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
        recipe = self.recipe
        return TileArchitecture(
            network=recipe.network,
            bands=self.used["renderer"].bands,
            side=_SIDE,
            options=recipe.network_options,
        )

    def batches(self, split: str, threads: int) -> TileBatches | None:
        """Batches of a set, None where it is empty; only those of the training ever change."""
        recipe, in_training = self.recipe, split == "train"
        tiles = TileSet(self.maker.folder, recipe.data.splits[split])
        if not len(tiles):
            return None
        options = recipe.batches
        return TileBatches(
            tiles=tiles,
            n_tiles=options.patches_per_epoch if in_training else options.validation_patches,
            batch_size=options.batch_size,
            seed=(recipe.seed, STREAMS[split]),
            targets=recipe.targets,
            turns=recipe.draw.turns and in_training,
            fixed=not in_training,
            threads=threads,
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
            least_ts=recipe.targets.least_ts,
            radius=recipe.preset.match_radius,
        )
