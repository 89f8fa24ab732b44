"""An instrument of two bands that counts each source, and tiny shards of its sky."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind import hookimpl
from gammafind.networks.features import FeatureSpec
from gammafind.presets.preset import PatchLayout
from gammafind.sky.projection import unit_vectors
from gammafind.training.draws import DrawOptions
from gammafind.training.patches import PatchBatches
from gammafind.training.sets import make_shards
from gammafind.training.shard_set import ShardSet
from gammafind.training.shards import ShardMaker
from gammafind.training.targets import TargetOptions
from tests.simulation.toy_sky import EXPOSURE, FLUX, Few, TwoYears

WIDTHS = (16, 32)


@dataclass(frozen=True, kw_only=True)
class Counting(TwoYears):
    """Blurs its sources, and tells the counts of each."""

    name: ClassVar[str] = "counting"
    presets: ClassVar[tuple[str, ...]] = ("tests.training:counting.toml",)

    def _render(self, sources, pixels):
        positions = SkyCoord(sources["ra"], sources["dec"])
        maps = []
        for each, psf in zip(pixels, self.psfs(), strict=True):
            here = positions.transform_to(each.frame).spherical
            vectors = unit_vectors(here.lon.deg, here.lat.deg)
            cosines = each.vectors.reshape(-1, 3) @ vectors.T
            density = np.interp(np.arccos(np.clip(cosines, -1, 1)), psf.theta, psf.density)
            blurred = density * each.pixel_area.to_value(u.sr)
            maps.append((blurred @ self.source_counts(sources)[:, 0]).reshape(each.shape))
        return tuple(maps)

    def source_counts(self, sources):
        return np.repeat(0.5 * EXPOSURE * sources["flux"].to_value(FLUX)[:, None], 2, axis=1)


@hookimpl
def gammafind_renderers():
    return [Counting]


def toy_maker(folder: Path, n_pixels=WIDTHS, **changes) -> ShardMaker:
    """Maker of shards of 12 patches of 40 deg."""
    settings = {
        "renderer": Counting(),
        "population": Few(n=60),
        "settings": {"population": {"n": 60}},
        "seed": 5,
        "patches": PatchLayout(nside=1, size=40 * u.deg, n_pixels=n_pixels),
        "exposure": True,
    }
    return ShardMaker(folder=folder, **{**settings, **changes})


def toy_shards(folder: Path, n: int = 2) -> ShardSet:
    """Shards of ``n`` catalogues."""
    make_shards(toy_maker(folder), range(n))
    return ShardSet(folder, range(n))


def toy_batches(shards: ShardSet, **changes) -> PatchBatches:
    """Batches of four patches, five an epoch."""
    settings = {
        "per_epoch": 20,
        "batch_size": 4,
        "seed": 3,
        "spec": FeatureSpec(),
        "targets": TargetOptions(),
        "draw": DrawOptions(),
    }
    return PatchBatches(data=shards, **{**settings, **changes})
