"""Training of a network for patches of a sky, on counts drawn from expected counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from gammafind.catalogue.io import read_table
from gammafind.errors import ConfigError
from gammafind.networks.features import FeatureSpec
from gammafind.networks.folder import Runner
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.training.calibrate import KnownSky, calibrate
from gammafind.plugins.unet.training.distortion import distorted
from gammafind.presets.preset import build
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import describe_plugin
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.stacks import PatchStacks
from gammafind.training.batches import Batches
from gammafind.training.draws import DrawOptions
from gammafind.training.localiser import LocaliserOptions, LocaliserTraining
from gammafind.training.options import STREAMS
from gammafind.training.recipe import Recipe
from gammafind.training.shard_set import ShardSet
from gammafind.training.shards import ShardMaker
from gammafind.units import degrees
from gammafind.utils.progress import stage

__all__ = ["PatchTraining"]


@dataclass(frozen=True, eq=False, kw_only=True)
class PatchTraining(LocaliserTraining):
    """One stage of the training of a network for patches.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        Of the whole training.
    options : LocaliserOptions
    features : FeatureSpec
    draw : DrawOptions
    """

    recipe: Recipe
    folder: Path
    options: LocaliserOptions
    features: FeatureSpec
    draw: DrawOptions

    @classmethod
    def read(cls, recipe: Recipe, folder: Path) -> Self:
        """Read the part of a recipe that is of patches.

        Raises
        ------
        ConfigError, OptionError
            If the recipe cannot be, or the renderer has other maps than HEALPix ones.
        """
        (features,) = recipe.options("features", FeatureSpec)
        (draw,) = recipe.options("draw", DrawOptions)
        options = LocaliserOptions.read(recipe)
        renderer = build(recipe.preset.renderer)
        if not all(isinstance(pixels, HealpixPixels) for pixels in renderer.pixels):
            raise ConfigError(
                f"unet learns from HEALPix maps, and {renderer.name} has others",
                path=recipe.source,
                remedy="Name another localiser under [localiser].",
            )
        return cls(recipe=recipe, folder=folder, options=options, features=features, draw=draw)

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides what comes out; JSON."""
        own = {"features": asdict(self.features), "draw": asdict(self.draw)}
        return {
            **self.recipe.settings,
            **self.options.settings,
            **own,
            **self.maker.settings,
        }

    @cached_property
    def maker(self) -> ShardMaker:
        """Renders the catalogues."""
        recipe = self.recipe
        renderer, population = build(recipe.preset.renderer), build(recipe.preset.population)
        layout = recipe.preset.patches
        return ShardMaker(
            folder=recipe.data_folder(self.folder / "shards"),
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
            exposure=self.features.exposure,
            spread=self.features.spread,
        )

    @property
    def used(self) -> dict[str, Plugin]:
        """Plugins that make the data, by role."""
        return {"population": self.maker.population, "renderer": self.maker.renderer}

    def architecture(self) -> Architecture:
        """Return the network that is trained."""
        maker = self.maker
        return Architecture(
            network=self.options.network,
            bands=maker.renderer.bands,
            widths=maker.widths,
            size=maker.size,
            features=self.features,
            options=self.options.network_options,
            map_pixels=tuple(
                float(f"{pixels.pixel_size.to_value('deg'):.4g}")
                for pixels in maker.renderer.pixels
            ),
        )

    def batches(self, split: str, workers: int) -> Batches | None:
        """Batches of a set, None where it is empty; only those of the training ever change."""
        recipe = self.recipe
        shards = ShardSet(self.maker.folder, recipe.data.splits[split])
        if not len(shards):
            return None
        in_training = split == "train"
        options = self.options.batches
        n = options.patches_per_epoch if in_training else options.validation_patches
        return Batches(
            shards=shards,
            n_patches=n,
            batch_size=options.batch_size,
            seed=(recipe.seed, STREAMS[split]),
            spec=self.features,
            targets=self.options.targets,
            draw=self.draw if in_training else DrawOptions(turns=False),
            fixed=not in_training,
            threads=workers,
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
                if self.draw.is_off:
                    size = degrees(layout.size, name="the size of the patches")
                    seen.append(
                        distorted(sky.observation, sky.expected, self.draw, size=size, rng=rng)
                    )
            skies += [
                KnownSky(PatchStacks(one, grid, maker.widths, rng, maker.spread), sources)
                for one in seen
            ]
        return skies
