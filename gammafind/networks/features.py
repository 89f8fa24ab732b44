"""What a network sees of patches: counts of even noise, one array for each width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.errors import InputDataError, OptionError, ShapeError

Arrays = Sequence[np.ndarray]

_EXPOSURE_UNIT = 1e11
_LEAST_BACKGROUND = 1e-3
"""Least background in counts per pixel; lower ones are raised to it."""
_LINEAR = 4.0
"""Standard deviations up to which a significance stays linear; above, it is nearly logarithmic."""
_LEAST_EXPOSURE = 1e-3
"""Least exposure in these units; lower ones are raised to it."""
_LOGARITHMS = {
    "background": (1.0, _LEAST_BACKGROUND),
    "exposure": (_EXPOSURE_UNIT, _LEAST_EXPOSURE),
}
"""Unit and least value of each quantity that enters as a logarithm."""


@dataclass(frozen=True, kw_only=True)
class FeatureSpec:
    """Inputs of the network in addition to the counts.

    Parameters
    ----------
    background : bool
        The expected counts of the background, and of the counts their significance against it.
    exposure : bool
        The exposure.
    spread : bool
        Counts of HEALPix pixels spread evenly over the pixels of the patch that they cover, not
        photon by photon: for maps whose pixels are as wide as the PSF, of which this loses
        nothing.
    tiers : bool
        Whatever the bands are, the network sees what `gammafind.networks.tiers.tier_inputs` makes
        of counts and background.
    """

    background: bool = False
    exposure: bool = False
    spread: bool = False
    tiers: bool = False

    @property
    def channels_per_band(self) -> int:
        """Channels that each band brings."""
        return 1 + self.background + self.exposure


def feature_shapes(widths: Sequence[int], spec: FeatureSpec) -> tuple[tuple[int, int], ...]:
    """Width and number of channels of each array of `features`, widest first.

    Parameters
    ----------
    widths : sequence of int
        Pixels a side of a patch, one number a band.
    spec : FeatureSpec
    """
    widths = list(widths)
    return tuple(
        (width, widths.count(width) * spec.channels_per_band)
        for width in sorted(set(widths), reverse=True)
    )


def features(
    counts: Arrays, background: Arrays | None, exposure: Arrays | None, spec: FeatureSpec
) -> tuple[np.ndarray, ...]:
    """Make the inputs of a network from patches.

    Counts n become 2 sqrt(n + 3/8), whose noise is one everywhere but where there are next to no
    counts. Where the expected background b is shown too, the same function of it is taken off,
    which makes a significance s, given as 4 arsinh(s / 4) so that bright sources stay in
    range; and b itself becomes its logarithm. Exposure becomes the logarithm of what it is in
    units of 1e11 cm2 s.

    Parameters
    ----------
    counts : sequence of ndarray, shape (n, w, w)
        One array a band, each with the width of its band.
    background : sequence of ndarray, optional
        Expected counts, shaped as ``counts``; looked at where ``spec`` asks for it.
    exposure : sequence of ndarray, optional
        In cm2 s, shaped as ``counts``; looked at where ``spec`` asks for it.
    spec : FeatureSpec

    Returns
    -------
    tuple of ndarray, shape (n, w, w, channels), float32
        One array for each distinct width, widest first. The channels are the counts of all bands
        of that width, in their order, then their backgrounds, then their exposures.

    Raises
    ------
    InputDataError
        If a value is negative or not finite.
    OptionError
        If ``spec`` asks for what is not given.
    ShapeError
        If the arrays are no stacks of square patches, or differ in number or shape.

    References
    ----------
    Anscombe 1948, Biometrika 35, 246 (doi:10.2307/2332343).
    """
    given = {"counts": counts}
    for name, arrays, wanted in (
        ("background", background, spec.background),
        ("exposure", exposure, spec.exposure),
    ):
        if wanted and arrays is None:
            raise OptionError(
                f"the features need the {name} of the patches, which is not given",
                remedy=f"Give it, or use features without {name}.",
            )
        if wanted:
            given[name] = arrays
    given = {name: [np.asarray(a) for a in arrays] for name, arrays in given.items()}
    _check(given)
    widths = [array.shape[-1] for array in given["counts"]]
    return tuple(
        _stack(given, [band for band, width in enumerate(widths) if width == shape[0]])
        for shape in feature_shapes(widths, spec)
    )


def _stack(given: dict[str, list[np.ndarray]], bands: list[int]) -> np.ndarray:
    """Channels of some bands of one width."""
    parts = [(name, band) for name in given for band in bands]
    shape = given["counts"][bands[0]].shape
    stacked = np.empty((*shape, len(parts)), dtype=np.float32)
    for channel, (name, band) in enumerate(parts):
        array = given[name][band]
        if name == "counts" and "background" in given:
            stacked[..., channel] = significance(array, given["background"][band])
        elif name == "counts":
            stacked[..., channel] = _even(array)
        else:
            unit, least = _LOGARITHMS[name]
            stacked[..., channel] = np.log(np.maximum(array / unit, least))
    return stacked


def significance(counts: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Counts less background over the noise, nearly, and compressed where it is large."""
    return _LINEAR * np.arcsinh((_even(counts) - _even(background)) / _LINEAR)


def _even(counts: np.ndarray) -> np.ndarray:
    """Function of Poisson counts whose noise is one."""
    return 2 * np.sqrt(counts + np.float32(0.375))


def _check(given: dict[str, list[np.ndarray]]) -> None:
    """Refuse arrays that are no patches of one stack, or hold what cannot be."""
    shapes = [array.shape for array in given["counts"]]
    for name, arrays in given.items():
        found = [array.shape for array in arrays]
        square = all(len(s) == 3 and s[1] == s[2] and s[0] == found[0][0] for s in found)
        if not (found and square and found == shapes):
            raise ShapeError(
                f"{name} of shapes {found} where counts have {shapes}",
                remedy="Each band needs an array (n_patches, n, n).",
            )
        if not all(np.all((array >= 0) & (array < np.inf)) for array in arrays):
            raise InputDataError(
                f"the {name} of the patches hold values that are negative or not finite",
                remedy="Mask pixels without data instead.",
            )
