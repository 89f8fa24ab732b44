"""What a network for any bands sees: four tiers of resolution, however many bands there are.

Each band belongs to the tier whose pixels are about as wide as its PSF. The bands of a tier are
added with the weights of a likelihood ratio, and scaled such that the sum has the noise of counts.
Of a single band in a tier the sum is its counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.networks.features import significance
from gammafind.sky.bands import Band
from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf, ring_weights

TIERS = (128, 64, 32, 16)
"""Pixels a side of a patch in each tier."""
CHANNELS = 5
"""Of each tier; see `tier_inputs`."""

_FINEST = 0.09
"""Radius in degrees that holds 68 % of the PSF below which a band is in the second finest pixels
or finer: a pixel is 0.55 to 1.1 times as wide as this radius. Balances the loss of resolution and
the number of pixels."""
TIER_SIZE = 12.8
"""Side in degrees of the patches for which `_FINEST` holds."""
PLACED = 1 / np.sqrt(6)
"""Standard deviation of the displacement of photons that are placed at random within their pixel of
a map, in pixels: two uniform displacements in each coordinate."""
_PLACED = 0.62
"""Radius of a circle that holds 68 % of these displacements, in pixels."""
_INDEX = 2.3
"""Photon index of the source for which bands are weighted, that of a typical source."""
THRESHOLD = 16.0
"""TS of the source for which bands are weighted: one that is just found."""
_LEAST_BACKGROUND = 1e-3
"""Counts in a pixel to which lower backgrounds are raised, as in all networks."""
_LEAST_SHARE = 1e-12
_STEPS = 40
"""Halvings of the logarithm of the counts at the threshold: they end at 1e-10 of it."""
_RANGE = (1e-2, 1e8)
"""Counts of a source at the threshold are sought within it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BandResolution:
    """How sharply each of some bands is seen in patches.

    Attributes
    ----------
    psf_r68 : ndarray, shape (n_bands,)
        Radius in degrees that holds 68 % of the PSF.
    psf_area : ndarray, shape (n_bands,)
        One over the integral of the square of the PSF, in square degrees.
    map_pixels : ndarray, shape (n_bands,)
        Size in degrees of the pixels of the maps.
    size : float
        Side of the patches in degrees.
    """

    psf_r68: np.ndarray
    psf_area: np.ndarray
    map_pixels: np.ndarray
    size: float = TIER_SIZE

    @classmethod
    def of(
        cls, psfs: Sequence[RadialPsf], map_pixels: Sequence[float], size: float = TIER_SIZE
    ) -> BandResolution:
        """Resolution of bands in patches.

        Parameters
        ----------
        psfs : sequence of RadialPsf
        map_pixels : sequence of float
            Size in degrees of the pixels of the map of each band.
        size : float
            Side of the patches in degrees.
        """
        r68, area = psf_radii(psfs)
        map_pixels = np.asarray(map_pixels, dtype=float)
        return cls(psf_r68=r68, psf_area=area, map_pixels=map_pixels, size=size)

    @classmethod
    def of_maps(
        cls, psfs: Sequence[RadialPsf], pixels: Sequence[Pixels], size: float = TIER_SIZE
    ) -> BandResolution:
        """Resolution of the bands of maps in patches that are cut from them."""
        return cls.of(psfs, [one.pixel_size.to_value("deg") for one in pixels], size)

    @property
    def r68(self) -> np.ndarray:
        """Radius in degrees that holds 68 % of the photons of a source, displaced as they are."""
        return np.hypot(self.psf_r68, _PLACED * self.map_pixels)

    @property
    def spread(self) -> np.ndarray:
        """Whether the pixels of the map are wider than the PSF: their counts are then spread."""
        return self.map_pixels > self.psf_r68

    @property
    def shared(self) -> np.ndarray:
        """Pixels of its tier over which the counts of a pixel of the map are spread, or 0."""
        return np.where(self.spread, (self.map_pixels / self.pixel) ** 2, 0.0)

    @property
    def tier(self) -> np.ndarray:
        """Row of `TIERS` of each band."""
        finest = _FINEST * self.size / TIER_SIZE
        return np.clip(np.floor(np.log2(self.r68 / finest)), 0, len(TIERS) - 1).astype(int)

    @property
    def pixel(self) -> np.ndarray:
        """Size in degrees of the pixels of the tier of each band."""
        return self.size / np.array(TIERS)[self.tier]

    @property
    def widths(self) -> tuple[int, ...]:
        """Pixels a side of the patches of each band."""
        return tuple(TIERS[tier] for tier in self.tier)

    @property
    def area(self) -> np.ndarray:
        """Pixels of its tier over which the photons of a source are spread.

        It is one over the sum of the squares of their shares.
        """
        placed = 4 * np.pi * (PLACED * self.map_pixels) ** 2
        return (self.psf_area + placed) / self.pixel**2 + np.pi / 3

    @property
    def core(self) -> np.ndarray:
        """Share of the photons of a source in the pixel at its centre."""
        return 1 - np.exp(-2 / self.area)


def psf_radii(psfs: Sequence[RadialPsf]) -> tuple[np.ndarray, np.ndarray]:
    """Radii in degrees that hold 68 % of PSFs, and one over the integrals of their squares."""
    r68 = [psf.containment_radius(0.68).to_value("deg") for psf in psfs]
    area = [1 / (psf.density**2 @ ring_weights(psf.theta)) for psf in psfs]
    return np.array(r68), np.degrees(np.degrees(area))


