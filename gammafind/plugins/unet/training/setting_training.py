"""Training of a network for any bands, on settings of an instrument that are drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.networks.folder import Runner
from gammafind.networks.tiers import BandResolution
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.training.calibrate import KnownSky, calibrate
from gammafind.plugins.unet.training.distortion import distorted
from gammafind.plugins.unet.training.options import SettingOptions
from gammafind.plugins.unet.training.truth import match_radius, ts_alone
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.stacks import PatchStacks
from gammafind.training.flat_skies import SIZE
from gammafind.training.localiser import LocaliserOptions
from gammafind.training.settings import (
    SettingBatches,
    SettingMaker,
    SettingSet,
)
from gammafind.training.varied import VariedTraining
from gammafind.utils.progress import stage


@dataclass(frozen=True, eq=False, kw_only=True)
class SettingTraining(VariedTraining):
    """One stage of the training of a network for any bands.

    Parameters
    ----------
    recipe, folder : see `VariedTraining`
    options : SettingOptions
    """

    sections: ClassVar[tuple[str, ...]] = (
        "network",
        "features",
        "targets",
        "draw",
        "loss",
        "vary",
    )
    reads: ClassVar[type[LocaliserOptions]] = SettingOptions

    options: SettingOptions

    @cached_property
    def maker(self) -> SettingMaker:
        """Draws the settings."""
        recipe = self.recipe
        return SettingMaker(
            folder=recipe.data_folder(self.folder / "settings"),
            settings=self.described,
            seed=recipe.data.seed,
            preset=recipe.preset,
            variation=self.variation,
        )

    def architecture(self) -> Architecture:
        """Return the network that is trained."""
        return Architecture(
            network=self.options.network,
            widths=(),
            size=SIZE * u.deg,
            features=self.options.features,
            options=self.options.network_options,
        )

    def of_set(self, indices: range, **common: Any) -> SettingBatches:
        """Batches of patches of some settings."""
        return SettingBatches(data=SettingSet(self.maker.folder, indices), **common)

    def calibrated(self, run: Runner, architecture: Architecture) -> Architecture:
        """Learn what scores mean from whole skies of the settings of the validation."""
        return calibrate(run, architecture, self._known_skies())

    def _known_skies(self) -> Iterator[KnownSky]:
        """Yield a sky of each setting of the validation; the background of every other is off."""
        maker, draw = self.maker, self.options.draw
        for index in self.recipe.data.splits["validation"]:
            renderer, population = maker.drawn(index)
            rng = np.random.default_rng((self.recipe.seed, index))
            with stage("skies of the calibration"):
                sky = simulated_sky(renderer, population, seed=maker.seed, index=index)
                seen, sources = sky.observation, sky.sources
                if index % 2 and draw.is_off:
                    seen = distorted(seen, sky.expected, draw, size=SIZE, rng=rng)
                sources["ts"] = ts_alone(seen, sources, renderer.source_counts(sources))
            grid = PatchGrid.healpix(size=Quantity(SIZE, u.deg), frame=renderer.pixels[0].frame)
            seen_as = BandResolution.of_maps(renderer.psfs(), renderer.pixels, SIZE)
            stacks = PatchStacks(seen, grid, seen_as.widths, rng, seen_as.spread, exposure=False)
            yield KnownSky(stacks, sources, match_radius(seen))
