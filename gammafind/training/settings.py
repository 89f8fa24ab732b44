"""Training data of networks for any bands: settings of an instrument, drawn at random.

The folder of a setting holds ``sky.npz``, all that patches of its sky are simulated from
(`gammafind.training.flat_skies.FlatSky`), and ``sources.fits``. Patches are made when they are
used, each time at another place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.tiers import TIERS, BandResolution, tier_inputs
from gammafind.presets.preset import Preset, build
from gammafind.roles.population import SourcePopulation
from gammafind.roles.provenance import describe_plugin
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.pixels import nsides_of
from gammafind.training.batches import (
    Batch,
    Batches,
    turn_choices,
    turned_stack,
    turned_truth,
)
from gammafind.training.draws import DrawOptions, drawn_counts
from gammafind.training.flat_skies import MARGIN, FlatSky, flat_sky, with_maps
from gammafind.training.sets import DataSet, Maker, Part, damaged, read_meta
from gammafind.training.targets import TargetOptions, target_maps
from gammafind.training.variation import Variation, in_order, varied
from gammafind.utils.streams import streams

_PATCHES = 768
"""Patches of a setting in an epoch that sees all of them once: as many as cover a sky."""
_TOGETHER = 4
"""Patches of a batch that are of the same setting: balances variety and the work that patches of
one setting share (benchmarks/training_data.py)."""
_SKY = "sky.npz"
_NSIDES = (64, 1024)
"""Coarsest and finest maps."""
_FINE, _COARSE = (1.0, 2.5), (0.2, 1.0)
"""Pixels in the 68 % radius of the PSF, at least."""


@dataclass(frozen=True, kw_only=True)
class SettingDrawOptions(DrawOptions):
    """What varies each time a patch of a setting is made.

    Parameters
    ----------
    turns, background_jitter, background_waves, background_grain, background_clumps, background_unevenness : see `DrawOptions`
        As there.
    exposure_factor, flux_factor : float
        Exposure, and fluxes of the sources, are between one over this number and this number times
        those of the setting.
    crowded : float
        Share of the patches that are within 10 deg of the equator of the frame.
    coarse : float
        Share of the patches of maps whose pixels are mostly wider than the PSF.
    """  # noqa: E501

    exposure_factor: float = 2.0
    flux_factor: float = 1.5
    crowded: float = 0.25
    coarse: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("exposure_factor", "flux_factor"):
            if getattr(self, name) < 1:
                raise OptionError(
                    f"{name} is {getattr(self, name)}", remedy="It must be 1 or more."
                )
        for name in ("crowded", "coarse"):
            if getattr(self, name) > 1:
                raise OptionError(f"{name} is {getattr(self, name)}", remedy="It must be 0 to 1.")


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingMaker(Maker):
    """Draws settings; called with an index, it makes that one.

    Parameters
    ----------
    folder, settings, seed : see `Maker`
    preset : Preset
        Whose instrument and population are varied.
    variation : mapping
        Options of population and renderer that vary.
    """

    preset: Preset
    variation: Variation

    def fill(self, folder: Path, index: int) -> dict[str, Any]:
        """Write the setting of an index."""
        renderer, population = self.drawn(index)
        sky = flat_sky(renderer, population, rng=streams(self.seed, index).sources)
        arrays = sky.arrays()
        arrays["background"] = arrays["background"].astype(np.float32)
        with (folder / _SKY).open("wb") as stream:
            np.savez(stream, **arrays)
        return {
            "n_patches": _PATCHES,
            "widths": TIERS,
            "frame": sky.frame,
            "renderer": describe_plugin("renderer", renderer),
            "population": describe_plugin("population", population),
        }

    def drawn(self, index: int) -> tuple[SkyRenderer, SourcePopulation]:
        """Renderer and population of an index."""
        random = streams(self.seed, index).settings
        preset = varied(self.preset, self.variation, rng=random)
        renderer, population = build(preset.renderer), build(preset.population)
        return renderer.another(random), population

    def own_settings(self) -> dict[str, Any]:
        """What varies, in its order."""
        return {"vary": in_order(self.variation)}


class _Setting(Part):
    """One setting."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._n, widths, self._frame = read_meta(folder, "n_patches", "widths", "frame")
        self.widths = tuple(widths)

    def __len__(self) -> int:
        return self._n

    def sky(self) -> FlatSky:
        """What its patches are made of."""
        return _read(self.folder / _SKY, self._frame)


