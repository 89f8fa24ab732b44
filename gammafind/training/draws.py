"""Poisson counts of training patches, on backgrounds that are not what the model says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from gammafind.errors import OptionError
from gammafind.sky.upsample import upsample
from gammafind.training.shard_set import Expected, PatchMap

WAVES, GRAIN = 5, 13
"""Points a side between which a background is interpolated that varies over a quarter of a patch,
and over a twelfth of it."""
CLUMPS = (26.0, 13.0, 6.5)
"""Full widths at half maximum of clumps, as parts of the side of a patch."""
CLUMPS_A_PATCH = 16
"""Mean number of clumps of each width in a patch."""
_NODES = 64
"""Points a side on which clumps are laid."""
_HOLLOWS = 0.2
"""Share of clumps that the model has and the sky has not; they are half as deep as others high."""
_DARKEST = 0.4
_CROWD = 4
"""Clumps are as high as the power of the structured share of the background: clouds crowd near
the plane, and a few are elsewhere."""


@dataclass(frozen=True, kw_only=True)
class TurnOptions:
    """What varies each time a patch or a tile is used.

    Parameters
    ----------
    turns : bool
        Turn each by a random number of quarters, and flip half of them.
    """

    turns: bool = True


@dataclass(frozen=True, kw_only=True)
class DrawOptions(TurnOptions):
    """What varies each time a patch is used, in addition to its counts.

    Parameters
    ----------
    turns : bool
        As for `TurnOptions`.
    background_jitter : float
        Standard deviation of the logarithm of the background's norm, drawn for each patch and
        band. The features keep the background that the model says.
    background_waves : float
        Standard deviation of the logarithm of a factor that varies over the patch on a scale of a
        quarter of it, the same in all bands: a typical error of a model of interstellar emission.
        It is this large where the background is far above that of the faintest part of the sky,
        and zero there, where the emission is isotropic.
    background_grain : float
        The same of a factor that varies over a twelfth of the patch.
    background_clumps : float
        Mean height over the background of clumps of gas that the model does not contain: peaks a
        sixth to a twenty-sixth of a patch wide, with some hollows, most where the background is
        far above the faintest.
    background_unevenness : float
        Standard deviation of the logarithm of a factor on waves, grain and clumps, drawn for each
        patch: a model is better in one place than in another.
    """

    background_jitter: float = 0.0
    background_waves: float = 0.0
    background_grain: float = 0.0
    background_clumps: float = 0.0
    background_unevenness: float = 0.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name != "turns"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise OptionError(f"{name} is {value}", remedy="It must be 0 or more.")

    @property
    def is_off(self) -> bool:
        """Whether the background varies within a patch."""
        return bool(self.background_waves or self.background_grain or self.background_clumps)


def drawn_counts(
    expected: Expected,
    options: DrawOptions,
    faintest: Sequence[float],
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    """Draw Poisson counts, where each background is a little more or less than expected.

    Parameters
    ----------
    expected : Expected
    options : DrawOptions
        How much more or less.
    faintest : sequence of float
        Background of each band where it is faintest, in counts a pixel.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray, shape (n, width, width), float32
    """
    n, n_bands = len(expected), len(expected.sources)
    norms = np.exp(rng.normal(0, options.background_jitter, (n_bands, n, 1, 1)))
    waves, clumps = _rough(n, options, rng) if options.is_off else ([], None)
    counts = []
    for band, (background, norm, least) in enumerate(
        zip(expected.background, norms.astype(np.float32), faintest, strict=True)
    ):
        width = background.shape[-1]
        factor = np.broadcast_to(norm, background.shape)
        if options.is_off:
            log = sum(upsample(values, width) for values in waves)
            heights = 0.0 if clumps is None else upsample(clumps, width)
            factor = norm * off_by(background, least, log, heights)
        maps = [patch[band] for patch in expected.maps or () if patch[band] is not None]
        if not maps:
            drawn = rng.poisson(expected.sources[band] + factor * background)
        else:
            drawn = np.stack([_spread(*one, rng) for one in zip(maps, factor, strict=True)])
        counts.append(drawn.astype(np.float32))
    return tuple(counts)


def off_by(
    background: np.ndarray, faintest: float, log: np.ndarray | float, clumps: np.ndarray | float
) -> np.ndarray:
    """Factor on a background that is structured where it is above its faintest.

    Parameters
    ----------
    background : ndarray
    faintest : float
        What it is where it is faintest.
    log : ndarray
        Logarithm of the factor of waves and grain where there is structure alone.
    clumps : ndarray
        Heights of clumps there, over the background.
    """
    structured = np.maximum(1 - faintest / np.maximum(background, faintest), 0)
    return np.exp(structured * log) * np.maximum(1 + structured**_CROWD * clumps, _DARKEST)


def clump_heights(n: int, mean: float, *, rng: np.random.Generator) -> np.ndarray:
    """Heights of clumps over the background, shape (n,); those of hollows are negative."""
    heights = rng.exponential(mean, n)
    return np.where(rng.random(n) < _HOLLOWS, -heights / 2, heights)


def _rough(
    n: int, options: DrawOptions, rng: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Waves and grain, each (n, nodes, nodes), and clumps, of some patches, where wanted."""
    uneven = np.exp(rng.normal(0, options.background_unevenness, (n, 1, 1))).astype(np.float32)
    spreads = ((WAVES, options.background_waves), (GRAIN, options.background_grain))
    waves = [
        uneven * rng.normal(0, spread, (n, nodes, nodes)).astype(np.float32)
        for nodes, spread in spreads
        if spread
    ]
    if not options.background_clumps:
        return waves, None
    clumps = np.zeros((n, _NODES, _NODES), dtype=np.float32)
    for row in range(n):
        clumps[row] = uneven[row] * _clumps(options.background_clumps, rng)
    return waves, clumps


def _clumps(mean: float, rng: np.random.Generator) -> np.ndarray:
    """Clumps of one patch and about it, shape (_NODES, _NODES)."""
    nodes = (np.arange(_NODES) + 0.5) / _NODES
    field = np.zeros((_NODES, _NODES))
    for part in CLUMPS:
        border = 1 / part
        m = rng.poisson(CLUMPS_A_PATCH * (1 + 2 * border) ** 2)
        places = rng.uniform(-border, 1 + border, (2, m, 1))
        along, across = np.exp(-4 * np.log(2) * ((nodes - places) * part) ** 2)
        field += along.T @ (clump_heights(m, mean, rng=rng)[:, None] * across)
    return field


def _spread(map_: PatchMap, factor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts drawn in the pixels of a map, where backgrounds are changed, spread over a patch."""
    share = np.maximum(map_.shares.sum(axis=0), 1e-9)
    of_pixel = map_.shares.T @ factor.ravel() / share
    drawn = rng.poisson(map_.sources + of_pixel * map_.background)
    return (map_.shares @ drawn.astype(np.float32)).reshape(factor.shape)