def spectral_shares(bands: Sequence[Band], exposure: np.ndarray) -> np.ndarray:
    """Share of the counts of a typical source that each band has.

    Parameters
    ----------
    bands : sequence of Band
    exposure : ndarray, shape (n, n_bands)

    Returns
    -------
    ndarray, shape (n, n_bands)
        Their sum is one, where there is exposure.
    """
    edges = np.array([[band.low.to_value("GeV"), band.high.to_value("GeV")] for band in bands])
    flux = edges[:, 0] ** (1 - _INDEX) - edges[:, 1] ** (1 - _INDEX)
    counts = np.asarray(exposure, dtype=float) * flux
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def counts_at_threshold(
    shares: np.ndarray, background: np.ndarray, area: np.ndarray, ts: float = THRESHOLD
) -> np.ndarray:
    """Counts that a source must have in all bands together to be found.

    Each band counts as a number of pixels with even background and signal, which is exact where
    there is much background.

    Parameters
    ----------
    shares : ndarray, shape (n, n_bands)
        Of the counts in each band.
    background : ndarray, shape (n, n_bands)
        Counts in a pixel.
    area : ndarray, shape (n_bands,)
        Pixels over which a source is spread.
    ts : float
        At which it is found.

    Returns
    -------
    ndarray, shape (n,)
    """
    expected = np.maximum(background, _LEAST_BACKGROUND) * area
    low, high = (np.full(len(shares), np.log(end)) for end in _RANGE)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        signal = np.exp(middle)[:, None] * shares
        below = ts_of_counts(signal, expected).sum(axis=1) < ts
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.exp(low)


def ts_of_counts(signal: np.ndarray, background: np.ndarray) -> np.ndarray:
    """TS that is expected of a signal on a background, both in counts.

    References
    ----------
    Cowan et al. 2011, arXiv:1007.1727, eq. 97.
    """
    return 2 * ((signal + background) * np.log1p(signal / background) - signal)


def threshold_and_width(
    shares: np.ndarray, background: np.ndarray, resolution: BandResolution
) -> tuple[np.ndarray, np.ndarray]:
    """Counts of a source that is just found, and how sharply it is seen.

    Parameters
    ----------
    shares, background : ndarray, shape (n, n_bands)
        As for `counts_at_threshold`.
    resolution : BandResolution

    Returns
    -------
    counts, r68 : ndarray, shape (n,)
        The second is in degrees: a mean of the logarithm over the bands, each as much as it adds
        to the TS.
    """
    counts = counts_at_threshold(shares, background, resolution.area)
    level = np.maximum(background, _LEAST_BACKGROUND) * resolution.area
    ts = ts_of_counts(counts[:, None] * shares, level)
    return counts, np.exp(ts @ np.log(resolution.r68) / ts.sum(axis=1))


def tier_inputs(
    counts: Sequence[np.ndarray],
    background: Sequence[np.ndarray],
    shares: np.ndarray,
    resolution: BandResolution,
) -> tuple[np.ndarray, ...]:
    """Make the inputs of a network from patches of any bands.

    With the counts a of a source at the threshold, its share t of them in a band, the share c of
    these in a pixel and the background b there, each photon of a band has the weight
    w = log(1 + a t c / b). The sum of weighted counts is multiplied by (sum of w b) / (sum of
    w² b), so that its mean is its variance, as that of counts is.

    Parameters
    ----------
    counts, background : sequence of ndarray, shape (n, w, w)
        One array a band, as wide as its tier.
    shares : ndarray, shape (n, n_bands)
        From `spectral_shares`.
    resolution : BandResolution

    Returns
    -------
    tuple of ndarray, shape (n, w, w, 5), float32
        One array a tier, finest first: significance of the counts; logarithm of the background;
        significance that the core of a source at the threshold would have; logarithm of the width
        of the PSF over that of a pixel; logarithm of 1 and the number of pixels over which the
        counts of a pixel of the map are spread. A tier without bands is zero.
    """
    level = np.stack([array.mean(axis=(1, 2)) for array in background], axis=1)
    source = counts_at_threshold(shares, level, resolution.area)[:, None] * shares
    core = np.maximum(source, _LEAST_SHARE) * resolution.core
    inputs = []
    for tier, width in enumerate(TIERS):
        bands = np.flatnonzero(resolution.tier == tier)
        made = np.zeros((len(shares), width, width, CHANNELS), dtype=np.float32)
        if len(bands):
            some = ([arrays[band] for band in bands] for arrays in (counts, background))
            _fill(made, *some, core[:, bands])
            blur = np.log(resolution.r68[bands] / resolution.pixel[bands])
            shared = np.log1p(resolution.shared[bands])
            made[..., 3] = _mean(blur, source[:, bands])[:, None, None]
            made[..., 4] = _mean(shared, source[:, bands])[:, None, None]
        inputs.append(made)
    return tuple(inputs)


def _fill(
    made: np.ndarray,
    counts: Sequence[np.ndarray],
    background: Sequence[np.ndarray],
    core: np.ndarray,
) -> None:
    """Sum the bands of a tier, and write its first three channels."""
    total = np.zeros((4, *made.shape[:3]), dtype=np.float32)
    for band, (n, b) in enumerate(zip(counts, background, strict=True)):
        signal = core[:, band, None, None].astype(np.float32)
        least = np.maximum(b, np.float32(_LEAST_BACKGROUND))
        weight = np.log1p(signal / least)
        total += np.stack([weight * n, weight * b, weight**2 * least, weight * signal])
    seen, expected, variance, signal = total
    scale = expected / np.maximum(variance, np.finfo(np.float32).tiny)
    level = np.maximum(scale * expected, np.float32(_LEAST_BACKGROUND))
    made[..., 0] = significance(scale * seen, level)
    made[..., 1] = np.log(level)
    made[..., 2] = significance(level + scale * signal, level)


def _mean(of_band: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Mean of numbers of bands over the photons of a source in them, shape (n,)."""
    return source @ of_band / np.maximum(source.sum(axis=1), _LEAST_SHARE)
