"""What a network for patches of a sky is trained on: expected counts, drawn anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gammafind.catalogue.io import read_table
from gammafind.networks.weights import ARCHITECTURE
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.folder import read_architecture
from gammafind.plugins.unet.runners import onnx_runner
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
    """

    recipe: Recipe
    folder: Path

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

    def calibrate(self, weights: Path) -> None:
        """Learn what scores mean, from the validation, where there are HEALPix maps."""
        recipe = self.recipe
        if all(isinstance(pixels, HealpixPixels) for pixels in self.maker.renderer.pixels):
            architecture = read_architecture(weights)
            run, skies = onnx_runner(weights, architecture), self._known_skies()
            architecture = calibrate(run, architecture, skies, radius=recipe.preset.match_radius)
            architecture.write(weights / ARCHITECTURE, overwrite=True)

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
