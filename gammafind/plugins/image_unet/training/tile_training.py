"""The training of a network for images, on tiles of simulated images with their artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from gammafind.errors import ConfigError
from gammafind.networks.folder import Runner
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.training.calibrate_tiles import calibrate_tiles
from gammafind.plugins.image_unet.training.tile_maker import TileMaker
from gammafind.plugins.image_unet.training.tile_set import TileBatches, TileSet
from gammafind.training.varied import VariedTraining

_SIDE = 256
"""Pixels a side of a tile: large against the widest PSF, small against an image."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TileTraining(VariedTraining):
    """One stage of the training of a network for images.

    Parameters
    ----------
    recipe, folder, options : see `VariedTraining`

    Raises
    ------
    ConfigError
        If the renderer makes no images of a camera, or a value varies that cannot.
    """

    sections: ClassVar[tuple[str, ...]] = ("network", "targets", "draw", "loss", "vary")

    def __post_init__(self) -> None:
        super().__post_init__()
        renderer = self.used["renderer"]
        if renderer.sees != "image":
            raise ConfigError(
                f"{renderer.name} makes no images of a camera",
                path=self.recipe.source,
                remedy="Name a localiser for maps under [localiser], such as unet.",
            )

    @cached_property
    def maker(self) -> TileMaker:
        """Simulates the images."""
        recipe = self.recipe
        return TileMaker(
            folder=recipe.data_folder(self.folder / "shards"),
            preset=recipe.preset,
            settings=self.described,
            variation=self.variation,
            seed=recipe.data.seed,
            side=_SIDE,
        )

    def architecture(self) -> TileArchitecture:
        """Return the network that is trained."""
        return TileArchitecture(
            network=self.options.network,
            bands=self.used["renderer"].bands,
            side=_SIDE,
            options=self.options.network_options,
        )

    def of_set(self, indices: range, **common: Any) -> TileBatches:
        """Batches of tiles of some images."""
        return TileBatches(data=TileSet(self.maker.folder, indices), **common)

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
