"""What a network for patches of a sky is trained on: expected counts, drawn anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gammafind.catalogue.io import read_table
from gammafind.errors import ConfigError
from gammafind.networks.folder import Runner
from gammafind.plugins.unet.architecture import Architecture
from gammafind.presets.preset import build
from gammafind.recipes.calibrate import KnownSky, calibrate
from gammafind.recipes.distortion import distorted
from gammafind.recipes.folders import data_folder
from gammafind.recipes.recipe import STREAMS, Recipe
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import describe_plugin
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.stacks import PatchStacks
from gammafind.training.batches import Batches
from gammafind.training.draws import DrawOptions
from gammafind.training.shard_set import ShardSet
from gammafind.training.shards import ShardMaker
from gammafind.units import degrees
from gammafind.utils.progress import stage

__all__ = ["PatchData"]


@dataclass(frozen=True, eq=False)
class PatchData:
    """Training data of patches.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the training.

    Raises
    ------
    ConfigError
        If the maps are not HEALPix maps, which alone the localiser searches.
    """

    recipe: Recipe
    folder: Path

    def __post_init__(self) -> None:
        if not all(isinstance(pixels, HealpixPixels) for pixels in self.maker.renderer.pixels):
            raise ConfigError(
                f"{self.maker.renderer.name} gives maps with a WCS, and unet looks at HEALPix maps",
                path=self.recipe.source or None,
                remedy="Take a preset of HEALPix maps: scores are learned from whole skies.",
            )

    @cached_property
    def maker(self) -> ShardMaker:
        """Renders the catalogues."""
        recipe = self.recipe
        renderer, population = build(recipe.preset.renderer), build(recipe.preset.population)
        layout = recipe.preset.patches
        return ShardMaker(
            folder=data_folder(recipe.source, recipe.data.folder, self.folder / "shards"),
            renderer=renderer,
            population=population,
            settings={
                "renderer": describe_plugin("renderer", renderer),
                "population": describe_plugin("population", population),
            },
            seed=recipe.data.seed,
            nside=layout.nside,
            size=layout.size,
            n_pixels=layout.widths(len(renderer.bands)),
            exposure=recipe.features.exposure,
            spread=recipe.features.spread,
        )

    @property
    def used(self) -> dict[str, Plugin]:
        """Plugins that make the data, by role."""
        return {"population": self.maker.population, "renderer": self.maker.renderer}

    def architecture(self) -> Architecture:
        """Return the network that is trained."""
        recipe, maker = self.recipe, self.maker
        return Architecture(
            network=recipe.network,
            bands=maker.renderer.bands,
            widths=maker.widths,
            size=maker.size,
            features=recipe.features,
            options=recipe.network_options,
            map_pixels=tuple(
                float(f"{pixels.pixel_size.to_value('deg'):.4g}")
                for pixels in maker.renderer.pixels
            ),
        )

    def batches(self, split: str, threads: int) -> Batches | None:
        """Batches of a set, None where it is empty; only those of the training ever change."""
        recipe = self.recipe
        shards = ShardSet(self.maker.folder, recipe.data.splits[split])
        if not len(shards):
            return None
        in_training = split == "train"
        options = recipe.batches
        n = options.patches_per_epoch if in_training else options.validation_patches
        return Batches(
            shards=shards,
            n_patches=n,
            batch_size=options.batch_size,
            seed=(recipe.seed, STREAMS[split]),
            spec=recipe.features,
            targets=recipe.targets,
            draw=recipe.draw if in_training else DrawOptions(turns=False),
            fixed=not in_training,
            threads=threads,
        )

    def calibrated(self, run: Runner, architecture: Architecture) -> Architecture:
        """Learn what scores mean from the skies of the validation."""
        skies, radius = self._known_skies(), self.recipe.preset.match_radius
        return calibrate(run, architecture, skies, radius=radius)

    def _known_skies(self) -> list[KnownSky]:
        """Whole skies of the catalogues of the validation.

        Where the background varied in the training, each comes once more with a background that is
        off by as much.
        """
        recipe, maker = self.recipe, self.maker
        renderer, layout = maker.renderer, recipe.preset.patches
        grid = PatchGrid.healpix(layout.nside, size=layout.size, frame=renderer.pixels[0].frame)
        skies = []
        for index in recipe.data.splits["validation"]:
            sources = read_table(maker.place(index) / "sources.fits")
            rng = np.random.default_rng((recipe.seed, index))
            with stage("skies of the calibration"):
                sky = simulated_sky(renderer, maker.population, seed=maker.seed, index=index)
                seen = [sky.observation]
                if recipe.draw.is_off:
                    size = degrees(layout.size, name="the size of the patches")
                    seen.append(
                        distorted(sky.observation, sky.expected, recipe.draw, size=size, rng=rng)
                    )
            skies += [
                KnownSky(PatchStacks(one, grid, maker.widths, rng, maker.spread), sources)
                for one in seen
            ]
        return skies