class SettingSet(DataSet[_Setting]):
    """Some settings."""

    part: ClassVar[type[Part]] = _Setting


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingBatches(Batches):
    """Batches of patches of many settings; they depend on the seed and the epoch alone.

    Parameters
    ----------
    data, per_epoch, batch_size, seed, fixed, threads : see `Batches`
        The data are a `SettingSet`.
    targets : TargetOptions
    draw : SettingDrawOptions
    """

    samples: ClassVar[str] = "patches"

    data: SettingSet
    targets: TargetOptions
    draw: SettingDrawOptions

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.data):
            raise OptionError("there are no settings to draw from", remedy="Take one or more.")
        self.targets.check_reach(MARGIN)

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Make patches anywhere on the skies of some settings, and draw their counts."""
        parts = np.array_split(rows, -(-len(rows) // _TOGETHER))
        made = [
            self._of_setting(self.data.places(part[:1])[0][0], len(part), rng) for part in parts
        ]
        inputs = tuple(np.concatenate(tier) for tier in zip(*(one for one, _ in made), strict=True))
        return inputs, np.concatenate([target for _, target in made])

    def _of_setting(self, setting: _Setting, n: int, rng: np.random.Generator) -> Batch:
        sky, draw = setting.sky(), self.draw
        grid = sky.grid(n, rng, crowded=draw.crowded)
        exposure, flux = (
            np.exp(rng.uniform(-1, 1, n) * np.log(factor))
            for factor in (draw.exposure_factor, draw.flux_factor)
        )
        resolution = sky.resolution(_map_pixels(sky.psf_r68, draw, rng))
        expected = with_maps(sky.expected(grid, resolution, exposure, flux), resolution, rng)
        faintest = [least * exposure[:, None, None] for least in sky.faintest * resolution.pixel**2]
        counts = drawn_counts(expected, draw, faintest, rng=rng)
        background, truth = expected.background, expected.truth
        if draw.turns:
            choices = turn_choices(n, rng)
            counts, background = (
                tuple(turned_stack(array, choices) for array in arrays)
                for arrays in (counts, background)
            )
            truth = turned_truth(truth, choices, TIERS[0])
        shares = np.broadcast_to(sky.shares, (n, len(sky.shares)))
        seen = self.seen(counts, background, shares, resolution)
        return seen, target_maps(truth, n, TIERS[0], self.targets)

    @staticmethod
    def seen(
        counts: Sequence[np.ndarray],
        background: Sequence[np.ndarray],
        shares: np.ndarray,
        resolution: BandResolution,
    ) -> tuple[np.ndarray, ...]:
        """What the network sees of some patches of a setting, as `tier_inputs` makes it."""
        return tier_inputs(counts, background, shares, resolution)


def _map_pixels(r68: np.ndarray, draw: SettingDrawOptions, rng: np.random.Generator) -> np.ndarray:
    """Sizes in degrees of the pixels of the maps of bands, as HEALPix has them."""
    coarse = rng.random() < draw.coarse
    fineness = rng.uniform(*(_COARSE if coarse else _FINE))
    return np.degrees(np.sqrt(np.pi / 3) / nsides_of(r68 / fineness, _NSIDES))


@lru_cache(maxsize=64)
def _read(path: Path, frame: str) -> FlatSky:
    """Setting of a file, kept in memory as long as few others are used."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return FlatSky(**dict(file), frame=frame)
    except (OSError, ValueError, EOFError, LookupError, TypeError):
        raise damaged(path.parent, path.name) from None
