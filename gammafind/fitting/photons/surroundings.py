"""Data and sources near some places, all bands in a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.sky.psf_stamps import COARSE, Stamps

CONTAINMENT = 0.95
"""Share of the counts of a source within the pixels of its likelihood: balances signal and time."""
BRIGHT = 100.0
"""Counts above which a source is removed from the model with fine sub-pixels: balances accuracy and
time."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Data in the pixels near each of n positions, all bands in a row.

    Attributes
    ----------
    counts, model : ndarray, shape (n, k)
    templates : ndarray, shape (n, m, k)
        Expected counts of one source at each of m positions around each place.
    totals : ndarray, shape (n, m)
        Sum of the expected counts of one source in all pixels; those without photons may be left
        out of ``templates``.
    """

    counts: np.ndarray
    model: np.ndarray
    templates: np.ndarray
    totals: np.ndarray


@dataclass(frozen=True, eq=False)
class SurroundingsByBand:
    """Data near each of n positions, and shares of sources that are not yet weighted by band.

    Attributes
    ----------
    counts, model : ndarray, shape (n, k)
    templates : ndarray, shape (n, m, k)
        Shares of the counts in each band.
    totals : ndarray, shape (n, m, n_bands)
    sizes : list of int
        Number of pixels of each band.
    """

    counts: np.ndarray
    model: np.ndarray
    templates: np.ndarray
    totals: np.ndarray
    sizes: list[int]

    def weighted(self, shares: np.ndarray) -> Surroundings:
        """Sources with shares (n, n_bands) of their counts in the bands."""
        weights = np.repeat(shares, self.sizes, axis=1)
        return Surroundings(
            self.counts,
            self.model,
            self.templates * weights[:, None],
            np.einsum("nmb,nb->nm", self.totals, shares),
        )


def gather(
    data: SkyData,
    vectors: np.ndarray,
    *,
    containment: float = CONTAINMENT,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    sampling: float = COARSE,
) -> SurroundingsByBand:
    """Counts, model and source templates in the pixels near each place.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, m, 3)
        m nearby positions around each of n places.
    containment : float
        Minimum share of the counts of a source at each position in the pixels.
    without : tuple of ndarray, shapes (n, 3) and (n, n_bands), optional
        Positions and counts of sources to remove from the model, one for each place.
    sampling : float
        As for `gammafind.sky.psf_stamps.fractions_at`.

    Returns
    -------
    SurroundingsByBand
    """
    centre = centres(vectors)
    parts = []
    for i, band in enumerate(data.bands):
        own = None if without is None else (without[0], without[1][:, i])
        parts.append(
            band.near(centre, vectors, containment=containment, own=own, sampling=sampling)
        )
    counts, model, share, total = zip(*parts, strict=True)
    return SurroundingsByBand(
        counts=np.concatenate(counts, axis=-1),
        model=np.concatenate(model, axis=-1),
        templates=np.concatenate(share, axis=-1),
        totals=np.stack(total, axis=-1),
        sizes=[one.shape[-1] for one in counts],
    )


def at_stamps(data: SkyData, stamps: Sequence[Stamps], counts: np.ndarray) -> SurroundingsByBand:
    """Counts, model and templates near sources of the model, with the weights of the pixels.

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    stamps : sequence of Stamps
        One per band, with places in its arrays.
    counts : ndarray, shape (n, n_bands)
        Counts of the sources in the model, from which they are removed.
    """
    seen, others, shares = [], [], []
    for band, stamp, own in zip(data.bands, stamps, counts.T, strict=True):
        weight = band.weights(stamp.pixel)
        without = band.model[stamp.pixel] - stamp.fraction * own[:, None]
        seen.append(weight * band.counts[stamp.pixel])
        others.append(weight * np.maximum(without, band.background[stamp.pixel]))
        shares.append(weight * stamp.fraction)
    return SurroundingsByBand(
        counts=np.concatenate(seen, axis=-1, dtype=float),
        model=np.concatenate(others, axis=-1),
        templates=np.concatenate(shares, axis=-1)[:, None],
        totals=np.stack([one.sum(axis=-1) for one in shares], axis=-1)[:, None],
        sizes=[one.pixel.shape[-1] for one in stamps],
    )


def centres(vectors: np.ndarray) -> np.ndarray:
    """Middle of groups of positions (n, m, 3), shape (n, 3)."""
    centre = vectors.mean(axis=1)
    return centre / np.linalg.norm(centre, axis=-1, keepdims=True)
