"""Training of a network for patches of a sky, on counts drawn from expected counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gammafind.catalogue.io import read_table
from gammafind.errors import ConfigError, OptionError
from gammafind.networks.features import FeatureSpec
from gammafind.networks.folder import Runner
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.training.calibrate import KnownSky, calibrate
from gammafind.plugins.unet.training.distortion import distorted
from gammafind.plugins.unet.training.options import PatchOptions
from gammafind.plugins.unet.training.setting_training import SettingTraining
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.stacks import PatchStacks
from gammafind.training.localiser import LocaliserOptions, LocaliserTraining
from gammafind.training.patches import PatchBatches
from gammafind.training.recipe import Recipe
from gammafind.training.shard_set import ShardSet
from gammafind.training.shards import ShardMaker
from gammafind.units import degrees
from gammafind.utils.progress import stage


@dataclass(frozen=True, eq=False, kw_only=True)
class PatchTraining(LocaliserTraining):
    """One stage of the training of a network for patches.

    Parameters
    ----------
    recipe, folder : see `LocaliserTraining`
    options : PatchOptions

    Raises
    ------
    ConfigError
        If the renderer has other maps than HEALPix ones.
    """

    sections: ClassVar[tuple[str, ...]] = SettingTraining.sections
    reads: ClassVar[type[LocaliserOptions]] = PatchOptions

    options: PatchOptions

    @classmethod
    def prepare(cls, recipe: Recipe, folder: Path) -> LocaliserTraining:
        """Return the training of one stage: of a network for these bands, or for any."""
        (features,) = recipe.options("features", FeatureSpec)
        if features.tiers:
            return SettingTraining.prepare(recipe, folder)
        if "vary" in recipe.toml.tables:
            raise OptionError(
                "[vary] is for networks for any bands",
                remedy="Set tiers = true under [features], or remove it.",
            )
        return super().prepare(recipe, folder)

    def __post_init__(self) -> None:
        renderer = self.used["renderer"]
        if not all(isinstance(pixels, HealpixPixels) for pixels in renderer.pixels):
            raise ConfigError(
                f"unet learns from HEALPix maps, and {renderer.name} has others",
                path=self.recipe.source,
                remedy="Name another localiser under [localiser].",
            )

    @cached_property
    def maker(self) -> ShardMaker:
        """Renders the catalogues."""
        recipe, features = self.recipe, self.options.features
        return ShardMaker(
            **self.used,
            folder=recipe.data_folder(self.folder / "shards"),
            settings=self.described,
            seed=recipe.data.seed,
            patches=recipe.preset.patches,
            exposure=features.exposure,
            spread=features.spread,
        )

    def architecture(self) -> Architecture:
        """Return the network that is trained."""
        maker = self.maker
        return Architecture(
            network=self.options.network,
            bands=maker.renderer.bands,
            widths=maker.widths,
            size=maker.patches.size,
            features=self.options.features,
            options=self.options.network_options,
            map_pixels=tuple(
                float(f"{pixels.pixel_size.to_value('deg'):.4g}")
                for pixels in maker.renderer.pixels
            ),
        )

    def of_set(self, indices: range, **common: Any) -> PatchBatches:
        """Batches of patches of some catalogues."""
        data = ShardSet(self.maker.folder, indices)
        return PatchBatches(data=data, spec=self.options.features, **common)

    def calibrated(self, run: Runner, architecture: Architecture) -> Architecture:
        """Learn what scores mean from the skies of the validation."""
        return calibrate(run, architecture, self._known_skies())

    def _known_skies(self) -> Iterator[KnownSky]:
        """Yield whole skies of the catalogues of the validation.

        Where the background varied in the training, each comes once more with a background that is
        off by as much.
        """
        recipe, maker, draw = self.recipe, self.maker, self.options.draw
        renderer, layout = maker.renderer, recipe.preset.patches
        grid = PatchGrid.healpix(layout.nside, size=layout.size, frame=renderer.pixels[0].frame)
        for index in recipe.data.splits["validation"]:
            sources = read_table(maker.place(index) / "sources.fits")
            rng = np.random.default_rng((recipe.seed, index))
            with stage("skies of the calibration"):
                sky = simulated_sky(renderer, maker.population, seed=maker.seed, index=index)
                seen = [sky.observation]
                if draw.is_off:
                    size = degrees(layout.size, name="the size of the patches")
                    seen.append(distorted(sky.observation, sky.expected, draw, size=size, rng=rng))
            for one in seen:
                stacks = PatchStacks(one, grid, maker.widths, rng, maker.spread)
                yield KnownSky(stacks, sources, recipe.preset.match_radius)
