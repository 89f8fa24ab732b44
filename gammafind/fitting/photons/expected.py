"""The expected test statistic of each true source if everything else is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import BandError, OptionError, ShapeError
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.pixels import Pixels, same_pixels
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import FINE, stamps
from gammafind.sky.skymap import SkyMap

_CHUNK = 1000
"""Sources per step: limits memory."""
_FAINT, _BRIGHT = (0.95, 1.25), (0.995, FINE)
"""Used share of the counts of a source, and sampling of its PSF, for faint and bright sources. The
wings matter if a source is brighter than the background somewhere."""
AGREEMENT = 0.01
"""Relative accuracy of the counts of a source in a pixel."""
_FLOOR = 1e-12
"""Least expected background counts of a pixel: keeps ratios finite."""


class Expected(NamedTuple):
    """The information of each band about n sources if everything else is known.

    Attributes
    ----------
    ts : ndarray, shape (n, n_bands)
        Twice the log-likelihood ratio of the expected counts with and without each source: the sum
        over valid pixels of ``2 (m ln(m / (m - s)) - s)``, where ``m`` are the expected counts of
        everything and ``s`` those of the source. That of all bands is the sum.
    information : ndarray, shape (n, n_bands)
        Fisher information of the counts, a sum over pixels of ``s**2 / m``: the
        inverse square of the smallest possible relative error of the counts (the Cramer-Rao bound).
    """

    ts: np.ndarray
    information: np.ndarray


def expected_by_band(
    positions: SkyCoord,
    counts: np.ndarray,
    expected: SkyMap,
    background: SkyMap,
    psfs: Sequence[RadialPsf],
) -> Expected:
    """Information of each band about each source.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
    counts : ndarray, shape (n, n_bands)
        Expected counts of each source in each band.
    expected : SkyMap
        Expected counts of everything: all sources, these included, and the background.
    background : SkyMap
        Expected counts without any source, on the pixels of ``expected``.
    psfs : sequence of RadialPsf
        One per band.

    Returns
    -------
    Expected

    Raises
    ------
    ShapeError
        If the shape of ``counts`` is not (n, n_bands).
    OptionError
        If counts are negative or not finite.
    BandError
        If there is not one PSF per band, or ``background`` has other bands or pixels.

    Notes
    -----
    The TS is the average of a likelihood analysis (the Asimov value) if everything except the
    source is known. No analysis can reach a larger value on average. Other sources count in a pixel
    only if their counts exceed a hundredth of those of this source, which is the agreement of its
    counts here and in ``expected``.
    """
    counts = np.asarray(counts, dtype=float)
    _check(len(positions), counts, expected, background, psfs)
    parts = []
    for i, pixels in enumerate(expected.pixels):
        vectors = vectors_in(pixels.frame, positions)
        everything = expected.values[i].ravel()
        alone = np.maximum(background.values[i].ravel(), _FLOOR)
        valid = (expected.valid[i] & background.valid[i]).ravel()
        of_band = counts[:, i], everything, alone, valid, pixels, psfs[i]
        parts.append(_of_band(vectors, *of_band))
    return Expected(*np.stack(parts, axis=-1))


def rendered_ts(renderer: SkyRenderer, sources: QTable) -> np.ndarray:
    """Expected TS of ``sources`` on the sky that ``renderer`` renders from them.

    Parameters
    ----------
    renderer : SkyRenderer
    sources : QTable
        Input of `gammafind.roles.renderer.SkyRenderer.render`.

    Returns
    -------
    ndarray, shape (n,)
    """
    return sum(rendered_by_band(renderer, sources).ts.T)


def rendered_by_band(renderer: SkyRenderer, sources: QTable) -> Expected:
    """Information of each band about ``sources`` on the sky that ``renderer`` renders from them.

    Parameters
    ----------
    renderer : SkyRenderer
    sources : QTable
        Both as for `rendered_ts`.

    Returns
    -------
    Expected
    """
    counts = renderer.source_counts(sources)
    rendered = renderer.render(sources)
    components = renderer.background().values()
    background = [sum(parts) for parts in zip(*(sky.values for sky in components), strict=True)]
    total = [a + b for a, b in zip(rendered.values, background, strict=True)]
    everything, alone = (replace(rendered, values=tuple(maps)) for maps in (total, background))
    positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    return expected_by_band(positions, counts, everything, alone, renderer.psfs())


def _check(
    n: int,
    counts: np.ndarray,
    expected: SkyMap,
    background: SkyMap,
    psfs: Sequence[RadialPsf],
) -> None:
    if counts.shape != (n, expected.n_bands):
        raise ShapeError(
            f"counts have shape {counts.shape} for {n} sources and {expected.n_bands} bands"
        )
    if not np.all(np.isfinite(counts) & (counts >= 0)):
        raise OptionError("the counts of some sources are negative or not finite")
    if not len(psfs) == background.n_bands == expected.n_bands:
        raise BandError(
            f"{len(psfs)} PSFs and {background.n_bands} bands of background "
            f"for {expected.n_bands} bands"
        )
    if not all(map(same_pixels, background.pixels, expected.pixels)):
        raise BandError("the pixels of the background are not those of the expected counts")


def _of_band(
    vectors: np.ndarray,
    counts: np.ndarray,
    everything: np.ndarray,
    background: np.ndarray,
    valid: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
) -> np.ndarray:
    """TS and information of each source in one band, shape (2, n), in bounded memory."""
    found = np.zeros((2, len(vectors)))
    largest = counts * psf.density[0] * pixels.pixel_area.to_value("sr")
    bright = largest > background[pixels.containing(vectors)]
    for (containment, sampling), chosen in ((_FAINT, ~bright), (_BRIGHT, bright)):
        rows = np.flatnonzero(chosen & (counts > 0))
        for part in np.array_split(rows, len(rows) // _CHUNK + 1):
            stamp = stamps(vectors[part], pixels, psf, containment=containment, sampling=sampling)
            source = stamp.fraction * counts[part, None] * valid[stamp.pixel]
            others = everything[stamp.pixel] - (1 + AGREEMENT) * source
            rest = np.maximum(others, background[stamp.pixel])
            all_ = rest + source
            found[0, part] = 2 * (all_ * np.log1p(source / rest) - source).sum(axis=1)
            found[1, part] = (source**2 / all_).sum(axis=1)
    return found
